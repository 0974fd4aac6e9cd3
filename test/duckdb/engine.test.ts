import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDuckDbEngine } from '../../src/connectors/duckdb/engine.js';
import type { Engine, EngineSession, ScanPlan } from '../../src/delta/ports.js';
import type { StructType } from '../../src/delta/schema.js';

let folder: string;
let engine: Engine;
const open: EngineSession[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'datalab-duckdb-'));
  engine = createDuckDbEngine({ memoryLimit: '300MB', threads: 2, spillDirectory: join(folder, 'spill') });
});
afterEach(async () => {
  for (const session of open.splice(0)) await session.close();
  rmSync(folder, { recursive: true, force: true });
});

async function session(inputs: string[] = [], signal?: AbortSignal): Promise<EngineSession> {
  const opened = await engine.open({ inputs, outputDirectory: folder, ...(signal ? { signal } : {}) });
  open.push(opened);
  return opened;
}

function struct(fields: Record<string, StructType['fields'][number]['type']>): StructType {
  const list = Object.entries(fields).map(([name, type]) => ({ name, type, nullable: true, metadata: {} }));
  return { type: 'struct', fields: list };
}

async function file(select: string, name: string): Promise<string> {
  const written = await (await session()).writeParquet(select, name);
  return written?.localPath ?? '';
}

describe('writeParquet', () => {
  it('returns the rows, the bytes and the statistics of each top-level column', async () => {
    const s = await session();
    const written = await s.writeParquet(
      `SELECT range::BIGINT AS n, nullif(range, 1)::DOUBLE AS d, {'a': 1} AS st, DATE '2020-01-01' + range::INT AS day,
         TIMESTAMPTZ '2020-01-01 00:00:00.000001+00' AS t, 'q"' AS "we""ird", 'nan'::DOUBLE AS nan FROM range(3)`,
      'a.parquet',
    );
    expect(written?.rows).toBe(3);
    expect(written?.sizeBytes).toBeGreaterThan(100);
    expect(written?.columns).toMatchObject({
      n: { min: '0', max: '2', nullCount: 0 },
      d: { nullCount: 1, hasNan: false },
      day: { min: '2020-01-01', max: '2020-01-03' },
      'we"ird': { min: 'q"', max: 'q"' },
      nan: { hasNan: true },
    });
    expect(Object.keys(written?.columns ?? {})).not.toContain('st');
  });

  it('writes nothing for an empty result', async () => {
    const s = await session();
    expect(await s.writeParquet('SELECT 1 AS a WHERE false', 'a.parquet')).toBeUndefined();
    expect(readdirSync(folder)).not.toContain('a.parquet');
  });

  it.each([
    ['sum(range)', 'HUGEINT'],
    ['1::UTINYINT', 'UTINYINT'],
    ["TIME '10:00'", 'TIME'],
    ['INTERVAL 1 DAY', 'INTERVAL'],
    ['uuid()', 'UUID'],
    ["{'a': 1::UBIGINT}", 'UBIGINT'],
    ["'{}'::JSON", 'JSON'],
    ['now()::TIMESTAMP_NS', 'TIMESTAMP_NS'],
  ])('refuses %s before it writes', async (expression, type) => {
    const s = await session();
    await expect(
      s.writeParquet(`SELECT ${expression} AS v FROM range(1) GROUP BY ALL`, 'a.parquet'),
    ).rejects.toMatchObject({
      code: 'ENGINE_TYPE_UNSUPPORTED',
      message: expect.stringContaining(type) as string,
    });
    expect(readdirSync(folder)).not.toContain('a.parquet');
  });

  it.each([
    ['SELECT 1 AS a; SELECT 2', 'ENGINE_NOT_A_SELECT'],
    ['SELECT 1 AS a;', 'ENGINE_NOT_A_SELECT'],
    ['CREATE TABLE t AS SELECT 1', 'ENGINE_NOT_A_SELECT'],
    ['VACUUM', 'ENGINE_NOT_A_SELECT'],
    ['PRAGMA version', 'ENGINE_SQL_FAILED'],
    ["COPY (SELECT 1) TO 'x.csv'", 'ENGINE_ACCESS_DENIED'],
    ["SELECT 1) TO 'x.csv' (FORMAT csv) --", 'ENGINE_SQL_FAILED'],
    ['SELECT 1 AS a /*', 'ENGINE_SQL_FAILED'],
    ['SELECT nothing FROM nowhere', 'ENGINE_SQL_FAILED'],
    ["SELECT * FROM read_text('/etc/passwd')", 'ENGINE_ACCESS_DENIED'],
    ["SELECT * FROM glob('/etc/*')", 'ENGINE_ACCESS_DENIED'],
    ["SELECT * FROM '/etc/passwd.csv'", 'ENGINE_ACCESS_DENIED'],
  ])('takes one single SELECT only: %s', async (sql, code) => {
    await expect((await session()).writeParquet(sql, 'a.parquet')).rejects.toMatchObject({ code });
    expect(readdirSync(folder)).not.toContain('a.parquet');
  });

  it('keeps comments at the end of a SELECT from swallowing what follows', async () => {
    const written = await (await session()).writeParquet('SELECT 1 AS a -- one', 'a.parquet');
    expect(written?.rows).toBe(1);
  });
});

