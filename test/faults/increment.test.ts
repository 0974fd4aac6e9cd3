/**
 * Exactly once for increments: Silver and Gold have a version each, a second file brings new days and late ones, and the
 * worker that puts them in place of published rows is killed. What is left is what the whole sample gives at once.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DatalabClient, type EtlSummary } from '../../src/client/index.js';
import { queryLake } from '../support/lake-query.js';
import { ownNamespace } from '../support/namespace.js';
import { S3Proxy } from '../support/s3-proxy.js';
import { testStack, type TestStack } from '../support/stack.js';
import { ownLake, PROJECT, WorkerProcess, type OwnLake } from '../support/worker-process.js';

const LAYERS = ['silver/stocks', 'gold/stocks_daily_features'] as const;
const MOMENTS = ['between upload and commit', 'between commit and completion'] as const;

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
  const workers: WorkerProcess[] = [];

  beforeAll(async () => {
    stack = await testStack('s3', 'kafka', 'temporal');
    namespace = await ownNamespace(stack.temporal.address, 'increments');
    proxy = await S3Proxy.start(stack.s3.endpoint);
    client = await DatalabClient.connect({ address: stack.temporal.address, namespace });
    folder = mkdtempSync(path.join(tmpdir(), 'datalab-increments-'));
  }, 180_000);
  afterEach(async () => {
    proxy.hook = () => undefined;
    await Promise.all(workers.splice(0).map((worker) => worker.kill()));
    await lake?.remove();
  });
  afterAll(async () => {
    await client?.close();
    await proxy?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function startWorker(datasets: string): Promise<WorkerProcess> {
    const worker = await WorkerProcess.start({
      ...lake.env,
      AWS_ENDPOINT_URL: proxy.endpoint,
      DATALAB_HEARTBEAT_SECONDS: '5',
      DATALAB_DATASETS_DIRECTORY: datasets,
    });
    workers.push(worker);
    return worker;
  }

  async function run(): Promise<EtlSummary> {
    const result = await (await client.startEtl({ dataset: 'stocks' })).result();
    if (result.status !== 'completed') throw new Error(JSON.stringify(result));
    return result.summary;
  }

  /** The datasets of the project, with sources of their own. */
  function ownSources(): { datasets: string; put(name: string, text: string): void } {
    const own = mkdtempSync(path.join(folder, 'case-'));
    const [datasets, input] = [path.join(own, 'datasets'), path.join(own, 'in')];
    mkdirSync(input);
    cpSync(path.join(PROJECT, 'datasets'), datasets, { recursive: true });
    const file = path.join(datasets, 'stocks/dataset.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/location: .*/, `location: ${input}/*.csv`));
    return { datasets, put: (name, text) => writeFileSync(path.join(input, name), text) };
  }

  const sums = (table: string, columns: string) =>
    queryLake<Record<string, unknown>>(stack, lake, table, (files) => `SELECT ${columns} FROM ${files}`);

  it.each(LAYERS.flatMap((layer) => MOMENTS.map((moment) => [layer, moment] as const)))(
    'loses and doubles nothing: %s, %s',
    async (layer, moment) => {
      lake = await ownLake(stack.env, 'increments', namespace);
      const { datasets, put } = ownSources();
      const [first, second] = halves();
      put('a.csv', first);
      const victim = await startWorker(datasets);
      await run();
      put('b.csv', second);
      let killed = 0;
      proxy.hook = async ({ method, path: key }, when) => {
        const wanted = method === 'PUT' && key.endsWith(`/${layer}/_delta_log/00000000000000000001.json`);
        const side = moment === 'between commit and completion' ? 'after' : 'before';
        if (!wanted || when !== side || killed > 0) return;
        killed++;
        await victim.kill();
      };
      const ending = run();
      await expect.poll(() => victim.running, { timeout: 60_000 }).toBe(false);
      expect(killed).toBe(1);
      await startWorker(datasets);
      const summary = await ending;
      // By increments, and each published once: nothing was computed whole, and no version is there twice.
      expect(summary.tables.map(({ version }) => version)).toEqual([1, 1, 1, 1, 1]);
      const written = summary.steps.filter(({ step }) => /^write (silver|gold)/.test(step));
      expect(written.filter(({ detail }) => !detail.includes('new or changed rows'))).toEqual([]);
      expect(
        await sums(
          'silver/stocks',
          `count(*) AS rows, count(DISTINCT (symbol, date)) AS keys, sum(volume)::BIGINT AS volume,
          count(*) FILTER (is_outlier) AS outliers`,
        ),
      ).toEqual([{ rows: '12154', keys: '12154', volume: '309890993650', outliers: '14' }]);
      expect(
        await sums('gold/stocks_monthly', 'count(*) AS rows, sum(trading_days)::BIGINT AS days'),
      ).toEqual([{ rows: '586', days: '12154' }]);
      expect(await sums('gold/stocks_daily_market', 'count(*) AS rows')).toEqual([{ rows: '3270' }]);
      expect(
        await sums('gold/stocks_daily_features', 'count(*) AS rows, count(return_stddev_60) AS full_windows'),
      ).toEqual([{ rows: '12154', full_windows: String(12154 - 5 * 60) }]);
    },
    120_000,
  );
});
