/** What monitoring's workflows grow to: in a storm of a thousand failing targets, and over a month of cycles. */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Client, type WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  ALERT_MANAGER,
  type AlertMessage,
  type AlertOverview,
  type AlertPolicy,
  type AlertReport,
  type AlertRow,
} from '../../src/contracts/alerts.js';
import { TASK_QUEUES } from '../../src/contracts/flows.js';
import type {
  AlertSeverity,
  Finding,
  MonitoringActivities,
  ProbeAnswer,
  ProbeName,
} from '../../src/contracts/monitoring.js';
import { hasTestServer, timeSkippingEnvironment } from '../support/time-skipping.js';
import { withWorkers } from '../support/workers.js';

const POLICY: AlertPolicy = {
  ...{ repeatSeconds: 4 * 3600, floodCap: 10, floodWindowSeconds: 600 },
  ...{ flapOpenings: 3, flapWindowSeconds: 3600, flapHoldSeconds: 900 },
  routes: { info: ['log'], warning: ['log'], error: ['log'], critical: ['log'] },
};
const START = Date.UTC(2026, 0, 1);
const CYCLE = 5 * 60_000;
const A_DAY = (24 * 3600_000) / CYCLE;
/** Each cycle is a workflow of its own, so that more of them show nothing else; the manager gets all of its reports above. */
const CYCLES_A_DAY = 3;
const EVENTS_MAX = 2500;
/** A third of what Temporal takes. */
const PAYLOAD_MAX = 700_000;

function failing(name: string, severity: AlertSeverity = 'error'): Finding {
  return {
    ...{ fingerprint: `service_down{service=${name}}`, rule: 'service_down', source: 'services', severity },
    ...{ labels: { service: name }, value: 0, summary: `${name} does not answer: ${'x'.repeat(250)}` },
    forSeconds: 0,
  };
}

function scripted() {
  const told: AlertMessage[] = [];
  const rows: AlertRow[] = [];
  const up = (probe: ProbeName): ProbeAnswer => ({
    ...{ probe, up: true, ms: 1, detail: '', count: 0 },
    ...{ measurements: [], reference: null },
  });
  const activities: MonitoringActivities = {
    probeKafka: async () => up('kafka'),
    probeLake: async () => up('lake'),
    probeServices: async () => up('services'),
    probeSchedules: async () => up('schedules'),
    relayAll: async () => up('relay'),
    judgeSample: async () => ({ findings: [], left: 0, policy: POLICY }),
    recordSample: async () => [],
    takeLogs: async () => ({ queries: 0, changes: 0 }),
    reportFindings: async () => undefined,
    breakCircuits: async () => [],
    beatHeart: async () => undefined,
    deliverAlerts: async (_, messages) => void told.push(...messages),
    recordAlerts: async (given) => {
      expect(JSON.stringify(given).length).toBeLessThan(PAYLOAD_MAX);
      rows.push(...given);
    },
  };
  return { activities, told, rows };
}

