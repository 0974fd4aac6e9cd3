/** Deleting, updating, overwriting, restoring: what changes, what is left alone, what is refused. */
import { describe, expect, test } from 'vitest';
import { MemoryObjectStore } from '../../../src/connectors/object-store/memory.js';
import { loadDeletedRows, type DeltaTable } from '../../../src/delta/index.js';
import { FaultyObjectStore } from '../../support/faulty-store.js';
import { deltaLab } from '../../support/delta-lab.js';
import { pathsOf, struct } from '../../support/table.js';

const lab = deltaLab();

/** Three files: n of 0–9, 10–19, 20–29; in partitions by p where asked for. */
async function make(
  options: { partitioned?: boolean; properties?: Record<string, string> } = {},
): Promise<DeltaTable> {
  const table = lab.table();
  for (const from of [0, 10, 20]) {
    await table.append(
      { sql: `SELECT range AS n, 'v' || range AS v, 'p${from}' AS p FROM range(${from}, ${from + 10})` },
      {
        create: {
          ...(options.partitioned ? { partitionBy: ['p'] } : {}),
          properties: options.properties ?? {},
        },
      },
    );
  }
  return table;
}
const ns = async (table: DeltaTable): Promise<number[]> =>
  (await lab.rows(table, 'n')).map(({ n }) => Number(n));
const upTo = (end: number, but: (n: number) => boolean = () => false): number[] =>
  Array.from({ length: end }, (_, n) => n).filter((n) => !but(n));

describe('delete', () => {
  test('writes only the touched files again', async () => {
    const table = await make();
    const before = pathsOf(await table.snapshot());
    const report = await table.delete({ where: 'n IN (3, 4) OR n > 25' });
    // The rest of both fits one file.
    expect(report).toMatchObject({ filesAdded: 1, filesRemoved: 2, rowsDeleted: 6, rowsCopied: 14 });
    expect(await ns(table)).toEqual(upTo(26, (n) => n === 3 || n === 4));
    const after = pathsOf(await table.snapshot());
    expect(before.filter((path) => after.includes(path))).toHaveLength(1);
  });

  test('takes whole files away unread, and says how many rows that were', async () => {
    const table = await make({ partitioned: true });
    const stored = (await table.snapshot()).files.map(({ path }) => path);
    // A file that cannot be read shows that it is not.
    const damaged = stored[1] ?? '';
    await table.store.put(damaged, Buffer.from('damaged'));
    expect(await table.delete({ where: `p = 'p10'` })).toMatchObject({
      filesAdded: 0,
      filesRemoved: 1,
      rowsDeleted: 10,
    });
    expect(await ns(table)).toEqual(upTo(30, (n) => n >= 10 && n < 20));
  });

  test('changes nothing where nothing matches, and everything without a condition', async () => {
    const table = await make();
    expect(await table.delete({ where: 'n = 100' })).toMatchObject({ status: 'unchanged', version: 2 });
    expect(await table.delete({ where: 'v = NULL' })).toMatchObject({ status: 'unchanged' });
    expect(await table.delete()).toMatchObject({ status: 'committed', filesRemoved: 3, rowsDeleted: 30 });
    expect(await ns(table)).toEqual([]);
  });

  test.each([
    'n',
    'n >',
    'n = 1; DROP TABLE x',
    'true) AS a, (false',
    '(SELECT 1)',
    'nothing = 1',
    "n = (SELECT count(*) FROM read_csv('/etc/passwd'))",
  ])('refuses %s as a condition', async (where) => {
    const table = await make();
    await expect(table.delete({ where })).rejects.toMatchObject({ code: 'DELTA_EXPRESSION_INVALID' });
    expect((await table.snapshot()).version).toBe(2);
  });

  test('is refused where rows may only be added', async () => {
    const table = await make({ properties: { 'delta.appendOnly': 'true' } });
    await expect(table.delete({ where: 'n = 1' })).rejects.toMatchObject({ code: 'DELTA_WRITE_UNSUPPORTED' });
    await expect(table.update({ set: { n: '1' } })).rejects.toMatchObject({
      code: 'DELTA_WRITE_UNSUPPORTED',
    });
    await expect(table.overwrite({ sql: 'SELECT 1 AS n' })).rejects.toMatchObject({
      code: 'DELTA_WRITE_UNSUPPORTED',
    });
    await table.append({ rows: [{ n: 1 }] });
  });

  test('leaves no file behind that nobody names', async () => {
    const table = await make();
    await expect(table.update({ set: { n: 'CAST(v AS BIGINT)' } })).rejects.toThrow();
    const keys = [];
    for await (const { key } of table.store.list('')) if (!key.startsWith('_')) keys.push(key);
    expect(keys.sort()).toEqual(pathsOf(await table.snapshot()));
  });
});

