/** Appending: types, partitions, schema, constraints, once only. */
import { describe, expect, test } from 'vitest';
import { MemoryObjectStore } from '../../../src/connectors/object-store/memory.js';
import type { DataRow, StructType } from '../../../src/delta/index.js';
import { deltaLab } from '../../support/delta-lab.js';
import { struct } from '../../support/table.js';

const lab = deltaLab();
const numbers = (from: number, to: number): { sql: string } => ({
  sql: `SELECT range AS n, 'v' || range AS v FROM range(${from}, ${to})`,
});

test('the first append makes the table, the next adds to it', async () => {
  const table = lab.table();
  expect(await table.append(numbers(0, 3))).toMatchObject({
    status: 'committed',
    version: 0,
    filesAdded: 1,
    rowsInserted: 3,
  });
  expect(await table.append({ rows: [{ n: 3n, v: 'v3' }, { n: 4n }] })).toMatchObject({
    version: 1,
    rowsInserted: 2,
  });
  expect((await table.snapshot()).schema.fields.map(({ name, type }) => `${name} ${String(type)}`)).toEqual([
    'n long',
    'v string',
  ]);
  expect(await lab.rows(table, 'n')).toEqual([
    { n: 0n, v: 'v0' },
    { n: 1n, v: 'v1' },
    { n: 2n, v: 'v2' },
    { n: 3n, v: 'v3' },
    { n: 4n, v: null },
  ]);
  expect(await table.append({ sql: `SELECT 1::BIGINT AS n WHERE false` })).toMatchObject({
    status: 'unchanged',
  });
});

test('values of every type come back as they were given', async () => {
  const schema: StructType = struct({
    s: 'string',
    l: 'long',
    f: 'float',
    d: 'double',
    t: 'boolean',
    day: 'date',
    at: 'timestamp',
    local: 'timestamp_ntz',
    m: 'decimal(38,2)',
    bin: 'binary',
    list: { type: 'array', elementType: 'long', containsNull: true },
    inner: struct({ a: 'integer', b: 'string' }),
    map: { type: 'map', keyType: 'string', valueType: 'long', valueContainsNull: true },
  });
  const row: DataRow = {
    s: `it's "ä😀"\n`,
    l: 9007199254740993n,
    f: 0.5,
    d: Number.NaN,
    t: true,
    day: '1969-12-31',
    at: new Date('2024-02-29T23:59:59.999Z'),
    local: '2024-02-29T23:59:59.999999',
    m: '123456789012345678901234567890123456.78',
    bin: Uint8Array.of(0, 1, 255),
    list: [1n, null, 9007199254740993n],
    inner: { a: 1, b: null },
    map: { x: 1, y: null },
  };
  const table = lab.table();
  await table.append({ rows: [row, {}], schema });
  const [empty, full] = (await lab.rows(table, 's NULLS FIRST')) as [object, object];
  expect(Object.values(empty).every((value) => value === null)).toBe(true);
  expect(full).toEqual({
    ...row,
    at: '2024-02-29T23:59:59.999Z',
    map: [
      { key: 'x', value: 1n },
      { key: 'y', value: null },
    ],
  });
  expect((await table.snapshot()).protocol.minWriterVersion).toBe(7);
});

describe('partitions', () => {
  test('of several types get a file each, and NULL is one of them', async () => {
    const table = lab.table();
    const schema = struct({
      n: 'long',
      day: 'date',
      at: 'timestamp',
      k: 'integer',
      m: 'decimal(9,2)',
      x: 'double',
      ok: 'boolean',
      s: 'string',
    });
    const partitionBy = ['day', 'at', 'k', 'm', 'x', 'ok', 's'];
    const first = {
      ...{ day: '2024-02-29', at: '2024-02-29T01:02:03.000004Z', k: -5, m: '1.50', x: 0.1, ok: true },
      s: `a/b=c%20'ä 😀`,
    };
    await table.append(
      { rows: [{ n: 1, ...first }, { n: 2, ...first }, { n: 3, ...first, k: 6 }, { n: 4 }], schema },
      { create: { partitionBy } },
    );
    const { files } = await table.snapshot();
    expect(files.map((file) => file.partitionValues).sort((a, b) => Number(a['k']) - Number(b['k']))).toEqual(
      [
        { ...first, k: '-5', x: '0.1', ok: 'true' },
        Object.fromEntries(partitionBy.map((name) => [name, null])),
        { ...first, k: '6', x: '0.1', ok: 'true' },
      ],
    );
    expect(await lab.rows(table, 'n')).toEqual([
      { n: 1n, ...first },
      { n: 2n, ...first },
      { n: 3n, ...first, k: 6 },
      { n: 4n, ...Object.fromEntries(partitionBy.map((name) => [name, null])) },
    ]);
  });

  test('refuse what readers would not agree on', async () => {
    const table = lab.table();
    const source = { rows: [{ n: 1, s: '' }], schema: struct({ n: 'long', s: 'string' }) };
    const append = table.append(source, { create: { partitionBy: ['s'] } });
    await expect(append).rejects.toMatchObject({ code: 'DELTA_VALUE_UNSUPPORTED' });
    expect(await table.snapshotIfExists()).toBeNull();
  });
});

