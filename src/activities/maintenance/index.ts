/** The seam of maintenance: its activities over ports that the composition root fills in. */
import type { MaintenanceActivities } from '../../contracts/lake-maintenance.js';
import type { BackupActivities } from '../../contracts/backup.js';
import { backupActivities } from '../backup/index.js';
import { withFailures } from '../failure.js';
import { LakeTables } from '../tables.js';
import { assessTables, listLake, orderPlans } from './assess.js';
import { closeMaintenance } from './close.js';
import type { MaintenanceDeps } from './deps.js';
import { sweepFolders } from './sweep.js';
import { tellMaintenance } from './tell.js';
import { tendTable } from './tend.js';

export type { ExtraFile, MaintenanceDeps } from './deps.js';

/** Every activity of maintenance, each of which fails with a code (see failure.ts). */
export function createMaintenanceActivities(deps: MaintenanceDeps): MaintenanceActivities & BackupActivities {
  const { engine, clock, newId, scratchDirectory } = deps;
  const tables = new LakeTables(deps.lake, { engine, clock, newId, scratchDirectory });
  return withFailures({
    listLake: (run) => listLake(deps, run),
    assessTables: (run, from, count) => assessTables(deps, tables, run, from, count),
    orderPlans: (run) => orderPlans(deps, run),
    tendTable: (run, place) => tendTable(deps, tables, run, place),
    sweepFolders: (run) => sweepFolders(deps, run),
    ...backupActivities(deps, tables),
    closeMaintenance: (run, ending) => closeMaintenance(deps, tables, run, ending),
    tellMaintenance: (run) => tellMaintenance(deps, tables, run),
  });
}
