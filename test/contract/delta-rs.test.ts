/** What we write, delta-rs reads: partitioned and not, every column type of ours, on local files and on S3. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createDuckDbEngine } from '../../src/connectors/duckdb/engine.js';
import { LocalObjectStore, openObjectStore } from '../../src/connectors/object-store/index.js';
import { createRowParquet } from '../../src/connectors/parquet-rows.js';
import {
  appendRows,
  checkoutScan,
  createTableActions,
  DeltaTable,
  overwriteActions,
  partitionValue,
  stageFile,
  type Action,
  type AddFile,
  type ObjectStore,
  type StructType,
} from '../../src/delta/index.js';
import { readWithDeltaRs, TEST_PYTHON } from '../support/delta-rs.js';
import { testStack } from '../support/stack.js';
import { struct } from '../support/table.js';

const folder = mkdtempSync(join(tmpdir(), 'datalab-delta-rs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const engine = createDuckDbEngine({
  memoryLimit: '300MB',
  threads: 2,
  spillDirectory: join(folder, 'spill'),
});

const ALL_TYPES = struct({
  s: 'string',
  l: 'long',
  i: 'integer',
  h: 'short',
  b: 'byte',
  f: 'float',
  d: 'double',
  t: 'boolean',
  day: 'date',
  at: 'timestamp',
  m: 'decimal(20,4)',
  bin: 'binary',
});
/** Two rows of every type, one of extremes and one of NULLs. */
const SELECT = (n: number): string => `
  SELECT 'a😀''${n}' AS s, ${n}::BIGINT + 9007199254740993 AS l, ${n}::INTEGER AS i, (-${n})::SMALLINT AS h,
    ${n}::TINYINT AS b, 0.1::FLOAT AS f, 1e300::DOUBLE AS d, true AS t, DATE '1969-12-31' AS day,
    TIMESTAMPTZ '2024-02-29 23:59:59.999999+00' AS at, 1234567890123456.7891::DECIMAL(20,4) AS m, 'x'::BLOB AS bin
  UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL`;
const ROW = (n: number): Record<string, unknown> => ({
  s: `a😀'${n}`,
  l: String(9007199254740993n + BigInt(n)),
  i: n,
  h: -n,
  b: n,
  f: 0.10000000149011612,
  d: 1e300,
  t: true,
  day: '1969-12-31',
  at: '2024-02-29T23:59:59.999999+00:00',
  m: '1234567890123456.7891',
  bin: '78',
});

interface Place {
  readonly store: ObjectStore;
  readonly storage: Record<string, string>;
}

async function place(kind: 'local files' | 'S3'): Promise<Place> {
  if (kind === 'local files') return { store: new LocalObjectStore(join(folder, randomUUID())), storage: {} };
  const { s3 } = await testStack('s3');
  const { endpoint, region, accessKeyId, secretAccessKey, bucket } = s3;
  const store = openObjectStore(`s3://${bucket}/delta-rs/${randomUUID()}`, {
    s3: { endpoint, region, accessKeyId, secretAccessKey },
    cacheDirectory: join(folder, 'cache'),
    cacheBytes: 1e8,
  });
  const storage = {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_ALLOW_HTTP: 'true',
  };
  return { store, storage };
}

async function stage(
  table: DeltaTable,
  select: string,
  schema: StructType,
  partitionValues: AddFile['partitionValues'] = {},
): Promise<AddFile> {
  const session = await engine.open({ inputs: [], outputDirectory: folder });
  try {
    const written = await session.writeParquet(select, `${randomUUID()}.parquet`);
    if (!written) throw new Error('nothing was written');
    return await stageFile(table.store, written, { ...table.deps, schema, partitionValues });
  } finally {
    await session.close();
  }
}

