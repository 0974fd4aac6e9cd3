/**
 * One task of maintenance on one table, as a workflow of its own: lake tables change only through workflows, so that every
 * change has a history, can be cancelled, and survives the worker that does it.
 *
 * Guarantees: every task can be repeated after a crash; one that meets a writer's commit decides again, so neither loses
 * anything. The history holds one activity and never continues as new.
 */
import { ApplicationFailure, proxyActivities, workflowInfo } from '@temporalio/workflow';
import {
  TABLE_OPERATIONS,
  type TableActivities,
  type TableMaintained,
  type TableMaintenanceInput,
} from '../contracts/table-maintenance.js';
import { activityOptions, MAINTAIN } from './policies.js';

const TABLE_NAME = /^(bronze|silver|gold|quarantine|meta)\.[a-z][a-z0-9_]{0,62}$/;
const KEYS: Readonly<Record<TableMaintenanceInput['task']['operation'], readonly string[]>> = {
  optimize: [],
  vacuum: ['retentionHours', 'dryRun'],
  'clean-log': ['dryRun'],
  checkpoint: [],
  fsck: ['repair', 'statistics'],
  restore: ['version', 'time'],
};

export async function tableMaintenance(input: TableMaintenanceInput): Promise<TableMaintained> {
  const { table, task } = parse(input);
  const { maintainTable } = proxyActivities<TableActivities>(activityOptions('etl', MAINTAIN));
  return maintainTable({ table, task, runId: workflowInfo().firstExecutionRunId });
}

/** People start flows by hand, where no type says anything: a misspelt key must not be passed over. */
function parse(input: unknown): TableMaintenanceInput {
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

function refuse(problem: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `tableMaintenance takes {"table": "silver.stocks", "task": {"operation": "optimize"}}: ${problem}`,
    'INPUT_INVALID',
  );
}
