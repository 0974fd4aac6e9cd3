/** Values of every type: as columns, as partitions, as statistics that Spark skips files by. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LocalObjectStore } from '../../src/connectors/object-store/index.js';
import type { DataType, DeltaTable, StructType } from '../../src/delta/index.js';
import type { DeltaLab } from '../support/delta-lab.js';
import { struct } from '../support/table.js';
import { expectSameRows, sparkName, type SparkSession } from './session.js';

const SCALARS: Readonly<Record<string, DataType>> = {
  s: 'string',
  l: 'long',
  i: 'integer',
  h: 'short',
  b: 'byte',
  f: 'float',
  d: 'double',
  o: 'boolean',
  day: 'date',
  at: 'timestamp',
  ntz: 'timestamp_ntz',
  m: 'decimal(20,4)',
};
const ALL: StructType = struct({
  ...SCALARS,
  bin: 'binary',
  st: struct({ a: 'integer', t: struct({ z: 'string' }) }),
  ar: { type: 'array', elementType: 'long', containsNull: true },
  ma: { type: 'map', keyType: 'string', valueType: 'double', valueContainsNull: true },
});

/** One row each, extremes among them; a row of NULLs. */
const ROWS: readonly string[] = [
  `'a😀''', 9223372036854775807, 2147483647, 32767, 127, 0.1, 1e300, true, DATE '1969-12-31',
   TIMESTAMPTZ '2024-02-29 23:59:59.999999+00', TIMESTAMP '1960-01-01 00:00:00.000001', 9999999999999999.9999,
   '\\x00\\xFF'::BLOB, {'a': 1, 't': {'z': 'ü'}}, [1, NULL, 3], MAP {'k': 1.5, 'n': NULL}`,
  `'x/y %20=é:', -9223372036854775808, -2147483648, -32768, -128, -0.1, -1e-300, false, DATE '2024-02-29',
   TIMESTAMPTZ '1969-07-20 20:17:40.5+00', TIMESTAMP '2038-01-19 03:14:08', -0.0001,
   ''::BLOB, {'a': NULL, 't': NULL}, [], MAP {}`,
  Array.from({ length: ALL.fields.length }, () => 'NULL').join(', '),
];

function source(engine: DeltaLab['engine'], values: string): { sql: string } {
  const casts = ALL.fields.map(
    ({ name, type }, index) => `CAST(c${index} AS ${engine.sqlType(type)}) AS ${name}`,
  );
  const names = ALL.fields.map((_, index) => `c${index}`).join(', ');
  return { sql: `SELECT ${casts.join(', ')} FROM (VALUES (${values})) t(${names})` };
}

/** As Spark and the engine both understand them; one row has each. */
const CONDITIONS: readonly string[] = [
  `s = 'a😀'''`,
  `s > 'b'`,
  'l = 9223372036854775807',
  'l < 0',
  'i = -2147483648',
  'h = 32767',
  'b = -128',
  'f > 0',
  'd = 1e300',
  'd < 0',
  'o',
  `day = DATE '1969-12-31'`,
  `at > TIMESTAMP '2024-02-29 23:59:59.999998Z'`,
  `at < TIMESTAMP '1970-01-01 00:00:00Z'`,
  `ntz >= TIMESTAMP_NTZ '2038-01-19 03:14:08'`,
  `ntz < TIMESTAMP_NTZ '1960-01-01 00:00:00.000002'`,
  'm = 9999999999999999.9999',
  'm < 0',
  's IS NULL AND l IS NULL AND m IS NULL',
  'st.a = 1',
  `st.t.z = 'ü'`,
];

