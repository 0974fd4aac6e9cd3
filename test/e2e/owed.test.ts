/**
 * What is owed, and paid later: days that no run was for, rows that were refused, times that a schedule is expected to run
 * at, messages that came since. In a project of its own, with a dataset whose files lie by day, and one that is a topic.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { BackfillSummary, EtlSummary } from '../../src/client/index.js';
import type { Slot } from '../../src/contracts/expected-runs.js';
import { ownNamespace } from '../support/namespace.js';
import { testStack } from '../support/stack.js';
import { datalab, ownLake, WorkerProcess, type OwnLake } from '../support/worker-process.js';

const SCHEDULE = 'medallion-etl-daily';
const dataset = (zone: string): string => `
name: visits
source: { location: 'in/{date}/*.csv', format: csv }
columns:
  - { name: id, type: long }
  - { name: moment, type: timestamp${zone} }
key: [id]
silver: { sql: silver.sql }
gold: [{ table: visits_total, sql: total.sql }]
checks: [{ kind: row_count, severity: warn, min: 1 }]
`;

const topic = (name: string): string => `
name: clicks
source: { location: 'kafka://${name}', format: jsonl }
columns:
  - { name: page, type: string }
  - { name: moment, type: timestamp }
mode: append
silver: { sql: silver.sql }
checks: [{ kind: row_count, severity: warn, min: 1 }]
`;

const project = mkdtempSync(path.join(tmpdir(), 'datalab-project-'));
let lake: OwnLake;
let worker: WorkerProcess;
let brokers: readonly string[];

function put(file: string, text: string): void {
  mkdirSync(path.dirname(path.join(project, file)), { recursive: true });
  writeFileSync(path.join(project, file), text);
}

async function ask<Answer>(...args: string[]): Promise<Answer> {
  const { code, stdout, stderr } = await datalab([...args, '--json'], lake.env, project);
  expect(code, `${args.join(' ')}: ${stderr}${stdout}`).toBe(0);
  return JSON.parse(stdout) as Answer;
}

beforeAll(async () => {
  const stack = await testStack('s3', 'kafka', 'temporal');
  ({ brokers } = stack.kafka);
  lake = await ownLake(stack.env, 'owed', await ownNamespace(stack.temporal.address, 'owed'));
  // Every minute, so that a time comes while the test looks.
  put(
    'datalab.yaml',
    `schedules: { etlDaily: { dataset: visits, cron: '* * * * *' } }\nmonitoring: { circuitBreaker: { failures: 1, runs: 10 } }\n`,
  );
  put('datasets/visits/dataset.yaml', dataset(''));
  put('datasets/visits/silver.sql', 'SELECT * EXCLUDE (_extra) FROM bronze.visits');
  put('datasets/visits/total.sql', 'SELECT count(*) AS visits FROM silver.visits');
  put('in/2013-03-01/a.csv', 'id,moment\n1,2013-03-01T10:00:00Z\n2,2013-03-01T10:00:00\n3,never\n');
  put('in/2013-03-02/a.csv', 'id,moment\n4,2013-03-02T10:00:00Z\n');
  worker = await WorkerProcess.start(lake.env, ['all'], project);
}, 180_000);
afterAll(async () => {
  await worker?.stop();
  await lake?.remove();
  rmSync(project, { recursive: true, force: true });
});

it('a backfill runs the days that are owed, each for itself, and once', async () => {
  await ask('schedules', 'apply');
  const range = ['--from', '2013-03-01T12:00:00Z', '--to', '2013-03-01T12:01:00Z'];
  const plan = await ask<BackfillSummary>('schedules', 'backfill', SCHEDULE, ...range, '--dry-run');
  expect(plan).toMatchObject({ planned: 2, done: 0, note: '' });
  const done = await ask<BackfillSummary>('schedules', 'backfill', SCHEDULE, ...range, '--wait');
  expect(done).toMatchObject({ planned: 2, done: 2, outcomes: { ok: 1, empty: 1 }, failures: [] });
  const day = ['--from', '2013-03-02T12:00:00Z', '--to', '2013-03-02T12:00:30Z'];
  expect(await ask('schedules', 'backfill', SCHEDULE, ...day, '--wait')).toMatchObject({
    outcomes: { ok: 1 },
  });
  expect(await ask('tables', 'query', 'SELECT visits::INT AS n FROM gold.visits_total')).toEqual([{ n: 2 }]);
  expect(await ask('schedules', 'backfill', SCHEDULE, ...range, '--dry-run')).toMatchObject({ planned: 0 });
});

it('a mended dataset takes its refused rows in, and the quarantine keeps the rest', async () => {
  expect(await ask<unknown[]>('quarantine', 'show', 'visits')).toHaveLength(2);
  put('datasets/visits/dataset.yaml', dataset(', zone: America/Sao_Paulo'));
  const { replay, flow } = await ask<EtlSummary>('quarantine', 'replay', 'visits', '--wait');
  expect(flow).toBe('quarantineReplay');
  expect(replay).toEqual({ tried: 2, accepted: 1, refused: 1, unreachable: 0, problems: [] });
  expect(await ask('quarantine', 'show', 'visits')).toMatchObject([{ line: 4, raw: '3,never' }]);
  expect(
    await ask('tables', 'query', 'SELECT id::INT AS id, moment FROM silver.visits WHERE id = 2'),
  ).toEqual([{ id: 2, moment: '2013-03-01T13:00:00.000Z' }]);
});

it('the messages of a topic come in once, and those that came since with the next run', async () => {
  const name = `clicks-${path.basename(project)}`;
  put('datasets/clicks/dataset.yaml', topic(name));
  put('datasets/clicks/silver.sql', 'SELECT * EXCLUDE (_extra) FROM bronze.clicks');
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
  const [admin, producer] = [kafka.admin(), kafka.producer()];
  await Promise.all([admin.connect(), producer.connect()]);
  try {
    await admin.createTopics({ topics: [{ topic: name, numPartitions: 2 }], waitForLeaders: true });
    const click = (page: string) => JSON.stringify({ page, moment: '2024-01-01T00:00:00Z' });
    const send = (...values: string[]) =>
      producer.send({
        topic: name,
        messages: values.map((value, index) => ({ partition: index % 2, value })),
      });
    const run = async () => (await ask<EtlSummary>('runs', 'start', 'clicks', '--wait')).bronze;
    await send(click('a'), click('a'), click('b'));
    expect(await run()).toMatchObject({ read: 3, accepted: 3, quarantined: 0 });
    expect(await run()).toMatchObject({ read: 0, accepted: 0 });
    await send(click('c'), 'not json', click('a'));
    expect(await run()).toMatchObject({ read: 3, accepted: 2, quarantined: 1 });
    const pages = 'SELECT page, count(*)::INT AS n FROM silver.clicks GROUP BY page ORDER BY page';
    expect(await ask('tables', 'query', pages)).toEqual([
      { page: 'a', n: 3 },
      { page: 'b', n: 1 },
      { page: 'c', n: 1 },
    ]);
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  }
}, 120_000);

it('a time that came has its run, and is no gap', async () => {
  interface Gaps {
    readonly expected: number;
    readonly gaps: readonly Slot[];
  }
  let seen: Gaps = { expected: 0, gaps: [] };
  for (const deadline = Date.now() + 100_000; seen.expected === 0 && Date.now() < deadline;) {
    await new Promise((resolve) => setTimeout(resolve, 3000));
    seen = await ask<Gaps>('schedules', 'gaps', SCHEDULE, '--since', '1h');
  }
  expect(seen.expected).toBeGreaterThan(0);
  expect(seen.gaps).toEqual([]);
}, 120_000);

it('a schedule whose runs fail is paused, once, and goes on when it is told to', async () => {
  interface Listed {
    readonly id: string;
    readonly paused: boolean;
    readonly note: string;
  }
  const paused = async (): Promise<Listed | undefined> =>
    (await ask<Listed[]>('schedules', 'list')).find(({ id }) => id === SCHEDULE);
  // It ends with another code where it finds something, as it should here.
  const cycle = (): Promise<unknown> => datalab(['monitoring', 'run'], lake.env, project);
  expect(await paused()).toMatchObject({ paused: false });
  put('datasets/visits/silver.sql', 'SELECT * EXCLUDE (_extra), no_such_column FROM bronze.visits');
  // One of its runs, and not the next minute's.
  expect((await datalab(['schedules', 'trigger', SCHEDULE, '--wait'], lake.env, project)).code).toBe(1);
  let seen = await paused();
  for (const deadline = Date.now() + 150_000; !seen?.paused && Date.now() < deadline;) {
    await cycle();
    seen = await paused();
  }
  expect(seen).toMatchObject({ paused: true });
  put('datasets/visits/silver.sql', 'SELECT * EXCLUDE (_extra) FROM bronze.visits');
  await datalab(['schedules', 'resume', SCHEDULE], lake.env, project);
  // What failed before the pause is forgiven.
  await cycle();
  expect(await paused()).toMatchObject({ paused: false });
  await datalab(['schedules', 'pause', SCHEDULE], lake.env, project);
}, 240_000);
