/** What appending a few rows must do, whichever way they take: by SQL, as values by the engine, as values without it. */
import { expect } from 'vitest';
import { createRowParquet } from '../../src/connectors/parquet-rows.js';
import { quoteName, quoteText } from '../../src/delta/checkpoint-parquet.js';
import type {
  AppendOptions,
  DataRow,
  DeltaTable,
  Engine,
  ObjectStore,
  OperationReport,
  StructType,
} from '../../src/delta/index.js';
import type { DeltaLab } from './delta-lab.js';
import { struct } from './table.js';

export const WAYS = ['SQL', 'values by the engine', 'values without an engine'] as const;
export type Way = (typeof WAYS)[number];

/** A table at the store, and appending to it that way. Those without an engine have none to fall back on. */
export function appending(
  way: Way,
  lab: DeltaLab,
  store: ObjectStore,
): {
  readonly table: DeltaTable;
  append(rows: readonly DataRow[], schema: StructType, options?: AppendOptions): Promise<OperationReport>;
} {
  const table =
    way === 'values without an engine'
      ? lab.table(store, { engine: undefined as never, rowParquet: createRowParquet() })
      : lab.table(store, { rowParquet: undefined as never });
  return {
    table,
    append: (rows, schema, options) =>
      table.append(way === 'SQL' ? { sql: valuesSql(rows, schema, lab.engine) } : { rows, schema }, options),
  };
}

function valuesSql(rows: readonly DataRow[], schema: StructType, engine: Engine): string {
  const list = rows.map((row) => {
    const values = schema.fields.map(({ name, type }) => {
      const value = row[name];
      const text = value === null || value === undefined ? 'NULL' : quoteText(String(value as string));
      return `CAST(${text} AS ${engine.sqlType(type)}) AS ${quoteName(name)}`;
    });
    return `SELECT ${values.join(', ')}`;
  });
  return list.join(' UNION ALL ');
}

const FIELDS = struct({ id: 'long', s: 'string', x: 'double', ok: 'boolean', at: 'timestamp', day: 'date' });
/** `id` is required. */
export const PLAIN: StructType = {
  ...FIELDS,
  fields: FIELDS.fields.map((field) => (field.name === 'id' ? { ...field, nullable: false } : field)),
};

/** What a reader is asked for after each step, with the answer: whole rows by id, NULLs and later columns included. */
export interface Expected {
  readonly step: string;
  readonly rows: ReadonlyArray<Readonly<Record<string, unknown>>>;
}

const none = { s: null, x: null, ok: null, at: null, day: null };
const first = { s: `ä😀 it's`, x: -0.5, ok: true, at: '2024-02-29T23:59:59.999999Z', day: '1969-12-31' };
const second = { ...none, s: '', x: 1e21, ok: false };

/**
 * Makes a table with two partition columns that way and appends to it; after each step, `read` is given the rows that must be
 * there. What must be refused is, and leaves nothing.
 */
export async function appendSteps(
  way: Way,
  lab: DeltaLab,
  store: ObjectStore,
  read: (expected: Expected, table: DeltaTable) => Promise<void>,
): Promise<void> {
  const { table, append } = appending(way, lab, store);
  await table.create(PLAIN, { partitionBy: ['day', 'ok'] });
  const once = { transaction: { appId: 'sink', version: 1 } };
  const rows = [
    { id: 1n, ...first },
    { id: 2n, ...second },
    { id: 3n, ...none },
  ];
  expect(await append(rows, PLAIN, once)).toMatchObject({
    ...{ status: 'committed', version: 1, filesAdded: 3, rowsInserted: 3 },
  });
  await read({ step: 'the first', rows }, table);
  expect(await append([{ id: 9n }], PLAIN, once)).toMatchObject({ status: 'repeated' });

  const more = struct({ ID: 'long', more: 'long' });
  const grown = { ID: 4, more: 40 };
  const refused = async (given: DataRow, schema: StructType, code: string): Promise<void> => {
    const before = await keysOf(store);
    await expect(append([given], schema), JSON.stringify(schema)).rejects.toMatchObject({ code });
    expect(await keysOf(store)).toEqual(before);
  };
  await refused(grown, more, 'DELTA_SCHEMA_INVALID');
  expect(await append([grown], more, { evolveSchema: true })).toMatchObject({ version: 2, rowsInserted: 1 });
  const all = [...rows.map((row) => ({ ...row, more: null })), { id: 4n, ...none, more: 40n }];
  await read({ step: 'a new column', rows: all }, table);

  await refused({ id: null, s: 'x' }, struct({ id: 'long', s: 'string' }), 'DELTA_CONSTRAINT_VIOLATED');
  await refused({ s: 'x' }, struct({ s: 'string' }), 'DELTA_CONSTRAINT_VIOLATED');
  const report = await append([{ id: 5, ...first }], PLAIN);
  expect(report).toMatchObject({ version: 3, filesAdded: 1, bytesAdded: expect.any(Number) as number });
  await read({ step: 'another', rows: [...all, { id: 5n, ...first, more: null }] }, table);
  const { files } = await table.snapshot();
  expect(files.map(({ partitionValues }) => JSON.stringify(partitionValues)).sort()).toEqual([
    ...['{"ok":"false","day":null}', '{"ok":"true","day":"1969-12-31"}', '{"ok":"true","day":"1969-12-31"}'],
    ...['{"ok":null,"day":null}', '{"ok":null,"day":null}'],
  ]);
  // What the log says of the files is true of their rows.
  expect((await lab.table(store).fsck({ statistics: true })).findings).toEqual([]);
}

async function keysOf(store: ObjectStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list('')) keys.push(key);
  return keys;
}
