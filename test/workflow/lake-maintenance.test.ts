/** What `lakeMaintenance` promises, on Temporal's time-skipping server. */
import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BackupActivities } from '../../src/contracts/backup.js';
import type {
  LakeMaintenanceInput,
  LakeMaintenanceSummary,
  MaintenanceActivities,
  MaintenanceEnding,
  MaintenanceRun,
} from '../../src/contracts/lake-maintenance.js';
import { TASK_QUEUES } from '../../src/contracts/flows.js';
import { hasTestServer, timeSkippingEnvironment } from '../support/time-skipping.js';
import { withWorkers } from '../support/workers.js';

/** A lake of so many tables, every tenth of which needs work. */
function scripted(
  total: number,
  overrides: Partial<MaintenanceActivities> = {},
  { budgetMinutes = 60, backs = false } = {},
) {
  const tended: number[] = [];
  const endings: MaintenanceEnding[] = [];
  let assessed = 0;
  let working = 0;
  let widest = 0;
  let needy = 0;
  const activities: MaintenanceActivities = {
    listLake: async () => ({
      total,
      policy: {
        tend: {
          ...{ startToCloseSeconds: 60, heartbeatSeconds: 0 },
          ...{ maximumAttempts: 1, initialIntervalSeconds: 1 },
        },
        backs,
        parallelTables: 3,
        budgetMinutes,
      },
    }),
    assessTables: async (_run, from, count) => {
      const tables = Math.min(count, total - from);
      assessed += tables;
      needy += tables / 10;
      return { healthy: tables - tables / 10, needy: tables / 10, unreadable: 0 };
    },
    orderPlans: async () => needy,
    tendTable: async (_run, place) => {
      working += 1;
      widest = Math.max(widest, working);
      await new Promise((resolve) => setTimeout(resolve, 5));
      working -= 1;
      tended.push(place);
      return { table: `silver.t${place}`, outcome: 'done', detail: '', rowsExpired: 1, bytesFreed: 10 };
    },
    sweepFolders: async () => ({ files: 2, bytes: 20 }),
    closeMaintenance: async (_run, ending) => {
      endings.push(ending);
      return { report: 'reports/maintenance/x.json', page: 'reports/maintenance/x.html' };
    },
    tellMaintenance: async () => ({ sent: 1, pending: 0 }),
    ...overrides,
  };
  return { activities, tended, endings, figures: () => ({ assessed, widest }) };
}