describe('update', () => {
  test('computes from the row as it was', async () => {
    const table = await make();
    const set = { n: 'n + 100', v: 'v || n || p' };
    expect(await table.update({ set, where: 'n >= 18 AND n < 21' })).toMatchObject({
      filesRemoved: 2,
      rowsUpdated: 3,
      rowsCopied: 17,
    });
    const changed = (await lab.rows(table, 'n')).filter(({ n }) => Number(n) > 100);
    expect(changed.map(({ n, v }) => `${String(n)} ${String(v)}`)).toEqual([
      '118 v1818p10',
      '119 v1919p10',
      '120 v2020p20',
    ]);
  });

  test('moves rows to other partitions', async () => {
    const table = await make({ partitioned: true });
    await table.update({ set: { p: `'even'` }, where: 'n % 2 = 0' });
    const counts = new Map<unknown, number>();
    for (const { p } of await lab.rows(table)) counts.set(p, (counts.get(p) ?? 0) + 1);
    expect(Object.fromEntries(counts)).toEqual({ even: 15, p0: 5, p10: 5, p20: 5 });
    for (const file of (await table.snapshot()).files)
      expect(Object.keys(file.partitionValues)).toEqual(['p']);
  });

  test('holds new rows against the constraints', async () => {
    const table = await make();
    await table.addConstraint('small', 'n < 100');
    await expect(table.update({ set: { n: 'n * 10' } })).rejects.toMatchObject({
      code: 'DELTA_CONSTRAINT_VIOLATED',
    });
    expect(await table.update({ set: { n: 'n * 3' } })).toMatchObject({ rowsUpdated: 30 });
  });

  test.each([
    [{ nothing: '1' }, 'DELTA_SCHEMA_INVALID'],
    [{ n: `'text'` }, 'DELTA_SCHEMA_INVALID'],
    [{ n: '1.5::DOUBLE' }, 'DELTA_SCHEMA_INVALID'],
    [{ n: '1, 2' }, 'DELTA_SCHEMA_INVALID'],
    [{ n: '1) AS x, (2' }, 'DELTA_EXPRESSION_INVALID'],
  ])('refuses %o', async (set: Record<string, string>, code) => {
    await expect((await make()).update({ set })).rejects.toMatchObject({ code });
  });
});

describe('overwrite', () => {
  const one = (p: string) => ({ sql: `SELECT 100 AS n, 'new' AS v, '${p}' AS p` });

  test('replaces all rows, and the schema where that is asked for', async () => {
    const table = await make();
    expect(await table.overwrite(one('p0'))).toMatchObject({ filesAdded: 1, filesRemoved: 3 });
    expect(await ns(table)).toEqual([100]);
    await expect(table.overwrite({ sql: 'SELECT 1 AS other' })).rejects.toMatchObject({
      code: 'DELTA_SCHEMA_INVALID',
    });
    await table.overwrite({ sql: 'SELECT 1 AS other' }, { overwriteSchema: true });
    expect(await lab.rows(table)).toEqual([{ other: 1 }]);
    expect(await lab.rows(table, 'n', await table.snapshot({ version: 2 }))).toHaveLength(30);
  });

  test('replaces the partitions that the source has rows for', async () => {
    const table = await make({ partitioned: true });
    expect(await table.overwrite(one('p10'), { replace: 'partitions' })).toMatchObject({
      filesAdded: 1,
      filesRemoved: 1,
    });
    expect(await ns(table)).toEqual([...upTo(30, (n) => n >= 10 && n < 20), 100]);
    expect(await table.overwrite(one('p99'), { replace: 'partitions' })).toMatchObject({ filesRemoved: 0 });
    const plain = await make();
    await expect(plain.overwrite(one('p0'), { replace: 'partitions' })).rejects.toMatchObject({
      code: 'DELTA_SCHEMA_INVALID',
    });
  });

  test('replaces the rows of a condition, and takes no others', async () => {
    const table = await make();
    const replace = { where: 'n >= 25' };
    expect(await table.overwrite(one('p0'), { replace })).toMatchObject({ filesAdded: 2, filesRemoved: 1 });
    expect(await ns(table)).toEqual([...upTo(25), 100]);
    await expect(table.overwrite({ sql: 'SELECT 1 AS n' }, { replace })).rejects.toMatchObject({
      code: 'DELTA_CONSTRAINT_VIOLATED',
    });
    expect(await ns(table)).toEqual([...upTo(25), 100]);
  });
});

