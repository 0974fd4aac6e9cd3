/**
 * What monitoring says of a platform: nothing in a hundred cycles while all is well; then of one part after the other that
 * breaks: MLflow, the model server, the dashboard, a topic, a consumer, the data, a slow flow, a schedule that keeps failing,
 * a lost run, a pool without workers. Each opens exactly one alert and ends it when it is over. Two of them take minutes to
 * be noticed, so they are broken at the beginning and looked at in the end.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { Client, Connection } from '@temporalio/client';
import { Kafka, logLevel, type Admin } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/config.js';
import { connectTemporal } from '../../src/connectors/temporal.js';
import { ALERT_MANAGER, type AlertOverview } from '../../src/contracts/alerts.js';
import { TASK_QUEUES } from '../../src/contracts/flows.js';
import type { MonitoringSummary } from '../../src/contracts/monitoring.js';
import { createEphemeral, destroyEphemeral } from '../../src/platform/ephemeral.js';
import { readSettings } from '../../src/platform/settings.js';
import type { ServiceName } from '../../src/platform/services/definition.js';
import { startPlatform } from '../../src/platform/start.js';
import { stopPlatform } from '../../src/platform/stop.js';
import { eventsOn } from '../support/topic.js';
import { datalab, WorkerProcess, type Environment } from '../support/worker-process.js';

const ETL = 'medallion-etl-daily';
const FAILING = 'medallion-etl-hourly';
const MISSED = `run_missing{schedule=${ETL}}`;
const IDLE = 'pool_idle{pool=ml,task_queue=datalab-ml}';
/** They are on their way all the time; the last tests look at them. */
const LATER: readonly string[] = [MISSED, IDLE];

const CONFIG = `
schedules:
  etlDaily: { dataset: orders, cron: '* * * * *' }
  etlHourly: { dataset: broken, cron: '* * * * *' }
  # Not every quarter of an hour: its run would wait for the pool that is killed here.
  modelWatch: { cron: '0 0 1 1 *' }
monitoring:
  lateAfterMinutes: 2
  # A busy machine is no outage: what is down refuses at once.
  targetTimeoutSeconds: 30
  probeTimeoutSeconds: 55
  circuitBreaker: { failures: 1, runs: 3 }
  alerts: { floodCap: 100 }
  rules:
    - { name: quarantine_grows, metric: quarantine.new_rows, condition: '> 2', severity: warning, summary: '{value}' }
`;
const DATASET = `
name: orders
source: { location: in/*.csv, format: csv }
columns: [{ name: id, type: long }, { name: amount, type: double }]
key: [id]
silver:
  sql: silver.sql
  rules: [{ name: amount_negative, must: amount >= 0, reason: the amount is negative }]
checks: [{ kind: row_count, severity: warn, min: 1 }]
`;
const SILVER = 'SELECT * FROM bronze.orders';
const SLOW = {
  ...{ name: 'run_slow', metric: 'schedule.run_seconds', condition: '> 12' },
  ...{ severity: 'warning', summary: '{value} s' },
};

