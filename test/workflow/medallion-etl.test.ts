/** What the workflow `medallionEtl` promises, on Temporal's time-skipping server. */
import { randomUUID } from 'node:crypto';
import { ApplicationFailure, Context } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addSearchAttributes } from '../../src/connectors/temporal.js';
import type { EtlActivities } from '../../src/contracts/activities.js';
import {
  SEARCH_ATTRIBUTES,
  TASK_QUEUES,
  type MedallionEtlInput,
  type WorkflowType,
} from '../../src/contracts/flows.js';
import type { EtlSummary } from '../../src/contracts/run.js';
import {
  audit,
  discovery,
  FAILED_CHECK,
  PLAN,
  published,
  REPLAYED,
  REPORT,
  scriptedActivities,
  staged,
} from '../support/scripted-activities.js';
import { hasTestServer, timeSkippingEnvironment } from '../support/time-skipping.js';
import { withWorkers as whileWorking } from '../support/workers.js';

describe.skipIf(!hasTestServer && !process.env['CI'])(
  'medallionEtl (skipped where the test server is not prepared)',
  () => {
    let environment: TestWorkflowEnvironment;
    beforeAll(async () => {
      Runtime.install({ logger: new DefaultLogger('ERROR') });
      environment = await timeSkippingEnvironment();
      // This server cannot list attributes, only add them.
      await addSearchAttributes(environment.client, Object.values(SEARCH_ATTRIBUTES));
    }, 120_000);
    afterAll(() => environment?.teardown());

    /** Runs a body while workers with these activities poll both pools. */
    function withWorkers<T>(activities: EtlActivities, body: () => Promise<T>): Promise<T> {
      return whileWorking(environment, { flows: activities, etl: activities }, body);
    }

    function run(
      activities: EtlActivities,
      input: MedallionEtlInput = { dataset: 'stocks' },
      type: WorkflowType = 'medallionEtl',
    ): Promise<EtlSummary> {
      return withWorkers(activities, () =>
        environment.client.workflow.execute(type, {
          workflowId: randomUUID(),
          taskQueue: TASK_QUEUES.flows,
          args: [input],
        }),
      );
    }

    /** The code with which a run failed. */
    async function failureOf(running: Promise<EtlSummary>): Promise<string | null | undefined> {
      const error: unknown = await running.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(WorkflowFailedError);
      let cause = (error as WorkflowFailedError).cause;
      while (cause && !(cause instanceof ApplicationFailure)) cause = cause.cause as Error | undefined;
      return cause?.type;
    }

    it('goes through the layers in order, Gold side by side, then records and relays', async () => {
      const { activities, calls, reports } = scriptedActivities();
      const summary = await run(activities);
      expect(calls.slice(0, 6)).toEqual([
        'planRun',
        'discoverSources',
        'writeBronze',
        'auditBronze',
        'publish bronze',
        'writeSilver',
      ]);
      expect(calls[6]).toBe('publish silver');
      expect(calls.slice(7, 9).sort()).toEqual(['writeGold daily', 'writeGold monthly']);
      expect(calls.slice(-3)).toEqual(['writeReport', 'recordRun', 'relayEvents']);
      expect(summary.report).toEqual(REPORT);
      expect(reports[0]?.summary.report).toEqual(REPORT);
      expect(summary).toMatchObject({ outcome: 'ok', phase: 'done', events: { sent: 4, pending: 0 } });
      expect(summary.tables.filter((table) => table.changed)).toHaveLength(4);
      expect(reports).toHaveLength(1);
    });

    it('records and tells a run whose report could not be written', async () => {
      const writeReport = async (): Promise<never> => {
        throw ApplicationFailure.nonRetryable('no ink', 'UNEXPECTED');
      };
      const { activities, calls } = scriptedActivities({ writeReport });
      const summary = await run(activities);
      expect(summary).toMatchObject({ outcome: 'ok', phase: 'done', report: null });
      expect(calls.slice(-3)).toEqual(['writeReport', 'recordRun', 'relayEvents']);
    });

    it('is empty, not failed, when no source is new and every table is current', async () => {
      const { activities, calls } = scriptedActivities({
        discoverSources: async () => discovery(0),
        writeSilver: async () => staged('silver.stocks', null),
        writeGold: async (_run, table) => staged(`gold.${table}`, null),
      });
      const summary = await run(activities);
      expect(summary.outcome).toBe('empty');
      expect(calls).not.toContain('writeBronze');
      expect(calls.filter((call) => call.startsWith('publish'))).toEqual([]);
      expect(summary.tables.map((table) => table.table).sort()).toEqual([
        'bronze.stocks',
        'gold.daily',
        'gold.monthly',
        'silver.stocks',
      ]);
    });

    it('catches up Silver and Gold when an earlier run died after Bronze', async () => {
      const { activities, calls } = scriptedActivities({ discoverSources: async () => discovery(0) });
      expect((await run(activities)).outcome).toBe('ok');
      expect(calls).toContain('publish silver');
    });

    it('publishes nothing when a block check fails, and records the run as blocked', async () => {
      const { activities, calls, reports } = scriptedActivities({
        auditBronze: async () => audit({ blocked: true, score: 0.4, results: [FAILED_CHECK] }),
      });
      expect(await failureOf(run(activities))).toBe('QUALITY_BLOCKED');
      expect(calls.filter((call) => call.startsWith('publish') || call === 'writeSilver')).toEqual([]);
      expect(reports[0]).toMatchObject({ outcome: 'blocked', error: { code: 'QUALITY_BLOCKED' } });
      expect(calls.at(-1)).toBe('relayEvents');
    });

    it('discovers its sources again when another run published first', async () => {
      let publishes = 0;
      const { activities, calls } = scriptedActivities({
        publish: async (_run, manifest) =>
          published(manifest, manifest === 'bronze' && publishes++ === 0 ? 'conflict' : 'published'),
      });
      expect((await run(activities)).outcome).toBe('ok');
      expect(calls.filter((call) => call === 'discoverSources')).toHaveLength(2);
      expect(calls.filter((call) => call === 'writeBronze')).toHaveLength(2);
    });

    it('gives up with a code of its own when it never gets to publish', async () => {
      const { activities, calls, reports } = scriptedActivities({
        publish: async (_run, manifest) => published(manifest, 'conflict'),
      });
      expect(await failureOf(run(activities))).toBe('PUBLISH_STARVED');
      expect(calls.filter((call) => call === 'writeBronze')).toHaveLength(8);
      expect(reports[0]?.outcome).toBe('failed');
    });

    it('retries what may pass, and stops at what cannot', async () => {
      let attempts = 0;
      const flaky = scriptedActivities({
        writeSilver: async () => {
          if (++attempts < 4) throw new Error('connection reset');
          return staged('silver.stocks', 'silver');
        },
      });
      expect((await run(flaky.activities)).outcome).toBe('ok');
      expect(attempts).toBe(4);

      const broken = scriptedActivities({
        writeSilver: async () => {
          throw ApplicationFailure.nonRetryable('silver.sql does not parse', 'ENGINE_SQL_FAILED');
        },
      });
      expect(await failureOf(run(broken.activities))).toBe('ENGINE_SQL_FAILED');
      expect(broken.calls.filter((call) => call === 'writeSilver')).toHaveLength(1);
      expect(broken.reports[0]).toMatchObject({
        outcome: 'failed',
        error: { code: 'ENGINE_SQL_FAILED', message: 'silver.sql does not parse' },
      });
    });

    it('keeps trying to record, however long the lake is away', async () => {
      let attempts = 0;
      const script = scriptedActivities();
      const { recordRun } = script.activities;
      const activities: EtlActivities = {
        ...script.activities,
        recordRun: async (report) => {
          if (++attempts < 60) throw new Error('the lake is away');
          return recordRun(report);
        },
      };
      expect((await run(activities)).outcome).toBe('ok');
      expect(attempts).toBe(60);
    });

    it('records a cancelled run, and still ends as cancelled', async () => {
      let reached = (): void => undefined;
      const writing = new Promise<void>((resolve) => {
        reached = resolve;
      });
      const { activities, reports, calls } = scriptedActivities({
        writeBronze: async () => {
          reached();
          const beat = setInterval(() => Context.current().heartbeat(), 50);
          return Context.current().cancelled.finally(() => clearInterval(beat));
        },
      });
      await withWorkers(activities, async () => {
        const handle = await environment.client.workflow.start('medallionEtl', {
          workflowId: randomUUID(),
          taskQueue: TASK_QUEUES.flows,
          args: [{ dataset: 'stocks' }],
        });
        await writing;
        await handle.cancel();
        const error: unknown = await handle.result().catch((reason: unknown) => reason);
        expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
      });
      expect(reports[0]).toMatchObject({ outcome: 'cancelled', error: { code: 'CANCELLED' } });
      expect(calls.filter((call) => call.startsWith('publish'))).toEqual([]);
    });

    it('is for the logical time that it is given, else for its start', async () => {
      const { activities } = scriptedActivities();
      const given = await run(activities, { dataset: 'stocks', logicalTime: '2013-03-01T06:00:00.000Z' });
      expect(given.run.logicalTime).toBe('2013-03-01T06:00:00.000Z');
      const own = await run(activities);
      expect(Date.parse(own.run.logicalTime)).toBeGreaterThan(Date.parse('2020-01-01'));
    });

    it.each([
      [{}],
      [{ dataset: '' }],
      [{ dataset: '../stocks' }],
      [{ dataset: 'stocks', logicalTime: 'yesterday' }],
      [{ dataset: 'stocks', logicalTime: '2013-03-01' }],
      [{ dataset: 'stocks', logicalTime: '2013-03-01T06:00:00' }],
      [{ dataset: 'stocks', logicaltime: '2013-03-01T06:00:00Z' }],
      [{ dataset: 'stocks', options: { rebuild: 'no' } }],
      [{ dataset: 'stocks', options: { rebuilt: true } }],
    ])('refuses the input %j before any activity', async (input) => {
      const { activities, calls } = scriptedActivities();
      expect(await failureOf(run(activities, input as MedallionEtlInput))).toBe('INPUT_INVALID');
      expect(calls).toEqual([]);
    });

    it('writes a logical time with an offset as the instant that it is', async () => {
      const { activities } = scriptedActivities();
      const summary = await run(activities, { dataset: 'stocks', logicalTime: '2013-03-01T03:00-03:00' });
      expect(summary.run.logicalTime).toBe('2013-03-01T06:00:00.000Z');
    });

    it('lists its sources again when one changed while it was read', async () => {
      let reads = 0;
      const { activities, calls } = scriptedActivities({
        writeBronze: async () => {
          if (++reads === 1) throw ApplicationFailure.nonRetryable('it grew', 'SOURCE_CHANGED');
          return staged('bronze.stocks', 'bronze');
        },
      });
      expect((await run(activities)).outcome).toBe('ok');
      expect(calls.filter((call) => call === 'discoverSources')).toHaveLength(2);
    });

    it('has the shares of its sources read side by side, and publishes them as one', async () => {
      const given: unknown[] = [];
      const { activities, calls } = scriptedActivities({
        discoverSources: async () => ({ ...discovery(3), shares: ['one', 'two', 'three'] }),
        writeBronze: async (_run, sources, share) => {
          given.push([sources, share]);
          return { ...staged('bronze.stocks', sources), sources: 1 };
        },
        gatherBronze: async (_run, shares) => ({
          ...staged('bronze.stocks', `all of ${shares.map(({ manifest }) => manifest).join()}`),
          sources: shares.length,
        }),
      });
      const summary = await run(activities);
      expect(given).toHaveLength(3);
      expect(given).toContainEqual(['two', { number: 2, of: 3 }]);
      expect(calls.filter((call) => /Bronze|publish all/.test(call))).toEqual([
        ...Array<string>(3).fill('writeBronze'),
        ...['gatherBronze', 'auditBronze', 'publish all of one,two,three'],
      ]);
      expect(summary).toMatchObject({ outcome: 'ok', sources: { ingested: 3 } });
      expect(summary.steps.filter(({ step }) => step === 'write bronze.stocks')).toHaveLength(4);
    });

    it('begins anew where a source of one share changed, and the other shares are told to stop', async () => {
      let rounds = 0;
      let stopped = false;
      const { activities, calls } = scriptedActivities({
        discoverSources: async () => ({ ...discovery(2), ...(rounds++ === 0 && { shares: ['a', 'b'] }) }),
        writeBronze: async (_run, sources) => {
          if (sources === 'a') throw ApplicationFailure.nonRetryable('it grew', 'SOURCE_CHANGED');
          if (sources !== 'b') return staged('bronze.stocks', 'bronze');
          const { cancelled, heartbeat } = Context.current();
          const beat = setInterval(heartbeat, 100);
          await cancelled.catch(() => undefined).finally(() => clearInterval(beat));
          stopped = true;
          throw new CancelledFailure('stopped');
        },
      });
      expect((await run(activities)).outcome).toBe('ok');
      expect(calls).not.toContain('gatherBronze');
      expect(stopped).toBe(true);
    });

    it('does not call its own what another run published', async () => {
      let rounds = 0;
      const { activities } = scriptedActivities({
        discoverSources: async () => discovery(rounds++ === 0 ? 1 : 0),
        publish: async (_run, manifest) =>
          published(manifest, manifest === 'bronze' ? 'conflict' : 'published'),
      });
      const summary = await run(activities);
      expect(summary).toMatchObject({
        bronze: { read: 0, accepted: 0 },
        score: null,
        sources: { listed: 3, ingested: 0, known: 3 },
      });
    });

    it('is what it was although it could not be told of', async () => {
      const { activities, reports } = scriptedActivities({
        relayEvents: async () => {
          throw ApplicationFailure.nonRetryable('the lake is gone', 'STORE_REFUSED');
        },
      });
      const summary = await run(activities);
      expect(summary.outcome).toBe('ok');
      expect(summary.events.detail).toContain('the lake is gone');
      expect(reports.map((report) => report.outcome)).toEqual(['ok']);
    });

    it('ends as it ended although it could not be recorded', async () => {
      const recordRun = async (): Promise<never> => {
        throw ApplicationFailure.nonRetryable('the bucket is gone', 'STORE_REFUSED');
      };
      const blocked = scriptedActivities({
        recordRun,
        auditBronze: async () => audit({ blocked: true, results: [FAILED_CHECK] }),
      });
      expect(await failureOf(run(blocked.activities))).toBe('QUALITY_BLOCKED');
      expect(blocked.calls.at(-1)).toBe('relayEvents');
      expect(await failureOf(run(scriptedActivities({ recordRun }).activities))).toBe('STORE_REFUSED');
    });

    it('lets the other Gold tables finish when one fails, and records them', async () => {
      const { activities, reports } = scriptedActivities({
        writeGold: async (_run, table) => {
          if (table === 'daily') throw ApplicationFailure.nonRetryable('no such column', 'ENGINE_SQL_FAILED');
          await new Promise((resolve) => setTimeout(resolve, 200));
          return staged(`gold.${table}`, `gold-${table}`);
        },
      });
      expect(await failureOf(run(activities))).toBe('ENGINE_SQL_FAILED');
      expect(reports[0]?.summary.steps.map(({ step }) => step)).toContain('publish gold-monthly');
    });

    describe('quarantineReplay', () => {
      const replay = (activities: EtlActivities): Promise<EtlSummary> =>
        run(activities, { dataset: 'stocks', rule: 'bad_value' } as MedallionEtlInput, 'quarantineReplay');

      it('takes refused rows through to Gold, then out of the quarantine, and is recorded', async () => {
        const { activities, calls, reports } = scriptedActivities();
        const summary = await replay(activities);
        expect(calls.slice(0, 6)).toEqual([
          'planRun',
          'writeReplay',
          'auditBronze',
          'publish bronze',
          'releaseReplayed',
          'writeSilver',
        ]);
        expect(calls).not.toContain('discoverSources');
        expect(summary).toMatchObject({ flow: 'quarantineReplay', outcome: 'ok', replay: REPLAYED });
        expect(reports).toHaveLength(1);
      });

      it('releases what an earlier attempt took in, where nothing is left to take', async () => {
        const { activities, calls } = scriptedActivities({
          writeReplay: async () => ({
            ...staged('bronze.stocks', null),
            replay: { ...REPLAYED, accepted: 0 },
          }),
        });
        await replay(activities);
        expect(calls.slice(1, 3)).toEqual(['writeReplay', 'releaseReplayed']);
      });

      it('starts over when somebody else published first, and keeps all in quarantine where a check blocks', async () => {
        let rounds = 0;
        const { activities, calls } = scriptedActivities({
          publish: async (_run, manifest) =>
            published(manifest, manifest === 'bronze' && rounds++ === 0 ? 'conflict' : 'published'),
        });
        await replay(activities);
        expect(calls.filter((call) => call === 'writeReplay')).toHaveLength(2);
        const blocked = scriptedActivities({
          auditBronze: async () => audit({ blocked: true, results: [FAILED_CHECK] }),
        });
        expect(await failureOf(replay(blocked.activities))).toBe('QUALITY_BLOCKED');
        expect(blocked.calls).not.toContain('releaseReplayed');
      });
    });

    it('keeps its history small with a hundred Gold tables', async () => {
      const gold = Array.from({ length: 100 }, (_, index) => `table_${index}`);
      const { activities } = scriptedActivities({ planRun: async () => ({ ...PLAN, gold }) });
      await withWorkers(activities, async () => {
        const handle = await environment.client.workflow.start('medallionEtl', {
          workflowId: randomUUID(),
          taskQueue: TASK_QUEUES.flows,
          args: [{ dataset: 'stocks' }],
        });
        await handle.result();
        const { raw } = await handle.describe();
        expect(Number(raw.workflowExecutionInfo?.historyLength)).toBeLessThan(4096);
      });
    }, 120_000);
  },
);
