/** What a backfill leaves: a row of `meta.backfills`, whose commit carries the message of its end. */
import type { BackfillFinished, BackfillReport } from '../contracts/backfill.js';
import { appendRows } from '../delta/index.js';
import type { BackfilledNote } from '../medallion/commit-note.js';
import { checkpointIfDue } from './checkpoint.js';
import type { ActivityDeps } from './deps.js';
import { recordSchema } from './record-schema.js';
import { relayTables } from './relay.js';
import type { LakeTables } from './tables.js';

export async function recordBackfill(
  deps: ActivityDeps,
  tables: LakeTables,
  report: BackfillReport,
): Promise<void> {
  const finished = finishedOf(report);
  const { runId, workflowId, scheduleId, dataset, mode, from, to, outcome, message } = finished;
  const row = {
    ...{ run_id: runId, workflow_id: workflowId, schedule_id: scheduleId, dataset, mode },
    ...{ from_time: from, to_time: to, outcome, message },
    ...{ started_at: finished.startedAt, finished_at: finished.finishedAt },
    ...{ planned: finished.planned, filled: finished.filled, failed: finished.failed },
    left_out: finished.leftOut,
  };
  const note: BackfilledNote = { kind: 'backfilled', finished };
  const table = tables.table('meta', 'backfills');
  await appendRows(table, deps.rowParquet, [row], {
    schema: BACKFILLS,
    transaction: { appId: `datalab:backfill:${runId}`, version: 1 },
    info: { datalab: note },
  });
  await checkpointIfDue(deps, table);
  // What cannot be told now is told with the next run or cycle of monitoring.
  await relayTables(deps, tables, [['meta', 'backfills']]);
}

/** The words and numbers of the message. */
export function finishedOf({ summary, problem, ...report }: BackfillReport): BackfillFinished {
  const { scheduleId, mode, from, to, planned, done, outcomes, failures, leftOut = [] } = summary;
  const failed = outcomes['failed'] ?? 0;
  const elsewhere = outcomes['elsewhere'] ?? 0;
  const filled = done - failed - elsewhere;
  const left = planned - done + elsewhere;
  const cases = [
    `${filled} of ${planned} filled`,
    ...(failed > 0 ? [`${failed} failed (first ${failures[0]?.logicalTime}: ${failures[0]?.code})`] : []),
    ...(left > 0
      ? [`${left} left out${leftOut[0] ? ` (first ${leftOut[0].logicalTime}: ${leftOut[0].reason})` : ''}`]
      : []),
  ];
  const ended = { ok: 'done', partial: 'done in part', failed: 'failed', cancelled: 'cancelled' };
  const said = planned === 0 ? 'nothing was owed' : cases.join(', ');
  const why = problem === null ? '' : `: ${problem}`;
  return {
    ...report,
    ...{ scheduleId, mode, from, to, planned, filled, failed, leftOut: left },
    message: `backfill of ${scheduleId} from ${from} to ${to} ${ended[report.outcome]}${why}: ${said}`,
    ...{ failures, notFilled: leftOut },
  };
}

const BACKFILLS = recordSchema({
  run_id: 'string',
  workflow_id: 'string',
  schedule_id: 'string',
  dataset: 'string',
  mode: 'string',
  from_time: 'timestamp',
  to_time: 'timestamp',
  started_at: 'timestamp',
  finished_at: 'timestamp',
  outcome: 'string',
  planned: 'long',
  filled: 'long',
  failed: 'long',
  left_out: 'long',
  message: 'string',
});
