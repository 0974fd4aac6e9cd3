/** What `tableMaintenance` is started with, checked before anything is touched. */
import { TABLE_OPERATIONS, type TableMaintenanceInput } from '../contracts/table-maintenance.js';
import { refuseInput } from './input.js';

const refuse = refuseInput(
  'tableMaintenance takes {"table": "silver.stocks", "task": {"operation": "optimize"}}',
);
const TABLE_NAME = /^(bronze|silver|gold|quarantine|meta)\.[a-z][a-z0-9_]{0,62}$/;
const KEYS: Readonly<Record<TableMaintenanceInput['task']['operation'], readonly string[]>> = {
  optimize: [],
  vacuum: ['retentionHours', 'dryRun'],
  'clean-log': ['dryRun'],
  checkpoint: [],
  fsck: ['repair', 'statistics'],
  restore: ['version', 'time'],
};

/**
 * The input as it is. Fails the flow for good with INPUT_INVALID: people start flows by hand, where no type says anything,
 * and a misspelt key must not be passed over.
 */
export function parseTableMaintenance(input: unknown): TableMaintenanceInput {
  const { table, task } = (input ?? {}) as Partial<TableMaintenanceInput>;
  if (typeof table !== 'string' || !TABLE_NAME.test(table))
    throw refuse('"table" is a layer and a name, as in silver.stocks');
  const operation = task?.operation;
  if (operation === undefined || !TABLE_OPERATIONS.includes(operation))
    throw refuse(`"task.operation" is one of ${TABLE_OPERATIONS.join(', ')}`);
  const strange = Object.keys(task ?? {}).filter(
    (key) => key !== 'operation' && !KEYS[operation].includes(key),
  );
  if (strange.length > 0) throw refuse(`"${operation}" has no option ${strange.join(', ')}`);
  if (task?.operation === 'restore') {
    const { version, time } = task;
    if ((version === undefined) === (time === undefined)) throw refuse('"restore" takes a version or a time');
    if (version !== undefined && (!Number.isSafeInteger(version) || version < 0))
      throw refuse('"version" is a whole number from 0');
    if (time !== undefined && Number.isNaN(Date.parse(time))) throw refuse('"time" is an ISO instant');
  }
  if (task?.operation === 'vacuum' && task.retentionHours !== undefined && !(task.retentionHours >= 0))
    throw refuse('"retentionHours" is a number from 0');
  return { table, task: task as TableMaintenanceInput['task'] };
}
