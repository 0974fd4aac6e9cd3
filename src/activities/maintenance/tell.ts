/** Tells Kafka of what maintenance recorded; what cannot be told now is told with the next run of anything. */
import type { MaintenanceRun } from '../../contracts/lake-maintenance.js';
import { relayTables } from '../relay.js';
import { runStep } from '../step.js';
import type { LakeTables } from '../tables.js';
import type { MaintenanceDeps } from './deps.js';

export async function tellMaintenance(
  deps: MaintenanceDeps,
  tables: LakeTables,
  _run: MaintenanceRun,
): Promise<{ readonly sent: number; readonly pending: number }> {
  const { value } = await runStep('tell', deps.scratchDirectory, async () => {
    const { sent, pending, problem } = await relayTables(deps, tables, [['meta', 'maintenance']]);
    return { rows: sent, bytes: 0, detail: problem ?? '', value: { sent, pending } };
  });
  return value;
}