describe('monitoring of a platform that breaks', () => {
  let project: string;
  let ephemeral: Environment;
  let env: Environment;
  let temporal: Client;
  let admin: Admin;
  let kafka: Kafka;
  let workers: WorkerProcess;
  let etl: WorkerProcess;
  let ml: WorkerProcess;
  const failed: string[] = [];

  beforeAll(async () => {
    project = await mkdtemp(path.join(tmpdir(), 'datalab-outages-'));
    await writeFile(path.join(project, 'datalab.yaml'), CONFIG);
    await mkdir(path.join(project, 'datasets', 'orders'), { recursive: true });
    await mkdir(path.join(project, 'in'));
    await writeFile(path.join(project, 'datasets', 'orders', 'dataset.yaml'), DATASET);
    await writeFile(path.join(project, 'datasets', 'orders', 'silver.sql'), SILVER);
    await mkdir(path.join(project, 'datasets', 'broken'));
    await writeFile(
      path.join(project, 'datasets', 'broken', 'dataset.yaml'),
      DATASET.replace('name: orders', 'name: broken'),
    );
    await breaks(true);
    await source('first.csv', '1,5', '2,-5');
    ephemeral = await createEphemeral();
    await start('kafka', 'temporal', 'mlflow', 'model-server', 'dashboard');
    env = {
      ...(readSettings({ ...process.env, ...ephemeral }).env as Environment),
      ...ephemeral,
      DATALAB_CONFIG: path.join(project, 'datalab.yaml'),
      DATALAB_LAKE_URI: pathToFileURL(path.join(project, 'lake')).href,
    };
    [workers, etl, ml] = await Promise.all([
      WorkerProcess.start(env, ['flows', 'monitoring', 'maintenance'], project),
      WorkerProcess.start(env, ['etl'], project),
      WorkerProcess.start(env, ['ml'], project),
    ]);
    expect((await datalab(['schedules', 'apply'], env, project)).code).toBe(0);
    temporal = await connectTemporal(parseConfig('', env).temporal);
    // The cycles of this test are started by hand, so that each of them comes after what was broken.
    await temporal.schedule.getHandle('datalab-monitoring-realtime').pause();
    kafka = new Kafka({ brokers: [env['KAFKA_BOOTSTRAP_SERVERS'] ?? ''], logLevel: logLevel.NOTHING });
    admin = kafka.admin();
    await admin.connect();
  }, 240_000);
  afterAll(async () => {
    await Promise.all([admin?.disconnect(), temporal?.connection.close()]);
    for (const worker of [workers, etl, ml]) await worker?.kill();
    await destroyEphemeral(ephemeral ?? {});
    await rm(project, { recursive: true, force: true });
  }, 60_000);

  /** Whether the SQL of the other dataset has a column that there is not. */
  const breaks = (broken: boolean): Promise<void> =>
    writeFile(
      path.join(project, 'datasets', 'broken', 'silver.sql'),
      `SELECT *${broken ? ', nowhere' : ''} FROM bronze.broken`,
    );
  const source = (name: string, ...lines: string[]): Promise<void> =>
    writeFile(path.join(project, 'in', name), ['id,amount', ...lines, ''].join('\n'));
  const start = async (...only: ServiceName[]): Promise<void> => {
    const { outcomes } = await startPlatform({ ...process.env, ...ephemeral }, { only });
    expect(outcomes.filter(({ outcome }) => outcome === 'failed' || outcome === 'left out')).toEqual([]);
  };

  /** Alerts that are open after one more cycle. */
  async function openNow(): Promise<string[]> {
    const { cycle, probes } = (await temporal.workflow.execute('platformMonitoring', {
      ...{ workflowId: `by-hand-${Date.now()}`, taskQueue: TASK_QUEUES.monitoring },
    })) as MonitoringSummary;
    // None of what is broken here is a probe's end.
    failed.push(...probes.flatMap(({ probe, up, detail }) => (up ? [] : [`${probe}: ${detail}`])));
    for (;;) {
      const { open, lastReportAt } = await temporal.workflow
        .getHandle(ALERT_MANAGER.workflowId)
        .query<AlertOverview>(ALERT_MANAGER.overview);
      if (lastReportAt >= Date.parse(cycle.at)) return open.map(({ fingerprint }) => fingerprint).sort();
      await pause(100);
    }
  }
  const brokenNow = async (): Promise<string[]> =>
    (await openNow()).filter((fingerprint) => !LATER.includes(fingerprint));

  async function until(what: () => Promise<boolean>): Promise<void> {
    while (!(await what())) await pause(500);
  }

  /** Runs of the schedule, the newest first. */
  async function runs(status: string, schedule = ETL) {
    const found = [];
    const query = `TemporalScheduledById = '${schedule}' AND ExecutionStatus = '${status}'`;
    for await (const run of temporal.workflow.list({ query })) found.push(run);
    return found;
  }

  it('raises nothing in a hundred cycles while all is well and a schedule goes on', async () => {
    await until(async () => (await runs('Completed')).length > 0);
    for (let cycle = 0; cycle < 100; cycle++) expect(await openNow()).toEqual([]);
    const { open, recent } = await temporal.workflow
      .getHandle(ALERT_MANAGER.workflowId)
      .query<AlertOverview>(ALERT_MANAGER.overview);
    expect({ open, recent }).toEqual({ open: [], recent: [] });
    const query = `SELECT count(DISTINCT cycle_id)::INTEGER AS n FROM meta.metrics WHERE metric = 'topic.present'`;
    const { stdout } = await datalab(['tables', 'query', query, '--json'], env, project);
    expect(JSON.parse(stdout)).toEqual([{ n: 100 }]);
    const waits = `SELECT DISTINCT json_extract_string(labels, '$.pool') AS pool FROM meta.metrics
      WHERE metric = 'pool.schedule_to_start_seconds' AND value >= 0 AND pool IN ('etl', 'flows', 'monitoring') ORDER BY 1`;
    const measured = await datalab(['tables', 'query', waits, '--json'], env, project);
    expect(JSON.parse(measured.stdout)).toEqual(['etl', 'flows', 'monitoring'].map((pool) => ({ pool })));
  }, 1_800_000);

  it('is still well, and loses a run and a pool', async () => {
    expect(await openNow()).toEqual([]);
    const [run] = await runs('Completed');
    // As if the scheduler had never started it.
    await (temporal.connection as Connection).workflowService.deleteWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: run?.workflowId ?? '', runId: run?.runId ?? '' },
    });
    await ml.kill();
  });

  it('says that MLflow is down', async () => {
    await stopPlatform(readSettings({ ...process.env, ...ephemeral }), ['mlflow']);
    expect(await brokenNow()).toEqual(['service_down{service=mlflow}']);
    expect(await brokenNow()).toEqual(['service_down{service=mlflow}']);
    await start('mlflow');
    expect(await brokenNow()).toEqual([]);
  });

  it.each(['model-server', 'dashboard'] as const)('says that the %s is down', async (service) => {
    await stopPlatform(readSettings({ ...process.env, ...ephemeral }), [service]);
    expect(await brokenNow()).toEqual([`service_down{service=${service}}`]);
    expect(await brokenNow()).toEqual([`service_down{service=${service}}`]);
    await start(service);
    expect(await brokenNow()).toEqual([]);
  });

  it('says that a topic is gone', async () => {
    const topic = 'datalab-lineage';
    await admin.deleteTopics({ topics: [topic] });
    await until(async () => !(await admin.listTopics()).includes(topic));
    expect(await brokenNow()).toEqual([`topic_missing{topic=${topic}}`]);
    await admin.createTopics({ topics: [{ topic }], waitForLeaders: true });
    expect(await brokenNow()).toEqual([]);
  });

  it('says that a consumer stalls, and not that an idle one does', async () => {
    const topic = 'orders-in';
    const [producer, consumer] = [kafka.producer(), kafka.consumer({ groupId: 'reader' })];
    await admin.createTopics({ topics: [{ topic }, { topic: 'quiet' }], waitForLeaders: true });
    await producer.connect();
    const send = (count: number) =>
      producer.send({ topic, messages: Array.from({ length: count }, () => ({ value: 'x' })) });
    await send(3);
    await admin.setOffsets({ groupId: 'reader', topic, partitions: [{ partition: 0, offset: '3' }] });
    await admin.setOffsets({
      ...{ groupId: 'idle', topic: 'quiet', partitions: [{ partition: 0, offset: '0' }] },
    });
    const opened: string[][] = [];
    for (let sample = 0; sample < 4; sample++) {
      opened.push(await brokenNow());
      await send(2);
    }
    opened.push(await brokenNow());
    expect(opened.slice(0, 3)).toEqual([[], [], []]);
    expect(opened.at(-1)).toEqual([`consumer_stalled{group=reader,topic=${topic}}`]);
    await consumer.connect();
    await consumer.subscribe({ topic });
    await consumer.run({ eachMessage: () => Promise.resolve() });
    await until(async () => {
      const [offsets] = await admin.fetchOffsets({ groupId: 'reader', topics: [topic] });
      return offsets?.partitions[0]?.offset === '11';
    });
    await Promise.all([consumer.disconnect(), producer.disconnect()]);
    expect(await brokenNow()).toEqual([]);
  });

  it('says that the quarantine fills', async () => {
    await source('bad.csv', ...Array.from({ length: 20 }, (_, row) => `${row + 10},-1`));
    // The schedule goes on by itself: a run that ends now may have looked for files before this one was there.
    const written = Date.now();
    await temporal.schedule.getHandle(ETL).trigger();
    await until(async () => (await runs('Completed')).some((run) => run.startTime.getTime() >= written));
    expect(await brokenNow()).toEqual(['quarantine_grows{layer=quarantine,table=quarantine.orders}']);
    expect(await brokenNow()).toEqual([]);
  });

  it('says that a flow is slow while it is', async () => {
    expect((await datalab(['alerts', 'set', JSON.stringify(SLOW)], env, project)).code).toBe(0);
    // Its steps are taken and not done.
    process.kill(etl.pid, 'SIGSTOP');
    try {
      await source('slow.csv', '1000,5');
      await until(async () => {
        const [run] = await runs('Running');
        return run !== undefined && Date.now() - run.startTime.getTime() > 13_000;
      });
      expect(await brokenNow()).toEqual([`run_slow{schedule=${ETL}}`]);
    } finally {
      process.kill(etl.pid, 'SIGCONT');
    }
    await until(async () => (await runs('Running')).length === 0);
    expect((await datalab(['alerts', 'reset', 'run_slow'], env, project)).code).toBe(0);
    expect(await brokenNow()).toEqual([]);
  });

  it('pauses a schedule that keeps failing, cancels its backfill, and says how to go on', async () => {
    const { info } = await temporal.schedule.getHandle(FAILING).describe();
    const from = new Date(Date.now() - 6 * 3_600_000).toISOString();
    const about = async (): Promise<string[]> =>
      (await openNow()).filter((fingerprint) => fingerprint.includes(FAILING));
    expect((await datalab(['schedules', 'resume', FAILING], env, project)).code).toBe(0);
    const command = ['schedules', 'backfill', FAILING, '--from', from, '--json'];
    const begun = await datalab(command, env, project);
    const { workflowId } = JSON.parse(begun.stdout) as { workflowId: string };
    const backfill = temporal.workflow.getHandle(workflowId);
    await until(async () => (await runs('Failed', FAILING)).length > 0);
    expect((await backfill.describe()).status.name).toBe('RUNNING');
    await about();
    const { state } = await temporal.schedule.getHandle(FAILING).describe();
    expect(state).toMatchObject({
      paused: true,
      note: expect.stringMatching(/^circuit breaker: /) as string,
    });
    await until(async () => (await backfill.describe()).status.name === 'CANCELLED');
    expect(await about()).toContain(`circuit_open{schedule=${FAILING}}`);
    const listed = await datalab(['alerts', 'list'], env, project);
    expect(listed.stdout).toContain(`datalab schedules resume ${FAILING}`);
    const told = await eventsOn<{ message: string }>(
      [env['KAFKA_BOOTSTRAP_SERVERS'] ?? ''],
      'datalab-notifications',
    );
    expect(
      told.filter(({ type }) => type === 'io.datalab.backfill.cancelled').map(({ data }) => data),
    ).toMatchObject([
      { scheduleId: FAILING, message: expect.stringMatching(/failed \(first .*ENGINE.*left out/) as string },
    ]);
    // The cause is gone: what was owed is filled, and the alerts are over.
    await breaks(false);
    expect((await datalab(['schedules', 'resume', FAILING], env, project)).code).toBe(0);
    const owed = ['--from', info.createdAt.toISOString(), '--mode', 'all', '--wait'];
    expect((await datalab(['schedules', 'backfill', FAILING, ...owed], env, project)).code).toBe(0);
    await until(async () => (await about()).length === 0);
    expect((await datalab(['schedules', 'pause', FAILING], env, project)).code).toBe(0);
  });

  it('says that a run was never started, until a backfill fills its time', async () => {
    await until(async () => (await openNow()).includes(MISSED));
    const { stdout } = await datalab(['schedules', 'gaps', ETL, '--since', '1h', '--json'], env, project);
    const { gaps } = JSON.parse(stdout) as { gaps: Array<{ logicalTime: string }> };
    const at = gaps.at(-1)?.logicalTime ?? '';
    const command = ['schedules', 'backfill', ETL, '--from', at, '--to', at, '--wait'];
    expect((await datalab(command, env, project)).code).toBe(0);
    expect(await openNow()).not.toContain(MISSED);
  });

  it('says that a pool has no workers, until one is back', async () => {
    await until(async () => (await openNow()).includes(IDLE));
    expect(await openNow()).toEqual([IDLE]);
    ml = await WorkerProcess.start(env, ['ml'], project);
    expect(await openNow()).toEqual([]);
  });

  it('told each of it once, and its end once', async () => {
    // A machine that is too busy for Temporal to answer in its own time is none of the outages here.
    expect(failed.filter((detail) => !detail.includes('DEADLINE_EXCEEDED'))).toEqual([]);
    const query = `SELECT fingerprint, change, count(*)::INTEGER AS n FROM meta.alerts
      WHERE change IN ('opened', 'resolved') AND fingerprint <> 'probe_failed{probe=schedules}'
        AND (rule = 'circuit_open' OR fingerprint NOT LIKE '%${FAILING}%') GROUP BY ALL ORDER BY ALL`;
    const { stdout } = await datalab(['tables', 'query', query, '--json'], env, project);
    expect(JSON.parse(stdout)).toEqual(
      [
        `circuit_open{schedule=${FAILING}}`,
        'consumer_stalled{group=reader,topic=orders-in}',
        IDLE,
        'quarantine_grows{layer=quarantine,table=quarantine.orders}',
        MISSED,
        `run_slow{schedule=${ETL}}`,
        'service_down{service=dashboard}',
        'service_down{service=mlflow}',
        'service_down{service=model-server}',
        'topic_missing{topic=datalab-lineage}',
      ].flatMap((fingerprint) => ['opened', 'resolved'].map((change) => ({ fingerprint, change, n: 1 }))),
    );
  });
});
