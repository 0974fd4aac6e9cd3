/**
 * A scheduled run that never starts, on the clock of the time-skipping server: monitoring's own workflow and activities, cycle
 * after cycle through days of a daily schedule, and the alert manager's account of them.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMonitoringActivities } from '../../src/activities/monitoring/index.js';
import { scheduleSlots } from '../../src/connectors/expected-runs.js';
import { ALERT_MANAGER, type AlertMessage, type AlertOverview } from '../../src/contracts/alerts.js';
import { backfillPrefix } from '../../src/contracts/expected-runs.js';
import { SEARCH_ATTRIBUTES, TASK_QUEUES } from '../../src/contracts/flows.js';
import type { MonitoringSummary } from '../../src/contracts/monitoring.js';
import { Lab } from '../activities/lab.js';
import { monitoringDeps } from '../support/monitoring-deps.js';
import { hasTestServer, timeSkippingEnvironment } from '../support/time-skipping.js';
import { withWorkers } from '../support/workers.js';

const ID = 'medallion-etl-daily';
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 3600_000;
const CYCLE_MS = 5 * MINUTE_MS;
/** Due at six. */
const dueOn = (dayMs: number): number => dayMs + 6 * 3600_000;

/** What the test server has not: a daily schedule, and the runs that came of it. */
class DailySchedule {
  readonly #runs: Array<{ readonly dueMs: number; readonly startMs: number; readonly workflowId: string }> =
    [];

  constructor(readonly createdMs: number) {}

  ran(dueMs: number, startMs = dueMs, workflowId = `${ID}-${dueMs}`): void {
    this.#runs.push({ dueMs, startMs, workflowId });
  }

  /** As Temporal's client gives it. */
  get client(): Client {
    const description = {
      ...{ state: { paused: false, note: '' }, policies: { overlap: 'SKIP' } },
      info: { createdAt: new Date(this.createdMs) },
    };
    const client = {
      options: { namespace: 'default' },
      schedule: { getHandle: () => ({ describe: async () => description }) },
      connection: {
        workflowService: {
          listScheduleMatchingTimes: async ({ startTime, endTime }: Record<string, { seconds: number }>) => ({
            startTime: this.#times(startTime?.seconds ?? 0, endTime?.seconds ?? 0).map((seconds) => ({
              seconds,
            })),
          }),
        },
      },
      workflow: { list: ({ query }: { query: string }) => this.#list(query.includes('STARTS_WITH')) },
    };
    return client as unknown as Client;
  }

  #times(after: number, until: number): number[] {
    const times: number[] = [];
    const firstDay = Math.floor(this.createdMs / DAY_MS) * DAY_MS;
    for (let ms = dueOn(firstDay); ms <= until * 1000; ms += DAY_MS)
      if (ms > after * 1000) times.push(ms / 1000);
    return times;
  }

  async *#list(backfills: boolean) {
    for (const { dueMs, startMs, workflowId } of this.#runs) {
      if (workflowId.startsWith(backfillPrefix(ID)) !== backfills) continue;
      yield {
        ...{ workflowId, runId: randomUUID(), status: { name: 'COMPLETED' } },
        ...{ startTime: new Date(startMs), closeTime: new Date(startMs + MINUTE_MS) },
        searchAttributes: {
          [SEARCH_ATTRIBUTES.logicalTime.name]: [new Date(dueMs)],
          [SEARCH_ATTRIBUTES.outcome.name]: ['ok'],
        },
      };
    }
  }
}