describe('confinement', () => {
  it('reads the named files and no others, and cannot be unlocked', async () => {
    const inside = mkdtempSync(join(tmpdir(), 'datalab-in-'));
    writeFileSync(join(inside, 'a.csv'), 'x\n1\n');
    writeFileSync(join(inside, 'b.csv'), 'x\n2\n');
    const s = await session([join(inside, 'a.csv')]);
    expect(await s.rows(`SELECT x::INT AS x FROM read_csv('${inside}/a.csv')`)).toEqual([{ x: 1 }]);
    for (const sql of [
      `SELECT * FROM read_csv('${inside}/b.csv')`,
      `SELECT * FROM read_csv('${inside}/*.csv')`,
      `ATTACH '${inside}/evil.db'`,
      `COPY (SELECT 1) TO '${inside}/a.csv.new'`,
      'SET enable_external_access = true',
      "SET allowed_directories = ['/']",
    ]) {
      await expect(s.run(sql), sql).rejects.toMatchObject({
        code: expect.stringMatching(/ENGINE_/) as string,
      });
    }
    expect(readdirSync(inside)).toEqual(['a.csv', 'b.csv']);
    rmSync(inside, { recursive: true });
  });

  it('takes very many inputs of statements of our own by their folders, and nothing beside them', async () => {
    const here = mkdtempSync(join(folder, 'inputs-'));
    const elsewhere = await file('SELECT 2 AS n', 'elsewhere.parquet');
    const first = join(here, 'first.parquet');
    copyFileSync(await file('SELECT 1 AS n', 'n.parquet'), first);
    const inputs = [first, ...Array.from({ length: 1200 }, (_, index) => join(here, `${index}.parquet`))];
    const own = await engine.open({ inputs, isOwn: true, unordered: true });
    open.push(own);
    expect(await own.rows(`SELECT n FROM '${first}'`)).toEqual([{ n: 1 }]);
    await expect(own.rows(`SELECT n FROM '${elsewhere}'`)).rejects.toThrow(
      /not allowed|disabled|permission/i,
    );
  });

  it('spills within its memory, and leaves nothing behind', async () => {
    const s = await session();
    await s.writeParquet('SELECT md5(range::VARCHAR) AS m FROM range(3000000) ORDER BY m', 'big.parquet');
    await s.close();
    expect(readdirSync(join(folder, 'spill'))).toEqual([]);
  });

  it('says when memory is not enough', async () => {
    const small = createDuckDbEngine({
      memoryLimit: '20MB',
      threads: 1,
      spillDirectory: join(folder, 'spill'),
    });
    const s = await small.open({ inputs: [] });
    await expect(
      s.rows('SELECT len(list(md5(range::VARCHAR))) AS n FROM range(5000000)'),
    ).rejects.toMatchObject({
      code: 'ENGINE_OUT_OF_MEMORY',
    });
    await s.close();
  });

  it('interrupts the running statement when it is aborted', async () => {
    const controller = new AbortController();
    const s = await session([], controller.signal);
    const running = s.rows('SELECT count(*) AS n FROM range(100000000000) t(a) WHERE hash(a) = 1');
    setTimeout(() => controller.abort(new Error('enough')), 50);
    await expect(running).rejects.toThrow('enough');
    await expect(s.rows('SELECT 1 AS a')).rejects.toThrow('enough');
  });
});

