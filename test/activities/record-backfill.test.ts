/** The end of a backfill: one row and one message, in words and numbers, never lost while the broker is away. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { backfillRecorder } from '../../src/activities/index.js';
import { finishedOf } from '../../src/activities/record-backfill.js';
import type { BackfillReport, BackfillSummary } from '../../src/contracts/backfill.js';
import { Lab } from './lab.js';

let lab: Lab;
beforeEach(() => {
  lab = new Lab();
});
afterEach(() => lab.close());

const day = (index: number): string => new Date(Date.UTC(2013, 2, index, 9)).toISOString();
function report(summary: Partial<BackfillSummary> = {}, over: Partial<BackfillReport> = {}): BackfillReport {
  return {
    ...{ runId: 'b1', workflowId: 'backfill-daily', dataset: 'sales', outcome: 'ok', problem: null },
    ...{ startedAt: day(20), finishedAt: day(21) },
    summary: {
      ...{ scheduleId: 'daily', from: day(1), to: day(9), mode: 'missing', dryRun: false },
      ...{ planned: 5, done: 5, outcomes: { ok: 3, empty: 2 }, failures: [], times: [], note: '' },
      ...summary,
    },
    ...over,
  };
}
const failure = { logicalTime: day(3), code: 'ENGINE_SQL_FAILED', message: 'no such column' };

it('is told once, with what was filled, failed and left out', async () => {
  const record = backfillRecorder(lab.deps);
  const given = report(
    {
      ...{ planned: 6, done: 4, outcomes: { ok: 2, failed: 1, elsewhere: 1 }, failures: [failure] },
      leftOut: [{ logicalTime: day(2), reason: 'another run of this time goes on' }],
    },
    { outcome: 'partial' },
  );
  await record(given);
  await record(given);
  expect(lab.inbox.received).toHaveLength(1);
  expect(lab.inbox.received[0]).toMatchObject({
    topic: 'datalab-notifications',
    event: {
      ...{ id: 'backfill:b1', type: 'io.datalab.backfill.partial', subject: 'daily' },
      data: { planned: 6, filled: 2, failed: 1, leftOut: 3, failures: [failure] },
    },
  });
  expect(await lab.rows('meta/backfills', 'schedule_id, outcome, planned, filled, failed, left_out')).toEqual(
    [{ schedule_id: 'daily', outcome: 'partial', planned: 6n, filled: 2n, failed: 1n, left_out: 3n }],
  );
});

it('waits for the broker, and goes with the next run', async () => {
  lab.inbox.down();
  await backfillRecorder(lab.deps)(report());
  expect(lab.inbox.received).toEqual([]);
  lab.inbox.up();
  await lab.do('relayEvents', lab.newRun());
  expect(lab.inbox.ids()).toContain('backfill:b1');
});

it.each([
  [report(), 'done: 5 of 5 filled'],
  [report({ planned: 0, done: 0, outcomes: {} }), 'done: nothing was owed'],
  [
    report({ done: 5, outcomes: { ok: 4, failed: 1 }, failures: [failure] }, { outcome: 'partial' }),
    `done in part: 4 of 5 filled, 1 failed (first ${day(3)}: ENGINE_SQL_FAILED)`,
  ],
  [
    report(
      { done: 2, outcomes: { ok: 2 }, leftOut: [{ logicalTime: day(4), reason: 'cancelled' }] },
      { outcome: 'cancelled' },
    ),
    `cancelled: 2 of 5 filled, 3 left out (first ${day(4)}: cancelled)`,
  ],
])('says in words how it ended', (given, words) => {
  expect(finishedOf(given).message).toBe(`backfill of daily from ${day(1)} to ${day(9)} ${words}`);
});
