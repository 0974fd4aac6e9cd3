/**
 * Exactly once, shown: a worker is killed with SIGKILL at the worst moments of every layer, another takes over, and the
 * rows are those of the file each time. The moments are found by a proxy in front of the real S3 gateway.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DatalabClient, type EtlSummary } from '../../src/client/index.js';
import type { TablePublished } from '../../src/contracts/events.js';
import { queryLake } from '../support/lake-query.js';
import { ownNamespace } from '../support/namespace.js';
import { S3Proxy } from '../support/s3-proxy.js';
import { testStack, type TestStack } from '../support/stack.js';
import { eventsFrom } from '../support/topic.js';
import { ownLake, WorkerProcess, type OwnLake } from '../support/worker-process.js';

/** The sample as a plain model: rows, distinct keys, and the sum of a column. */
const SAMPLE = { rows: '12154', keys: '12154', volume: '309890993650' };

const LAYERS = ['bronze/stocks', 'silver/stocks', 'gold/stocks_monthly'] as const;
const MOMENTS = ['before the upload', 'between upload and commit', 'between commit and completion'] as const;

describe('a worker killed with SIGKILL', () => {
  let stack: TestStack;
  let namespace: string;
  let proxy: S3Proxy;
  let client: DatalabClient;
  let lake: OwnLake;
  const workers: WorkerProcess[] = [];

  beforeAll(async () => {
    stack = await testStack('s3', 'kafka', 'temporal');
    namespace = await ownNamespace(stack.temporal.address, 'faults');
    proxy = await S3Proxy.start(stack.s3.endpoint);
    client = await DatalabClient.connect({ address: stack.temporal.address, namespace });
  }, 180_000);
  afterEach(async () => {
    proxy.hook = () => undefined;
    await Promise.all(workers.splice(0).map((worker) => worker.kill()));
    await lake?.remove();
  });
  afterAll(async () => {
    await client?.close();
    await proxy?.stop();
  });

  async function startWorker(pool: 'all' | 'etl' | 'flows'): Promise<WorkerProcess> {
    // A short heartbeat, so that the test does not wait half a minute for the dead worker to be missed.
    const worker = await WorkerProcess.start(
      {
        ...lake.env,
        AWS_ENDPOINT_URL: proxy.endpoint,
        DATALAB_HEARTBEAT_SECONDS: '5',
      },
      [pool],
    );
    workers.push(worker);
    return worker;
  }

  async function expectSample(): Promise<void> {
    for (const layer of ['bronze/stocks', 'silver/stocks']) {
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
      'gold/stocks_monthly',
      (files) => `SELECT count(*) AS rows FROM ${files}`,
    );
    expect(monthly).toEqual({ rows: '586' });
  }

  for (const layer of LAYERS) {
    for (const moment of MOMENTS) {
      it(`loses and doubles nothing: ${layer}, ${moment}`, async () => {
        lake = await ownLake(stack.env, 'faults', namespace);
        // The pool that runs the flows lives on in most cases: a lost flow worker is missed only after 10 s.
        const everything = layer === 'bronze/stocks' && moment === 'between upload and commit';
        const [victim] = await Promise.all([
          startWorker(everything ? 'all' : 'etl'),
          ...(everything ? [] : [startWorker('flows')]),
        ]);
        let killed = 0;
        proxy.hook = async ({ method, path }, when) => {
          const isUpload = path.includes(`/${layer}/part-`);
          const isCommit = path.endsWith(`/${layer}/_delta_log/00000000000000000000.json`);
          const wanted = moment === 'before the upload' ? isUpload : isCommit;
          const side = moment === 'between commit and completion' ? 'after' : 'before';
          if (method !== 'PUT' || !wanted || when !== side || killed > 0) return;
          killed++;
          await victim.kill();
        };
        const run = await client.startEtl({ dataset: 'stocks' });
        await expect.poll(() => victim.running, { timeout: 60_000 }).toBe(false);
        expect(killed).toBe(1);
        await startWorker(everything ? 'all' : 'etl');
        const result = await run.result();
        expect(result.status === 'completed' ? result.summary.outcome : result).toBe('ok');
        const { tables } = (result as { summary: EtlSummary }).summary;
        expect(tables.map(({ version }) => version)).toEqual([0, 0, 0, 0, 0]);
        await expectSample();
        // Told once, although told by another worker than the one that wrote.
        const told = await eventsFrom<TablePublished>(stack.kafka.brokers, 'datalab-events', lake.lakeUri);
        expect(told).toHaveLength(5);
        expect(new Set(told.map(({ id }) => id)).size).toBe(5);
      }, 120_000);
    }
  }

  it('two runs of one dataset at once ingest it once', async () => {
    lake = await ownLake(stack.env, 'faults-two', namespace);
    await Promise.all([startWorker('all'), startWorker('all')]);
    const runs = await Promise.all([
      client.startEtl({ dataset: 'stocks' }),
      client.startEtl({ dataset: 'stocks' }),
    ]);
    const results = await Promise.all(runs.map((run) => run.result()));
    expect(results.map(({ status }) => status)).toEqual(['completed', 'completed']);
    const accepted = results.map((result) => (result as { summary: EtlSummary }).summary);
    expect(
      accepted.filter(({ tables }) =>
        tables.some(({ table, changed }) => table === 'bronze.stocks' && changed),
      ),
    ).toHaveLength(1);
    await expectSample();
  }, 120_000);

  it('a broker that is away delays events, and neither fails the run nor loses one', async () => {
    lake = await ownLake(stack.env, 'faults-kafka', namespace);
    const offline = { ...lake.env, KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:9' };
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
