/**
 * Exactly once, shown: a worker is killed with SIGKILL at the worst moments of every layer, another takes over, and the
 * rows are those of the file each time. The moments are found by a proxy in front of the real S3 gateway.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DatalabClient, type EtlSummary } from '../../src/client/index.js';
import type { EventEnvelope, TablePublished } from '../../src/contracts/events.js';
import { queryLake } from '../support/lake-query.js';
import { ownNamespace } from '../support/namespace.js';
import { copyStocks } from '../support/renamed-dataset.js';
import { S3Proxy } from '../support/s3-proxy.js';
import { testStack, type TestStack } from '../support/stack.js';
import { eventsFrom } from '../support/topic.js';
import { ownLake, WorkerProcess, type OwnLake } from '../support/worker-process.js';
import { startVictim } from './victim.js';

/** The sample as a plain model: rows, distinct keys, and the sum of a column. */
const SAMPLE = { rows: '12154', keys: '12154', volume: '309890993650' };

const LAYERS = ['bronze', 'silver', 'gold'] as const;
const MOMENTS = ['between upload and commit', 'before the upload', 'between commit and completion'] as const;
/** Each case has a dataset of its own: they share a lake, and the worker that took over is the next one to be killed. */
const CASES = LAYERS.flatMap((layer) => MOMENTS.map((moment) => ({ layer, moment }))).map((one, number) => ({
  ...{ ...one, dataset: `case${number}` },
}));

