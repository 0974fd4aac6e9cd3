/**
 * The main job, as its user runs it: the real Temporal server, S3 gateway and Kafka broker, a compiled worker in a
 * process of its own, the command line, and real stock prices.
 */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DatalabClient, type EtlSummary } from '../../src/client/index.js';
import type { RunFinished, TablePublished } from '../../src/contracts/events.js';
import type { ReportDocument } from '../../src/contracts/report.js';
import type { LineageEvent } from '../../src/contracts/lineage.js';
import type { LogLine } from '../../src/contracts/run-log.js';
import { TASK_QUEUES } from '../../src/contracts/flows.js';
import { locateProgram } from '../../src/platform/tools.js';
import { toolCache } from '../../src/platform/settings.js';
import { queryLake } from '../support/lake-query.js';
import { ownNamespace } from '../support/namespace.js';
import { testStack, type TestStack } from '../support/stack.js';
import { runEventSchema } from '../support/open-lineage.js';
import { eventsFrom, messagesOn } from '../support/topic.js';
import {
  datalab,
  ownLake,
  PROJECT,
  runCommand,
  WorkerProcess,
  type OwnLake,
} from '../support/worker-process.js';

const SAMPLE_ROWS = 12_154;

describe('the main job on real stock prices', () => {
  let stack: TestStack;
  let lake: OwnLake;
  let worker: WorkerProcess;
  let first: EtlSummary;

  beforeAll(async () => {
    stack = await testStack('s3', 'kafka', 'temporal');
    lake = await ownLake(stack.env, 'main-job', await ownNamespace(stack.temporal.address, 'main-job'));
    worker = await WorkerProcess.start(lake.env);
  }, 180_000);
  afterAll(async () => {
    await worker?.stop();
    await lake?.remove();
  });

  async function trigger(): Promise<EtlSummary> {
    const { code, stdout, stderr } = await datalab(
      ['schedules', 'trigger', 'medallion-etl-daily', '--wait', '--json'],
      lake.env,
    );
    expect(`${code} ${stderr}`).toBe('0 ');
    return JSON.parse(stdout) as EtlSummary;
  }

  const query = <Row extends object>(table: string, select: (files: string) => string): Promise<Row[]> =>
    queryLake<Row>(stack, lake, table, select);

  it('creates the schedules once, and leaves an operator’s pause alone', async () => {
    const apply = async () =>
      JSON.parse((await datalab(['schedules', 'apply', '--json'], lake.env)).stdout) as unknown;
    expect(await apply()).toEqual([
      { id: 'medallion-etl-daily', change: 'created', paused: false },
      { id: 'medallion-etl-hourly', change: 'created', paused: true },
      { id: 'mlops-weekly-retrain', change: 'created', paused: false },
      { id: 'mlops-model-watch', change: 'created', paused: false },
      { id: 'datalab-monitoring-realtime', change: 'created', paused: false },
      { id: 'datalake-maintenance-weekly', change: 'created', paused: false },
    ]);
    expect((await datalab(['schedules', 'pause', 'medallion-etl-daily'], lake.env)).code).toBe(0);
    expect(await apply()).toEqual([
      { id: 'medallion-etl-daily', change: 'unchanged', paused: true },
      { id: 'medallion-etl-hourly', change: 'unchanged', paused: true },
      { id: 'mlops-weekly-retrain', change: 'unchanged', paused: false },
      { id: 'mlops-model-watch', change: 'unchanged', paused: false },
      { id: 'datalab-monitoring-realtime', change: 'unchanged', paused: false },
      { id: 'datalake-maintenance-weekly', change: 'unchanged', paused: false },
    ]);
    expect((await datalab(['schedules', 'resume', 'medallion-etl-daily'], lake.env)).code).toBe(0);
  });

  it('takes every row of the sample to Bronze, Silver and Gold', async () => {
    first = await trigger();
    expect(first.outcome).toBe('ok');
    expect(first.sources).toEqual({ listed: 1, ingested: 1, known: 0 });
    expect(first.bronze).toEqual({ read: SAMPLE_ROWS, accepted: SAMPLE_ROWS, duplicate: 0, quarantined: 0 });
    expect(first.silver).toEqual({ read: SAMPLE_ROWS, accepted: SAMPLE_ROWS, duplicate: 0, quarantined: 0 });
    expect(first.failedChecks).toEqual([]);
    expect(
      Object.fromEntries(first.tables.map(({ table, version, rows }) => [table, [version, rows]])),
    ).toEqual({
      'bronze.stocks': [0, SAMPLE_ROWS],
      'silver.stocks': [0, SAMPLE_ROWS],
      'gold.stocks_daily_market': [0, 3270],
      'gold.stocks_daily_features': [0, SAMPLE_ROWS],
      'gold.stocks_monthly': [0, 586],
    });
  });

  it('has in Gold what the file itself adds up to', async () => {
    const sums = new Map<string, { count: number; volume: number; low: number; high: number }>();
    const lines = createInterface({
      input: createReadStream(path.join(PROJECT, 'data/samples/stocks.csv.gz')).pipe(createGunzip()),
    });
    for await (const line of lines) {
      const [date = '', , , , , close, volume] = line.split(',');
      if (date === 'date') continue;
      const day = sums.get(date) ?? { count: 0, volume: 0, low: Infinity, high: -Infinity };
      sums.set(date, {
        count: day.count + 1,
        volume: day.volume + Number(volume),
        low: Math.min(day.low, Number(close)),
        high: Math.max(day.high, Number(close)),
      });
    }
    const gold = await query<{ date: string; n: string; volume: string; low: number; high: number }>(
      'gold/stocks_daily_market',
      (files) =>
        `SELECT date::varchar AS date, record_count::bigint AS n, total_volume::bigint AS volume, minimum_close AS low, maximum_close AS high FROM ${files}`,
    );
    expect(gold).toHaveLength(sums.size);
    for (const row of gold) {
      expect({ count: Number(row.n), volume: Number(row.volume), low: row.low, high: row.high }).toEqual(
        sums.get(row.date),
      );
    }
  });

  it('flags the four known moves as outliers and keeps their rows', async () => {
    const flagged = await query<{ move: string }>(
      'silver/stocks',
      (files) => `SELECT symbol || ' ' || date::varchar AS move FROM ${files} WHERE is_outlier`,
    );
    const moves = flagged.map(({ move }) => move);
    expect(moves).toEqual(
      expect.arrayContaining(['AAPL 2000-06-21', 'AAPL 2000-09-29', 'AAPL 2005-02-28', 'MSFT 2003-02-18']),
    );
    expect(moves.length).toBeLessThan(50);
  });

  it('ingests nothing twice: a second run has 0 new rows and publishes nothing', async () => {
    const second = await trigger();
    expect(second.outcome).toBe('empty');
    expect(second.sources).toEqual({ listed: 1, ingested: 0, known: 1 });
    expect(second.bronze.read).toBe(0);
    expect(
      second.tables
        .map(({ table, version, rows, changed }) => ({ table, version, rows, changed }))
        .sort(byTable),
    ).toEqual(
      first.tables
        .map(({ table, version, rows }) => ({ table, version, rows, changed: false }))
        .sort(byTable),
    );
  });

  it('tells every publish once on Kafka, and every run once', async () => {
    const published = await eventsFrom<TablePublished>(stack.kafka.brokers, 'datalab-events', lake.lakeUri);
    expect(published.map(({ subject, data }) => `${subject} ${data.version}`).sort()).toEqual([
      'bronze.stocks 0',
      'gold.stocks_daily_features 0',
      'gold.stocks_daily_market 0',
      'gold.stocks_monthly 0',
      'silver.stocks 0',
    ]);
    expect(
      published.every(({ specversion, data }) => specversion === '1.0' && data.runId === first.run.runId),
    ).toBe(true);
    const runs = await eventsFrom<RunFinished>(stack.kafka.brokers, 'datalab-notifications', lake.lakeUri);
    expect(runs.map(({ type }) => type)).toEqual(['io.datalab.run.ok', 'io.datalab.run.empty']);
    expect(new Set(runs.map(({ id }) => id)).size).toBe(2);
  });

  it('tells the lineage of every version, and of the run as a whole', async () => {
    const events = (await messagesOn<LineageEvent>(stack.kafka.brokers, 'datalab-lineage')).filter((event) =>
      JSON.stringify(event).includes(lake.lakeUri),
    );
    const ends = events.filter(({ eventType }) => eventType === 'COMPLETE');
    expect(ends.map(({ job }) => job.name).sort()).toEqual([
      'medallionEtl.stocks',
      'medallionEtl.stocks.bronze.stocks',
      'medallionEtl.stocks.gold.stocks_daily_features',
      'medallionEtl.stocks.gold.stocks_daily_market',
      'medallionEtl.stocks.gold.stocks_monthly',
      'medallionEtl.stocks.silver.stocks',
    ]);
    for (const event of events) expect(runEventSchema.safeParse(event).error?.issues ?? []).toEqual([]);
    const whole = ends.find(({ job }) => job.name === 'medallionEtl.stocks');
    expect(whole).toMatchObject({ run: { runId: first.run.executionId } });
  });

  it('keeps a report of the run in the lake, and saves it to a file', async () => {
    const { workflowId } = first.run;
    const file = path.join(lake.env['DATALAB_SCRATCH_DIRECTORY'] ?? '', 'report.html');
    const saved = await datalab(['runs', 'report', workflowId, '--output', file], lake.env);
    expect(saved).toMatchObject({ code: 0, stdout: `${file}\n` });
    expect(await readFile(file, 'utf8')).toContain('Closing prices');
    const data = JSON.parse(
      (await datalab(['runs', 'report', workflowId, '--json'], lake.env)).stdout,
    ) as ReportDocument;
    expect(data).toMatchObject({ outcome: 'ok', score: 1, problems: [], bronze: first.bronze });
    expect(data.charts).toHaveLength(4);
    const shown = await datalab(['runs', 'show', workflowId], lake.env);
    expect(shown.stdout).toContain(`Report: ${lake.lakeUri}/${first.report?.html}`);
  });

  it('keeps the log of every step with the run', async () => {
    const { stdout } = await datalab(['runs', 'logs', first.run.workflowId, '--json'], lake.env);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as LogLine);
    const activities = new Set(lines.map(({ activity }) => activity));
    for (const activity of [
      'planRun',
      'writeBronze',
      'auditBronze',
      'publish',
      'writeReport',
      'recordRun',
      'relayEvents',
    ]) {
      expect(activities).toContain(activity);
    }
    const one = await datalab(['runs', 'logs', first.run.workflowId, '--step', 'writeBronze'], lake.env);
    expect(one.stdout).toContain('write bronze.stocks: 1 source(s), 12154 rows read');
    expect(one.stdout).not.toContain('auditBronze');
  });

  it('keeps a record of both runs, their steps and their checks', async () => {
    const runs = await query<{ outcome: string; n: string }>(
      'meta/runs',
      (files) => `SELECT outcome, bronze_accepted AS n FROM ${files} ORDER BY started_at`,
    );
    expect(runs).toEqual([
      { outcome: 'ok', n: String(SAMPLE_ROWS) },
      { outcome: 'empty', n: '0' },
    ]);
    const steps = await query<{ step: string }>(
      'meta/steps',
      (files) => `SELECT DISTINCT step FROM ${files}`,
    );
    expect(steps.map(({ step }) => step)).toEqual(
      expect.arrayContaining(['discover', 'write bronze.stocks', 'publish gold.stocks_monthly']),
    );
    const checks = await query<{ n: string }>(
      'meta/quality_results',
      (files) => `SELECT count(*) AS n FROM ${files} WHERE measured IS NOT NULL AND threshold IS NOT NULL`,
    );
    expect(Number(checks[0]?.n)).toBeGreaterThan(0);
  });

  it('is found in Temporal by dataset and outcome', async () => {
    const client = await DatalabClient.connect({
      address: stack.temporal.address,
      namespace: lake.env['TEMPORAL_NAMESPACE'] ?? '',
    });
    try {
      await expect
        .poll(
          async () =>
            (await client.temporal.workflow.count(`DatalabDataset = 'stocks' AND DatalabOutcome = 'empty'`))
              .count,
          { timeout: 10_000 },
        )
        .toBe(1);
    } finally {
      await client.close();
    }
  });

  /** Temporal's own command line, in the test's namespace. */
  async function temporalCommand(...args: string[]): ReturnType<typeof runCommand> {
    const program = await locateProgram('temporal', {
      processEnv: process.env,
      cacheDir: toolCache(process.env),
    });
    const where = ['--address', stack.temporal.address, '--namespace', lake.env['TEMPORAL_NAMESPACE'] ?? ''];
    return runCommand(program, [...args, ...where], lake.env);
  }

  it('finds a waiting task wherever it asks: a task queue has one partition', async () => {
    const { code, stdout } = await temporalCommand(
      'task-queue',
      'list-partition',
      '--task-queue',
      TASK_QUEUES.etl,
    );
    expect(code).toBe(0);
    const keys = stdout.split('\n').filter((line) => line.includes(TASK_QUEUES.etl));
    // One of workflow tasks, one of activities.
    expect(keys.map((line) => line.trim().split(/\s+/)[0])).toEqual([TASK_QUEUES.etl, TASK_QUEUES.etl]);
  });

  it('starts from Temporal’s own command line too', async () => {
    const { code, stdout, stderr } = await temporalCommand(
      ...['workflow', 'execute', '--type', 'medallionEtl', '--task-queue', TASK_QUEUES.flows],
      ...['--input', '{"dataset":"stocks"}', '--output', 'json'],
    );
    expect(`${code} ${stderr}`).toMatch(/^0 /);
    expect((JSON.parse(stdout) as { result: EtlSummary }).result.outcome).toBe('empty');
  });

  it('maintains tables from the command line, through a workflow', async () => {
    const tables = async (...args: string[]) => {
      const { code, stdout, stderr } = await datalab(['tables', ...args, '--json'], lake.env);
      if (code > 1) throw new Error(stderr);
      return { code, answer: JSON.parse(stdout) as Record<string, unknown> };
    };
    const checked = await tables('fsck', 'silver.stocks', '--statistics');
    expect(checked).toMatchObject({ code: 0, answer: { figures: { findings: [], hollow: false } } });
    expect(await tables('vacuum', 'silver.stocks', '--dry-run')).toMatchObject({
      code: 0,
      answer: { figures: { dryRun: true, deleted: 0 } },
    });
    const refused = await tables('vacuum', 'silver.stocks', '--retention-hours', '0');
    expect(refused).toMatchObject({
      code: 1,
      answer: { status: 'failed', code: 'DELTA_RETENTION_TOO_SHORT' },
    });
    // meta.runs got a file from every run.
    const packed = await tables('optimize', 'meta.runs');
    expect(packed).toMatchObject({ code: 0, answer: { figures: { filesAfter: 1 } } });
    const unknown = await tables('optimize', 'silver.nowhere');
    expect(unknown).toMatchObject({ code: 1, answer: { code: 'TABLE_UNKNOWN' } });
  });

  it('answers an unknown dataset with what there is, at once', async () => {
    const { code, stdout } = await datalab(
      ['runs', 'start', 'no_such_dataset', '--wait', '--json'],
      lake.env,
    );
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'failed',
      code: 'DATASET_UNKNOWN',
      message: expect.stringContaining('stocks') as unknown,
    });
  });

  it('answers an unknown run with a code of its own', async () => {
    for (const command of ['show', 'watch', 'cancel']) {
      const { code, stderr } = await datalab(['runs', command, 'no-such-run'], lake.env);
      expect(`${command} ${code} ${stderr}`).toMatch(new RegExp(`^${command} 2 RUN_UNKNOWN`));
    }
  });

  it('lists and checks the datasets without any service', async () => {
    const env = { ...lake.env, TEMPORAL_ADDRESS: '127.0.0.1:1' };
    const listed = JSON.parse((await datalab(['datasets', 'list', '--json'], env)).stdout) as Array<{
      name: string;
    }>;
    expect(listed.map(({ name }) => name)).toContain('stocks');
    expect(await datalab(['datasets', 'validate'], env)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('stocks: ok') as unknown,
    });
    expect(await datalab(['datasets', 'validate', 'nope'], env)).toMatchObject({ code: 2 });
  });

  it('shows the job as a demo, and leaves its report where a browser can open it', async () => {
    const state = lake.env['DATALAB_SCRATCH_DIRECTORY'] ?? '';
    const { code, stdout } = await datalab(['demo'], { ...lake.env, DATALAB_STATE_DIR: state });
    expect(code).toBe(0);
    const [, file = ''] = /^Report: (\/.*\.html) \(open it in a browser\)$/m.exec(stdout) ?? [];
    expect(file.startsWith(path.join(state, 'reports', 'stocks'))).toBe(true);
    expect(await readFile(file, 'utf8')).toContain('nothing new');
  });

  it('answers an unknown schedule with a code of its own', async () => {
    const { code, stderr } = await datalab(['schedules', 'trigger', 'no-such-schedule'], lake.env);
    expect(code).toBe(2);
    expect(stderr).toContain('SCHEDULE_UNKNOWN');
  });
});

function byTable(left: { table: string }, right: { table: string }): number {
  return left.table < right.table ? -1 : 1;
}
