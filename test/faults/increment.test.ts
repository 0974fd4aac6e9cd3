/**
 * Exactly once for increments: Silver and Gold have a version each, a second file brings new days and late ones, and the
 * worker that puts them in place of published rows is killed. What is left is what the whole sample gives at once.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DatalabClient, type EtlSummary } from '../../src/client/index.js';
import { queryLake } from '../support/lake-query.js';
import { ownNamespace } from '../support/namespace.js';
import { copyStocks } from '../support/renamed-dataset.js';
import { S3Proxy } from '../support/s3-proxy.js';
import { testStack, type TestStack } from '../support/stack.js';
import { ownLake, PROJECT, type OwnLake, type WorkerProcess } from '../support/worker-process.js';
import { startVictim } from './victim.js';

const LAYERS = ['silver', 'gold'] as const;
const MOMENTS = ['between upload and commit', 'between commit and completion'] as const;
/** Each case has a dataset of its own: they share a lake, and the worker that took over is the next one to be killed. */
const CASES = LAYERS.flatMap((layer) => MOMENTS.map((moment) => ({ layer, moment }))).map((one, number) => ({
  ...{ ...one, dataset: `case${number}` },
}));

/** The sample in two files: the second has the days from 2012 on, and one month of 2005. */
function halves(): readonly [string, string] {
  const text = gunzipSync(readFileSync(path.join(PROJECT, 'data/samples/stocks.csv.gz'))).toString('utf8');
  const [header = '', ...lines] = text.trimEnd().split('\n');
  const isLater = (line: string): boolean => line >= '2012' || line.startsWith('2005-02');
  const file = (rows: string[]): string => [header, ...rows, ''].join('\n');
  return [file(lines.filter((line) => !isLater(line))), file(lines.filter(isLater))];
}

describe('a worker killed with SIGKILL during an increment', () => {
  let stack: TestStack;
  let namespace: string;
  let proxy: S3Proxy;
  let client: DatalabClient;
  let lake: OwnLake;
  let folder: string;
  let datasets: string;
  /** Who does the steps; killed in each case. */
  let victim: WorkerProcess;
  const workers: WorkerProcess[] = [];

  beforeAll(async () => {
    stack = await testStack('s3', 'kafka', 'temporal');
    namespace = await ownNamespace(stack.temporal.address, 'increments');
    proxy = await S3Proxy.start(stack.s3.endpoint);
    client = await DatalabClient.connect({ address: stack.temporal.address, namespace });
    folder = mkdtempSync(path.join(tmpdir(), 'datalab-increments-'));
    datasets = path.join(folder, 'datasets');
    lake = await ownLake(stack.env, 'increments', namespace);
    for (const { dataset } of CASES) copyStocks(datasets, dataset, path.join(folder, dataset, '*.csv'));
    // The first to die runs the flows too.
    victim = await startWorker('all');
  }, 180_000);
  afterEach(() => {
    proxy.hook = () => undefined;
  });
  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.kill()));
    await lake?.remove();
    await client?.close();
    await proxy?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function startWorker(pool: 'all' | 'etl' | 'flows'): Promise<WorkerProcess> {
    const worker = await startVictim({ env: lake.env, endpoint: proxy.endpoint, datasets }, pool);
    workers.push(worker);
    return worker;
  }

  async function run(dataset: string): Promise<EtlSummary> {
    const result = await (await client.startEtl({ dataset })).result();
    if (result.status !== 'completed') throw new Error(JSON.stringify(result));
    return result.summary;
  }

  function put(dataset: string, name: string, text: string): void {
    mkdirSync(path.join(folder, dataset), { recursive: true });
    writeFileSync(path.join(folder, dataset, name), text);
  }

  const sums = (table: string, columns: string) =>
    queryLake<Record<string, unknown>>(stack, lake, table, (files) => `SELECT ${columns} FROM ${files}`);

  it.each(CASES)(
    'loses and doubles nothing: $layer, $moment',
    async ({ layer, moment, dataset }) => {
      const table = layer === 'gold' ? `gold/${dataset}_daily_features` : `silver/${dataset}`;
      const [first, second] = halves();
      put(dataset, 'a.csv', first);
      await run(dataset);
      put(dataset, 'b.csv', second);
      const [dying, isWhole] = [victim, workers.length === 1];
      let killed = 0;
      proxy.hook = async ({ method, path: key }, when) => {
        const wanted = method === 'PUT' && key.endsWith(`/${table}/_delta_log/00000000000000000001.json`);
        const side = moment === 'between commit and completion' ? 'after' : 'before';
        if (!wanted || when !== side || killed > 0) return;
        killed++;
        await dying.kill();
      };
      const ending = run(dataset);
      await expect.poll(() => dying.running, { timeout: 60_000 }).toBe(false);
      expect(killed).toBe(1);
      [victim] = await Promise.all([startWorker('etl'), ...(isWhole ? [startWorker('flows')] : [])]);
      const summary = await ending;
      // By increments, and each published once: nothing was computed whole, and no version is there twice.
      expect(summary.tables.map(({ version }) => version)).toEqual([1, 1, 1, 1, 1]);
      const written = summary.steps.filter(({ step }) => /^write (silver|gold)/.test(step));
      expect(written.filter(({ detail }) => !detail.includes('new or changed rows'))).toEqual([]);
      expect(
        await sums(
          `silver/${dataset}`,
          `count(*) AS rows, count(DISTINCT (symbol, date)) AS keys, sum(volume)::BIGINT AS volume,
          count(*) FILTER (is_outlier) AS outliers`,
        ),
      ).toEqual([{ rows: '12154', keys: '12154', volume: '309890993650', outliers: '14' }]);
      expect(
        await sums(`gold/${dataset}_monthly`, 'count(*) AS rows, sum(trading_days)::BIGINT AS days'),
      ).toEqual([{ rows: '586', days: '12154' }]);
      expect(await sums(`gold/${dataset}_daily_market`, 'count(*) AS rows')).toEqual([{ rows: '3270' }]);
      expect(
        await sums(
          `gold/${dataset}_daily_features`,
          'count(*) AS rows, count(return_stddev_60) AS full_windows',
        ),
      ).toEqual([{ rows: '12154', full_windows: String(12154 - 5 * 60) }]);
    },
    120_000,
  );
});