describe.skipIf(!hasTestServer && !process.env['CI'])(
  'lakeMaintenance (skipped where the test server is not prepared)',
  () => {
    let environment: TestWorkflowEnvironment;
    beforeAll(async () => {
      Runtime.install({ logger: new DefaultLogger('ERROR') });
      environment = await timeSkippingEnvironment();
    }, 120_000);
    afterAll(() => environment?.teardown());

    async function run(
      activities: MaintenanceActivities,
      input?: LakeMaintenanceInput,
      workflowId: string = randomUUID(),
    ): Promise<LakeMaintenanceSummary> {
      return withWorkers(
        environment,
        { flows: {}, maintenance: activities },
        () =>
          environment.client.workflow.execute('lakeMaintenance', {
            workflowId,
            taskQueue: TASK_QUEUES.flows,
            args: input === undefined ? [] : [input],
          }) as Promise<LakeMaintenanceSummary>,
      );
    }

    it('assesses every table once, works on those in need a few at a time, and reports', async () => {
      const script = scripted(250);
      const summary = await run(script.activities);
      expect(script.figures().assessed).toBe(250);
      expect(script.figures().widest).toBeLessThanOrEqual(3);
      expect([...script.tended].sort((a, b) => a - b)).toEqual(Array.from({ length: 25 }, (_, i) => i));
      expect(summary).toMatchObject({
        ...{ phase: 'done', tables: 250, healthy: 225, needy: 25, left: 0 },
        outcomes: { done: 25, planned: 0, aside: 0, failed: 0 },
        ...{ rowsExpired: 25, bytesFreed: 250, swept: { files: 2, bytes: 20 } },
        report: 'reports/maintenance/x.json',
      });
      expect(script.endings).toHaveLength(1);
    });

    it('knows which schedule it was started for, and that a start by hand was for none', async () => {
      const { run: byHand } = await run(scripted(10).activities);
      expect(byHand).not.toHaveProperty('scheduleId');
      const id = 'lake-maintenance-weekly-backfill-2024-01-07T03:00:00Z';
      const { run: scheduled } = await run(scripted(10).activities, {}, id);
      expect(scheduled).toMatchObject({ scheduleId: 'lake-maintenance-weekly', workflowId: id });
    });

    it('makes a backup and drills it, of which a dry run only says what would be copied', async () => {
      const figures = { tables: 1, objects: 3, bytes: 30, copiedObjects: 2, copiedBytes: 20 };
      const calls: string[] = [];
      const called = async <Value>(name: string, value: Value): Promise<Value> => {
        calls.push(name);
        return value;
      };
      const backup: Partial<BackupActivities> = {
        beginBackup: async () => 1,
        backUpTable: ({ dryRun }) => called(dryRun ? 'count' : 'copy', figures),
        sealBackup: () => called('seal', { ...figures, tables: 0, problems: [] }),
        pruneBackups: () => called('prune', { backups: 0, objects: 0, bytes: 0 }),
        chooseBackup: async () => ({ backup: 'newest', tables: ['silver.t'] }),
        drillTable: () => called('drill', { ...figures, problems: [] }),
      };
      const { activities } = scripted(10, {}, { backs: true });
      const all = { ...activities, ...backup };
      expect((await run(all, { dryRun: true })).backup).toEqual({ plan: figures });
      expect(calls).toEqual(['count']);
      const { backup: made } = await run(all);
      expect(made).toMatchObject({ create: { tables: 1, copiedObjects: 4 }, drill: { tables: 1 } });
      expect(calls).toEqual(['count', 'copy', 'seal', 'prune', 'drill']);
      // A part of the lake is no reason for a backup.
      expect(await run(all, { tables: ['silver.t0'] })).not.toHaveProperty('backup');
    });

    it('goes on where a table or the sweep fails, and says so', async () => {
      const { activities, endings } = scripted(100, {
        tendTable: async (_run, place) => {
          if (place === 4) throw ApplicationFailure.nonRetryable('the disk is full', 'ENGINE_IO_FAILED');
          return { table: 't', outcome: 'aside', detail: '', rowsExpired: 0, bytesFreed: 0 };
        },
        sweepFolders: async () => {
          throw ApplicationFailure.nonRetryable('no', 'STORE_REFUSED');
        },
      });
      const summary = await run(activities, {});
      expect(summary.outcomes).toEqual({ done: 0, planned: 0, aside: 9, failed: 1 });
      expect(summary.worked.find(({ outcome }) => outcome === 'failed')?.detail).toBe('the disk is full');
      expect(summary.problems).toEqual(['sweep: no']);
      expect(endings).toHaveLength(1);
    });

    it('begins no further table once its time is over', async () => {
      const { activities, tended } = scripted(100, {}, { budgetMinutes: 0 });
      const summary = await run(activities, {});
      expect(tended).toEqual([]);
      expect(summary).toMatchObject({ phase: 'done', needy: 10, left: 10 });
    });

    it('counts a table whose own time was over as left, and goes on with the others', async () => {
      const { activities, endings } = scripted(100, {
        tendTable: async (_run, place) => ({
          ...{ table: `silver.t${place}`, outcome: 'done', detail: '', rowsExpired: 0, bytesFreed: 0 },
          ...(place === 3 && { unfinished: true }),
        }),
      });
      const summary = await run(activities, {});
      expect(summary).toMatchObject({ left: 1, outcomes: { done: 10 } });
      expect(endings[0]?.left).toBe(1);
    });

    it('hands a dry run and the wanted tables to every step, for the time of its start', async () => {
      const seen: MaintenanceRun[] = [];
      const { activities } = scripted(10, {
        orderPlans: async (given) => {
          seen.push(given);
          return 0;
        },
      });
      const summary = await run(activities, { dryRun: true, tables: ['silver.sales'] });
      expect(seen).toEqual([summary.run]);
      expect(summary.run).toMatchObject({ dryRun: true, tables: ['silver.sales'] });
      expect(Number.isNaN(Date.parse(summary.run.at))).toBe(false);
    });

    it('continues as new where the history grows long, and works on every table once all the same', async () => {
      const script = scripted(12_000);
      const workflowId = randomUUID();
      const summary = await withWorkers(
        environment,
        { flows: {}, maintenance: script.activities },
        () =>
          environment.client.workflow.execute('lakeMaintenance', {
            ...{ workflowId, taskQueue: TASK_QUEUES.flows, args: [{}] },
          }) as Promise<LakeMaintenanceSummary>,
      );
      const last = environment.client.workflow.getHandle(workflowId);
      const { runId } = await last.describe();
      // The run keeps the name that it began with, though its last execution has another.
      expect(runId).not.toBe(summary.run.runId);
      expect([...script.tended].sort((a, b) => a - b)).toEqual(Array.from({ length: 1200 }, (_, i) => i));
      expect(summary.outcomes.done).toBe(1200);
      expect(script.figures().assessed).toBe(12_000);
      expect(script.endings).toHaveLength(1);
      const { events = [] } = await last.fetchHistory();
      expect(events?.length).toBeLessThan(4000);
    }, 120_000);

    it('audits alone: nothing is swept or backed up, and the findings are summed', async () => {
      let swept = 0;
      const { activities } = scripted(10, {
        tendTable: async () => ({
          ...{ table: 'silver.sales', outcome: 'done', detail: '', rowsExpired: 0, bytesFreed: 0 },
          audit: { score: 0.9, checks: 8, failed: 2, blocking: 1 },
        }),
        sweepFolders: async () => {
          swept += 1;
          return { files: 0, bytes: 0 };
        },
      });
      const summary = await run(activities, { only: 'audit', datasets: ['sales'] });
      expect(swept).toBe(0);
      expect(summary.audited).toEqual({ tables: 1, failed: 2, blocking: 1 });
      expect(summary.run).toMatchObject({ only: 'audit', datasets: ['sales'] });
      expect(summary.page).toBe('reports/maintenance/x.html');
    });

    it('tells Kafka at the end, and is done all the same where that cannot be', async () => {
      const told: string[] = [];
      const listed = await scripted(10).activities.listLake({} as MaintenanceRun);
      const listLake = async () => ({ ...listed, policy: { ...listed.policy, tells: true } });
      const good = scripted(10, {
        listLake,
        tellMaintenance: async ({ runId }) => {
          told.push(runId);
          return { sent: 1, pending: 0 };
        },
      });
      const summary = await run(good.activities);
      expect(told).toEqual([summary.run.runId]);
      const bad = scripted(10, {
        listLake,
        tellMaintenance: async () => {
          throw ApplicationFailure.nonRetryable('no broker', 'EVENTS_REFUSED');
        },
      });
      expect(await run(bad.activities)).toMatchObject({ phase: 'done', problems: ['event: no broker'] });
    });

    it('refuses a misspelt dry run before anything is touched', async () => {
      const { activities, figures } = scripted(10);
      await expect(run(activities, { dryrun: true } as LakeMaintenanceInput)).rejects.toThrow();
      expect(figures().assessed).toBe(0);
    });
  },
);
