/**
 * One task of maintenance on one table, as a workflow of its own: lake tables change only through workflows, so that every
 * change has a history, can be cancelled, and survives the worker that does it.
 *
 * Guarantees: every task can be repeated after a crash; one that meets a writer's commit decides again, so neither loses
 * anything. The history holds one activity and never continues as new.
 */
import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import type {
  TableActivities,
  TableMaintained,
  TableMaintenanceInput,
} from '../contracts/table-maintenance.js';
import { activityOptions, MAINTAIN } from './policies.js';
import { parseTableMaintenance } from './table-input.js';

export async function tableMaintenance(input: TableMaintenanceInput): Promise<TableMaintained> {
  const { table, task } = parseTableMaintenance(input);
  const { maintainTable } = proxyActivities<TableActivities>(activityOptions('etl', MAINTAIN));
  return maintainTable({ table, task, runId: workflowInfo().firstExecutionRunId });
}
