/** Merging: clauses, pruning, ambiguity, NULLs, names. */
import { describe, expect, test } from 'vitest';
import type { DeltaTable, MergeOptions } from '../../../src/delta/index.js';
import { deltaLab } from '../../support/delta-lab.js';
import { pathsOf, struct } from '../../support/table.js';

const lab = deltaLab();
const ON = 'target.k = source.k';
const UPSERT: MergeOptions = {
  on: ON,
  whenMatched: [{ update: 'all' }],
  whenNotMatched: [{ insert: 'all' }],
};

/** Three files of ten keys each. */
async function make(partitionBy: string[] = []): Promise<DeltaTable> {
  const table = lab.table();
  for (const from of [0, 10, 20]) {
    await table.append(
      { sql: `SELECT range AS k, 'old' AS v, 'p${from}' AS p FROM range(${from}, ${from + 10})` },
      { create: { partitionBy } },
    );
  }
  return table;
}
const values = async (table: DeltaTable): Promise<Record<string, unknown>> =>
  Object.fromEntries((await lab.rows(table, 'k')).map(({ k, v }) => [String(k), v]));

test('updates what matches, inserts what does not, and leaves other files alone', async () => {
  const table = await make();
  const before = pathsOf(await table.snapshot());
  const source = {
    rows: [
      { k: 3, v: 'new', p: 'x' },
      { k: 100, v: 'new', p: null },
    ],
  };
  expect(await table.merge(source, UPSERT)).toMatchObject({
    ...{ filesRemoved: 1, filesAdded: 2, rowsUpdated: 1, rowsInserted: 1, rowsDeleted: 0, rowsCopied: 9 },
  });
  const after = await values(table);
  expect(Object.keys(after)).toHaveLength(31);
  expect([after['3'], after['4'], after['100']]).toEqual(['new', 'old', 'new']);
  expect(pathsOf(await table.snapshot()).filter((path) => before.includes(path))).toHaveLength(2);
});

test('does not read files that the source cannot match', async () => {
  const table = await make();
  const { files } = await table.snapshot();
  await table.store.delete(
    files
      .toArray()
      .slice(1)
      .map(({ path }) => path),
  );
  expect(await table.merge({ rows: [{ k: 2, v: 'new', p: null }] }, UPSERT)).toMatchObject({
    rowsUpdated: 1,
  });
  const partitioned = await make(['p']);
  const [first, ...others] = (await partitioned.snapshot()).files;
  await partitioned.store.delete(others.map(({ path }) => path));
  const on = `${ON} AND target.p IN ('p0', 'px')`;
  await partitioned.merge(
    {
      rows: [
        { k: 25, v: 'new', p: 'p0' },
        { k: 2, v: 'new', p: 'p0' },
      ],
    },
    { ...UPSERT, on },
  );
  expect((await partitioned.snapshot()).files.some(({ path }) => path === first?.path)).toBe(false);
});

test('the first clause that applies counts, in both halves', async () => {
  const table = await make();
  const source = {
    sql: `SELECT unnest([1, 2, 3, 4, 40, 41, 42]) AS k, unnest([1, 2, 3, 4, 1, 2, 3]) AS kind`,
  };
  const report = await table.merge(source, {
    on: ON,
    whenMatched: [
      { when: 'source.kind = 1', delete: true },
      { when: 'source.kind <= 2', update: { v: `'two ' || target.v || source.kind` } },
      { when: 'source.kind = 3', update: { v: 'NULL' } },
    ],
    whenNotMatched: [
      { when: 'source.kind = 1', insert: { k: 'source.k', v: `'one'` } },
      { when: 'kind = 2', insert: { k: 'source.k * 10' } },
    ],
  });
  expect(report).toMatchObject({ rowsDeleted: 1, rowsUpdated: 2, rowsInserted: 2, rowsCopied: 7 });
  const after = await values(table);
  expect(after).not.toHaveProperty('1');
  expect(after).toMatchObject({ 2: 'two old2', 3: null, 4: 'old', 40: 'one', 410: null });
  expect(after).not.toHaveProperty('42');
});