describe('the schema', () => {
  test('decides: columns by name, ignoring case and order', async () => {
    const table = lab.table();
    await table.append(numbers(0, 1));
    await table.append({ sql: `SELECT 'x' AS V, 7 AS N` });
    expect(await lab.rows(table, 'n')).toEqual([
      { n: 0n, v: 'v0' },
      { n: 7n, v: 'x' },
    ]);
  });

  test.each([
    [`SELECT 1::BIGINT AS n, 'x' AS v, 2 AS more`, 'more'],
    [`SELECT 'x' AS n`, "'n' is VARCHAR"],
    [`SELECT 1.5::DOUBLE AS n`, "'n' is DOUBLE"],
    [`SELECT DATE '2024-01-01' AS v`, "'v' is DATE"],
  ])('refuses %s', async (sql, message) => {
    const table = lab.table();
    await table.append(numbers(0, 1));
    await expect(table.append({ sql })).rejects.toMatchObject({
      code: 'DELTA_SCHEMA_INVALID',
      message: expect.stringContaining(message) as unknown,
    });
    expect((await table.snapshot()).version).toBe(0);
  });

  test('grows where that is asked for', async () => {
    const table = lab.table();
    await table.append(numbers(0, 1));
    const more = { sql: `SELECT 1::BIGINT AS n, 2.5::DOUBLE AS more` };
    expect(await table.append(more, { evolveSchema: true })).toMatchObject({ version: 1 });
    expect(await lab.rows(table, 'n')).toEqual([
      { n: 0n, v: 'v0', more: null },
      { n: 1n, v: null, more: 2.5 },
    ]);
  });

  test('overflow fails and leaves nothing', async () => {
    const store = new MemoryObjectStore();
    const table = lab.table(store);
    await table.append({ rows: [{ b: 1 }], schema: struct({ b: 'byte' }) });
    await expect(table.append({ sql: 'SELECT 300 AS b' })).rejects.toThrow(/INT8|TINYINT|out of range/i);
    const keys = [];
    for await (const { key } of store.list('')) keys.push(key);
    expect(keys).toHaveLength(2);
  });
});

