/**
 * The composition root: configuration → connectors → activities → one Temporal worker for each pool it is told.
 *
 *   node dist/worker.js [--pool flows|etl|ml|maintenance|monitoring|all]...
 *
 * Only the pools `flows` and `monitoring` load workflow code. SIGTERM and SIGINT stop it: running activities may finish within the
 * configured grace, then they are cancelled and another worker takes them.
 */
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import pino, { type Logger } from 'pino';
import { createBackfillActivities } from './activities/backfill.js';
import { backfillRecorder, createActivities } from './activities/index.js';
import type { ActivityDeps } from './activities/deps.js';
import { createMaintenanceActivities } from './activities/maintenance/index.js';
import { createMonitoringActivities } from './activities/monitoring/index.js';
import { composeMaintenanceDeps } from './compose-maintenance.js';
import { createTrainingActivities } from './activities/training/index.js';
import { composeMonitoringDeps } from './compose-monitoring.js';
import { composeTrainingDeps } from './compose-training.js';
import { loadConfig, type Config, type LoadedConfig } from './config/config.js';
import { productVersion } from './config/version.js';
import { loadDataset } from './config/datasets.js';
import { createDuckDbEngine } from './connectors/duckdb/engine.js';
import { isExpected, scheduleSlots } from './connectors/expected-runs.js';
import { kafkaSink, type KafkaSink } from './connectors/kafka.js';
import { resolveLakeUri } from './connectors/lake-uri.js';
import { openObjectStore } from './connectors/object-store/index.js';
import { createRowParquet } from './connectors/parquet-rows.js';
import { openSources } from './connectors/sources/index.js';
import { connectTemporal, ensureSearchAttributes } from './connectors/temporal.js';
import { POOLS, TASK_QUEUES, type Pool } from './contracts/flows.js';
import type { ObjectStore } from './delta/index.js';
import { declaredSchedules } from './schedules.js';
import { WORKFLOW_BUNDLE_PATH } from './workflow-bundle.js';

/** Pools whose workers run workflow code; monitoring runs its own, so that it works while the flows do not. */
const RUNS_WORKFLOWS: readonly Pool[] = ['flows', 'monitoring'];

/** Runs workers for the pools until the process is told to stop. */
export async function runWorker(pools: readonly Pool[], loaded: LoadedConfig): Promise<void> {
  const { config } = loaded;
  const log = pino({ level: config.logging.level, base: { service: 'worker' } });
  Runtime.install({ logger: temporalLogger(log), shutdownSignals: ['SIGTERM', 'SIGINT'] });

  const client = await connectTemporal(config.temporal);
  await ensureSearchAttributes(client);

  const { address, namespace, apiKey, tls } = config.temporal;
  const connection = await NativeConnection.connect({
    address,
    tls,
    ...(apiKey !== undefined && { apiKey }),
  });
  const stateDirectory = path.resolve(
    loaded.projectDirectory,
    process.env['DATALAB_STATE_DIR'] ?? '.datalab',
  );
  const events = config.kafka.enabled ? kafkaSink(config.kafka) : null;
  try {
    const deps = composeActivityDeps(loaded, events, log, (id, time) => isExpected(client, id, time));
    const activities = {
      ...createActivities(deps),
      ...createBackfillActivities({
        slots: (id, range) => scheduleSlots(client, id, range),
        schedules: declaredSchedules(config),
        loadDataset: deps.loadDataset,
        lateAfterMs: config.monitoring.lateAfterMinutes * 60_000,
        nowMs: () => Date.now(),
        record: backfillRecorder(deps),
      }),
      ...createMaintenanceActivities(composeMaintenanceDeps(deps, loaded, client, stateDirectory)),
    };
    const monitoring = pools.includes('monitoring')
      ? createMonitoringActivities(composeMonitoringDeps(deps, loaded, client, process.env))
      : {};
    const training = pools.includes('ml')
      ? createTrainingActivities(composeTrainingDeps(deps, loaded, process.env))
      : {};
    const activitiesOf = (pool: Pool): object =>
      pool === 'monitoring' ? monitoring : pool === 'ml' ? training : activities;
    const workers = await Promise.all(
      pools.map((pool) =>
        Worker.create({
          connection,
          namespace,
          taskQueue: TASK_QUEUES[pool],
          // Names the program to whoever asks who polls; histories are not bound to it.
          buildId: `datalab@${productVersion(process.env)}`,
          activities: activitiesOf(pool),
          ...(RUNS_WORKFLOWS.includes(pool) && { workflowBundle: { codePath: WORKFLOW_BUNDLE_PATH } }),
          maxConcurrentActivityTaskExecutions: config.worker.concurrency[pool],
          maxHeartbeatThrottleInterval: '1s',
          shutdownGraceTime: `${config.worker.shutdownGraceSeconds}s`,
          shutdownForceTime: `${config.worker.shutdownGraceSeconds + 10}s`,
        }),
      ),
    );
    const running = Promise.all(workers.map((worker) => worker.run()));
    log.info({ pools, lake: config.lake.uri, temporal: address }, 'worker ready');
    await running;
  } finally {
    await events?.close();
    await connection.close();
    await client.connection.close();
  }
}