describe('several source rows for one row of the table', () => {
  const twice = {
    rows: [
      { k: 1, v: 'a', p: null },
      { k: 1, v: 'b', p: null },
    ],
  };

  test('are refused where they would change it', async () => {
    const table = await make();
    await expect(table.merge(twice, UPSERT)).rejects.toMatchObject({ code: 'DELTA_MERGE_AMBIGUOUS' });
    const conditional: MergeOptions = { on: ON, whenMatched: [{ when: `source.v <> ''`, delete: true }] };
    await expect(table.merge(twice, conditional)).rejects.toMatchObject({ code: 'DELTA_MERGE_AMBIGUOUS' });
    expect((await table.snapshot()).version).toBe(2);
  });

  test('are no matter where it only goes, where one of them applies, or where none matches', async () => {
    const table = await make();
    const one: MergeOptions = { on: ON, whenMatched: [{ when: `source.v = 'b'`, update: 'all' }] };
    expect(await table.merge(twice, one)).toMatchObject({ rowsUpdated: 1 });
    expect(await values(table)).toMatchObject({ 1: 'b' });
    expect(await table.merge(twice, { on: ON, whenMatched: [{ delete: true }] })).toMatchObject({
      rowsDeleted: 1,
    });
    expect(await table.merge(twice, UPSERT)).toMatchObject({ rowsInserted: 2, rowsUpdated: 0 });
  });
});

test('NULL matches nothing', async () => {
  const table = lab.table();
  await table.append({
    rows: [
      { k: null, v: 'old' },
      { k: 1, v: 'old' },
    ],
    schema: struct({ k: 'long', v: 'string' }),
  });
  expect(await table.merge({ rows: [{ k: null, v: 'new' }] }, UPSERT)).toMatchObject({
    rowsInserted: 1,
    rowsUpdated: 0,
  });
  expect((await lab.rows(table)).map(({ k, v }) => `${String(k)} ${String(v)}`).sort()).toEqual([
    '1 old',
    'null new',
    'null old',
  ]);
});

test('names of ours are no names of the user’s', async () => {
  const schema = struct({
    file: 'long',
    row: 'long',
    clause: 'string',
    source_row: 'long',
    a: 'string',
    sources: 'long',
  });
  const table = lab.table();
  const row = { file: 1, row: 2, clause: 'c', source_row: 3, a: 'x', sources: 4 };
  await table.append({ rows: [row], schema });
  const source = {
    rows: [
      { ...row, clause: 'new' },
      { ...row, file: 2 },
    ],
    schema,
  };
  await table.merge(source, { ...UPSERT, on: 'target.file = source.file' });
  expect((await lab.rows(table, 'file')).map(({ clause }) => clause)).toEqual(['new', 'c']);
});

test('an empty source and one that changes nothing leave the table as it is', async () => {
  const table = await make();
  expect(
    await table.merge(
      { sql: 'SELECT 1::BIGINT AS k WHERE false' },
      { on: ON, whenMatched: [{ delete: true }] },
    ),
  ).toMatchObject({ status: 'unchanged' });
  expect(await table.merge({ rows: [{ k: 1, v: 'x', p: '' }] }, { on: ON })).toMatchObject({
    status: 'unchanged',
  });
});

test('moves rows between partitions, and holds new rows against the constraints', async () => {
  const table = await make(['p']);
  await table.addConstraint('known', `v IN ('old', 'new')`);
  await table.merge({ rows: [{ k: 3, v: 'new', p: 'elsewhere' }] }, UPSERT);
  expect((await table.snapshot()).files.map(({ partitionValues }) => partitionValues['p']).sort()).toEqual([
    'elsewhere',
    'p0',
    'p10',
    'p20',
  ]);
  const bad = { rows: [{ k: 4, v: 'odd', p: 'p0' }] };
  await expect(table.merge(bad, UPSERT)).rejects.toMatchObject({ code: 'DELTA_CONSTRAINT_VIOLATED' });
});

test.each([
  [{ ...UPSERT, on: 'target.k' }, 'DELTA_EXPRESSION_INVALID'],
  [{ ...UPSERT, on: 'k = 1' }, 'DELTA_EXPRESSION_INVALID'],
  [{ on: ON, whenMatched: [{ update: { nothing: '1' } }] }, 'DELTA_SCHEMA_INVALID'],
  [{ on: ON, whenNotMatched: [{ insert: { k: 'target.k' } }] }, 'DELTA_EXPRESSION_INVALID'],
  [{ on: ON, whenMatched: [{ update: { k: 'source.v' } }] }, 'DELTA_SCHEMA_INVALID'],
] as Array<[MergeOptions, string]>)('refuses %o', async (options, code) => {
  const table = await make();
  await expect(table.merge({ rows: [{ k: 1, v: 'x', p: 'y' }] }, options)).rejects.toMatchObject({ code });
});
