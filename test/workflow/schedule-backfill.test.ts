/** What `scheduleBackfill` promises, on Temporal's time-skipping server. */
import { randomUUID } from 'node:crypto';
import { ApplicationFailure, Context } from '@temporalio/activity';
import type { WorkflowFailedError } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBackfillActivities } from '../../src/activities/backfill.js';
import { addSearchAttributes } from '../../src/connectors/temporal.js';
import type { EtlActivities } from '../../src/contracts/activities.js';
import type { BackfillInput, BackfillReport, BackfillSummary } from '../../src/contracts/backfill.js';
import type { Slot, SlotOutcome } from '../../src/contracts/expected-runs.js';
import { SEARCH_ATTRIBUTES, TASK_QUEUES } from '../../src/contracts/flows.js';
import type { RunRef } from '../../src/contracts/run.js';
import { PLAN, scriptedActivities, staged } from '../support/scripted-activities.js';
import { hasTestServer, timeSkippingEnvironment } from '../support/time-skipping.js';
import { withWorkers as whileWorking } from '../support/workers.js';

const DAY_MS = 24 * 3600_000;
const FROM = Date.parse('2013-03-01T09:00:00Z');
const day = (index: number): string => new Date(FROM + index * DAY_MS).toISOString();

/** A schedule whose days have these outcomes; days that are run become what the run made of them. */
class Days {
  readonly started: RunRef[] = [];
  /** Ends of backfills, as they are recorded and told. */
  readonly ends: BackfillReport[] = [];
  readonly outcomes: Map<string, SlotOutcome>;

  constructor(outcomes: readonly SlotOutcome[]) {
    this.outcomes = new Map(outcomes.map((outcome, index) => [day(index), outcome]));
  }

  activities(overrides: Partial<EtlActivities> = {}, location = 'in/{date}/*.csv') {
    const { activities } = scriptedActivities({
      planRun: async (run) => {
        this.started.push(run);
        return PLAN;
      },
      ...overrides,
    });
    const { recordRun } = activities;
    const backfill = createBackfillActivities({
      slots: async (scheduleId, { fromMs, toMs }) => {
        const inRange = [...this.outcomes].filter(
          ([at]) => Date.parse(at) >= fromMs && Date.parse(at) <= toMs,
        );
        const slots = inRange.map(([logicalTime, outcome]) => ({ scheduleId, logicalTime, outcome }) as Slot);
        return { scheduleId, paused: false, note: '', slots };
      },
      schedules: [
        { id: 'daily', workflowType: 'medallionEtl', input: { dataset: 'stocks' } },
        { id: 'watch', workflowType: 'platformMonitoring', input: {} },
      ],
      loadDataset: async () => ({
        source: { kind: 'files', location, format: 'csv', csv: { delimiter: ',', quote: '"' } },
      }),
      lateAfterMs: 60_000,
      nowMs: () => Date.now(),
      page: 5,
      record: async (report) => void this.ends.push(report),
    });
    return {
      ...activities,
      ...backfill,
      recordRun: (report: Parameters<typeof recordRun>[0]) => {
        const { outcome, summary } = report;
        this.outcomes.set(
          summary.run.logicalTime,
          outcome === 'blocked' || outcome === 'cancelled' ? 'failed' : outcome,
        );
        expect(summary.quiet).toBe(true);
        return recordRun(report);
      },
    };
  }
}

