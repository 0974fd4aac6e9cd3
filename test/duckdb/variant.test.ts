/** Variants in files that do not mark them, from bytes made by hand after the encoding's specification. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, expect, test } from 'vitest';
import { createDuckDbEngine } from '../../src/connectors/duckdb/engine.js';
import { arrowSchema, recordBatch, type ScanPlan } from '../../src/delta/index.js';
import { struct } from '../support/table.js';

const folder = mkdtempSync(join(tmpdir(), 'datalab-variant-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const engine = createDuckDbEngine({
  memoryLimit: '300MB',
  threads: 1,
  spillDirectory: join(folder, 'spill'),
});

/** Version 1, no names; and with the names `a` and `bc`. */
const [NO_NAMES, NAMES] = ['010000', '0102000103616263'];
const CASES: ReadonlyArray<readonly [metadata: string, value: string, is: unknown, json: string]> = [
  [NO_NAMES, '00', null, 'null'],
  [NO_NAMES, '04', true, 'true'],
  [NO_NAMES, '08', false, 'false'],
  [NO_NAMES, '0cff', -1, '-1'],
  [NO_NAMES, '100001', 256, '256'],
  [NO_NAMES, '1400000080', -2147483648, '-2147483648'],
  [NO_NAMES, '18ffffffffffffff7f', 9223372036854775807n, '9223372036854775807'],
  [NO_NAMES, '1c000000000000f83f', 1.5, '1.5'],
  [NO_NAMES, '20027b000000', '1.23', '1.23'],
  // 2020-01-01 is day 18262.
  [NO_NAMES, '2c56470000', '2020-01-01', '"2020-01-01"'],
  [NO_NAMES, '0d616263', 'abc', '"abc"'],
  // A long text: four bytes of length.
  [NO_NAMES, '400300000061627a', 'abz', '"abz"'],
  [NO_NAMES, '3c0200000000ff', Uint8Array.of(0, 255), '"AP8="'],
  // An array of 1 and "x": count, offsets, values.
  [NO_NAMES, '03020002040c010578', [1, 'x'], '[1,"x"]'],
  // An object of `a` and `bc`, where `bc` is an object of `a`: count, ids of the names, offsets, values.
  [
    NAMES,
    '020200010002' + '09' + '0c07' + '020100' + '0002' + '0c08',
    { a: 7, bc: { a: 8 } },
    '{"a":7,"bc":{"a":8}}',
  ],
];

test.each(CASES)('metadata %s with value %s', async (metadata, value, is, json) => {
  const path = join(folder, `${value}.parquet`);
  const database = await DuckDBInstance.create(':memory:');
  const connection = await database.connect();
  await connection.run(
    `COPY (SELECT {'value': unhex('${value}'), 'metadata': unhex('${metadata}')} AS v) TO '${path}' (FORMAT parquet)`,
  );
  connection.closeSync();
  database.closeSync();
  const schema = struct({ v: 'variant', none: 'variant' });
  const plan: ScanPlan = {
    schema,
    partitionColumns: [],
    columnMapping: 'none',
    files: [{ localPath: path, partitionValues: {} }],
  };
  const session = await engine.open({ inputs: [path] });
  try {
    const sql = `SELECT * FROM ${engine.relation(plan)}`;
    expect(await session.rows(sql)).toEqual([{ v: is, none: null }]);
    for await (const batch of session.stream(sql)) {
      const text = recordBatch(arrowSchema(schema), schema, batch).get(0)?.toJSON() as { v: string | null };
      expect(text.v ?? 'null').toBe(json);
    }
  } finally {
    await session.close();
  }
});

test('a shredded variant that its file does not mark is refused: a part of it would be lost', async () => {
  const path = join(folder, 'shredded.parquet');
  const database = await DuckDBInstance.create(':memory:');
  const connection = await database.connect();
  await connection.run(
    `COPY (SELECT {'metadata': unhex('${NO_NAMES}'), 'value': NULL::BLOB, 'typed_value': 7} AS v) TO '${path}' (FORMAT parquet)`,
  );
  connection.closeSync();
  database.closeSync();
  const plan: ScanPlan = {
    schema: struct({ v: 'variant' }),
    partitionColumns: [],
    columnMapping: 'none',
    files: [{ localPath: path, partitionValues: {} }],
  };
  const session = await engine.open({ inputs: [path] });
  await expect(session.rows(`SELECT * FROM ${engine.relation(plan)}`)).rejects.toThrow(/cannot be read/);
  await session.close();
});
