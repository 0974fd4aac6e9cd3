/** The services, asked in their own protocols, and the pools with who polls them and what waits. */
import { modelServerUrl } from '../../config/model-server.js';
import {
  askHttp,
  askMlflow,
  askServices,
  askTemporal,
  askTcp,
  measurePool,
  type AskedService,
} from '../../connectors/probes/services.js';
import type { Measurement } from '../../contracts/monitoring.js';
import { POOLS, TASK_QUEUES } from '../../contracts/flows.js';
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
}

export interface ServicesNow {
  readonly services: readonly ServiceRow[];
  readonly pools: readonly PoolRow[];
  readonly poolsProblem: string | null;
}

export async function servicesNow(deps: DashboardDeps): Promise<ServicesNow> {
  const { config, temporal } = deps;
  const asked = servicesOf(deps);
  const [answers, pools] = await Promise.all([
    askServices(asked, config.monitoring.targetTimeoutSeconds * 1000),
    temporal
      .withDeadline(Date.now() + 5000, () =>
        Promise.all(POOLS.map((pool) => measurePool(temporal, pool, TASK_QUEUES[pool]))),
      )
      .then(
        (figures) => ({ figures: figures.flat(), problem: null }),
        (error: unknown) => ({ figures: [] as Measurement[], problem: reasonOf(error) }),
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
      const of = (metric: string): number | null =>
        figure(pools.figures, metric, 'pool', pool)?.value ?? null;
      return {
        pool,
        taskQueue: TASK_QUEUES[pool],
        pollers: of('pool.pollers'),
        backlog: of('pool.backlog'),
        backlogAgeSeconds: of('pool.backlog_age_seconds'),
      };
    }),
    poolsProblem: pools.problem,
  };
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
