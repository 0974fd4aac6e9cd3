/** The lake as a reader sees it, over tables that real runs of the real activities made. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MemoryObjectStore } from '../../src/connectors/object-store/index.js';
import { queryLake, tablesNamedIn } from '../../src/lake/query.js';
import {
  describeTable,
  describeTables,
  listTables,
  nameOf,
  parseTableName,
  tableHistory,
  type LakeReader,
} from '../../src/lake/tables.js';
import { Lab } from '../activities/lab.js';

let lab: Lab;
let lake: LakeReader;

beforeAll(async () => {
  lab = new Lab();
  lab.source('a.csv', '1,ann,10', '2,bob,-5', 'x,carl,7');
  await lab.run();
  lab.source('b.csv', '9007199254740993,zoe,1');
  await lab.run();
  lake = { store: lab.deps.lake, engine: lab.deps.engine };
});
afterAll(() => lab.close());

describe('tables', () => {
  it('are found by listing, in the order of the layers', async () => {
    expect((await listTables(lake)).map(nameOf)).toEqual([
      'bronze.sales',
      'silver.sales',
      'gold.sizes',
      'gold.totals',
      'quarantine.sales',
    ]);
  });

  it('are told apart where one name begins like another, and a folder without a log is none', async () => {
    const store = new MemoryObjectStore('names', { nowMs: () => 0 });
    const put = (key: string): Promise<void> => store.put(key, new Uint8Array(1));
    for (const table of ['a', 'a-b', 'a_b', 'ab', 'é'])
      for (const key of ['_delta_log/00000000000000000000.json', 'part-1.parquet'])
        await put(`gold/${table}/${key}`);
    await put('gold/unpublished/part-1.parquet');
    await put('gold/stray');
    await put('golden/x/_delta_log/00000000000000000000.json');
    await put('_staging/m.json');
    expect((await listTables({ store })).map(nameOf).sort()).toEqual(
      ['gold.a', 'gold.a-b', 'gold.a_b', 'gold.ab', 'gold.é'].sort(),
    );
  });

  it('are counted at their newest version', async () => {
    const found = await describeTables(lake);
    expect(found.map(({ name, version, rows }) => [name, version, rows])).toEqual([
      ['bronze.sales', 1, 3],
      ['silver.sales', 1, 2],
      ['gold.sizes', 1, 1],
      ['gold.totals', 1, 2],
      ['quarantine.sales', expect.any(Number), 2],
    ]);
    expect(found.every(({ files, bytes }) => files > 0 && bytes > 0)).toBe(true);
  });

  it('show their columns and how they came to be', async () => {
    const detail = await describeTable(lake, parseTableName('silver.sales'));
    expect(detail.columns.slice(0, 3)).toEqual([
      { name: 'id', type: 'long', nullable: true, comment: null },
      { name: 'name', type: 'string', nullable: true, comment: null },
      { name: 'amount', type: 'double', nullable: true, comment: null },
    ]);
    const history = await tableHistory(lake, parseTableName('silver.sales'), {});
    expect(history.map(({ version, runId }) => [version, runId])).toEqual([
      [1, 'run-2'],
      [0, 'run-1'],
    ]);
    expect(await tableHistory(lake, parseTableName('silver.sales'), { limit: 1 })).toHaveLength(1);
  });

  it('that are not there are said to be so', async () => {
    await expect(describeTable(lake, parseTableName('gold.none'))).rejects.toMatchObject({
      code: 'DELTA_TABLE_NOT_FOUND',
    });
    for (const wrong of ['sales', 'lead.sales', 'gold.', 'gold.a.b', 'gold.a/b', ''])
      expect(() => parseTableName(wrong)).toThrow(/layer\.table is expected/);
  });
});

describe('a query', () => {
  const ask = (sql: string, limit = 10) => queryLake(lake, sql, { limit });

  it('joins layers at their newest versions, and says which', async () => {
    const answer = await ask(
      `SELECT s.name, t.total FROM Silver."sales" s JOIN gold.totals t USING (name) ORDER BY 1 -- by name\n ; `,
    );
    expect(answer.columns.map(({ name }) => name)).toEqual(['name', 'total']);
    expect(answer.rows).toEqual([
      ['ANN', 10],
      ['ZOE', 1],
    ]);
    expect(answer.tables).toEqual([
      { name: 'silver.sales', version: 1 },
      { name: 'gold.totals', version: 1 },
    ]);
  });

  it('keeps the order, cuts at the limit and says so', async () => {
    const answer = await ask('SELECT id FROM bronze.sales ORDER BY id DESC', 2);
    expect(answer).toMatchObject({ rows: [[9007199254740993n], [2n]], truncated: true });
    expect((await ask('SELECT id FROM bronze.sales', 3)).truncated).toBe(false);
  });

  it('keeps two columns of one name apart', async () => {
    expect((await ask('SELECT 1 AS a, 2 AS a')).rows).toEqual([[1, 2]]);
  });

  it('needs no table at all', async () => {
    expect(await ask('SELECT 40 + 2 AS answer')).toMatchObject({ rows: [[42]], tables: [] });
  });

  it.each([
    ['DELETE FROM silver.sales', 'ENGINE_SQL_FAILED'],
    ['CREATE TABLE t (a INT)', 'ENGINE_NOT_A_SELECT'],
    ['SELECT 1; DROP VIEW silver.sales', 'ENGINE_NOT_A_SELECT'],
    ["COPY (SELECT 1) TO 'x.csv'", 'ENGINE_ACCESS_DENIED'],
    ["SELECT * FROM read_csv('package.json')", 'ENGINE_ACCESS_DENIED'],
    ['SELECT nope FROM silver.sales', 'ENGINE_SQL_FAILED'],
    ['SELECT * FROM silver.sale', 'TABLE_UNKNOWN'],
    ['SELECT * FROM meta.runs', 'TABLE_UNKNOWN'],
    ['SELEC', 'ENGINE_SQL_FAILED'],
    ['', 'ENGINE_NOT_A_SELECT'],
  ])('%s is refused: %s', async (sql, code) => {
    await expect(ask(sql)).rejects.toMatchObject({ code });
  });

  it('names what there is where a table is not', async () => {
    await expect(ask('SELECT * FROM gold.total')).rejects.toThrow(/there are bronze\.sales, .*gold\.totals/);
  });

  it('stops when it is told to', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(queryLake(lake, 'SELECT * FROM bronze.sales', { limit: 1, signal })).rejects.toThrow(
      'enough',
    );
  });
});

it('finds the tables that a text names, however they are written', () => {
  const known = ['silver.stocks', 'gold.stocks', 'gold.stocks_monthly'].map(parseTableName);
  const named = (sql: string): string[] => tablesNamedIn(sql, known).map(nameOf);
  expect(named('FROM silver.stocks')).toEqual(['silver.stocks']);
  expect(named('FROM gold.stocks_monthly')).toEqual(['gold.stocks_monthly']);
  expect(named('FROM "GOLD" . "stocks" x')).toEqual(['gold.stocks']);
  expect(named('FROM marigold.stocks, gold.stocks2')).toEqual([]);
});
