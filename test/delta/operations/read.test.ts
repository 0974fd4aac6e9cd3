/** Reading as Arrow: values, streams, what is left unread. */
import { tableFromIPC, tableToIPC, Table, type RecordBatch } from 'apache-arrow';
import { expect, test } from 'vitest';
import type { DataRow, DeltaTable, ReadOptions } from '../../../src/delta/index.js';
import { deltaLab } from '../../support/delta-lab.js';
import { struct } from '../../support/table.js';

const lab = deltaLab();

async function batches(table: DeltaTable, options: ReadOptions = {}): Promise<RecordBatch[]> {
  const found: RecordBatch[] = [];
  for await (const batch of table.read(options)) found.push(batch);
  return found;
}

test('values of every type arrive, also through the wire format', async () => {
  const schema = struct({
    ...{ s: 'string', l: 'long', i: 'integer', h: 'short', b: 'byte', f: 'float', d: 'double', t: 'boolean' },
    ...{ day: 'date', at: 'timestamp', local: 'timestamp_ntz', m: 'decimal(38,2)', bin: 'binary' },
    list: { type: 'array', elementType: 'long', containsNull: true },
    inner: struct({ a: 'integer', b: 'string' }),
    map: { type: 'map', keyType: 'string', valueType: 'long', valueContainsNull: true },
  });
  const row: DataRow = {
    ...{ s: 'ä😀', l: 9007199254740993n, i: -1, h: 2, b: 3, f: 0.5, d: 1e300, t: true },
    ...{ day: '1969-12-31', at: '1969-12-31T23:59:59.999999Z', local: '2024-02-29T00:00:00.000001' },
    ...{ m: '-12345678901234567890123456789012345.67', bin: Uint8Array.of(0, 255) },
    list: [1n, null],
    inner: { a: 1, b: null },
    map: { x: 1, y: null },
  };
  const table = lab.table();
  await table.append({ rows: [row, {}, { t: false }], schema });
  const direct = new Table(await batches(table));
  const wire = tableFromIPC(tableToIPC(direct, 'stream'));
  for (const arrow of [direct, wire]) {
    expect(arrow.numRows).toBe(3);
    const column = (name: string, at = 0): unknown => arrow.getChild(name)?.get(at) as unknown;
    expect(['s', 'l', 'i', 'h', 'b', 'f', 'd', 't'].map((name) => column(name))).toEqual(
      ['s', 'l', 'i', 'h', 'b', 'f', 'd', 't'].map((name) => row[name]),
    );
    const raw = (name: string): unknown => arrow.getChild(name)?.data[0]?.values[0] as unknown;
    expect([raw('day'), raw('at'), raw('local')]).toEqual([-1, -1n, 1709164800000001n]);
    const decimal = arrow.getChild('m')?.data[0]?.values as Uint32Array;
    const words = [...decimal.subarray(0, 4)].reduce(
      (sum, word, i) => sum + (BigInt(word) << BigInt(32 * i)),
      0n,
    );
    expect(BigInt.asIntN(128, words)).toBe(-1234567890123456789012345678901234567n);
    expect(column('bin')).toEqual(Uint8Array.of(0, 255));
    expect([...(column('list') as Iterable<unknown>)]).toEqual([1n, null]);
    expect(JSON.parse(JSON.stringify(column('inner')))).toEqual({ a: 1, b: null });
    expect([...(column('map') as Iterable<[string, unknown]>)].map(([k, v]) => [k, v])).toEqual([
      ['x', 1n],
      ['y', null],
    ]);
    expect(schema.fields.map(({ name }) => column(name, 1))).toEqual(schema.fields.map(() => null));
    expect(column('t', 2)).toBe(false);
  }
});

test('rows come batch by batch, of the version, the columns and the condition that are asked for', async () => {
  const table = lab.table();
  await table.append({ sql: 'SELECT range AS n, range % 7 AS m FROM range(10000)' });
  await table.append({ sql: 'SELECT range AS n, 0::BIGINT AS m FROM range(10000, 20000)' });
  const all = await batches(table);
  expect(all.length).toBeGreaterThan(4);
  expect(new Table(all).numRows).toBe(20000);
  const some = new Table(
    await batches(table, { at: { version: 0 }, columns: ['m'], where: 'n >= 9990 AND m < 3' }),
  );
  expect(some.schema.fields.map(({ name }) => name)).toEqual(['m']);
  expect([...(some.getChild('m') ?? [])].every((m) => Number(m) < 3)).toBe(true);
  // A file that the condition rules out is not touched.
  await table.store.delete([(await table.snapshot()).files.at(1)?.path ?? '']);
  expect(new Table(await batches(table, { where: 'n < 5' })).numRows).toBe(5);
  expect(await batches(table, { where: 'n < 0' })).toEqual([]);
});

test('can be left early, and says what is wrong', async () => {
  const table = lab.table();
  await table.append({ sql: 'SELECT range AS n FROM range(100000)' });
  for await (const batch of table.read()) {
    expect(batch.numRows).toBeGreaterThan(0);
    break;
  }
  await expect(batches(table, { columns: ['x'] })).rejects.toMatchObject({ code: 'DELTA_SCHEMA_INVALID' });
  await expect(batches(table, { where: 'x = 1' })).rejects.toMatchObject({
    code: 'DELTA_EXPRESSION_INVALID',
  });
  const aborted = new AbortController();
  aborted.abort(new Error('enough'));
  await expect(batches(table, { signal: aborted.signal })).rejects.toThrow('enough');
});