describe('a worker killed with SIGKILL', () => {
  let stack: TestStack;
  let namespace: string;
  let proxy: S3Proxy;
  let client: DatalabClient;
  let lake: OwnLake;
  let datasets: string;
  /** Who does the steps; killed in each case. */
  let victim: WorkerProcess | undefined;
  const workers: WorkerProcess[] = [];

  beforeAll(async () => {
    datasets = mkdtempSync(path.join(tmpdir(), 'datalab-cases-'));
    for (const name of [...CASES.map(({ dataset }) => dataset), 'twice', 'stocks'])
      copyStocks(datasets, name);
    stack = await testStack('s3', 'kafka', 'temporal');
    namespace = await ownNamespace(stack.temporal.address, 'faults');
    proxy = await S3Proxy.start(stack.s3.endpoint);
    client = await DatalabClient.connect({ address: stack.temporal.address, namespace });
    lake = await ownLake(stack.env, 'faults', namespace);
  }, 180_000);
  afterEach(() => {
    proxy.hook = () => undefined;
  });
  afterAll(async () => {
    await endWorkers();
    await lake?.remove();
    await client?.close();
    await proxy?.stop();
    rmSync(datasets, { recursive: true, force: true });
  });

  const endWorkers = async (): Promise<void> => {
    await Promise.all(workers.splice(0).map((worker) => worker.kill()));
    victim = undefined;
  };

  async function startWorker(pool: 'all' | 'etl' | 'flows'): Promise<WorkerProcess> {
    const worker = await startVictim({ env: lake.env, endpoint: proxy.endpoint, datasets }, pool);
    workers.push(worker);
    return worker;
  }

  /** The worker that does the steps; and one that runs the flows, unless it is to die with the other. */
  async function readyVictim(pool: 'all' | 'etl'): Promise<WorkerProcess> {
    const isFirst = victim?.running !== true;
    const [found] = await Promise.all([
      isFirst ? startWorker(pool) : victim,
      ...(isFirst && pool === 'etl' ? [startWorker('flows')] : []),
    ]);
    return (victim = found as WorkerProcess);
  }

  /** Events of the dataset's tables in this test's lake. */
  const toldOf = async (dataset: string): Promise<Array<EventEnvelope<TablePublished>>> =>
    (await eventsFrom<TablePublished>(stack.kafka.brokers, 'datalab-events', lake.lakeUri)).filter(
      ({ subject }) => new RegExp(`\\.${dataset}(_|$)`).test(subject ?? ''),
    );

  async function expectSample(dataset: string): Promise<void> {
    for (const layer of [`bronze/${dataset}`, `silver/${dataset}`]) {
      const [sums] = await queryLake(
        stack,
        lake,
        layer,
        (files) =>
          `SELECT count(*) AS rows, count(DISTINCT (symbol, date)) AS keys, sum(volume)::bigint AS volume FROM ${files}`,
      );
      expect({ layer, ...sums }).toEqual({ layer, ...SAMPLE });
    }
    const [monthly] = await queryLake(
      stack,
      lake,
      `gold/${dataset}_monthly`,
      (files) => `SELECT count(*) AS rows FROM ${files}`,
    );
    expect(monthly).toEqual({ rows: '586' });
  }

  it.each(CASES)(
    'loses and doubles nothing: $layer, $moment',
    async ({ layer, moment, dataset }) => {
      // The pool that runs the flows lives on in most cases: a lost flow worker is missed only after 10 s.
      const everything = layer === 'bronze' && moment === 'between upload and commit';
      const dying = await readyVictim(everything ? 'all' : 'etl');
      const table = layer === 'gold' ? `gold/${dataset}_monthly` : `${layer}/${dataset}`;
      let killed = 0;
      proxy.hook = async ({ method, path: key }, when) => {
        const isUpload = key.includes(`/${table}/part-`);
        const isCommit = key.endsWith(`/${table}/_delta_log/00000000000000000000.json`);
        const wanted = moment === 'before the upload' ? isUpload : isCommit;
        const side = moment === 'between commit and completion' ? 'after' : 'before';
        if (method !== 'PUT' || !wanted || when !== side || killed > 0) return;
        killed++;
        await dying.kill();
      };
      const run = await client.startEtl({ dataset });
      await expect.poll(() => dying.running, { timeout: 60_000 }).toBe(false);
      expect(killed).toBe(1);
      // Another takes over, and the flows too where they died with it.
      victim = undefined;
      await (everything ? readyVictim('etl') : (victim = await startWorker('etl')));
      const result = await run.result();
      expect(result.status === 'completed' ? result.summary.outcome : result).toBe('ok');
      const { tables } = (result as { summary: EtlSummary }).summary;
      expect(tables.map(({ version }) => version)).toEqual([0, 0, 0, 0, 0]);
      await expectSample(dataset);
      // Told once, although told by another worker than the one that wrote.
      const told = await toldOf(dataset);
      expect(told).toHaveLength(5);
      expect(new Set(told.map(({ id }) => id)).size).toBe(5);
    },
    120_000,
  );

  it('two runs of one dataset at once ingest it once', async () => {
    await Promise.all([readyVictim('etl'), startWorker('etl')]);
    const runs = await Promise.all([
      client.startEtl({ dataset: 'twice' }),
      client.startEtl({ dataset: 'twice' }),
    ]);
    const results = await Promise.all(runs.map((run) => run.result()));
    expect(results.map(({ status }) => status)).toEqual(['completed', 'completed']);
    const accepted = results.map((result) => (result as { summary: EtlSummary }).summary);
    expect(
      accepted.filter(({ tables }) =>
        tables.some(({ table, changed }) => table === 'bronze.twice' && changed),
      ),
    ).toHaveLength(1);
    await expectSample('twice');
  }, 120_000);

  it('a broker that is away delays events, and neither fails the run nor loses one', async () => {
    await endWorkers();
    await lake.remove();
    lake = await ownLake(stack.env, 'faults-kafka', namespace);
    const offline = {
      ...{ ...lake.env, DATALAB_DATASETS_DIRECTORY: datasets },
      KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:9',
    };
    const cutOff = await WorkerProcess.start(offline);
    workers.push(cutOff);
    const first = await (await client.startEtl({ dataset: 'stocks' })).result();
    expect(first).toMatchObject({
      status: 'completed',
      summary: { outcome: 'ok', events: { sent: 0, pending: 6 } },
    });
    await cutOff.stop();

    await startWorker('all');
    const second = await (await client.startEtl({ dataset: 'stocks' })).result();
    expect(second).toMatchObject({
      status: 'completed',
      summary: { outcome: 'empty', events: { sent: 7, pending: 0 } },
    });
    const told = await eventsFrom<TablePublished>(stack.kafka.brokers, 'datalab-events', lake.lakeUri);
    expect(told).toHaveLength(5);
  }, 120_000);
});
