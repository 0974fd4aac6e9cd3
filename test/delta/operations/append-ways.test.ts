/** Values are appended without the engine where nothing asks for it: the same table comes of it as by the engine. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LocalObjectStore } from '../../../src/connectors/object-store/index.js';
import { MemoryObjectStore } from '../../../src/connectors/object-store/memory.js';
import { createRowParquet } from '../../../src/connectors/parquet-rows.js';
import type { DataRow, DeltaTable, Engine, StructType } from '../../../src/delta/index.js';
import { appending, appendSteps, PLAIN, WAYS } from '../../support/append-ways.js';
import { deltaLab } from '../../support/delta-lab.js';
import { seedOf } from '../../support/seed.js';
import { struct } from '../../support/table.js';

const lab = deltaLab();

describe.each(WAYS)('%s', (way) => {
  test.each(['memory', 'local files'])('on %s', async (kind) => {
    const store =
      kind === 'memory' ? new MemoryObjectStore() : new LocalObjectStore(join(lab.folder, randomUUID()));
    await appendSteps(way, lab, store, async ({ step, rows }) => {
      expect(await lab.rows(lab.table(store), 'id'), step).toEqual(rows);
    });
  });

  test('appends of many at once all land', async () => {
    const store = new MemoryObjectStore();
    await appending(way, lab, store).append([{ id: 0 }], PLAIN);
    await Promise.all(
      Array.from({ length: 6 }, (_, i) => appending(way, lab, store).append([{ id: i + 1 }], PLAIN)),
    );
    expect((await lab.rows(lab.table(store), 'id')).map(({ id }) => Number(id))).toEqual([
      0, 1, 2, 3, 4, 5, 6,
    ]);
  });
});

/** The engine, counting how often it is opened. */
function counting(): { engine: Engine; opened: () => number } {
  let opened = 0;
  const open: Engine['open'] = (options) => {
    opened += 1;
    return lab.engine.open(options);
  };
  return { engine: { ...lab.engine, open }, opened: () => opened };
}

const required = (schema: StructType): StructType => ({
  ...schema,
  fields: schema.fields.map((field) => ({ ...field, nullable: false })),
});

describe('the engine is asked only where it must be', () => {
  type Case = readonly [
    name: string,
    times: number,
    schema: StructType,
    row: DataRow,
    prepare: (table: DeltaTable) => Promise<unknown>,
  ];
  const asItIs = (): Promise<unknown> => Promise.resolve();
  const cases: readonly Case[] = [
    ['values of the columns’ types', 0, struct({ n: 'long', s: 'string' }), { n: 1, s: 'x' }, asItIs],
    ['NULL', 0, struct({ n: 'long', d: 'decimal(9,2)' }), { n: null }, asItIs],
    ['a required column', 0, required(struct({ n: 'long' })), { n: 1 }, asItIs],
    ['a type that rows cannot carry', 1, struct({ n: 'decimal(9,2)' }), { n: '1.50' }, asItIs],
    ['text for a number', 1, struct({ n: 'long' }), { n: '17' }, asItIs],
    ['an integer past 2^53', 1, struct({ n: 'long' }), { n: 2n ** 53n + 1n }, asItIs],
    ['NaN', 1, struct({ n: 'double' }), { n: Number.NaN }, asItIs],
    [
      'a list',
      1,
      struct({ n: { type: 'array', elementType: 'long', containsNull: true } }),
      { n: [1, 2] },
      asItIs,
    ],
    [
      'a CHECK constraint',
      1,
      struct({ n: 'long' }),
      { n: 1 },
      (table) => table.addConstraint('positive', 'n > 0'),
    ],
  ];
  test.each(cases)('%s', async (_, times, schema, row, prepare) => {
    const { engine, opened } = counting();
    const store = new MemoryObjectStore();
    const table = lab.table(store, { engine });
    await table.create(schema);
    await prepare(lab.table(store));
    expect(await table.append({ rows: [row] })).toMatchObject({ status: 'committed', rowsInserted: 1 });
    expect(opened()).toBe(times);
    expect(await lab.rows(table)).toHaveLength(1);
  });

  test('many values are its work', async () => {
    const { engine, opened } = counting();
    const table = lab.table(undefined, { engine });
    const rows = Array.from({ length: 10_000 }, (_, n) => ({ n }));
    await table.append({ rows, schema: struct({ n: 'long' }) });
    expect(opened()).toBe(1);
    const alone = lab.table(undefined, { engine: undefined as never });
    expect(await alone.append({ rows, schema: struct({ n: 'long' }) })).toMatchObject({
      rowsInserted: 10_000,
    });
  });

  test('without one, no check is passed by', async () => {
    const store = new MemoryObjectStore();
    await lab.table(store).append({ rows: [{ n: 1 }], schema: struct({ n: 'long' }) });
    await lab.table(store).addConstraint('positive', 'n > 0');
    const alone = lab.table(store, { engine: undefined as never });
    await expect(alone.append({ rows: [{ n: 2 }] })).rejects.toMatchObject({ code: 'DELTA_ENGINE_REQUIRED' });
    await lab.table(store).dropConstraint('positive');
    await expect(alone.append({ rows: [{ n: '2' }] })).rejects.toMatchObject({ code: 'ROW_UNSUPPORTED' });
    expect(await alone.append({ rows: [{ n: 2 }] })).toMatchObject({ rowsInserted: 1 });
    expect((await lab.rows(lab.table(store), 'n')).map(({ n }) => n)).toEqual([1n, 2n]);
  });
});

