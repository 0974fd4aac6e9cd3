/** `meta.expected_runs`: what became of a time of a schedule. Flows write their own end, monitoring the rest. */
import type { OwnEnd, Slot } from '../contracts/expected-runs.js';
import { appendRows, type Row } from '../delta/index.js';
import { runTransaction } from '../medallion/transactions.js';
import { checkpointIfDue } from './checkpoint.js';
import type { ActivityDeps } from './deps.js';
import { recordSchema } from './record-schema.js';
import type { LakeTables } from './tables.js';

/** The end of a run for its own time, once. A run that was triggered by hand is for no time that was expected. */
export async function recordOwnEnd(
  deps: ActivityDeps,
  tables: LakeTables,
  { scheduleId, execution, ...end }: OwnEnd,
): Promise<void> {
  if (scheduleId === undefined || !execution) return;
  if (!(await deps.isExpected(scheduleId, end.logicalTime))) return;
  await recordSlots(deps, tables, [{ ...end, ...execution, scheduleId }], execution.runId);
}

/** Appends rows; those of one execution only once. */
export async function recordSlots(
  deps: ActivityDeps,
  tables: LakeTables,
  slots: readonly Slot[],
  executionId?: string,
): Promise<void> {
  const table = tables.table('meta', 'expected_runs');
  const recordedAt = new Date(deps.clock.nowMs()).toISOString();
  const rows = slots.map((slot) => rowOf(slot, recordedAt));
  await appendRows(table, deps.rowParquet, rows, {
    schema: EXPECTED_RUNS,
    ...(executionId !== undefined && {
      transaction: { appId: runTransaction(executionId), version: 1 },
    }),
  });
  await checkpointIfDue(deps, table);
}

/** Whether the execution has written its own row. */
export async function recordedByFlow(tables: LakeTables): Promise<(executionId: string | null) => boolean> {
  const snapshot = await tables.table('meta', 'expected_runs').snapshotIfExists();
  return (executionId) =>
    executionId !== null && snapshot?.transaction(runTransaction(executionId)) !== undefined;
}

function rowOf(slot: Slot, recordedAt: string): Row {
  return {
    schedule_id: slot.scheduleId,
    logical_time: slot.logicalTime,
    outcome: slot.outcome,
    started_at: slot.startedAt,
    finished_at: slot.finishedAt,
    rows: slot.rows,
    run_id: slot.runId,
    workflow_id: slot.workflowId,
    detail: slot.detail,
    recorded_at: recordedAt,
  };
}

const EXPECTED_RUNS = recordSchema({
  schedule_id: 'string',
  logical_time: 'timestamp',
  outcome: 'string',
  started_at: 'timestamp',
  finished_at: 'timestamp',
  rows: 'long',
  run_id: 'string',
  workflow_id: 'string',
  detail: 'string',
  recorded_at: 'timestamp',
});