describe.skipIf(!hasTestServer && !process.env['CI'])(
  'the growth of monitoring (skipped where the test server is not prepared)',
  () => {
    let environment: TestWorkflowEnvironment;
    beforeAll(() => Runtime.install({ logger: new DefaultLogger('ERROR') }));
    // A server for each: in one that had run the month before, the clock of the next never leapt again.
    beforeEach(async () => {
      environment = await timeSkippingEnvironment();
    }, 120_000);
    afterEach(() => environment?.teardown());

    async function send(workflowId: string, cycle: number, findings: readonly Finding[]): Promise<void> {
      const report: AlertReport = {
        ...{ at: START + cycle * CYCLE, findings, measured: ['services'], policy: POLICY },
      };
      await environment.client.workflow.signalWithStart('alertManager', {
        ...{ workflowId, taskQueue: TASK_QUEUES.monitoring },
        ...{ signal: ALERT_MANAGER.report, signalArgs: [report] },
      });
    }

    /** The test server may lose queries, for a minute and more, that meet an execution just as that continues as new. */
    async function taken(handle: WorkflowHandle, cycle: number): Promise<AlertOverview> {
      for (let failed = 0; ;) {
        try {
          const ask = () => handle.query<AlertOverview>(ALERT_MANAGER.overview);
          const overview = await environment.client.withDeadline(Date.now() + 5000, ask);
          if (overview.lastReportAt >= START + cycle * CYCLE) return overview;
          failed = 0;
        } catch (error) {
          failed += 1;
          if (failed === 60) throw error;
          await wait(200);
        }
      }
    }

    it('tells of a storm of a thousand failing targets in one digest, and the critical one by itself', async () => {
      const { activities, told, rows } = scripted();
      const targets = Array.from({ length: 1000 }, (_, number) => failing(`target-${number}`));
      await withWorkers(environment, { monitoring: activities }, async () => {
        const id = randomUUID();
        const handle = environment.client.workflow.getHandle(id);
        await send(id, 1, [...targets, failing('store', 'critical')]);
        expect((await taken(handle, 1)).open).toHaveLength(1001);
        await send(id, 2, [...targets, failing('store', 'critical')]);
        await taken(handle, 2);
        const summary = (): string[] => told.map(({ change, count }) => `${change} ${count}`);
        expect(summary()).toEqual(['opened 1', 'digest 1000']);
        await send(id, 3, []);
        expect((await taken(handle, 3)).open).toEqual([]);
        await handle.terminate();
        expect(summary()).toEqual(['opened 1', 'digest 1000', 'resolved 1', 'digest 1000']);
        expect(told[1]?.episodes.length).toBeLessThan(50);
        expect(rows.filter(({ change }) => change === 'opened')).toHaveLength(1001);
      });
    });

    it('keeps the history of the alert manager small over a month of cycles', async () => {
      const { activities, told } = scripted();
      await withWorkers(environment, { monitoring: activities }, async () => {
        const id = randomUUID();
        const handle = environment.client.workflow.getHandle(id);
        const executions = new Set<string>();
        let longest = 0;
        for (let cycle = 1; cycle < 30 * A_DAY; cycle++) {
          // Each day one target is down for an hour.
          const down = cycle % A_DAY < 12 ? [failing('a')] : [];
          await send(id, cycle, down);
          if (cycle % 24 !== 0) continue;
          await taken(handle, cycle);
          const { runId, historyLength } = await handle.describe();
          executions.add(runId);
          longest = Math.max(longest, historyLength);
        }
        await taken(handle, 30 * A_DAY - 1);
        expect(executions.size).toBeGreaterThan(5);
        expect(longest).toBeLessThan(EVENTS_MAX);
        const changes = told.map(({ change }) => change);
        expect(changes.filter((change) => change === 'opened')).toHaveLength(30);
        expect(changes.filter((change) => change === 'resolved')).toHaveLength(30);
        await handle.terminate();
      });
    }, 900_000);

    it('keeps the histories of cycles and of their manager small over a month of the clock', async () => {
      const { activities, told } = scripted();
      // The environment's own client lets the clock leap while it waits: to the end of a manager that is at rest.
      const client = new Client({ connection: environment.connection });
      const managerId = randomUUID();
      let cycles = 0;
      // Each day one target is down for one cycle.
      const reporting: MonitoringActivities = {
        ...activities,
        judgeSample: async () => ({
          ...{ findings: cycles % CYCLES_A_DAY < 1 ? [failing('a')] : [], left: 0, policy: POLICY },
        }),
        reportFindings: async (report) => {
          await client.workflow.signalWithStart('alertManager', {
            ...{ workflowId: managerId, taskQueue: TASK_QUEUES.monitoring },
            ...{ signal: ALERT_MANAGER.report, signalArgs: [{ ...report, measured: ['services'] }] },
          });
        },
      };
      const lengths: number[] = [];
      let longest = 0;
      const began = await environment.currentTimeMs();
      await withWorkers(environment, { monitoring: reporting }, async () => {
        const manager = client.workflow.getHandle(managerId);
        for (; cycles < 30 * CYCLES_A_DAY; cycles++) {
          const handle = await client.workflow.start('platformMonitoring', {
            ...{ workflowId: 'datalab-monitoring', taskQueue: TASK_QUEUES.monitoring },
          });
          await handle.result();
          await environment.sleep((24 * 3600_000) / CYCLES_A_DAY);
          if (cycles % CYCLES_A_DAY !== 0) continue;
          lengths.push((await handle.fetchHistory()).events?.length ?? 0);
          longest = Math.max(longest, (await manager.describe()).historyLength);
        }
        const { open } = await manager.query<AlertOverview>(ALERT_MANAGER.overview);
        expect(open).toEqual([]);
        await manager.terminate();
      });
      expect((await environment.currentTimeMs()) - began).toBeGreaterThan(29 * 24 * 3600_000);
      // The last cycle of the month is as long as the first one, give or take how tasks fell together.
      expect(lengths).toHaveLength(30);
      expect(Math.max(...lengths)).toBeLessThan(150);
      expect(longest).toBeLessThan(EVENTS_MAX);
      // The clock leaps over a delivery that is under way, which is then tried again: by the same message.
      const messages = new Map(told.map(({ id, change }) => [id, change]));
      const counted = (wanted: string) => [...messages.values()].filter((change) => change === wanted).length;
      expect([counted('opened'), counted('resolved'), messages.size]).toEqual([30, 30, 60]);
    }, 900_000);
  },
);
