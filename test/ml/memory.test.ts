/** Rows that are collected in arrays that grow make the file that they always made; too many of them are refused in words. */
import { expect, it } from 'vitest';
import { parseModel } from '../../src/config/model.js';
import type { ModelDefinition } from '../../src/contracts/model.js';
import type { ColumnBatch } from '../../src/delta/index.js';
import { collectRows } from '../../src/ml/collect.js';
import { decodeRows, encodeRows } from '../../src/ml/matrix.js';
import { leastMemoryMb } from '../../src/ml/memory.js';
import { seeded } from '../../src/ml/random.js';

const model: ModelDefinition = parseModel('d', 'm', {
  ...{ name: 'm', table: 't', keys: ['key'], time: 'time', metric: 'rmse' },
  target: { expression: 'a', horizon: 1, kind: 'regression' },
  features: [{ name: 'a' }, { name: 'b' }],
  ...{ candidates: [{ kind: 'linear' }], baselines: [{ kind: 'last_value' }] },
});
const ROWS = 5000;
const random = seeded(3);
/** Key, time, two features, the naive rule, target and its time, in the order of the SELECT. */
const columns = [
  Array.from({ length: ROWS }, (_, row) => `["${row % 3}"]`),
  ...Array.from({ length: 6 }, (_, at) =>
    Array.from({ length: ROWS }, (_, row) => (at === 0 ? row : random())),
  ),
];

/** Batches of some size; `taken` says how many were asked for. */
async function* batches(size: number, taken = { batches: 0 }): AsyncGenerator<ColumnBatch> {
  for (let from = 0; from < ROWS; from += size) {
    taken.batches += 1;
    const part = columns.map((values) => values.slice(from, from + size));
    yield await Promise.resolve({ rows: part[0]?.length ?? 0, columns: part } as unknown as ColumnBatch);
  }
}

it('makes one file of the same rows, however they come, and all of them are in it', async () => {
  const { data } = await collectRows(model, batches(700), 1024);
  const bytes = encodeRows(data);
  const exact = (values: Float64Array): Float64Array => Float64Array.from(values);
  const copied = encodeRows({
    ...{ ...data, x: Float32Array.from(data.x), y: exact(data.y), time: exact(data.time) },
    targetTime: exact(data.targetTime),
    baselines: Object.fromEntries(Object.entries(data.baselines).map(([name, of]) => [name, exact(of)])),
  });
  expect(Buffer.compare(bytes, copied)).toBe(0);
  // What the array that grew had to spare is in no file.
  expect(bytes.length).toBeLessThan(ROWS * 64);
  const read = decodeRows(bytes);
  expect([...read.time]).toEqual(columns[1]);
  expect([...read.y]).toEqual(columns[5]);
  expect([...read.x]).toEqual([
    ...Float32Array.from({ length: 2 * ROWS }, (_, at) => Number(columns[2 + (at % 2)]?.[at >> 1])),
  ]);
});

it('reads no further than what a training may hold', async () => {
  const taken = { batches: 0 };
  const enough = leastMemoryMb(1400, 2);
  await expect(collectRows(model, batches(700, taken), enough)).rejects.toMatchObject({
    ...{ code: 'MODEL_MEMORY_EXCEEDED', retry: false },
    message: expect.stringContaining('2100 rows of gold.t with 2 features') as unknown,
  });
  expect(taken.batches).toBe(3);
  await expect(collectRows(model, batches(700), leastMemoryMb(ROWS, 2))).resolves.toMatchObject({
    read: ROWS,
  });
});
