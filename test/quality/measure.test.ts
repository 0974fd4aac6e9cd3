/** Every kind of check, measured by the real engine on a few rows whose answer can be seen. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CheckResult } from '../../src/contracts/quality.js';
import type { EngineSession } from '../../src/delta/ports.js';
import { badRowExamples, judge, measure, type JudgeContext } from '../../src/quality/index.js';
import { Workbench } from '../medallion/workbench.js';
import { checksOf } from './checks.js';

const bench = new Workbench();
let session: EngineSession;
/** `_source_line` is the row's number, from 2. */
const ROWS = [
  `(1, 'ann', 1.5, DATE '2024-01-01', TIMESTAMPTZ '2024-01-01T10:00:00Z', 1.00, true)`,
  `(2, 'Bob', 'nan', DATE '2024-01-02', TIMESTAMPTZ '2024-01-02T10:00:00Z', 2.50, false)`,
  `(2, NULL, -1, DATE '2024-01-03', NULL, NULL, NULL)`,
  `(NULL, 'eve', 9, 'infinity', TIMESTAMPTZ '2024-01-01T10:00:00Z', 99.99, true)`,
  `(NULL, 'it''s', NULL, NULL, NULL, 0.00, true)`,
];

beforeAll(async () => {
  session = await bench.engine.open({ inputs: [] });
  const rows = ROWS.map((row, index) => row.replace(/\)$/, `, 'file:///in.csv', ${index + 2})`));
  await session.run(
    `CREATE SCHEMA bronze; CREATE TABLE bronze.d (id BIGINT, name VARCHAR, price DOUBLE, day DATE, "at" TIMESTAMPTZ, ` +
      `amount DECIMAL(9,2), ok BOOLEAN, _source_file VARCHAR, _source_line BIGINT); ` +
      `INSERT INTO bronze.d VALUES ${rows.join(', ')}`,
  );
});
afterAll(async () => {
  await session.close();
  bench.close();
});

async function results(checks: object[], more: Partial<JudgeContext> = {}): Promise<readonly CheckResult[]> {
  const definitions = checksOf(...checks);
  const measured = await measure(session, definitions, 'bronze.d');
  const examples = await badRowExamples(session, definitions, measured, 'bronze.d');
  const context = { publishedRows: 0, newRows: ROWS.length, logicalTime: '2024-01-05T00:00:00Z', ...more };
  return judge(definitions, measured, context, examples).results;
}

const lines = (result: CheckResult | undefined): number[] => result?.examples.map(({ line }) => line) ?? [];

describe('checks of single rows', () => {
  it.each([
    ['nulls', { kind: 'nulls', column: 'name' }, 5, [4]],
    ['nulls where the condition holds', { kind: 'nulls', column: 'price', where: 'ok' }, 3, [6]],
    ['range, NaN included', { kind: 'range', column: 'price', from: 0, to: 8.5 }, 5, [3, 4, 5]],
    ['range with a lower bound alone', { kind: 'range', column: 'price', from: 0 }, 5, [3, 4]],
    ['range of dates', { kind: 'range', column: 'day', from: '2024-01-02', to: '2024-12-31' }, 5, [2, 5]],
    ['range of instants', { kind: 'range', column: 'at', to: '2024-01-01T12:00:00Z' }, 5, [3]],
    [
      'range of decimals, with a fraction',
      { kind: 'range', column: 'amount', from: 0.5, to: 2.5 },
      5,
      [5, 6],
    ],
    ['set of texts', { kind: 'set', column: 'name', values: ['ann', "it's"] }, 5, [3, 5]],
    ['set of numbers', { kind: 'set', column: 'id', values: [1] }, 5, [3, 4]],
    ['set of booleans', { kind: 'set', column: 'ok', values: [true] }, 5, [3]],
    ['pattern over the whole text', { kind: 'pattern', column: 'name', pattern: '[a-z]+' }, 5, [3, 6]],
  ] as const)('%s', async (_title, check, rows, bad) => {
    const [result] = await results([{ ...check, max: 0 }]);
    expect(lines(result)).toEqual(bad);
    expect(result).toMatchObject({
      outcome: 'failed',
      rows,
      badRows: bad.length,
      measured: bad.length,
      unit: 'rows',
    });
    expect(result?.share).toBeCloseTo(1 - bad.length / rows, 12);
    const [allowed] = await results([{ ...check, max: bad.length }]);
    expect(allowed?.outcome).toBe('passed');
    const [share] = await results([{ ...check, max: `${(100 * bad.length) / rows - 0.01}%` }]);
    expect(share).toMatchObject({ outcome: 'failed', unit: 'ratio', measured: bad.length / rows });
  });
});

