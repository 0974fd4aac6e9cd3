/** Temporal's answers about a schedule, asked for again where it was too busy to give them. */
import type { Client } from '@temporalio/client';
import { expect, it } from 'vitest';
import { scheduleSlots } from '../../src/connectors/expected-runs.js';

const HOUR_MS = 3_600_000;
const NOW_MS = Date.UTC(2026, 10, 29, 12);
const RANGE = { fromMs: NOW_MS - 3 * HOUR_MS, toMs: NOW_MS, nowMs: NOW_MS, lateAfterMs: HOUR_MS };

/** Temporal with one hourly schedule and no run, which fails the given question so many times. */
function busy(question: 'describe' | 'times' | 'runs', failures: number): Client {
  let left = failures;
  const answer = <Value>(asked: string, value: Value): Value => {
    if (asked === question && left-- > 0) throw new Error('4 DEADLINE_EXCEEDED');
    return value;
  };
  const description = {
    state: { paused: false },
    info: { createdAt: new Date(0) },
    policies: { overlap: 'SKIP' },
  };
  const seconds = [2, 1].map((hours) => ({ seconds: (NOW_MS - hours * HOUR_MS) / 1000 }));
  const client = {
    options: { namespace: 'default' },
    schedule: { getHandle: () => ({ describe: async () => answer('describe', description) }) },
    connection: {
      workflowService: { listScheduleMatchingTimes: async () => answer('times', { startTime: seconds }) },
    },
    workflow: {
      async *list() {
        yield* answer('runs', []);
      },
    },
  };
  return client as unknown as Client;
}

it.each(['describe', 'times', 'runs'] as const)(
  'asks again where the question of %s fails',
  async (question) => {
    const state = await scheduleSlots(busy(question, 2), 'hourly', RANGE);
    expect(state?.slots.map(({ logicalTime }) => logicalTime)).toEqual([
      '2026-11-29T10:00:00.000Z',
      '2026-11-29T11:00:00.000Z',
    ]);
    await expect(scheduleSlots(busy(question, 3), 'hourly', RANGE)).rejects.toThrow('DEADLINE_EXCEEDED');
  },
);