const adds = (files: readonly AddFile[]): Action[] => files.map((add) => ({ add }));
const uri = (store: ObjectStore): string => store.uri.replace(/^file:\/\//, '');

describe.skipIf(!TEST_PYTHON)('delta-rs (skipped without DATALAB_TEST_PYTHON)', () => {
  describe.each(['local files', 'S3'] as const)('on %s', (kind) => {
    test('reads a table of all types after append, transaction and overwrite', async () => {
      const { store, storage } = await place(kind);
      const table = new DeltaTable(store, { engine });
      const created = createTableActions({
        ...table.deps,
        schema: ALL_TYPES,
        partitionColumns: [],
        configuration: { 'datalab.fingerprint': 'x' },
      });
      const first = await stage(table, SELECT(1), ALL_TYPES);
      const write = { operation: 'WRITE', operationParameters: { mode: 'Append' }, read: 'nothing' } as const;
      await table.commit({ ...write, base: null, actions: [...created, ...adds([first])] });
      const second = await stage(table, SELECT(2), ALL_TYPES);
      const txn: Action = { txn: { appId: 'sink', version: 7, lastUpdated: 1 } };
      await table.commit({ ...write, base: await table.snapshot(), actions: [...adds([second]), txn] });

      const both = await readWithDeltaRs(uri(store), 'SELECT * FROM t WHERE i IS NOT NULL ORDER BY i', {
        storage,
        apps: ['sink', 'other'],
      });
      expect(both).toEqual({
        version: 1,
        rows: [ROW(1), ROW(2)],
        protocol: [1, 2],
        transactions: { sink: 7, other: null },
      });

      const base = await table.snapshot();
      const third = await stage(table, SELECT(3), ALL_TYPES);
      const actions = overwriteActions(base, [third], table.deps);
      const result = await table.commit({ base, actions, operation: 'WRITE', read: 'table' });
      expect(result).toEqual({ status: 'committed', version: 2 });
      const after = await readWithDeltaRs(uri(store), 'SELECT * FROM t ORDER BY i', { storage });
      expect(after.rows).toEqual([
        ROW(3),
        Object.fromEntries(Object.keys(ROW(3)).map((name) => [name, null])),
      ]);
    });

    test('prunes by our statistics without losing rows', async () => {
      const { store, storage } = await place(kind);
      const table = new DeltaTable(store, { engine });
      const created = createTableActions({
        ...table.deps,
        schema: ALL_TYPES,
        partitionColumns: [],
        configuration: {},
      });
      const files = [await stage(table, SELECT(1), ALL_TYPES), await stage(table, SELECT(2), ALL_TYPES)];
      await table.commit({
        base: null,
        actions: [...created, ...adds(files)],
        operation: 'WRITE',
        read: 'nothing',
      });
      const conditions = [
        `s = 'a😀''2'`,
        'l = 9007199254740995',
        'i = 2',
        'h = -2',
        'b = 2',
        `i = 2 AND d = 1e300`,
        `i = 2 AND day = DATE '1969-12-31'`,
        `i = 2 AND at = TIMESTAMP '2024-02-29T23:59:59.999999Z'`,
        `i = 2 AND m = CAST('1234567890123456.7891' AS DECIMAL(20,4))`,
      ];
      const counts = conditions.map(
        (condition, index) => `SELECT ${index} AS k, count(*) AS n FROM t WHERE ${condition}`,
      );
      const sql = `SELECT n FROM (${counts.join(' UNION ALL ')}) ORDER BY k`;
      const { rows } = await readWithDeltaRs(uri(store), sql, { storage });
      const found = conditions.map((condition, index) => `${condition}: ${String(rows[index]?.['n'])}`);
      expect(found).toEqual(conditions.map((condition) => `${condition}: 1`));
    });

    test('reads partitions of several types', async () => {
      const { store, storage } = await place(kind);
      const table = new DeltaTable(store, { engine });
      const schema = struct({
        n: 'long',
        p: 'string',
        q: 'date',
        r: 'timestamp',
        k: 'integer',
        o: 'boolean',
      });
      const partitionColumns = ['p', 'q', 'r', 'k', 'o'];
      const created = createTableActions({ ...table.deps, schema, partitionColumns, configuration: {} });
      const values = {
        p: partitionValue('string', 'é/ %20=x'),
        q: partitionValue('date', '2024-02-29'),
        r: partitionValue('timestamp', '2024-02-29T01:02:03.000004Z'),
        k: partitionValue('integer', -5),
        o: partitionValue('boolean', true),
      };
      const nulls = Object.fromEntries(partitionColumns.map((name) => [name, null]));
      const files = [
        await stage(table, 'SELECT 1::BIGINT AS n', schema, values),
        await stage(table, 'SELECT 2::BIGINT AS n', schema, nulls),
      ];
      await table.commit({
        base: null,
        actions: [...created, ...adds(files)],
        operation: 'WRITE',
        read: 'nothing',
      });
      const { rows } = await readWithDeltaRs(uri(store), 'SELECT * FROM t ORDER BY n', { storage });
      const expected = [
        { n: 1, p: 'é/ %20=x', q: '2024-02-29', r: '2024-02-29T01:02:03.000004+00:00', k: -5, o: true },
        { n: 2, ...nulls },
      ];
      expect(rows).toEqual(expected);
      // And so do we.
      const { plan, inputs, release } = await checkoutScan(store, await table.snapshot());
      const session = await engine.open({ inputs });
      const ours = await session.rows(`SELECT n, p, k, o FROM ${engine.relation(plan)} ORDER BY n`);
      await session.close();
      release();
      expect(ours).toEqual([
        { n: 1n, p: 'é/ %20=x', k: -5, o: true },
        { n: 2n, p: null, k: null, o: null },
      ]);
    });

    test('reads rows that were appended without the engine, and columns that came later', async () => {
      const { store, storage } = await place(kind);
      const table = new DeltaTable(store);
      const port = createRowParquet();
      const early = struct({
        id: 'string',
        n: 'long',
        at: 'timestamp',
        day: 'date',
        x: 'double',
        ok: 'boolean',
      });
      const row = {
        id: 'ä',
        n: 2 ** 53 - 1,
        at: '2024-01-02T03:04:05.678901Z',
        day: '1960-01-01',
        x: -0.5,
        ok: false,
      };
      await appendRows(table, port, [row, { id: null }], { schema: early });
      const late = struct({ id: 'string', note: 'string' });
      await appendRows(table, port, [{ id: 'later', note: 'new' }], { schema: late });
      const { rows } = await readWithDeltaRs(uri(store), 'SELECT * FROM t ORDER BY id NULLS LAST', {
        storage,
      });
      const empty = { n: null, at: null, day: null, x: null, ok: null, note: null };
      expect(rows).toEqual([
        { ...empty, id: 'later', note: 'new' },
        { ...row, at: '2024-01-02T03:04:05.678901+00:00', note: null },
        { ...empty, id: null },
      ]);
    });
  });
});
