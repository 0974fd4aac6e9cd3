/** The alert manager on Temporal's time-skipping server: told once, on every channel by itself, with a bounded history. */
import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ALERT_MANAGER,
  type AlertMessage,
  type AlertOverview,
  type AlertPolicy,
  type AlertReport,
  type AlertRow,
} from '../../src/contracts/alerts.js';
import type {
  Finding,
  MonitoringActivities,
  MonitoringSummary,
  ProbeAnswer,
  ProbeName,
} from '../../src/contracts/monitoring.js';
import { DatalabClient } from '../../src/client/index.js';
import { TASK_QUEUES } from '../../src/contracts/flows.js';
import { hasTestServer, timeSkippingEnvironment } from '../support/time-skipping.js';
import { withWorkers as whileWorking } from '../support/workers.js';

const CHANNELS = ['log', 'mail'];
const POLICY: AlertPolicy = {
  repeatSeconds: 0,
  floodCap: 10,
  floodWindowSeconds: 600,
  flapOpenings: 100,
  flapWindowSeconds: 3600,
  flapHoldSeconds: 900,
  routes: { info: CHANNELS, warning: CHANNELS, error: CHANNELS, critical: CHANNELS },
};
const START = Date.UTC(2026, 0, 1);
const CYCLE = 5 * 60_000;

const A: Finding = {
  fingerprint: 'service_down{service=a}',
  rule: 'service_down',
  source: 'services',
  severity: 'error',
  labels: { service: 'a' },
  value: 0,
  summary: 'a is down',
  forSeconds: 0,
};

function scripted() {
  const told: string[] = [];
  const rows: AlertRow[] = [];
  const broken = new Set<string>();
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
    reportFindings: async () => undefined,
    takeLogs: async () => ({ queries: 0, changes: 0 }),
    breakCircuits: async () => [],
    beatHeart: async () => undefined,
    deliverAlerts: async (channel: string, messages: readonly AlertMessage[]) => {
      if (broken.has(channel)) throw ApplicationFailure.nonRetryable('it is away');
      told.push(...messages.map(({ change, episodes }) => `${channel} ${change} ${episodes[0]?.rule}`));
    },
    recordAlerts: async (given: readonly AlertRow[]) => void rows.push(...given),
  };
  return { activities, told, rows, broken };
}

