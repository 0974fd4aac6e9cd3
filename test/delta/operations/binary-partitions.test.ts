/** Tables that are partitioned by bytes: every operation writes and compares them as what they are. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemoryObjectStore } from '../../../src/connectors/object-store/memory.js';
import type { Action, DataRow, DeltaTable } from '../../../src/delta/index.js';
import { prune } from '../../../src/delta/prune.js';
import { deltaLab } from '../../support/delta-lab.js';
import { seedOf } from '../../support/seed.js';
import { struct } from '../../support/table.js';

const lab = deltaLab();
const SCHEMA = struct({ n: 'long', b: 'binary', s: 'string' });
const CREATE = { partitionBy: ['b'] };
const hexOf = (value: unknown): string | null =>
  value === null ? null : Buffer.from(value as Uint8Array).toString('hex');

/** `n: hex` of every row, by n. */
async function read(table: DeltaTable): Promise<string[]> {
  return (await lab.rows(table, 'n, s')).map(({ n, b }) => `${String(n)}: ${String(hexOf(b))}`);
}

const sqlOf = (rows: readonly DataRow[]): string =>
  rows
    .map(({ n, b }) => {
      const hex = hexOf(b ?? null);
      return `SELECT ${String(n as number)}::BIGINT AS n, ${hex === null ? 'NULL::BLOB' : `unhex('${hex}')`} AS b, NULL::VARCHAR AS s`;
    })
    .join(' UNION ALL ');

const WAYS: ReadonlyArray<
  readonly [string, (store: MemoryObjectStore, rows: readonly DataRow[]) => Promise<unknown>]
> = [
  ['SQL', (store, rows) => lab.table(store).append({ sql: sqlOf(rows) }, { create: CREATE })],
  [
    'values by the engine',
    (store, rows) =>
      lab
        .table(store, { rowParquet: undefined as never })
        .append({ rows, schema: SCHEMA }, { create: CREATE }),
  ],
  [
    'values without an engine',
    (store, rows) =>
      lab.table(store, { engine: undefined as never }).append({ rows, schema: SCHEMA }, { create: CREATE }),
  ],
];

const value = fc.option(
  fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }).map((text) => Buffer.from(text)),
    fc.constantFrom('\0', 'a', "'", '\\x41', '\\', '__HIVE_DEFAULT_PARTITION__').map((t) => Buffer.from(t)),
    fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
  ),
  { freq: 6 },
);
const isWritable = (bytes: Buffer | null): boolean =>
  bytes === null || (bytes.length > 0 && Buffer.from(bytes.toString('utf8')).equals(bytes));

describe.each(WAYS)('bytes that are appended by %s', (_, append) => {
  test('come back as they are, are found by a condition, or are refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 5 }), async (values) => {
        const store = new MemoryObjectStore();
        const refused = values.find((bytes) => !isWritable(bytes));
        if (refused !== undefined) {
          await expect(append(store, [{ n: 0, b: refused }])).rejects.toMatchObject({
            code: 'DELTA_VALUE_UNSUPPORTED',
          });
          expect(await lab.table(store).snapshotIfExists()).toBeNull();
        }
        const rows = values.filter(isWritable).map((b, n) => ({ n, b }));
        if (rows.length === 0) return;
        await append(store, rows);
        const table = lab.table(store);
        expect(await read(table)).toEqual(rows.map(({ n, b }) => `${n}: ${String(hexOf(b))}`));
        const distinct = [...new Set(rows.map(({ b }) => hexOf(b)))];
        const snapshot = await table.snapshot();
        expect(snapshot.files.length).toBe(distinct.length);
        for (const hex of distinct) {
          const { whole, some } = await prune(snapshot, hex === null ? 'b IS NULL' : `b = unhex('${hex}')`);
          expect([whole.length, some.length], `files of ${hex}`).toEqual([1, 0]);
        }
      }),
      { seed: seedOf(23), numRuns: 30 },
    );
  });
});

/** What another writer would have put into the log: the same files under other texts. */
async function respell(table: DeltaTable, texts: (text: string | null) => string | null): Promise<void> {
  const base = await table.snapshot();
  const actions = base.files.map((file): Action => ({
    add: { ...file, partitionValues: { b: texts(file.partitionValues['b'] ?? null) } },
  }));
  await table.commit({ base, actions, operation: 'WRITE', read: 'table' });
}

const escapes = (text: string | null): string | null =>
  text === null
    ? null
    : Array.from(Buffer.from(text), (byte) => `\\u00${byte.toString(16).padStart(2, '0')}`).join('');

const bytes = (text: string): Uint8Array => Buffer.from(text);

