/** The part of the composition root that monitoring needs: configuration → connectors → its activities' ports. */
import path from 'node:path';
import type { Client } from '@temporalio/client';
import { kafkaChannel, logChannel, type MonitoringDeps } from './activities/monitoring/index.js';
import type { ActivityDeps } from './activities/deps.js';
import type { Config, LoadedConfig } from './config/config.js';
import { dashboardUrl } from './config/dashboard.js';
import { modelServerUrl } from './config/model-server.js';
import { listDatasets } from './config/datasets.js';
import { emailChannel, webhookChannel, type AlertChannel } from './connectors/channels/index.js';
import { scheduleSlots } from './connectors/expected-runs.js';
import { measureKafka } from './connectors/probes/kafka.js';
import {
  askHttp,
  askMlflow,
  askServices,
  askTcp,
  askTemporal,
  measurePool,
  type AskedService,
} from './connectors/probes/services.js';
import { measureStartLatency } from './connectors/probes/start-latency.js';
import { alertsNow } from './client/alerts.js';
import { ALERT_MANAGER, type AlertReport } from './contracts/alerts.js';
import type { Cycle, Measurement } from './contracts/monitoring.js';
import { DatalabError } from './contracts/errors.js';
import { POOLS, TASK_QUEUES, type Pool } from './contracts/flows.js';
import type { EtlSummary } from './contracts/run.js';
import { backfillId } from './contracts/expected-runs.js';
import { comparable, declaredSchedules } from './schedules.js';

type Variables = Readonly<Record<string, string | undefined>>;

/** Everything the monitoring activities need. Throws DatalabError CONFIG_INVALID where a named variable is not set. */
export function composeMonitoringDeps(
  base: ActivityDeps,
  { config, projectDirectory }: LoadedConfig,
  client: Client,
  env: Variables,
): MonitoringDeps {
  const { kafka, monitoring } = config;
  const timeoutMs = monitoring.targetTimeoutSeconds * 1000;
  const url = env[monitoring.heartbeatUrlEnv];
  const declared = declaredSchedules(config);
  return {
    ...base,
    datasetNames: () => listDatasets(path.resolve(projectDirectory, config.datasets.directory)),
    measureKafka: kafka.enabled
      ? (before, nowMs) =>
          measureKafka(
            {
              brokers: kafka.brokers,
              clientId: kafka.clientId,
              topics: Object.values(kafka.topics),
              timeoutMs,
            },
            before,
            nowMs,
          )
      : null,
    services: servicesOf(config, client),
    ask: (services) => askServices(services, timeoutMs),
    measurePools: () => measurePools(client, timeoutMs),
    overview: () => alertsNow(client, { withinMs: timeoutMs }).catch(() => null),
    schedules: declared.map((schedule) => ({
      ...schedule,
      budgetSeconds: budgetOf(config, schedule.workflowType),
    })),
    slots: (scheduleId, range) => {
      const schedule = declared.find(({ id }) => id === scheduleId);
      return scheduleSlots(client, scheduleId, range, schedule && comparable(schedule));
    },
    rowsOfRun: async (workflowId, runId) =>
      ((await client.workflow.getHandle(workflowId, runId).result()) as EtlSummary).bronze.accepted,
    pauseSchedule: (scheduleId, note) => pauseWithBackfill(client, scheduleId, note),
    report: (report) => reportTo(client, report),
    channels: channelsOf(base, config, env),
    heartbeat: url ? (cycle) => beat(url, cycle, timeoutMs) : null,
  };
}

/** `limits` of the flow: what a run may take is said there once. */
function budgetOf({ limits }: Config, workflowType: string): number {
  const flow =
    workflowType === 'lakeMaintenance' ? 'maintenance' : workflowType === 'medallionEtl' ? 'etl' : 'mlops';
  return limits[flow].timeoutMinutes * 60;
}

async function pauseWithBackfill(client: Client, scheduleId: string, note: string): Promise<void> {
  await client.schedule.getHandle(scheduleId).pause(note);
  // None may be going on, which is no fault.
  await client.workflow
    .getHandle(backfillId(scheduleId))
    .cancel()
    .catch(() => undefined);
}

