/** The prediction log alone: what waits, in which file it leaves, and that nothing is changed or lost on the way. */
import { pino } from 'pino';
import { beforeEach, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/config.js';
import { createDuckDbEngine } from '../../src/connectors/duckdb/engine.js';
import { MemoryObjectStore } from '../../src/connectors/object-store/index.js';
import { PREDICTIONS_INBOX, type PredictionRecord } from '../../src/contracts/serving.js';
import { Metrics } from '../../src/model-server/metrics.js';
import { PredictionLog } from '../../src/model-server/prediction-log.js';
import { FakeMlflow } from '../support/fake-mlflow.js';

const clock = { nowMs: () => Date.now() };
let store: MemoryObjectStore;
let log: PredictionLog;

beforeEach(() => {
  store = new MemoryObjectStore('log', clock);
  const { modelServer } = parseConfig(JSON.stringify({ modelServer: { log: { flushSeconds: 3600 } } }), {});
  const engine = createDuckDbEngine({ memoryLimit: '100MB', threads: 1, spillDirectory: '/nowhere' });
  const lake = { store, engine };
  const deps = { config: modelServer, mlflow: new FakeMlflow(), lake, native: null, clock };
  log = new PredictionLog({ ...deps, log: pino({ level: 'silent' }) }, new Metrics());
});

const record = (id: string, prediction = 1): PredictionRecord => ({
  ...{ id, at: '2026-01-01T00:00:00.000Z', model: 'demand', version: '1' },
  ...{ key: null, time: null, prediction },
});

/** The records of each file, in the order in which the files were left. */
async function files(): Promise<PredictionRecord[][]> {
  const found: PredictionRecord[][] = [];
  for await (const { key } of store.list(PREDICTIONS_INBOX)) {
    const lines = Buffer.from(await store.get(key))
      .toString()
      .trim()
      .split('\n');
    found.push(lines.map((line) => JSON.parse(line) as PredictionRecord));
  }
  return found;
}

it('leaves what is predicted while a file is written for the next time', async () => {
  const put = store.put.bind(store);
  let meanwhile = 0;
  store.put = (key, bytes) => {
    log.add([record(`meanwhile ${(meanwhile += 1)}`)]);
    return put(key, bytes);
  };
  log.add([record('a'), record('b')]);
  await log.flush();
  expect((await files()).map((file) => file.map(({ id }) => id))).toEqual([['a', 'b']]);
  expect(log.pending).toBe(1);
  store.put = put;
  await log.close();
  expect((await files()).map((file) => file.map(({ id }) => id))).toEqual([['a', 'b'], ['meanwhile 1']]);
  expect(log.pending).toBe(0);
});

it('keeps every record as it was, however long and in whatever script', async () => {
  const long = 'ü€𝄞'.repeat(100_000);
  const given = [
    ...Array.from({ length: 5000 }, (_, index) => record(`id ${index} ü€𝄞`, index / 7)),
    { ...record('long'), key: long },
    record('after'),
  ];
  for (const one of given) log.add([one]);
  await log.flush();
  expect((await files()).flat()).toEqual(given);
});

it('leaves many as several files, none larger than half a MiB, each of whole lines', async () => {
  const given = Array.from({ length: 10_001 }, (_, index) => record(String(index)));
  log.add(given);
  expect(log.pending).toBe(10_001);
  await log.flush();
  expect(log.pending).toBe(0);
  const sizes: number[] = [];
  for await (const { sizeBytes } of store.list(PREDICTIONS_INBOX)) sizes.push(sizeBytes);
  expect(sizes.length).toBeGreaterThan(1);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(512 * 1024);
  expect((await files()).flat()).toEqual(given);
});

it('keeps what a lake that is away does not take, in order, and what comes meanwhile behind it', async () => {
  const put = store.put.bind(store);
  const given = Array.from({ length: 10_000 }, (_, index) => record(String(index)));
  let left = 1;
  store.put = (key, bytes) => {
    if (left === 0) return Promise.reject(new Error('the lake is away'));
    left -= 1;
    return put(key, bytes);
  };
  log.add(given);
  await log.flush();
  const [first = []] = await files();
  expect(log.pending).toBe(given.length - first.length);
  log.add([record('later')]);
  await log.flush();
  expect(log.pending).toBe(given.length - first.length + 1);
  store.put = put;
  await log.close();
  expect(log.pending).toBe(0);
  expect((await files()).flat()).toEqual([...given, record('later')]);
});
