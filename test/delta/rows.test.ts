/** Appending rows without the engine. */
import { describe, expect, test } from 'vitest';
import { MemoryObjectStore } from '../../src/connectors/object-store/memory.js';
import { createRowParquet } from '../../src/connectors/parquet-rows.js';
import { appendRows, DeltaTable, type Row, type StructType } from '../../src/delta/index.js';
import { struct } from '../support/table.js';

const port = createRowParquet();
const schema = struct({ id: 'string', n: 'long' });
const make = (store = new MemoryObjectStore()): DeltaTable =>
  new DeltaTable(store, { sleep: () => Promise.resolve() });

async function countOf(table: DeltaTable): Promise<number> {
  const { files } = await table.snapshot();
  return files.reduce(
    (sum, { stats = '{}' }) => sum + (JSON.parse(stats) as { numRecords: number }).numRecords,
    0,
  );
}

test('the table is made by the first append, and grows', async () => {
  const table = make();
  expect(await appendRows(table, port, [], { schema })).toEqual({ status: 'empty' });
  expect(await table.snapshotIfExists()).toBeNull();
  expect(await appendRows(table, port, [{ id: 'a', n: 1 }], { schema })).toEqual({
    status: 'appended',
    version: 0,
  });
  expect(await appendRows(table, port, [{ id: 'b' }, { id: 'c' }], { schema })).toMatchObject({ version: 1 });
  expect(await countOf(table)).toBe(3);
});

test('a transaction is appended once, also by those who try at the same time', async () => {
  const store = new MemoryObjectStore();
  const transaction = { appId: 'run-1', version: 1 };
  const results = await Promise.all(
    Array.from({ length: 6 }, () => appendRows(make(store), port, [{ id: 'a' }], { schema, transaction })),
  );
  expect(results.map(({ status }) => status).sort()).toEqual([
    'appended',
    ...Array<string>(5).fill('repeated'),
  ]);
  expect(await appendRows(make(store), port, [{ id: 'a' }], { schema, transaction })).toMatchObject({
    status: 'repeated',
  });
  expect(await countOf(make(store))).toBe(1);
});

test('appends that each bring a new column all land', async () => {
  const store = new MemoryObjectStore();
  await appendRows(make(store), port, [{ id: 'a' }], { schema });
  const names = ['x', 'y', 'z', 'u', 'v'];
  await Promise.all(
    names.map((name) =>
      appendRows(make(store), port, [{ [name]: 'new' }], { schema: struct({ [name]: 'string' }) }),
    ),
  );
  const snapshot = await make(store).snapshot();
  expect(snapshot.schema.fields.map(({ name }) => name).sort()).toEqual(['id', 'n', ...names].sort());
  expect(await countOf(make(store))).toBe(6);
});

describe('refused', () => {
  const required: StructType = {
    type: 'struct',
    fields: [{ name: 'id', type: 'string', nullable: false, metadata: {} }],
  };
  const cases: Array<[string, StructType, Row, string]> = [
    ['a column of another type', struct({ n: 'string' }), { n: 'x' }, 'DELTA_SCHEMA_INVALID'],
    ['a column that differs by case', struct({ N: 'long' }), { N: 1 }, 'DELTA_SCHEMA_INVALID'],
    ['a value that the schema lacks', schema, { other: 1 }, 'DELTA_SCHEMA_INVALID'],
    ['NULL in a required column', required, {}, 'DELTA_VALUE_UNSUPPORTED'],
    ['an integer past 2^53', schema, { n: 2 ** 53 }, 'ROW_UNSUPPORTED'],
    ['a bigint past 2^53', schema, { n: 9007199254740993n }, 'ROW_UNSUPPORTED'],
    ['a fraction as a long', schema, { n: 1.5 }, 'ROW_UNSUPPORTED'],
    ['text as a long', schema, { n: '1' }, 'ROW_UNSUPPORTED'],
    ['a day that does not exist', struct({ d: 'date' }), { d: '2023-02-30' }, 'ROW_UNSUPPORTED'],
    ['a time without a date', struct({ t: 'timestamp' }), { t: '10:00' }, 'ROW_UNSUPPORTED'],
    ['NaN', struct({ x: 'double' }), { x: Number.NaN }, 'ROW_UNSUPPORTED'],
    ['a type that rows cannot carry', struct({ x: 'binary' }), { x: 'x' }, 'ROW_UNSUPPORTED'],
  ];
  test.each(cases)('%s', async (_, rowSchema, row, code) => {
    const table = make();
    await appendRows(table, port, [{ id: 'a', n: 1 }], { schema });
    await expect(appendRows(table, port, [row], { schema: rowSchema })).rejects.toMatchObject({ code });
    expect(await countOf(table)).toBe(1);
  });
});

test('statistics bound what was written', async () => {
  const types = struct({ s: 'string', n: 'long', at: 'timestamp', day: 'date', x: 'double', ok: 'boolean' });
  const rows: Row[] = [
    { s: '\ufffd', n: -1, at: '2024-01-01T00:00:00.000001Z', day: '1969-12-31', x: -0.5, ok: true },
    // By UTF-8 bytes the emoji is the greater one, by UTF-16 units the smaller.
    { s: '😀', n: 5n, at: new Date('2023-01-01T00:00:00Z'), day: new Date('2020-01-01T00:00:00Z'), x: 1e21 },
    {},
  ];
  const table = make();
  await appendRows(table, port, rows, { schema: types });
  const stats = JSON.parse((await table.snapshot()).files.at(0)?.stats ?? '') as object;
  expect(stats).toEqual({
    numRecords: 3,
    minValues: { s: '\ufffd', n: -1, at: '2023-01-01T00:00:00.000Z', day: '1969-12-31', x: -0.5 },
    maxValues: { s: '😀', n: 5, at: '2024-01-01T00:00:00.001Z', day: '2020-01-01', x: 1e21 },
    nullCount: { s: 1, n: 1, at: 1, day: 1, x: 1, ok: 2 },
  });
});
