/** The seam of backups: their activities over the ports of maintenance. */
import type { BackupActivities } from '../../contracts/backup.js';
import type { MaintenanceDeps } from '../maintenance/deps.js';
import type { LakeTables } from '../tables.js';
import { backUpTable, beginBackup, pruneBackups, sealBackup } from './create.js';
import { chooseBackup, drillTable, restoreTable, verifyExtras, verifyTable } from './restore.js';

export function backupActivities(deps: MaintenanceDeps, tables: LakeTables): BackupActivities {
  return {
    beginBackup: (run) => beginBackup(deps, run),
    backUpTable: (run, place) => backUpTable(deps, tables, run, place),
    sealBackup: (run) => sealBackup(deps, run),
    pruneBackups: (run) => pruneBackups(deps, run),
    chooseBackup: (run, input) => chooseBackup(deps, run, input),
    verifyTable: (run, backup, table) => verifyTable(deps, run, backup, table),
    verifyExtras: (run, backup) => verifyExtras(deps, run, backup),
    restoreTable: (run, backup, table, into) => restoreTable(deps, run, backup, table, into),
    drillTable: (run, backup, table) => drillTable(deps, run, backup, table),
  };
}