describe('constraints', () => {
  const make = async (
    configuration: Record<string, string>,
    schema = struct({ n: 'long', s: 'string', day: 'date' }),
  ) => {
    const table = lab.table();
    await table.create(schema, {});
    for (const [name, text] of Object.entries(configuration)) await table.addConstraint(name, text);
    return table;
  };

  test.each([
    ['n > 0', { n: 1 }, { n: 0 }],
    ['n > 0', { n: 1 }, {}],
    ['`n` >= 0 AND n < 10', { n: 9 }, { n: 10 }],
    ["s IN ('a', 'it''s') OR s IS NULL", { s: "it's" }, { s: 'b' }],
    ["day BETWEEN '2024-01-01' AND date '2024-12-31'", { day: '2024-02-29' }, { day: '2025-01-01' }],
    ['length(s) = 2', { s: 'ää' }, { s: 'abc' }],
    ['year(day) = 2024', { day: '2024-05-05' }, { day: '2023-05-05' }],
    ["CASE WHEN n = 1 THEN s = 'one' ELSE NOT (s LIKE 'o%') END", { n: 1, s: 'one' }, { n: 2, s: 'one' }],
  ])('%s lets %o in and keeps %o out', async (text, good, bad) => {
    const table = await make({ rule: text });
    expect((await table.snapshot()).protocol.minWriterVersion).toBe(3);
    await table.append({ rows: [good] });
    await expect(table.append({ rows: [good, bad] })).rejects.toMatchObject({
      code: 'DELTA_CONSTRAINT_VIOLATED',
      message: expect.stringContaining('CHECK rule') as unknown,
    });
    expect(await lab.rows(table)).toHaveLength(1);
  });

  test.each([
    's = "a"',
    'n / 2 > 1',
    "s RLIKE 'a'",
    'n <=> 1',
    "s = 'a\\'b'",
    'unknown > 1',
    'upper(s) = s',
    '(SELECT true)',
    'n',
  ])('refuses to write where %s would have to be evaluated', async (text) => {
    const table = lab.table();
    await table.create(struct({ n: 'long', s: 'string' }));
    await expect(table.addConstraint('odd', text)).rejects.toMatchObject({ code: 'DELTA_WRITE_UNSUPPORTED' });
    // Where another writer has set it.
    const { metadata } = await table.snapshot();
    const configuration = { 'delta.constraints.odd': text };
    const lines = [
      { protocol: { minReaderVersion: 1, minWriterVersion: 3 } },
      { metaData: { ...metadata, configuration } },
    ];
    const commit = lines.map((line) => JSON.stringify(line)).join('\n');
    await table.store.put('_delta_log/00000000000000000001.json', Buffer.from(commit));
    await expect(table.append({ rows: [{ n: 1 }] })).rejects.toMatchObject({
      code: 'DELTA_WRITE_UNSUPPORTED',
    });
  });

  test('NOT NULL, in structs and lists too', async () => {
    const inner = struct({ a: 'integer' });
    const required: StructType = {
      ...inner,
      fields: inner.fields.map((field) => ({ ...field, nullable: false })),
    };
    const schema = struct({ s: required, l: { type: 'array', elementType: 'long', containsNull: false } });
    const table = lab.table();
    await table.create(schema);
    await table.append({
      rows: [
        { s: { a: 1 }, l: [1] },
        { s: null, l: null },
      ],
    });
    await expect(table.append({ rows: [{ s: { a: null } }] })).rejects.toMatchObject({
      code: 'DELTA_CONSTRAINT_VIOLATED',
    });
    await expect(table.append({ rows: [{ l: [1, null] }] })).rejects.toMatchObject({
      code: 'DELTA_CONSTRAINT_VIOLATED',
    });
  });

  test('invariants of columns', async () => {
    const invariant = JSON.stringify({ expression: { expression: 'n > 3' } });
    const [field] = struct({ n: 'long' }).fields;
    const table = lab.table();
    await table.create({
      type: 'struct',
      fields: [{ ...field!, metadata: { 'delta.invariants': invariant } }],
    });
    await table.append({ rows: [{ n: 4 }] });
    await expect(table.append({ rows: [{ n: 3 }] })).rejects.toMatchObject({
      code: 'DELTA_CONSTRAINT_VIOLATED',
    });
  });

  test('are not passed by with actions of one’s own', async () => {
    const table = await make({ rule: 'n > 0' });
    const commit = table.commit({
      base: await table.snapshot(),
      actions: [{ add: { path: 'x', partitionValues: {}, size: 1, modificationTime: 1, dataChange: true } }],
      operation: 'WRITE',
      read: 'nothing',
    });
    await expect(commit).rejects.toMatchObject({ code: 'DELTA_WRITE_UNSUPPORTED' });
  });

  test('are held against the rows that are there when one is added', async () => {
    const table = lab.table();
    await table.append({ rows: [{ n: 1 }, { n: -1 }], schema: struct({ n: 'long' }) });
    await expect(table.addConstraint('positive', 'n > 0')).rejects.toMatchObject({
      code: 'DELTA_CONSTRAINT_VIOLATED',
    });
    await table.delete({ where: 'n < 0' });
    await table.addConstraint('Positive', 'n > 0');
    expect((await table.snapshot()).metadata.configuration).toEqual({
      'delta.constraints.positive': 'n > 0',
    });
    await table.dropConstraint('positive');
    await table.append({ rows: [{ n: -1 }] });
  });
});

test('a transaction is appended once, and appends of many at once all land', async () => {
  const store = new MemoryObjectStore();
  await lab.table(store).append(numbers(0, 1));
  const once = await Promise.all(
    Array.from({ length: 4 }, () =>
      lab.table(store).append(numbers(1, 2), { transaction: { appId: 'a', version: 1 } }),
    ),
  );
  expect(once.map(({ status }) => status).sort()).toEqual(['committed', 'repeated', 'repeated', 'repeated']);
  await Promise.all(Array.from({ length: 4 }, (_, i) => lab.table(store).append(numbers(10 + i, 11 + i))));
  expect((await lab.rows(lab.table(store), 'n')).map(({ n }) => n)).toEqual([0n, 1n, 10n, 11n, 12n, 13n]);
});

test('statistics are of the columns that the table says', async () => {
  const of = async (properties: Record<string, string>) => {
    const table = lab.table();
    await table.append({ sql: 'SELECT 1 AS a, 2 AS b, 3 AS c' }, { create: { properties } });
    const [file] = (await table.snapshot()).files;
    return Object.keys((JSON.parse(file?.stats ?? '{}') as { minValues: object }).minValues);
  };
  expect(await of({})).toEqual(['a', 'b', 'c']);
  expect(await of({ 'delta.dataSkippingNumIndexedCols': '2' })).toEqual(['a', 'b']);
  expect(await of({ 'delta.dataSkippingNumIndexedCols': '0' })).toEqual([]);
  expect(await of({ 'delta.dataSkippingStatsColumns': 'c, `a`' })).toEqual(['a', 'c']);
});