describe('restore', () => {
  test('brings rows, schema and properties back, and keeps the versions between', async () => {
    const table = await make();
    await table.setProperties({ 'own.key': 'x' });
    await table.append({ sql: 'SELECT 50 AS n, 1 AS more' }, { evolveSchema: true });
    await table.delete({ where: 'n < 15' });
    expect(await table.restore({ to: { version: 2 } })).toMatchObject({ status: 'committed', version: 6 });
    expect(await ns(table)).toEqual(upTo(30));
    const snapshot = await table.snapshot();
    expect(snapshot.schema.fields.map(({ name }) => name)).toEqual(['n', 'v', 'p']);
    expect(snapshot.metadata.configuration).toEqual({});
    await table.restore({ to: { version: 5 } });
    expect(await ns(table)).toEqual([...upTo(30, (n) => n < 15), 50]);
    expect(await table.restore({ to: { version: 7 } })).toMatchObject({ status: 'unchanged' });
  });

  test('to a time', async () => {
    let nowMs = 1_000;
    const table = lab.table(new MemoryObjectStore('timed', { nowMs: () => nowMs }));
    await table.append({ sql: 'SELECT 1 AS n' });
    nowMs = 2_000;
    await table.append({ sql: 'SELECT 2 AS n' });
    await table.restore({ to: { timestampMs: 1_999 } });
    expect(await ns(table)).toEqual([1]);
    await expect(table.restore({ to: { timestampMs: 1 } })).rejects.toMatchObject({
      code: 'DELTA_VERSION_NOT_FOUND',
    });
  });

  test('is refused where files are gone', async () => {
    const table = await make();
    const [first = ''] = pathsOf(await table.snapshot());
    await table.delete();
    await table.store.delete([first]);
    await expect(table.restore({ to: { version: 2 } })).rejects.toMatchObject({
      code: 'DELTA_STAGED_MISSING',
    });
    expect(await ns(table)).toEqual([]);
  });
});

test('columns and properties are changed alone', async () => {
  const table = await make();
  await table.addColumns(struct({ later: 'timestamp_ntz' }).fields);
  expect((await lab.rows(table, 'n'))[0]).toEqual({ n: 0n, v: 'v0', p: 'p0', later: null });
  expect((await table.snapshot()).protocol).toMatchObject({ minReaderVersion: 3, minWriterVersion: 7 });
  await expect(table.addColumns(struct({ N: 'long' }).fields)).rejects.toMatchObject({
    code: 'DELTA_SCHEMA_INVALID',
  });
  await table.setProperties({ a: '1', b: '2' });
  await table.setProperties({ a: null });
  expect((await table.snapshot()).metadata.configuration).toEqual({ b: '2' });
  const refused: Array<Record<string, string>> = [
    { 'delta.enableChangeDataFeed': 'true' },
    { 'delta.constraints.positive': 'n > 0' },
    { 'delta.feature.deletionVectors': 'supported' },
    { 'delta.columnMapping.mode': 'name' },
    { 'delta.checkpointInterval': 'often' },
  ];
  for (const properties of refused) {
    const invalid = { code: 'DELTA_PROPERTY_INVALID' };
    await expect(table.setProperties(properties)).rejects.toMatchObject(invalid);
    // Nor is a table made with what it would not keep.
    const other = lab.table();
    await expect(other.create(struct({ n: 'long' }), { properties })).rejects.toMatchObject(invalid);
    const append = other.append({ sql: 'SELECT 1 AS n' }, { create: { properties } });
    await expect(append).rejects.toMatchObject(invalid);
    expect(await other.snapshotIfExists()).toBeNull();
  }
});

test('what others do at the same time is seen: each operation decides anew or does not disturb', async () => {
  const store = new MemoryObjectStore();
  const seed = lab.table(store);
  await seed.append({ sql: 'SELECT range AS n FROM range(0, 10)' });
  await seed.append({ sql: 'SELECT range AS n FROM range(10, 20)' });
  await Promise.all([
    lab.table(store).delete({ where: 'n < 5' }),
    lab.table(store).update({ set: { n: 'n + 100' }, where: 'n >= 15 AND n < 100' }),
    lab.table(store).append({ sql: 'SELECT 7 AS n' }),
    lab.table(store).delete({ where: 'n = 9' }),
    lab.table(store).update({ set: { n: 'n + 1000' }, where: 'n = 6' }),
  ]);
  expect(await ns(seed)).toEqual([5, 7, 7, 8, 10, 11, 12, 13, 14, 115, 116, 117, 118, 119, 1006]);
  expect(await loadDeletedRows(store, (await seed.snapshot()).files.toArray())).toEqual(new Map());
});

test('files stay where nobody knows whether their commit was made', async () => {
  const store = new MemoryObjectStore();
  await lab.table(store).append({ sql: 'SELECT 1 AS n' });
  const broken = new FaultyObjectStore(store);
  let sent = false;
  // The commit is made, its answer is lost, and from then on nothing of the log can be read.
  broken.putIfAbsent = async (key, bytes) => {
    if (!sent) await store.putIfAbsent(key, bytes);
    sent = true;
    throw new Error('socket hang up');
  };
  broken.get = (key) => (sent ? Promise.reject(new Error('socket hang up')) : store.get(key));
  await expect(lab.table(broken).append({ sql: 'SELECT 2 AS n' })).rejects.toThrow('socket hang up');
  expect(await ns(lab.table(store))).toEqual([1, 2]);
});