describe.skipIf(!hasTestServer && !process.env['CI'])(
  'a run that never starts (skipped where the test server is not prepared)',
  () => {
    let environment: TestWorkflowEnvironment;
    let lab: Lab;
    beforeAll(async () => {
      Runtime.install({ logger: new DefaultLogger('ERROR') });
      environment = await timeSkippingEnvironment();
    }, 120_000);
    afterAll(() => environment?.teardown());
    beforeEach(() => {
      lab = new Lab();
    });
    afterEach(() => lab.close());

    it('is one alert within a cycle of being late, over within a cycle of its backfill', async () => {
      const client = new Client({ connection: environment.connection });
      const managerId = randomUUID();
      const manager = client.workflow.getHandle(managerId);
      let nowMs = await environment.currentTimeMs();
      // Tomorrow's is its first time, whatever the hour of today.
      const firstDay = Math.floor(nowMs / DAY_MS) * DAY_MS + DAY_MS;
      const schedule = new DailySchedule(firstDay);
      const told: string[] = [];
      const delivered = new Set<string>();
      // The clock leaps over a delivery that is under way, which is then tried again: by the same message.
      const send = async (messages: readonly AlertMessage[]): Promise<void> => {
        for (const { id, change, at } of messages) {
          if (delivered.has(id)) continue;
          delivered.add(id);
          told.push(`${change} ${new Date(at).toISOString().slice(11, 16)}`);
        }
      };
      const deps = monitoringDeps(
        { ...lab.deps, clock: { nowMs: () => nowMs } },
        {
          schedules: [{ id: ID, createPaused: false, workflowType: 'medallionEtl', budgetSeconds: 600 }],
          slots: (id, range) => scheduleSlots(schedule.client, id, range),
          rowsOfRun: () => Promise.resolve(7),
          channels: [{ name: 'log', send }],
          report: async (report) => {
            await client.workflow.signalWithStart('alertManager', {
              ...{ workflowId: managerId, taskQueue: TASK_QUEUES.monitoring },
              ...{ signal: ALERT_MANAGER.report, signalArgs: [report] },
            });
          },
        },
      );
      const activities = createMonitoringActivities(deps);
      /** The clock leaps over what is under way, which then counts as lost: nothing may be. */
      const atRest = async (): Promise<void> => {
        for (let quiet = 0; quiet < 3;) {
          const { raw } = await manager.describe();
          quiet = raw.pendingActivities?.length || raw.pendingWorkflowTask ? 0 : quiet + 1;
          await pause(20);
        }
      };
      const sleepUntil = async (ms: number): Promise<void> => {
        const left = ms - (await environment.currentTimeMs());
        if (left > 0) await environment.sleep(left);
        nowMs = await environment.currentTimeMs();
      };
      const look = async (): Promise<MonitoringSummary> => {
        const handle = await client.workflow.start('platformMonitoring', {
          ...{ workflowId: 'datalab-monitoring', taskQueue: TASK_QUEUES.monitoring },
        });
        const summary = (await handle.result()) as MonitoringSummary;
        for (;;) {
          const { lastReportAt } = await manager.query<AlertOverview>(ALERT_MANAGER.overview);
          if (lastReportAt >= Date.parse(summary.cycle.at)) break;
        }
        await atRest();
        return summary;
      };
      /** Cycles at five minutes from one time to another. */
      const lookFrom = async (fromMs: number, toMs: number): Promise<void> => {
        for (let ms = fromMs; ms <= toMs; ms += CYCLE_MS) {
          await sleepUntil(ms);
          expect((await look()).problems).toEqual([]);
        }
      };
      await withWorkers(environment, { monitoring: activities }, async () => {
        const [first, second, third] = [0, 1, 2].map((day) => dueOn(firstDay + day * DAY_MS)) as [
          number,
          number,
          number,
        ];
        // A day like every other.
        await sleepUntil(first);
        schedule.ran(first);
        await lookFrom(first + CYCLE_MS, first + 4 * CYCLE_MS);
        expect(told).toEqual([]);
        // Nothing starts: until it counts as late, that is no alert; then it is one, and stays one.
        await lookFrom(second - CYCLE_MS, second + 6 * CYCLE_MS);
        expect(told).toHaveLength(1);
        expect(told[0]).toMatch(/^opened 06:(15|20)$/);
        const { open } = await manager.query<AlertOverview>(ALERT_MANAGER.overview);
        expect(open.map(({ rule }) => rule)).toEqual(['run_missing']);
        expect(open[0]?.summary).toContain(new Date(second).toISOString());
        // Somebody fills it at noon, the next day comes as usual.
        const noon = second + 6 * 3600_000;
        schedule.ran(second, noon, `${backfillPrefix(ID)}${new Date(second).toISOString()}`);
        await lookFrom(noon + CYCLE_MS, noon + 2 * CYCLE_MS);
        expect(told.filter((one) => !one.startsWith('repeated')).slice(1)).toHaveLength(1);
        expect(told.at(-1)).toMatch(/^resolved 12:(05|06)$/);
        await sleepUntil(third);
        schedule.ran(third);
        await lookFrom(third + CYCLE_MS, third + 4 * CYCLE_MS);
        expect(told.at(-1)).toMatch(/^resolved 12:/);
        await manager.terminate();
      });
      const outcomes = await lab.rows<{ outcome: string }>(
        'meta/expected_runs',
        'outcome',
        'ORDER BY recorded_at, logical_time',
      );
      expect(outcomes.map(({ outcome }) => outcome)).toEqual(['ok', 'never_started', 'ok', 'ok']);
    }, 600_000);
  },
);
