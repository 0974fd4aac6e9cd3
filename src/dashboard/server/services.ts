/** The services, asked in their own protocols, and the pools with who polls them and what waits. */
import { modelServerUrl } from '../../config/model-server.js';
import { productVersion } from '../../config/version.js';
import {
  askHttp,
  askMlflow,
  askServices,
  askTemporal,
  askTcp,
  describePool,
  type AskedService,
  type PoolState,
} from '../../connectors/probes/services.js';
import type { Measurement } from '../../contracts/monitoring.js';
import { POOLS, TASK_QUEUES, type Pool } from '../../contracts/flows.js';
import type { DashboardDeps } from './deps.js';
import { reasonOf } from './measured.js';

export interface ServiceRow {
  readonly service: string;
  readonly state: 'up' | 'down' | 'off';
  readonly ms: number | null;
  readonly detail: string;
}

export interface PoolRow {
  readonly pool: string;
  readonly taskQueue: string;
  /** Null: Temporal could not say. */
  readonly pollers: number | null;
  readonly backlog: number | null;
  readonly backlogAgeSeconds: number | null;
  /** Tasks handed to its workers, by the second. */
  readonly perSecond: number | null;
}

/** A worker's process, by what Temporal knows of those that poll. */
export interface WorkerRow {
  readonly identity: string;
  readonly build: string;
  readonly pools: readonly string[];
  readonly seenAt: string;
}

/** A program that the platform is made of. */
export interface VersionRow {
  readonly part: string;
  readonly version: string;
}

export interface ServicesNow {
  readonly services: readonly ServiceRow[];
  readonly pools: readonly PoolRow[];
  readonly poolsProblem: string | null;
  readonly workers: readonly WorkerRow[];
  readonly versions: readonly VersionRow[];
}

export async function servicesNow(deps: DashboardDeps): Promise<ServicesNow> {
  const { config, temporal } = deps;
  const asked = servicesOf(deps);
  const [answers, pools] = await Promise.all([
    askServices(asked, config.monitoring.targetTimeoutSeconds * 1000),
    temporal
      .withDeadline(Date.now() + 5000, () =>
        Promise.all(
          POOLS.map(async (pool) => [pool, await describePool(temporal, pool, TASK_QUEUES[pool])] as const),
        ),
      )
      .then(
        (states) => ({ states: new Map<Pool, PoolState>(states), problem: null }),
        (error: unknown) => ({ states: new Map<Pool, PoolState>(), problem: reasonOf(error) }),
      ),
  ]);
  const figure = (from: readonly Measurement[], metric: string, label: string, value: string) =>
    from.find((one) => one.metric === metric && one.labels[label] === value);
  const rows = asked.map(({ service }): ServiceRow => {
    const up = figure(answers, 'service.up', 'service', service);
    const ms = figure(answers, 'service.response_ms', 'service', service);
    const state = up?.value === 1 ? 'up' : 'down';
    return { service, state, ms: ms?.value ?? null, detail: up?.detail ?? '' };
  });
  const off = [
    ...(config.kafka.enabled
      ? []
      : [['kafka', 'switched off by kafka.enabled; events stay pending'] as const]),
    ...(config.mlflow.enabled
      ? []
      : [['mlflow', 'switched off by mlflow.enabled; no model is trained'] as const]),
  ].map(([service, detail]): ServiceRow => ({ service, state: 'off', ms: null, detail }));
  return {
    services: [...rows, ...off],
    pools: POOLS.map((pool) => {
      const state = pools.states.get(pool);
      const of = (metric: string): number | null =>
        figure(state?.measurements ?? [], metric, 'pool', pool)?.value ?? null;
      return {
        pool,
        taskQueue: TASK_QUEUES[pool],
        pollers: of('pool.pollers'),
        backlog: of('pool.backlog'),
        backlogAgeSeconds: of('pool.backlog_age_seconds'),
        perSecond: state?.perSecond ?? null,
      };
    }),
    poolsProblem: pools.problem,
    workers: workersOf(pools.states),
    versions: await versionsOf(deps),
  };
}

/** By identity: one process may poll for several pools. */
function workersOf(states: ReadonlyMap<Pool, PoolState>): WorkerRow[] {
  const byIdentity = new Map<string, WorkerRow>();
  for (const [pool, { pollers }] of states)
    for (const { identity, build, seenAt } of pollers) {
      const known = byIdentity.get(identity);
      byIdentity.set(identity, {
        ...{ identity, build, pools: [...(known?.pools ?? []), pool] },
        seenAt: known && known.seenAt > seenAt ? known.seenAt : seenAt,
      });
    }
  return [...byIdentity.values()]
    .sort((a, b) => a.identity.localeCompare(b.identity))
    .slice(0, WORKERS_SHOWN);
}

const WORKERS_SHOWN = 100;
const ENGINES = new WeakMap<object, Promise<string>>();

/** Of the programs in this process; a service says its own when it is asked. */
async function versionsOf({ lake: { engine } }: DashboardDeps): Promise<VersionRow[]> {
  const asked = ENGINES.get(engine) ?? engineVersion(engine);
  ENGINES.set(engine, asked);
  return [
    { part: 'DataLab', version: productVersion(process.env) },
    { part: 'Node.js', version: process.version },
    { part: 'DuckDB', version: await asked },
  ];
}

async function engineVersion(engine: DashboardDeps['lake']['engine']): Promise<string> {
  const session = await engine.open({ inputs: [] });
  try {
    return (await session.rows<{ version: string }>('SELECT version() AS version'))[0]?.version ?? '';
  } finally {
    await session.close();
  }
}

function servicesOf({ config, temporal, lake, lakeUri }: DashboardDeps): AskedService[] {
  return [
    { service: 'temporal', ask: () => askTemporal(temporal) },
    {
      service: 'lake',
      ask: async () => {
        // One listing of one key: whether it answers and lets us in.
        for await (const _ of lake.store.list('meta/')) break;
        return lakeUri;
      },
    },
    ...(config.kafka.enabled
      ? [
          {
            service: 'kafka',
            ask: (signal: AbortSignal) => askTcp(config.kafka.brokers[0] ?? '', signal),
          },
        ]
      : []),
    ...(config.mlflow.enabled
      ? [{ service: 'mlflow', ask: (signal: AbortSignal) => askMlflow(config.mlflow.trackingUri, signal) }]
      : []),
    ...(config.mlflow.enabled && config.modelServer.enabled
      ? [
          {
            service: 'model server',
            ask: (signal: AbortSignal) => askHttp(`${modelServerUrl(config.modelServer)}/health`, signal),
          },
        ]
      : []),
  ];
}