test.each([
  ['long', 1.5],
  ['integer', '2.25'],
  ['decimal(5,2)', '1.005'],
  ['decimal(5,2)', 1e-3],
] as const)('a number that a column of type %s would round is refused: %s', async (type, n) => {
  const table = lab.table();
  for (const rows of [[{ n }], [{ n: null }, { n }]])
    await expect(table.append({ rows, schema: struct({ n: type }) })).rejects.toMatchObject({
      code: 'DELTA_VALUE_UNSUPPORTED',
    });
  expect(await table.snapshotIfExists()).toBeNull();
  const nested = { rows: [{ s: { l: [n] } }], schema: struct({ s: struct({ l: listOf(type) }) }) };
  await expect(table.append(nested)).rejects.toMatchObject({ code: 'DELTA_VALUE_UNSUPPORTED' });
  // Zeros are no digits.
  await table.append({ rows: [{ n: '2.000' }, { n: '20e-1' }], schema: struct({ n: type }) });
  expect((await lab.rows(table)).map((row) => Number(row['n']))).toEqual([2, 2]);
});

function listOf(elementType: 'long' | 'integer' | 'decimal(5,2)'): StructType['fields'][number]['type'] {
  return { type: 'array', elementType, containsNull: true };
}

const TYPES = struct({
  ...{ s: 'string', l: 'long', i: 'integer', h: 'short', b: 'byte', d: 'double', ok: 'boolean' },
  ...{ day: 'date', at: 'timestamp' },
});
const safe = Number.MAX_SAFE_INTEGER;
const instants = { min: new Date('0001-01-02T00:00:00Z'), max: new Date('9999-12-30T00:00:00Z') };
const instant = fc.date({ ...instants, noInvalidDate: true });
/** Values of every kind that somebody may give, most of them plainly of the column's type. */
const anyRow: fc.Arbitrary<DataRow> = fc.record(
  {
    s: fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.constantFrom('', '\u0001', 'ÿ'.repeat(70)),
    ),
    l: fc.oneof(fc.integer({ min: -safe, max: safe }), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    i: fc.oneof(fc.integer(), fc.constantFrom('7', -0, 2 ** 31 - 1)),
    h: fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }),
    b: fc.integer({ min: -128, max: 127 }),
    d: fc.double(),
    ok: fc.boolean(),
    day: fc.oneof(
      instant,
      instant.map((day) => day.toISOString().slice(0, 10)),
    ),
    at: fc.oneof(
      instant,
      instant.map((day) => `${day.toISOString().slice(0, 19).replace('T', ' ')}.123456`),
      instant.map((day) => `${day.toISOString().slice(0, 19)}+02:00`),
    ),
  },
  { requiredKeys: [] },
);

test('the same rows and the same partitions come of it as by the engine', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyRow, { minLength: 1, maxLength: 4 }),
      fc.subarray(['s', 'l', 'i', 'b', 'd', 'ok', 'day'], { maxLength: 2 }),
      async (rows, partitionBy) => {
        const tables = [lab.table(), lab.table(undefined, { rowParquet: undefined as never })];
        const [ours, theirs] = await Promise.all(
          tables.map(async (table) => {
            await table.create(TYPES, { partitionBy });
            const outcome = await table
              .append({ rows, schema: TYPES })
              .catch((error: { code?: string }) => ({ code: error.code }));
            if ('code' in outcome) return outcome;
            const { files } = await table.snapshot();
            const partitions = files.map((file) => JSON.stringify(file.partitionValues)).sort();
            const { findings } = await table.fsck({ statistics: true });
            return { rows: await lab.rows(table), partitions, findings };
          }),
        );
        expect(ours).toEqual(theirs);
        if (ours && 'findings' in ours) expect(ours.findings).toEqual([]);
      },
    ),
    { seed: seedOf(31), numRuns: 60 },
  );
});

test('a row writer alone opens a table and appends to it', async () => {
  const store = new MemoryObjectStore();
  const table = lab.table(store, { engine: undefined as never, rowParquet: createRowParquet() });
  await table.append({ rows: [], schema: struct({ n: 'long' }) });
  expect((await table.snapshot()).version).toBe(0);
  expect(await table.append({ rows: [], schema: struct({ n: 'long' }) })).toMatchObject({
    status: 'unchanged',
  });
});
