/** Conditions that part rows: each row meets one of them, whatever its value. */
import { afterAll, describe, expect, it } from 'vitest';
import { partsBy } from '../../src/medallion/parts.js';
import { Workbench } from './workbench.js';

const bench = new Workbench();
afterAll(() => bench.close());

async function partsOf(
  values: string,
  parts: number,
): Promise<{ conditions: string[]; counts: number[]; total: number }> {
  const session = await bench.engine.open({ inputs: [] });
  try {
    await session.run(`CREATE TABLE t AS ${values}`);
    const conditions = await partsBy(session, 't', 'v', parts);
    const sums = conditions.map((condition, index) => `count(*) FILTER (${condition})::INTEGER AS c${index}`);
    const [row] = await session.rows<Record<string, number>>(
      `SELECT ${sums.join(', ')}, count(*)::INTEGER AS total FROM t`,
    );
    const { total = 0, ...counts } = row ?? {};
    return { conditions, counts: Object.values(counts), total };
  } finally {
    await session.close();
  }
}

const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

describe('partsBy', () => {
  it.each([
    ['text with quotes', `SELECT 'it''s ' || (i % 97) AS v FROM range(10000) t(i)`],
    ['dates', `SELECT DATE '2000-01-01' + (i % 900)::INTEGER AS v FROM range(10000) t(i)`],
    [
      'instants',
      `SELECT TIMESTAMPTZ '2000-01-01 00:00:00.123456Z' + to_seconds(i) AS v FROM range(10000) t(i)`,
    ],
    ['decimals', `SELECT (i / 7)::DECIMAL(18,6) AS v FROM range(10000) t(i)`],
    ['some without a value', `SELECT CASE WHEN i % 3 > 0 THEN i END AS v FROM range(10000) t(i)`],
  ])('parts %s into parts of about the same size, and no row twice', async (_, values) => {
    const { counts, total: rows } = await partsOf(values, 4);
    expect(counts).toHaveLength(4);
    expect(total(counts)).toBe(rows);
    for (const count of counts) expect(count).toBeGreaterThan(rows / 10);
  });

  it.each([
    ['one value', `SELECT 7 AS v FROM range(1000)`],
    ['no value at all', `SELECT NULL::VARCHAR AS v FROM range(1000)`],
    ['a list', `SELECT [i] AS v FROM range(1000) t(i)`],
    ['no rows', `SELECT 7 AS v WHERE false`],
  ])('leaves no row of %s out', async (_, values) => {
    const { counts, total: rows } = await partsOf(values, 4);
    expect(total(counts)).toBe(rows);
  });

  it('asks nothing where one part is enough', async () => {
    expect((await partsOf('SELECT 1 AS v', 1)).conditions).toEqual(['true']);
  });
});