/** Everything the activities need, made from the configuration. */
export function composeActivityDeps(
  { config, projectDirectory }: LoadedConfig,
  events: KafkaSink | null,
  log: Logger,
  isExpected: ActivityDeps['isExpected'] = () => Promise.resolve(false),
): ActivityDeps {
  const inProject = (folder: string): string => path.resolve(projectDirectory, folder);
  const scratchDirectory = inProject(config.worker.scratchDirectory);
  const { s3 } = config;
  const open = (uri: string): ObjectStore =>
    openObjectStore(resolveLakeUri(uri, projectDirectory), {
      s3,
      cacheDirectory: inProject(config.worker.cacheDirectory),
      cacheBytes: config.worker.cacheGb * 2 ** 30,
    });
  const backupUri = config.maintenance.backup.uri;
  return {
    config,
    lake: open(config.lake.uri),
    backup: backupUri === '' ? null : open(backupUri),
    engine: createDuckDbEngine({
      memoryLimit: engineMemory(config),
      threads: config.limits.etl.cores,
      spillDirectory: path.join(scratchDirectory, 'spill'),
    }),
    rowParquet: createRowParquet(),
    sources: openSources({ projectDirectory, s3, ...(config.kafka.enabled && { kafka: config.kafka }) }),
    events,
    loadDataset: (name) => loadDataset(inProject(config.datasets.directory), name, config.quality),
    isExpected,
    clock: { nowMs: () => Date.now() },
    newId: randomUUID,
    scratchDirectory,
    log: (fields, message, level = 'info') => log[level](fields, message),
  };
}

/** The steps that may run at once share the flow's memory. */
function engineMemory(config: Config): string {
  const { memoryGb } = config.limits.etl;
  return `${Math.max(256, Math.floor((memoryGb * 1024) / config.worker.concurrency.etl))}MB`;
}

function temporalLogger(log: Logger): DefaultLogger {
  return new DefaultLogger('WARN', ({ level, message, meta }) => {
    // pino writes an Error out only under the name `err`; a task token is of no use to people.
    const { error, taskToken: _, ...rest } = (meta ?? {}) as Record<string, unknown>;
    log[level === 'ERROR' ? 'error' : 'warn'](
      { ...rest, ...(error !== undefined && { err: error }) },
      message,
    );
  });
}

function poolsOf(names: readonly string[]): Pool[] {
  if (names.length === 0 || names.includes('all')) return [...POOLS];
  const unknown = names.filter((name) => !POOLS.includes(name as Pool));
  if (unknown.length > 0)
    throw new Error(`unknown pool ${unknown.join(', ')}; there are ${POOLS.join(', ')} and all`);
  return names as Pool[];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { pool: { type: 'string', multiple: true } } });
  await runWorker(
    poolsOf(values.pool ?? []),
    await loadConfig({ projectDirectory: process.cwd(), env: process.env }),
  );
}