describe('checks of rows together', () => {
  it('counts duplicates beyond the first, NULL like any value', async () => {
    const [result, where] = await results([
      { kind: 'duplicates', max: '2%' },
      { kind: 'duplicates', name: 'some', where: 'id IS NOT NULL', columns: ['id'], max: 0 },
    ]);
    expect(result).toMatchObject({ outcome: 'failed', badRows: 2, measured: 0.4, threshold: 0.02 });
    expect(lines(result)).toEqual([3, 4, 5, 6]);
    expect(where).toMatchObject({ badRows: 1, rows: 3 });
  });

  it('counts every row of a combination that is not unique, and passes over NULL', async () => {
    const [result, both] = await results([
      { kind: 'unique', columns: ['id'] },
      { kind: 'unique', name: 'both', columns: ['id', 'name'] },
    ]);
    expect(result).toMatchObject({ outcome: 'failed', badRows: 2, rows: 3 });
    expect(lines(result)).toEqual([3, 4]);
    expect(both).toMatchObject({ outcome: 'passed', badRows: 0, rows: 2 });
  });

  it('runs SQL that returns the bad rows, inline or from a file', async () => {
    const [inline, file, silent] = await results([
      { kind: 'sql', name: 'cheap', sql: 'SELECT * FROM bronze.d WHERE price < 2' },
      { kind: 'sql', name: 'odd', sql: 'checks/odd.sql', max: '50%' },
      { kind: 'sql', name: 'silent', sql: 'SELECT 1 AS one FROM bronze.d WHERE price = 9' },
    ]);
    expect(inline).toMatchObject({ outcome: 'failed', badRows: 2, measured: 0.4, threshold: 0 });
    expect(lines(inline)).toEqual([2, 4]);
    expect(file).toMatchObject({ outcome: 'passed', badRows: 1, measured: 0.2 });
    expect(silent).toMatchObject({ outcome: 'failed', badRows: 1, examples: [] });
  });

  it('lets SQL reach nothing but its rows', async () => {
    const read = results([{ kind: 'sql', sql: `SELECT * FROM read_text('/etc/hostname')` }]);
    await expect(read).rejects.toMatchObject({ code: 'ENGINE_ACCESS_DENIED' });
    const two = results([{ kind: 'sql', sql: 'SELECT 1; DROP TABLE bronze.d' }]);
    await expect(two).rejects.toMatchObject({ code: 'ENGINE_NOT_A_SELECT' });
    const where = results([
      { kind: 'nulls', column: 'id', where: `1 IN (SELECT 1 FROM read_csv('/etc/passwd'))` },
    ]);
    await expect(where).rejects.toMatchObject({ code: 'ENGINE_ACCESS_DENIED' });
  });
});

describe('checks of the batch as a whole', () => {
  it('takes the age of the newest date that is one, in batch or table, from the logical time', async () => {
    const check = { kind: 'freshness', column: 'day', maxAgeDays: 1 };
    const [alone] = await results([check]);
    expect(alone).toMatchObject({ outcome: 'failed', measured: 2, threshold: 1, unit: 'days', share: 0.5 });
    expect(alone?.detail).toContain('2024-01-03, 2 days before');
    const published = new Map([['day', Date.parse('2024-01-04T12:00:00Z')]]);
    const [both] = await results([check], { publishedNewest: published });
    expect(both).toMatchObject({ outcome: 'passed', measured: 0.5 });
    const [none] = await results([{ ...check, where: 'id = 99' }]);
    expect(none).toMatchObject({ outcome: 'failed', measured: null, share: 0 });
    // A date after the logical time is not older than it.
    const [future] = await results([check], { logicalTime: '2024-01-01T00:00:00Z' });
    expect(future).toMatchObject({ outcome: 'passed', measured: 0 });
  });

  it('takes figures of columns, of finite values only', async () => {
    const statistic = (name: string, column: string, more: object = {}): object => ({
      ...{ kind: 'distribution', name, column, minHistory: 1, maxShift: '10%' },
      ...more,
    });
    const found = await results([
      statistic('m', 'price'),
      statistic('s', 'price', { statistic: 'stddev', where: 'price > 0' }),
      statistic('q', 'amount', { statistic: 'quantile', quantile: 0.5 }),
      statistic('n', 'name', { statistic: 'null_ratio' }),
      statistic('none', 'price', { where: 'false' }),
    ]);
    expect(found.map(({ outcome }) => outcome)).toEqual(Array(5).fill('skipped'));
    const values = found.map(({ observed }) => observed);
    expect(values[0]).toBeCloseTo(9.5 / 3, 12);
    expect(values[1]).toBeCloseTo(7.5 / Math.SQRT2, 12);
    expect(values.slice(2)).toEqual([1.75, 0.2, null]);
  });

  it('measures many checks in one scan', async () => {
    const statements: string[] = [];
    const counting = {
      rows: <Row extends object>(sql: string): Promise<Row[]> => {
        statements.push(sql);
        return session.rows<Row>(sql);
      },
      describe: (sql: string) => session.describe(sql),
    };
    const checks = checksOf(
      { kind: 'row_count' },
      { kind: 'nulls', column: 'id' },
      { kind: 'range', column: 'price', from: 0, max: 5 },
      { kind: 'freshness', column: 'day', maxAgeDays: 3 },
      { kind: 'volume' },
      { kind: 'duplicates' },
      { kind: 'duplicates', name: 'again', max: 3 },
    );
    const measured = await measure(counting, checks, 'bronze.d');
    const scans = statements.filter((sql) => sql.includes('FILTER (WHERE "id" IS NULL)'));
    const counts = statements.filter((sql) => sql.includes('AS surplus'));
    expect([scans, counts].map((found) => found.length)).toEqual([1, 1]);
    statements.length = 0;
    await badRowExamples(counting, checks, measured, 'bronze.d');
    // One for the row checks together, one for each check of repeated rows.
    expect(statements).toHaveLength(3);
  });
});