export function everyType(spark: () => SparkSession, lab: DeltaLab): void {
  const newTable = (): DeltaTable => lab.table(new LocalObjectStore(join(lab.folder, randomUUID())));

  test('columns of every type, with statistics by which Spark finds each row in a file of its own', async () => {
    const table = newTable();
    await table.create(ALL);
    for (const values of ROWS) await table.append(source(lab.engine, values));
    expect(await expectSameRows(spark(), lab, table, 'appends of every type')).toBe(ROWS.length);
    const counts = CONDITIONS.map(
      (condition, index) => `SELECT ${index} AS c, count(*) AS n FROM ${sparkName(table)} WHERE ${condition}`,
    );
    const found = await spark().sql(`SELECT n FROM (${counts.join(' UNION ALL ')}) ORDER BY c`);
    expect(CONDITIONS.map((condition, index) => `${condition}: ${String(found[index]?.['n'])}`)).toEqual(
      CONDITIONS.map((condition) => `${condition}: 1`),
    );
    await spark().sql(`INSERT INTO ${sparkName(table)} SELECT * FROM ${sparkName(table)}`);
    expect((await table.fsck({ statistics: true })).findings).toEqual([]);
    expect(await expectSameRows(spark(), lab, table, 'their copy')).toBe(2 * ROWS.length);
    await table.checkpoint();
    await table.append(source(lab.engine, ROWS[0] ?? ''));
    expect(await expectSameRows(spark(), lab, table, 'our checkpoint')).toBe(2 * ROWS.length + 1);
  });

  test.each([{ by: [] }, { by: ['o', 'day'] }])(
    'values that are written without the engine, by partitions $by',
    async ({ by }) => {
      const { f, ntz, m, ...plain } = SCALARS;
      expect([f, ntz, m]).not.toContain(undefined);
      const table = lab.table(new LocalObjectStore(join(lab.folder, randomUUID())), {
        engine: undefined as never,
      });
      const rows = [
        { s: `a😀'`, l: 2 ** 53 - 1, i: 2147483647, h: 32767, b: 127, d: 1e300, o: true, day: '1969-12-31' },
        { s: '', l: -5n, i: -2147483648, h: -32768, b: -128, d: -0.1, o: false, day: '2024-02-29' },
        {},
      ];
      const at = ['2024-02-29T23:59:59.999999Z', new Date('1969-07-20T20:17:40.500Z'), undefined];
      const create = { partitionBy: by };
      const append = { rows: rows.map((row, index) => ({ ...row, at: at[index] })), schema: struct(plain) };
      expect(await table.append(append, { create })).toMatchObject({ rowsInserted: 3 });
      expect(await expectSameRows(spark(), lab, table, 'values')).toBe(3);
      const conditions = [
        `s > 'a'`,
        'l = 9007199254740991',
        'l < 0',
        'i = 2147483647',
        'h = -32768',
        'b = 127',
        'd < 0',
        'o',
        `day < DATE '1970-01-01'`,
        `at > TIMESTAMP '2024-02-29 23:59:59.999998Z'`,
        `at < TIMESTAMP '1970-01-01 00:00:00Z'`,
        's IS NULL AND at IS NULL AND o IS NULL',
      ];
      const counts = conditions.map(
        (condition, index) =>
          `SELECT ${index} AS c, count(*) AS n FROM ${sparkName(table)} WHERE ${condition}`,
      );
      const found = await spark().sql(`SELECT n FROM (${counts.join(' UNION ALL ')}) ORDER BY c`);
      expect(conditions.map((condition, index) => `${condition}: ${String(found[index]?.['n'])}`)).toEqual(
        conditions.map((condition) => `${condition}: 1`),
      );
      await spark().sql(`INSERT INTO ${sparkName(table)} SELECT * FROM ${sparkName(table)}`);
      await table.append(append);
      expect(await expectSameRows(spark(), lab, table, 'their copy and ours')).toBe(9);
    },
  );

  test('partitions of every type', async () => {
    const table = newTable();
    await table.create(ALL, { partitionBy: Object.keys(SCALARS) });
    for (const values of ROWS) await table.append(source(lab.engine, values));
    expect(await expectSameRows(spark(), lab, table, 'partitions of every type')).toBe(ROWS.length);
    await spark().sql(`INSERT INTO ${sparkName(table)} SELECT * FROM ${sparkName(table)}`);
    expect(await expectSameRows(spark(), lab, table, 'their copy')).toBe(2 * ROWS.length);
    await table.append(source(lab.engine, ROWS[1] ?? ''));
    // Equal values are one partition, whoever wrote them.
    await table.delete({ where: 'l < 0 AND day IS NOT NULL' });
    expect(await expectSameRows(spark(), lab, table, 'our deletion')).toBe(4);
    expect((await table.optimize()).filesAfter).toBe(2);
    expect(await expectSameRows(spark(), lab, table, 'our packing')).toBe(4);
    await spark().sql(`DELETE FROM ${sparkName(table)} WHERE at > TIMESTAMP '2024-01-01 00:00:00Z'`);
    expect(await expectSameRows(spark(), lab, table, 'their deletion')).toBe(2);
  });

  test('bytes as partitions, written by both', async () => {
    const table = newTable();
    const name = sparkName(table);
    await spark().sql(
      `CREATE TABLE ${name} (k BIGINT, b BINARY) USING delta PARTITIONED BY (b)`,
      `INSERT INTO ${name} VALUES (1, X'68656c6c6f'), (2, X'0102'), (3, X'c3a9'), (4, X'2f2025'), (5, NULL), (6, X'efbbbf41')`,
    );
    expect(await expectSameRows(spark(), lab, table, 'their bytes')).toBe(6);
    const values = ['é', '\u0001\u0002', '😀', "'\\\n", '__HIVE_DEFAULT_PARTITION__'];
    await table.append({ rows: values.map((text, index) => ({ k: 10 + index, b: Buffer.from(text) })) });
    await table.append({ sql: `SELECT 20::BIGINT AS k, unhex('c3a9') AS b` });
    expect(await expectSameRows(spark(), lab, table, 'our bytes')).toBe(12);
    const found = await spark().sql(`SELECT k FROM ${name} WHERE b = X'c3a9' ORDER BY k`);
    expect(found).toEqual([{ k: 3 }, { k: 10 }, { k: 20 }]);
    expect((await table.optimize()).filesAfter).toBe(9);
    await spark().sql(
      `DELETE FROM ${name} WHERE b = X'0102' AND k = 2`,
      `DELETE FROM ${name} WHERE b > X'f0'`,
    );
    expect(await expectSameRows(spark(), lab, table, 'their deletion')).toBe(10);
    await table.checkpoint();
    await table.delete({ where: `b = unhex('c3a9') AND k < 11` });
    expect(await expectSameRows(spark(), lab, table, 'our deletion')).toBe(8);
    // Spark itself writes others than it is given where the bytes are no UTF-8: so we refuse them.
    await spark().sql(`INSERT INTO ${name} VALUES (30, X'ff')`);
    expect(await expectSameRows(spark(), lab, table, 'what Spark made of a byte')).toBe(9);
    expect(await spark().sql(`SELECT hex(b) AS b FROM ${name} WHERE k = 30`)).toEqual([{ b: 'EFBFBD' }]);
    await expect(table.append({ rows: [{ k: 31, b: Uint8Array.of(255) }] })).rejects.toMatchObject({
      code: 'DELTA_VALUE_UNSUPPORTED',
    });
    // A folder cannot have this name, so that Spark writes no file for it on local disks; it reads ours.
    await table.append({ rows: [{ k: 32, b: Uint8Array.of(0) }] });
    expect(await expectSameRows(spark(), lab, table, 'a NUL')).toBe(10);
  });
}