describe.skipIf(!hasTestServer && !process.env['CI'])(
  'scheduleBackfill (skipped where the test server is not prepared)',
  () => {
    let environment: TestWorkflowEnvironment;
    beforeAll(async () => {
      Runtime.install({ logger: new DefaultLogger('ERROR') });
      environment = await timeSkippingEnvironment();
      await addSearchAttributes(environment.client, Object.values(SEARCH_ATTRIBUTES));
    }, 120_000);
    afterAll(() => environment?.teardown());

    function withWorkers<T>(activities: object, body: () => Promise<T>): Promise<T> {
      return whileWorking(environment, { flows: activities, etl: activities }, body);
    }

    const start = (input: Partial<BackfillInput>) =>
      environment.client.workflow.start('scheduleBackfill', {
        workflowId: randomUUID(),
        taskQueue: TASK_QUEUES.flows,
        args: [{ scheduleId: 'daily', from: day(0), to: day(400), ...input }],
      });

    async function run(activities: object, input: Partial<BackfillInput> = {}): Promise<BackfillSummary> {
      return withWorkers(activities, async () => (await start(input)).result() as Promise<BackfillSummary>);
    }

    it('fills the missing times, oldest first, one by one, and a second time nothing', async () => {
      const days = new Days([
        'ok',
        'never_started',
        'failed',
        'skipped',
        'running',
        'empty',
        'never_started',
      ]);
      const summary = await run(days.activities());
      expect(days.started.map(({ logicalTime }) => logicalTime)).toEqual([day(1), day(3), day(6)]);
      expect(days.started[0]?.workflowId).toBe(`daily-backfill-${day(1)}`);
      expect(summary).toMatchObject({ planned: 3, done: 3, outcomes: { ok: 3 }, failures: [], note: '' });
      expect(days.ends).toMatchObject([{ outcome: 'ok', dataset: 'stocks', problem: null, summary }]);
      expect(await run(days.activities())).toMatchObject({ planned: 0, done: 0 });
    });

    it('fills failed times, or all but those that are going on', async () => {
      const outcomes: SlotOutcome[] = ['ok', 'failed', 'partial', 'running', 'due', 'late', 'never_started'];
      const failed = new Days(outcomes);
      await run(failed.activities(), { mode: 'failed' });
      expect(failed.started.map(({ logicalTime }) => logicalTime)).toEqual([day(1), day(2)]);
      const all = new Days(outcomes);
      await run(all.activities(), { mode: 'all', from: day(1) });
      expect(all.started.map(({ logicalTime }) => logicalTime)).toEqual([day(1), day(2), day(6)]);
    });

    it('starts nothing in a dry run, and says that a source does not depend on the time', async () => {
      const days = new Days(['never_started', 'never_started']);
      const summary = await run(days.activities({}, 'in/*.csv'), { dryRun: true });
      expect(days.started).toEqual([]);
      expect(days.ends).toEqual([]);
      expect(summary).toMatchObject({
        planned: 2,
        done: 0,
        times: [{ logicalTime: day(0) }, { logicalTime: day(1) }],
      });
      expect(summary.note).toContain('does not depend on the time');
    });

    it('goes on after a run that failed, and tells why it did', async () => {
      const days = new Days(['never_started', 'never_started', 'never_started']);
      const activities = days.activities({
        writeSilver: async ({ logicalTime }) => {
          if (logicalTime !== day(1)) return staged('silver.stocks', 'silver');
          throw ApplicationFailure.nonRetryable('no such column', 'ENGINE_SQL_FAILED');
        },
      });
      const summary = await run(activities);
      expect(summary).toMatchObject({ done: 3, outcomes: { ok: 2, failed: 1 } });
      expect(summary.failures).toEqual([
        { logicalTime: day(1), code: 'ENGINE_SQL_FAILED', message: 'no such column' },
      ]);
      expect(days.ends).toMatchObject([{ outcome: 'partial', summary: { failures: summary.failures } }]);
    });

    it('tells which times it left out, because another run was at them', async () => {
      const days = new Days(['never_started', 'never_started']);
      // Somebody's own run of the first time, which nobody works on.
      const other = await environment.client.workflow.start('medallionEtl', {
        ...{ workflowId: `daily-backfill-${day(0)}`, taskQueue: 'nowhere' },
        args: [{ dataset: 'stocks', logicalTime: day(0) }],
      });
      const summary = await run(days.activities(), { to: day(0) });
      await other.terminate();
      expect(summary).toMatchObject({ planned: 1, done: 1, outcomes: { elsewhere: 1 } });
      expect(summary.leftOut).toMatchObject([{ logicalTime: day(0) }]);
      expect(days.ends).toMatchObject([{ outcome: 'partial', summary: { leftOut: summary.leftOut } }]);
    });

    it('cancels the run that is going on, and leaves what is done', async () => {
      let reached = (): void => undefined;
      const second = new Promise<void>((resolve) => {
        reached = resolve;
      });
      const days = new Days(['never_started', 'never_started', 'never_started']);
      const plain = days.activities();
      const activities = {
        ...plain,
        writeSilver: async (given: RunRef) => {
          if (given.logicalTime !== day(1)) return plain.writeSilver(given as never, {});
          reached();
          const beat = setInterval(() => Context.current().heartbeat(), 50);
          return Context.current().cancelled.finally(() => clearInterval(beat));
        },
      };
      await withWorkers(activities, async () => {
        const handle = await start({});
        await second;
        await handle.cancel();
        const error: unknown = await handle.result().catch((reason: unknown) => reason);
        expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
      });
      expect([...days.outcomes.values()]).toEqual(['ok', 'failed', 'never_started']);
      expect(days.ends).toMatchObject([
        { outcome: 'cancelled', summary: { planned: 3, done: 1, outcomes: { ok: 1 } } },
      ]);
      expect(days.ends[0]?.summary.leftOut).toEqual(
        [day(1), day(2)].map((logicalTime) => ({ logicalTime, reason: 'cancelled' })),
      );
      const rest = await run(days.activities());
      expect(rest).toMatchObject({ planned: 1, outcomes: { ok: 1 } });
    });

    it('continues as new over a long range, and counts on', async () => {
      const days = new Days(Array.from({ length: 12 }, (_, index) => (index === 4 ? 'ok' : 'never_started')));
      let plans = 0;
      const { planBackfill, ...plain } = days.activities();
      const summary = await run(
        {
          ...plain,
          planBackfill: (...all: Parameters<typeof planBackfill>) => ++plans && planBackfill(...all),
        },
        { parallel: 3 },
      );
      expect(plans).toBe(3);
      expect(days.ends).toMatchObject([{ outcome: 'ok', summary: { planned: 11, done: 11 } }]);
      expect(Date.parse(days.ends[0]?.startedAt ?? '')).toBeLessThan(
        Date.parse(days.ends[0]?.finishedAt ?? ''),
      );
      expect(summary).toMatchObject({ planned: 11, done: 11, outcomes: { ok: 11 } });
      expect(days.started).toHaveLength(11);
    });

    it.each([
      ['watch', 'BACKFILL_UNSUITED'],
      ['nowhere', 'SCHEDULE_UNKNOWN'],
    ])('refuses %s', async (scheduleId, code) => {
      const error: unknown = await run(new Days([]).activities(), { scheduleId }).catch(
        (reason: unknown) => reason,
      );
      let cause = (error as WorkflowFailedError).cause;
      while (cause && !(cause instanceof ApplicationFailure)) cause = cause.cause as Error | undefined;
      expect(cause?.type).toBe(code);
    });
  },
);