describe.skipIf(!hasTestServer && !process.env['CI'])(
  'monitoring workflows (skipped where the test server is not prepared)',
  () => {
    let environment: TestWorkflowEnvironment;
    beforeAll(async () => {
      Runtime.install({ logger: new DefaultLogger('ERROR') });
      environment = await timeSkippingEnvironment();
    }, 120_000);
    afterAll(() => environment?.teardown());

    function withWorker<T>(activities: MonitoringActivities, body: () => Promise<T>): Promise<T> {
      return whileWorking(environment, { monitoring: activities }, body);
    }

    const report = (cycle: number, findings: readonly Finding[]): AlertReport => ({
      ...{ at: START + cycle * CYCLE, findings, measured: ['services'], policy: POLICY },
    });

    async function send(workflowId: string, given: AlertReport): Promise<WorkflowHandle> {
      await environment.client.workflow.signalWithStart('alertManager', {
        ...{ workflowId, taskQueue: TASK_QUEUES.monitoring },
        ...{ signal: ALERT_MANAGER.report, signalArgs: [given] },
      });
      return environment.client.workflow.getHandle(workflowId);
    }

    /** Waits until the manager has told of everything up to this report. */
    async function settled(
      handle: WorkflowHandle,
      at: number,
      enough: () => boolean,
    ): Promise<AlertOverview> {
      for (;;) {
        const overview = await handle.query<AlertOverview>(ALERT_MANAGER.overview);
        if (overview.lastReportAt >= at && enough()) return overview;
      }
    }

    it('tells an alert once over every channel, also when a report is repeated, and records it', async () => {
      const { activities, told, rows } = scripted();
      await withWorker(activities, async () => {
        const id = randomUUID();
        for (const given of [report(1, [A]), report(1, [A]), report(2, [A]), report(3, [])])
          await send(id, given);
        const handle = environment.client.workflow.getHandle(id);
        const ended = () => rows.filter(({ change }) => change === 'delivered').length === 4;
        const overview = await settled(handle, START + 3 * CYCLE, ended);
        expect(overview.open).toEqual([]);
        await handle.terminate();
      });
      expect(told.sort()).toEqual([
        'log opened service_down',
        'log resolved service_down',
        'mail opened service_down',
        'mail resolved service_down',
      ]);
      expect(rows.map(({ change }) => change).filter((change) => change !== 'delivered')).toEqual([
        'opened',
        'resolved',
      ]);
    });

    it('raises an alert on the others when a channel fails, and tells over it later what it missed', async () => {
      const { activities, told, broken, rows } = scripted();
      await withWorker(activities, async () => {
        const id = randomUUID();
        broken.add('mail');
        const handle = await send(id, report(1, [A]));
        const failing = await settled(handle, START + CYCLE, () => told.length === 2);
        expect(failing.failing).toEqual({ mail: 'it is away' });
        expect(failing.channels['mail']).toMatchObject({
          waiting: 1,
          waitingSince: START + CYCLE,
          firstLagMs: null,
        });
        expect(failing.channels['log']?.firstLagMs).toBeGreaterThanOrEqual(0);
        expect(told).toEqual(['log opened service_down', 'log opened channel_down']);
        broken.clear();
        await send(id, report(2, [A]));
        const healed = await settled(handle, START + 2 * CYCLE, () =>
          rows.some(({ change, rule }) => change === 'resolved' && rule === 'channel_down'),
        );
        expect(healed.failing).toEqual({});
        // What it had refused is late; what it took at once is counted apart.
        expect(healed.channels['mail']).toMatchObject({ waiting: 0, waitingSince: null, firstLagMs: null });
        expect(healed.channels['mail']?.laterLagMs).toBeGreaterThanOrEqual(0);
        expect(told.slice(2).sort()).toEqual(['log resolved channel_down', 'mail opened service_down']);
        await handle.terminate();
      });
    });

    it('keeps what people say, and refuses what makes no sense', async () => {
      const { activities, told } = scripted();
      await withWorker(activities, async () => {
        const handle = await send(randomUUID(), report(1, [A]));
        await settled(handle, START + CYCLE, () => told.length === 2);
        const request = { alert: A.fingerprint, by: 'ann', note: '' };
        await handle.executeUpdate(ALERT_MANAGER.acknowledge, { args: [request] });
        const refused = handle.executeUpdate(ALERT_MANAGER.acknowledge, {
          args: [{ ...request, alert: 'x' }],
        });
        await expect(refused).rejects.toMatchObject({ cause: { type: 'ALERT_UNKNOWN' } });
        const { open } = await handle.query<AlertOverview>(ALERT_MANAGER.overview);
        expect(open).toMatchObject([{ acknowledged: { by: 'ann' } }]);
        await handle.terminate();
      });
    });

    it('lets other services look at alerts, acknowledge and silence them', async () => {
      const { activities, told } = scripted();
      await withWorker(activities, async () => {
        const handle = await send(ALERT_MANAGER.workflowId, report(1, [A]));
        await settled(handle, START + CYCLE, () => told.length === 2);
        const datalab = new DatalabClient(environment.client);
        expect((await datalab.alerts())?.open).toMatchObject([{ fingerprint: A.fingerprint }]);
        const acknowledged = await datalab.acknowledgeAlert({
          alert: A.fingerprint,
          by: 'shop',
          note: 'seen',
        });
        expect(acknowledged.acknowledged).toMatchObject({ by: 'shop', note: 'seen' });
        const wish = { by: 'shop', reason: 'moving', rule: 'service_*', labels: {} };
        const { id } = await datalab.silenceAlerts({ ...wish, until: Date.now() + 3_600_000_000 });
        expect((await datalab.alerts())?.silences).toMatchObject([{ id, reason: 'moving' }]);
        await datalab.endSilence(id, 'shop');
        expect((await datalab.alerts())?.silences).toEqual([]);
        await expect(datalab.endSilence(id, 'shop')).rejects.toMatchObject({ code: 'ALERT_UNKNOWN' });
        await expect(datalab.silenceAlerts({ ...wish, until: 0 })).rejects.toMatchObject({
          code: 'INPUT_INVALID',
        });
        await handle.terminate();
      });
    });

    it('continues as new before its history grows large, and forgets nothing', async () => {
      const { activities, told } = scripted();
      await withWorker(activities, async () => {
        const id = randomUUID();
        const first = await send(id, report(1, [A]));
        const { runId } = await first.describe();
        let cycle = 2;
        let now = runId;
        while (now === runId && cycle < 3000) {
          await send(id, report(cycle++, [A]));
          if (cycle % 50 !== 0) continue;
          // In life there are minutes between two reports; without a pause there is no moment at which to start anew.
          await settled(first, START + (cycle - 1) * CYCLE, () => true);
          now = (await first.describe()).runId;
        }
        expect(now).not.toBe(runId);
        const { open, lastReportAt } = await first.query<AlertOverview>(ALERT_MANAGER.overview);
        expect(open.map(({ fingerprint }) => fingerprint)).toEqual([A.fingerprint]);
        expect(lastReportAt).toBeGreaterThan(START);
        expect((await first.describe()).historyLength).toBeLessThan(2000);
        await first.terminate();
      });
      expect(told.filter((one) => one === 'log opened service_down')).toHaveLength(1);
    });

    it('a cycle goes on where a probe fails, and says which', async () => {
      const { activities } = scripted();
      const reports: AlertReport[] = [];
      const summary = await withWorker(
        {
          ...activities,
          probeLake: async () => Promise.reject(new Error('no lake')),
          recordSample: async () => Promise.reject(ApplicationFailure.nonRetryable('no room')),
          takeLogs: async () => Promise.reject(ApplicationFailure.nonRetryable('no lake')),
          reportFindings: async (given) => void reports.push(given),
        },
        () =>
          environment.client.workflow.execute('platformMonitoring', {
            workflowId: randomUUID(),
            taskQueue: TASK_QUEUES.monitoring,
          }) as Promise<MonitoringSummary>,
      );
      expect(summary.probes.filter(({ up }) => !up)).toMatchObject([{ probe: 'lake', detail: 'no lake' }]);
      expect([...summary.problems].sort()).toEqual(['logs: no lake', 'record: no room']);
      expect(reports[0]?.measured).toEqual(['judge', 'kafka', 'services', 'schedules', 'relay']);
    });
  },
);