test('every operation keeps them', async () => {
  const table = lab.table();
  const rows = ['é', '\0', 'a', 'b', null].map((b, n) => ({ n, b: b === null ? null : bytes(b) }));
  await table.append({ rows, schema: SCHEMA }, { create: CREATE });
  await table.append({ rows: rows.map(({ b }, n) => ({ n: n + 10, b })) });
  expect(await table.delete({ where: `b = unhex('c3a9') AND n = 0` })).toMatchObject({ rowsDeleted: 1 });
  expect(await table.delete({ where: `b = 'a'` })).toMatchObject({ filesRemoved: 2, filesAdded: 0 });
  expect(await table.update({ set: { b: `unhex('00') || b` }, where: 'n = 13' })).toMatchObject({
    rowsUpdated: 1,
  });
  expect(await read(table)).toEqual([
    '1: 00',
    '3: 62',
    '4: null',
    '10: c3a9',
    '11: 00',
    '13: 0062',
    '14: null',
  ]);
  await expect(table.update({ set: { b: `unhex('ff')` }, where: 'n = 14' })).rejects.toMatchObject({
    code: 'DELTA_VALUE_UNSUPPORTED',
  });
  await table.merge(
    {
      rows: [
        { n: 11, b: bytes('\0'), s: 'merged' },
        { n: 20, b: bytes('😀') },
      ],
      schema: SCHEMA,
    },
    {
      on: 'target.b = source.b AND target.n = source.n',
      whenMatched: [{ update: 'all' }],
      whenNotMatched: [{ insert: 'all' }],
    },
  );
  await table.checkpoint();
  const merged = ['1: 00', '3: 62', '4: null', '10: c3a9', '11: 00', '13: 0062', '14: null', '20: f09f9880'];
  expect(await read(lab.table(table.store))).toEqual(merged);
  const { version } = await table.snapshot();
  await table.overwrite({ rows: [{ n: 30, b: bytes('\0') }] }, { replace: 'partitions' });
  await table.overwrite({ rows: [{ n: 31, b: bytes('b') }] }, { replace: { where: `b = 'b'` } });
  await expect(
    table.overwrite({ rows: [{ n: 32, b: bytes('c') }] }, { replace: { where: `b = 'b'` } }),
  ).rejects.toMatchObject({ code: 'DELTA_CONSTRAINT_VIOLATED' });
  expect(await read(table)).toEqual([
    '4: null',
    '10: c3a9',
    '13: 0062',
    '14: null',
    '20: f09f9880',
    '30: 00',
    '31: 62',
  ]);
  await table.overwrite({ rows: [{ n: 40, b: bytes('x') }] });
  expect(await read(table)).toEqual(['40: 78']);
  await table.restore({ to: { version } });
  expect(await read(table)).toEqual(merged);
  expect((await table.optimize()).filesAfter).toBe(6);
  expect(await read(table)).toEqual(merged);
  expect((await table.fsck({ statistics: true })).findings).toEqual([]);
});

test('what delta-rs escapes is one partition with what has the same bytes', async () => {
  const table = lab.table();
  const spellings = async (): Promise<unknown[]> =>
    (await table.snapshot()).files.map(({ partitionValues }) => partitionValues['b']).sort();
  await table.append({ rows: [{ n: 1, b: bytes('hé') }], schema: SCHEMA }, { create: CREATE });
  const more = [2, 3, 4].map((n) => ({ n, b: bytes('hé'), s: `the file is the larger one ${n}` }));
  await respell(table, escapes);
  expect(await read(table)).toEqual(['1: 68c3a9']);
  await table.append({ rows: [...more, { n: 9, b: bytes('\0') }] });
  expect(await spellings()).toEqual(['\0', escapes('hé'), 'hé']);
  // Written again as one file, they have the spelling that everybody reads.
  const { version } = await table.snapshot();
  expect((await table.optimize()).filesAfter).toBe(2);
  expect(await spellings()).toEqual(['\0', 'hé']);
  await table.restore({ to: { version } });
  await table.update({ set: { s: `'both'` }, where: 'n < 3' });
  expect(await spellings()).toEqual(['\0', 'hé']);
  await respell(table, escapes);
  const overwritten = table.overwrite({ rows: [{ n: 7, b: bytes('hé') }] }, { replace: 'partitions' });
  expect(await overwritten).toMatchObject({ filesRemoved: 1 });
  expect(await read(table)).toEqual(['7: 68c3a9', '9: 00']);
});

test('bytes that only another writer can have put there stay what they are when their file is written again', async () => {
  const table = lab.table();
  const rows = [1, 2, 3].map((n) => ({ n, b: bytes('x') }));
  await table.append({ rows, schema: SCHEMA }, { create: CREATE });
  await respell(table, () => '\\u00FF\\u0000');
  await table.delete({ where: 'n = 2' });
  await table.update({ set: { s: `'new'` }, where: 'n = 3' });
  expect(await read(table)).toEqual(['1: ff00', '3: ff00']);
  await respell(table, () => '');
  expect(await read(table)).toEqual(['1: ', '3: ']);
  const { whole, some } = await prune(await table.snapshot(), 'b IS NULL');
  expect([whole, some]).toEqual([[], []]);
});

test('a NUL in a text that partitions comes back too', async () => {
  const table = lab.table();
  const rows = { rows: [{ n: 1, s: 'a\0b' }], schema: struct({ n: 'long', s: 'string' }) };
  for (const deps of [{ engine: undefined as never }, { rowParquet: undefined as never }])
    await lab.table(table.store, deps).append(rows, { create: { partitionBy: ['s'] } });
  expect(await lab.rows(table)).toEqual([
    { n: 1n, s: 'a\0b' },
    { n: 1n, s: 'a\0b' },
  ]);
});
