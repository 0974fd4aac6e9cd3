import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CheckDefinition } from '../../src/contracts/quality.js';
import type { EngineSession } from '../../src/delta/ports.js';
import { checkSql, judge, type Measured } from '../../src/quality/index.js';
import { Workbench } from '../medallion/workbench.js';

const bench = new Workbench();
let session: EngineSession;
beforeAll(async () => {
  session = await bench.engine.open({ inputs: [] });
});
afterAll(async () => {
  await session.close();
  bench.close();
});

const rowCount = (min: number, severity: 'block' | 'warn' = 'warn'): CheckDefinition => ({
  kind: 'row_count',
  name: 'row_count',
  severity,
  min,
});
const nulls = (column: string, maxRatio: number, severity: 'block' | 'warn' = 'warn'): CheckDefinition => ({
  kind: 'nulls',
  name: `nulls_${column}`,
  severity,
  column,
  maxRatio,
});

async function measure(checks: readonly CheckDefinition[], relation: string): Promise<Measured> {
  const [row] = await session.rows<Record<string, unknown>>(checkSql(checks, relation));
  return row ?? {};
}

describe('checks', () => {
  it('measures all checks in one row, and judges each', async () => {
    const checks = [rowCount(4), nulls('a', 0.25), nulls('odd"name', 0.5, 'block')];
    const relation = '(VALUES (1, NULL), (NULL, NULL), (3, NULL), (4, 1)) t(a, "odd""name")';
    const verdict = judge(checks, await measure(checks, relation), { publishedRows: 0, newRows: 4 });
    expect(verdict.results.map(({ outcome, measured, badRows }) => [outcome, measured, badRows])).toEqual([
      ['passed', 4, 0],
      ['passed', 0.25, 1],
      ['failed', 0.75, 3],
    ]);
    expect(verdict.blocked).toBe(true);
    // (1 × 1 + 1 × (1 + 0.75) / 2 + 3 × (0 + 0.25) / 2) / 5
    expect(verdict.score).toBeCloseTo(0.45, 12);
  });

  it('counts what is published to the rows wanted', () => {
    const measured = { rows: 1n };
    const few = judge([rowCount(1000)], measured, { publishedRows: 998, newRows: 1 });
    expect(few.results[0]).toMatchObject({ outcome: 'failed', measured: 999, threshold: 1000 });
    expect(few.blocked).toBe(false);
    expect(judge([rowCount(1000)], measured, { publishedRows: 999, newRows: 1 }).results[0]?.outcome).toBe(
      'passed',
    );
    expect(judge([rowCount(1, 'block')], { rows: 0n }, { publishedRows: 0, newRows: 0 })).toMatchObject({
      score: null,
      blocked: false,
      results: [{ outcome: 'skipped' }],
    });
  });

  it('matches the example of the page', () => {
    const checks = [nulls('a', 0.05), rowCount(1, 'block')];
    const verdict = judge(checks, { rows: 10n, bad_0: 1n }, { publishedRows: 0, newRows: 10 });
    expect(verdict.score).toBeCloseTo(0.8625, 12);
  });

  it('fails loudly where a number is missing', () => {
    expect(() => judge([nulls('a', 0)], { rows: 1n }, { publishedRows: 0, newRows: 1 })).toThrow('bad_0');
  });

  it('gives a score from 0 to 1 that more bad rows never raise', () => {
    const severity = fc.constantFrom('block', 'warn') as fc.Arbitrary<'block' | 'warn'>;
    const arbitrary = fc.record({
      rows: fc.integer({ min: 1, max: 1000 }),
      bad: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), severity), {
        minLength: 1,
        maxLength: 5,
      }),
      worse: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    const property = fc.property(arbitrary, ({ rows, bad, worse }) => {
      const checks = bad.map(([, level], index) => nulls(`c${index}`, 0.3, level));
      const score = (shares: number[]): number => {
        const counts = shares.map((share, index) => [`bad_${index}`, Math.round(share * rows)]);
        const measured = { rows, ...Object.fromEntries(counts) } as Measured;
        return judge(checks, measured, { publishedRows: 0, newRows: rows }).score ?? NaN;
      };
      const shares = bad.map(([share]) => share);
      const before = score(shares);
      const after = score(shares.map((share, index) => (index === 0 ? Math.max(share, worse) : share)));
      expect(before).toBeGreaterThanOrEqual(0);
      expect(before).toBeLessThanOrEqual(1);
      expect(after).toBeLessThanOrEqual(before + 1e-12);
    });
    const seed = Number(process.env['FAST_CHECK_SEED'] ?? 20240506);
    console.info(`seed ${seed}`);
    fc.assert(property, { seed, numRuns: 200 });
  });
});
