/** Writers spell one partition value in several ways: what is one partition to Spark is one to us. */
import { expect, test } from 'vitest';
import { MemoryObjectStore } from '../../src/connectors/object-store/index.js';
import type { Action, DataType } from '../../src/delta/index.js';
import { canonicalText } from '../../src/delta/partition-key.js';
import { deltaLab } from '../support/delta-lab.js';
import { struct } from '../support/table.js';

const lab = deltaLab();

test.each<[DataType, ...string[]]>([
  ['double', '1e300', '1.0E300', '1e+300'],
  ['float', '0.1', '0.10000000149011612', '1.0E-1'],
  [
    'timestamp',
    '2024-02-29T01:02:03.000004Z',
    '2024-02-29 01:02:03.000004',
    '2024-02-29T03:02:03.000004+02:00',
  ],
  ['timestamp_ntz', '2024-02-29 01:02:03', '2024-02-29T01:02:03.000000'],
  ['decimal(20,4)', '-0.0001', '-1E-4', '-.00010'],
  ['decimal(20,4)', '1200', '1200.0000', '1.2e3'],
  ['decimal(20,4)', '0', '0.0000', '-0E-4'],
  ['boolean', 'true', 'True'],
  ['integer', '7', '+7', '007'],
  ['binary', 'hÿ', '\\u0068\\u00C3\\u00BF', '\\u0068\\u00c3\\u00bf'],
])('%s: %s is one value in all its spellings', (type, ...spellings) => {
  expect(new Set(spellings.map((text) => canonicalText(type, text))).size).toBe(1);
});

test.each<[DataType, string, string]>([
  ['double', '1e300', '1e301'],
  ['double', 'NaN', 'Infinity'],
  ['timestamp', '2024-02-29T01:02:03.000004Z', '2024-02-29T01:02:03.000005Z'],
  ['decimal(20,4)', '1', '10'],
  ['decimal(20,4)', '1', '-1'],
  ['decimal(20,4)', '0.1', '0.01'],
  ['string', '1.0', '1'],
  ['string', '', 'x'],
  ['string', 'A', '\\u0041'],
  ['binary', 'ÿ', '\\u00FF'],
  ['binary', 'A', 'a'],
  ['long', '9223372036854775807', '9223372036854775806'],
])('%s: %s is not %s', (type, one, other) => {
  expect(canonicalText(type, one)).not.toBe(canonicalText(type, other));
});

test('an empty text is NULL, but for a string and for bytes', () => {
  const texts = (['date', 'string', 'binary'] as const).map((type) => canonicalText(type, ''));
  expect([...texts, canonicalText('long', null)]).toEqual([null, '', '', null]);
});

test('overwriting a partition replaces what another writer has put there under another spelling', async () => {
  const table = lab.table(new MemoryObjectStore('spellings'));
  const schema = struct({ n: 'long', d: 'double', m: 'decimal(9,2)', at: 'timestamp' });
  const values = `1e300::DOUBLE AS d, 1.5::DECIMAL(9,2) AS m, TIMESTAMPTZ '2024-01-02 03:04:05+00' AS at`;
  await table.create(schema, { partitionBy: ['d', 'm', 'at'] });
  await table.append({ sql: `SELECT 1::BIGINT AS n, ${values}` });
  const base = await table.snapshot();
  const theirs = { d: '1.0E300', m: '1.50', at: '2024-01-02 03:04:05' };
  // The same file again, as another writer would have named its partition.
  const actions = base.files.map((file): Action => ({ add: { ...file, partitionValues: theirs } }));
  await table.commit({ base, actions, operation: 'WRITE', read: 'table' });
  expect(
    await table.overwrite({ sql: `SELECT 2::BIGINT AS n, ${values}` }, { replace: 'partitions' }),
  ).toMatchObject({ filesRemoved: 1 });
  expect((await lab.rows(table)).map(({ n }) => n)).toEqual([2n]);
});

test('packing puts them into one file', async () => {
  const table = lab.table(new MemoryObjectStore('packed-spellings'));
  await table.create(struct({ n: 'long', d: 'double' }), { partitionBy: ['d'] });
  for (const n of [1, 2]) await table.append({ sql: `SELECT ${n}::BIGINT AS n, 1e300::DOUBLE AS d` });
  const base = await table.snapshot();
  const [first] = base.files;
  if (!first) throw new Error('no file');
  await table.commit({
    base,
    actions: [{ add: { ...first, partitionValues: { d: '1.0E300' } } }],
    operation: 'WRITE',
    read: 'table',
  });
  expect((await table.optimize()).filesAfter).toBe(1);
  expect(await lab.rows(table)).toEqual([
    { n: 1n, d: 1e300 },
    { n: 2n, d: 1e300 },
  ]);
});