describe('rows', () => {
  it('gives plain values', async () => {
    const [row] = await (
      await session()
    ).rows<Record<string, unknown>>(
      `SELECT 1::INT AS i, 9007199254740993 AS big, DATE '2020-01-31' AS d, TIMESTAMP '2020-01-31 10:00:00' AS t,
         TIMESTAMPTZ '2020-01-31 10:00:00.000001+01' AS tz, 1.25::DECIMAL(9,2) AS dec_, [1, NULL] AS l, {'a': {'b': 2}} AS s,
         MAP {'k': 1} AS m, '\\x00\\x01'::BLOB AS b, NULL AS n, TIMESTAMP '1969-12-31 23:59:59.999999' AS old`,
    );
    expect(row).toEqual({
      i: 1,
      big: 9007199254740993n,
      d: '2020-01-31',
      t: '2020-01-31T10:00:00.000',
      tz: '2020-01-31T09:00:00.000001Z',
      dec_: '1.25',
      l: [1, null],
      s: { a: { b: 2 } },
      m: [{ key: 'k', value: 1 }],
      b: new Uint8Array([0, 1]),
      n: null,
      old: '1969-12-31T23:59:59.999999',
    });
  });
});

describe('relation', () => {
  const plan = (over: Partial<ScanPlan> & Pick<ScanPlan, 'schema' | 'files'>): ScanPlan => ({
    partitionColumns: [],
    columnMapping: 'none',
    ...over,
  });
  async function read(p: ScanPlan): Promise<unknown[]> {
    const s = await session(p.files.map((f) => f.localPath));
    return s.rows(`SELECT * FROM ${engine.relation(p)}`);
  }

  it('orders, types and completes the columns', async () => {
    const a = await file("SELECT 1::SMALLINT AS n, TIMESTAMP '2020-01-01' AS t, 9 AS extra", 'a.parquet');
    const b = await file("SELECT 'x' AS s, 2::BIGINT AS n", 'b.parquet');
    const rows = await read(
      plan({
        schema: struct({
          s: 'string',
          n: 'long',
          t: 'timestamp',
          added: { type: 'array', elementType: 'date', containsNull: true },
        }),
        files: [a, b].map((localPath) => ({ localPath, partitionValues: {} })),
      }),
    );
    expect(rows).toEqual([
      { s: null, n: 1n, t: '2020-01-01T00:00:00.000Z', added: null },
      { s: 'x', n: 2n, t: null, added: null },
    ]);
  });

  it('takes partition values from the plan alone', async () => {
    const a = await file("SELECT 1 AS n, 'in the file' AS p", 'a.parquet');
    const schema = struct({ p: 'string', d: 'date', ts: 'timestamp', n: 'integer', k: 'long' });
    const values = (p: string | null, d: string | null, ts: string | null, k: string | null) => ({
      p,
      d,
      ts,
      k,
    });
    const rows = await read(
      plan({
        schema,
        partitionColumns: ['p', 'd', 'ts', 'k'],
        files: [
          { localPath: a, partitionValues: values("it's", '2020-02-29', '2020-01-01T00:00:00.000000Z', '7') },
          { localPath: a, partitionValues: values('', '', '2020-01-01 10:00:00', null) },
          { localPath: a, partitionValues: values(null, null, null, '') },
        ],
      }),
    );
    expect(rows).toEqual([
      { p: "it's", d: '2020-02-29', ts: '2020-01-01T00:00:00.000Z', n: 1, k: 7n },
      { p: '', d: null, ts: '2020-01-01T10:00:00.000Z', n: 1, k: null },
      { p: null, d: null, ts: null, n: 1, k: null },
    ]);
  });

  it('leaves deleted rows out, per file', async () => {
    const a = await file('SELECT range::INT AS n FROM range(5)', 'a.parquet');
    const b = await file('SELECT (range + 10)::INT AS n FROM range(3)', 'b.parquet');
    const c = await file('SELECT (range + 20)::INT AS n FROM range(2)', 'c.parquet');
    const rows = await read(
      plan({
        schema: struct({ n: 'integer' }),
        files: [
          { localPath: a, partitionValues: {}, deletedRows: [0, 4] },
          { localPath: b, partitionValues: {}, deletedRows: [1] },
          { localPath: c, partitionValues: {} },
        ],
      }),
    );
    expect(rows.map((row) => (row as { n: number }).n).sort((x, y) => x - y)).toEqual([
      1, 2, 3, 10, 12, 20, 21,
    ]);
  });

  it('finds mapped columns by physical name, at every depth', async () => {
    const a = await file(
      "SELECT 5 AS \"c-1\", {'c-3': 'x', 'c-4': [{'c-6': 1}]} AS \"c-2\", MAP {'k': {'c-8': 2}} AS \"c-7\"",
      'a.parquet',
    );
    const mapped = (name: string, physical: string, type: StructType['fields'][number]['type']) => ({
      name,
      type,
      nullable: true,
      metadata: { 'delta.columnMapping.physicalName': physical },
    });
    const schema: StructType = {
      type: 'struct',
      fields: [
        mapped('part', 'c-9', 'integer'),
        mapped('id', 'c-1', 'long'),
        mapped('who', 'c-2', {
          type: 'struct',
          fields: [
            mapped('name', 'c-3', 'string'),
            mapped('later', 'c-5', 'date'),
            mapped('items', 'c-4', {
              type: 'array',
              containsNull: true,
              elementType: { type: 'struct', fields: [mapped('q', 'c-6', 'long')] },
            }),
          ],
        }),
        mapped('m', 'c-7', {
          type: 'map',
          keyType: 'string',
          valueContainsNull: true,
          valueType: { type: 'struct', fields: [mapped('z', 'c-8', 'integer')] },
        }),
      ],
    };
    const rows = await read(
      plan({
        schema,
        partitionColumns: ['part'],
        columnMapping: 'name',
        files: [{ localPath: a, partitionValues: { 'c-9': '3' } }],
      }),
    );
    expect(rows).toEqual([
      {
        part: 3,
        id: 5n,
        who: { name: 'x', later: null, items: [{ q: 1n }] },
        m: [{ key: 'k', value: { z: 2 } }],
      },
    ]);
  });

  it('is empty and typed without files, and projects', async () => {
    const p = plan({ schema: struct({ a: 'date', b: 'decimal(9,2)' }), files: [], columns: ['b'] });
    const s = await session();
    expect(await s.describe(`SELECT * FROM ${engine.relation(p)}`)).toEqual([
      { name: 'b', type: 'DECIMAL(9,2)' },
    ]);
    expect(await read(p)).toEqual([]);
    expect(() => engine.relation({ ...p, columns: ['zz'] })).toThrow('zz');
  });

  it('reads ten thousand files in one statement', async () => {
    const a = await file('SELECT range AS n FROM range(2)', 'a.parquet');
    const rows = await (
      await session([a])
    ).rows(
      `SELECT count(*) AS n FROM ${engine.relation(
        plan({
          schema: struct({ n: 'long' }),
          files: Array.from({ length: 10_000 }, () => ({ localPath: a, partitionValues: {} })),
        }),
      )}`,
    );
    expect(rows).toEqual([{ n: 20_000n }]);
  });
});

it('joins as written where a session asks for it, and else as the sizes are', async () => {
  const plan = async (joins?: 'as written'): Promise<string> => {
    const session = await engine.open({ inputs: [], ...(joins && { joins }) });
    try {
      await session.run(
        'CREATE TABLE few AS SELECT range AS i FROM range(10); CREATE TABLE many AS SELECT range AS i FROM range(100000)',
      );
      const rows = await session.rows<{ explain_value: string }>(
        'EXPLAIN SELECT * FROM few LEFT JOIN many USING (i)',
      );
      return rows.map(({ explain_value }) => explain_value).join('\n');
    } finally {
      await session.close();
    }
  };
  expect(await plan('as written')).toMatch(/Join Type: LEFT/i);
  expect(await plan()).toMatch(/Join Type: RIGHT/i);
});