function servicesOf({ mlflow, modelServer, dashboard, monitoring }: Config, client: Client): AskedService[] {
  return [
    { service: 'temporal', ask: () => askTemporal(client) },
    ...(mlflow.enabled
      ? [{ service: 'mlflow', ask: (signal: AbortSignal) => askMlflow(mlflow.trackingUri, signal) }]
      : []),
    ...(mlflow.enabled && modelServer.enabled
      ? [
          {
            service: 'model-server',
            ask: (signal: AbortSignal) => askHttp(`${modelServerUrl(modelServer)}/ready`, signal),
          },
        ]
      : []),
    ...(dashboard.watched
      ? [
          {
            service: 'dashboard',
            ask: (signal: AbortSignal) => askHttp(`${dashboardUrl(dashboard)}/api/health`, signal),
          },
        ]
      : []),
    ...monitoring.targets.map(({ name, url, tcp }) => ({
      service: name,
      ask: (signal: AbortSignal) => (url === undefined ? askTcp(tcp ?? '', signal) : askHttp(url, signal)),
    })),
  ];
}

/** How each pool stands, and how long tasks waited for it; without the latter where Temporal shows no histories. */
async function measurePools(client: Client, timeoutMs: number): Promise<Measurement[]> {
  const [pools, starts] = await Promise.all([
    Promise.all(POOLS.map((pool) => poolOrWhyNot(client, pool, timeoutMs))),
    client.connection
      .withDeadline(Date.now() + timeoutMs, () => measureStartLatency(client, TASK_QUEUES, Date.now()))
      .catch(() => []),
  ]);
  return [...pools.flat(), ...starts];
}

/** A queue that Temporal does not describe is an answer: the other figures of the probe stand. */
async function poolOrWhyNot(client: Client, pool: Pool, timeoutMs: number): Promise<Measurement[]> {
  const figure = { metric: 'pool.measured', labels: { pool, task_queue: TASK_QUEUES[pool] } };
  try {
    const measured = await client.connection.withDeadline(Date.now() + timeoutMs, () =>
      measurePool(client, pool, TASK_QUEUES[pool]),
    );
    return [{ ...figure, value: 1 }, ...measured];
  } catch (error) {
    return [{ ...figure, value: 0, detail: (error as Error).message.slice(0, 300) }];
  }
}

/** Starts the manager where it does not run. */
async function reportTo(client: Client, report: AlertReport): Promise<void> {
  await client.workflow.signalWithStart('alertManager', {
    workflowId: ALERT_MANAGER.workflowId,
    taskQueue: TASK_QUEUES.monitoring,
    signal: ALERT_MANAGER.report,
    signalArgs: [report],
  });
}

function channelsOf(base: ActivityDeps, { kafka, monitoring }: Config, env: Variables): AlertChannel[] {
  const secret = (variable: string | undefined, where: string): string | undefined => {
    if (variable === undefined) return undefined;
    const value = env[variable];
    if (value) return value;
    throw new DatalabError(
      'CONFIG_INVALID',
      `monitoring.channels ${where}: the variable ${variable} is not set`,
    );
  };
  return [
    logChannel(base.log),
    ...(base.events ? [kafkaChannel(base.events, kafka.topics.alerts, base.lake.uri)] : []),
    ...monitoring.channels.map((channel) => {
      const { name } = channel;
      if (channel.type === 'email') {
        const { passwordEnv, ...options } = channel;
        return emailChannel({ ...options, password: secret(passwordEnv, name) });
      }
      const url = channel.url ?? secret(channel.urlEnv, name) ?? '';
      return webhookChannel({ name, url, format: channel.format });
    }),
  ];
}

async function beat(url: string, cycle: Cycle, timeoutMs: number): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ source: 'datalab', ...cycle }),
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((error: unknown) => {
    const cause = (error as Error).cause;
    throw new Error(
      `the heartbeat address did not answer: ${cause instanceof Error ? cause.message : String(error)}`,
    );
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`the heartbeat address answered ${response.status}`);
}
