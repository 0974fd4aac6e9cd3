import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CheckDefinition, QualityVerdict } from '../../src/contracts/quality.js';
import { judge, median, scoreOf, type JudgeContext, type Measurement } from '../../src/quality/index.js';
import { checksOf } from './checks.js';

const CONTEXT: JudgeContext = { publishedRows: 0, newRows: 10, logicalTime: '2024-01-05T00:00:00Z' };

function verdictOf(
  checks: readonly CheckDefinition[],
  measured: ReadonlyArray<Partial<Measurement>>,
  context: Partial<JudgeContext> = {},
): QualityVerdict {
  const all = measured.map((one) => ({ rows: 10, badRows: 0, value: null, ...one }));
  return judge(checks, all, { ...CONTEXT, ...context });
}

describe('row counts', () => {
  const [enough] = checksOf({ kind: 'row_count', min: 1000, severity: 'block' }) as [CheckDefinition];

  it('counts what is published to the rows wanted', () => {
    const few = verdictOf([enough], [{ rows: 1 }], { publishedRows: 998, newRows: 1 });
    expect(few.results[0]).toMatchObject({ outcome: 'failed', measured: 999, threshold: 1000, share: 0.999 });
    expect(few.blocked).toBe(true);
    const right = verdictOf([enough], [{ rows: 1 }], { publishedRows: 999, newRows: 1 });
    expect(right).toMatchObject({ blocked: false, score: 1 });
  });

  it('holds a maximum too', () => {
    const checks = checksOf({ kind: 'row_count', min: 1, max: 100 });
    const { results } = verdictOf(checks, [{}], { publishedRows: 390 });
    expect(results[0]).toMatchObject({ outcome: 'failed', measured: 400, threshold: 100, share: 0.25 });
  });
});

it('skips every check of a batch without rows, the score included', () => {
  const checks = checksOf(
    { kind: 'row_count', severity: 'block' },
    { kind: 'freshness', column: 'day', maxAgeDays: 2 },
    { kind: 'schema' },
    { kind: 'volume' },
  );
  const score = { min: 1, severity: 'block' } as const;
  const verdict = judge(checks, [], { ...CONTEXT, newRows: 0, score });
  expect(verdict).toMatchObject({ score: null, blocked: false });
  expect(verdict.results.map(({ outcome, measured }) => [outcome, measured])).toEqual(
    Array(5).fill(['skipped', null]),
  );
  expect(verdict.results.map(({ threshold }) => threshold)).toEqual([1000, 2, 0, 0.5, 1]);
});

it('fails loudly where a check was not measured', () => {
  expect(() => judge(checksOf({ kind: 'nulls', column: 'id' }), [], CONTEXT)).toThrow("'nulls_id'");
});

it('says which columns differ', () => {
  const checks = checksOf({ kind: 'schema' });
  const { results } = verdictOf(checks, [{}], { columnDifferences: ["'colour' is not declared"] });
  expect(results[0]).toMatchObject({ outcome: 'failed', measured: 1, unit: 'columns', share: 7 / 8 });
  expect(results[0]?.detail).toContain("'colour' is not declared");
  expect(verdictOf(checks, [{}]).results[0]?.outcome).toBe('passed');
});

describe('history', () => {
  const volume = checksOf({ kind: 'volume', minHistory: 3, history: 4, maxShift: '50%' });
  const of = (...rows: number[]) => ({ history: new Map([['volume', rows]]) });

  it('skips until there is enough of it, and remembers', () => {
    const { results, score } = verdictOf(volume, [{ rows: 10 }], of(10, 10));
    expect(results[0]).toMatchObject({ outcome: 'skipped', observed: 10, measured: null });
    expect(results[0]?.detail).toContain('2 of 3 runs of history');
    expect(score).toBeNull();
  });

  it('takes the distance from the median of the newest runs', () => {
    const { results } = verdictOf(volume, [{ rows: 10 }], of(40, 20, 1000, 40, 1, 1, 1, 1));
    expect(results[0]).toMatchObject({ outcome: 'failed', measured: 0.75, threshold: 0.5, observed: 10 });
    expect(results[0]?.share).toBeCloseTo(0.5 / 0.75, 12);
    expect(verdictOf(volume, [{ rows: 30 }], of(40, 20, 1000, 40)).results[0]?.outcome).toBe('passed');
  });

  it('compares a share of NULLs in absolute terms, and nothing with a usual 0', () => {
    const checks = checksOf(
      { kind: 'distribution', statistic: 'null_ratio', column: 'name', minHistory: 1, maxShift: '5%' },
      { kind: 'distribution', column: 'price', minHistory: 1, maxShift: '500%' },
    );
    const history = new Map([
      ['null_ratio_name', [0]],
      ['mean_price', [0, 0]],
    ]);
    const { results } = verdictOf(checks, [{ value: 0.04 }, { value: 1 }], { history });
    expect(results[0]).toMatchObject({ outcome: 'passed', measured: 0.04 });
    expect(results[1]).toMatchObject({ outcome: 'failed', measured: null, share: 0, observed: 1 });
    const same = verdictOf(checks, [{ value: 0.06 }, { value: 0 }], { history });
    expect(same.results.map(({ outcome }) => outcome)).toEqual(['failed', 'passed']);
  });
});

describe('the score', () => {
  it('matches the example of the page', () => {
    const checks = checksOf(
      { kind: 'nulls', column: 'price', max: '5%' },
      { kind: 'row_count', min: 1, severity: 'block' },
      { kind: 'range', column: 'price', from: 0, max: 30, severity: 'quarantine' },
      { kind: 'freshness', column: 'day', maxAgeDays: 2 },
      { kind: 'volume' },
    );
    const fresh = { value: Date.parse('2024-01-01T00:00:00Z') };
    const { results, score } = verdictOf(
      checks,
      [{ rows: 100, badRows: 10 }, {}, { rows: 100, badRows: 25 }, fresh, { rows: 100 }],
      { newRows: 100 },
    );
    expect(results.map(({ outcome, share }) => `${outcome} ${share}`)).toEqual([
      'failed 0.9',
      'passed 1',
      'passed 0.75',
      'failed 0.5',
      'skipped 1',
    ]);
    const page = readFileSync(new URL('../../docs/reference/quality.md', import.meta.url), 'utf8');
    const [, example] = /gives ([\d.]+)\.\n/.exec(page) ?? [];
    expect(score?.toFixed(4)).toBe(example);
  });

  it('is held against its minimum, and does not count in itself', () => {
    const checks = checksOf({ kind: 'nulls', column: 'price', max: '5%' });
    const bad = [{ badRows: 10 }];
    const warned = verdictOf(checks, bad, { score: { min: 0.85, severity: 'warn' } });
    expect(warned).toMatchObject({ score: 0, blocked: false });
    expect(warned.results.at(-1)).toMatchObject({
      ...{ name: 'score', kind: 'score', outcome: 'failed', measured: 0, threshold: 0.85, unit: 'score' },
    });
    expect(scoreOf(warned.results)).toBe(0);
    expect(verdictOf(checks, bad, { score: { min: 0.85, severity: 'block' } }).blocked).toBe(true);
    const good = verdictOf(checks, [{}], { score: { min: 1, severity: 'block' } });
    expect(good).toMatchObject({ score: 1, blocked: false });
  });

  it('lies from 0 to 1, and more bad rows never raise it', () => {
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
      const checks = checksOf(
        ...bad.map(([, level], index) => ({
          ...{ kind: 'nulls', name: `c${index}`, column: 'id', max: '30%', severity: level },
        })),
      );
      const score = (shares: number[]): number => {
        const measured = shares.map((share) => ({ rows, badRows: Math.round(share * rows) }));
        return verdictOf(checks, measured, { newRows: rows }).score ?? NaN;
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

it('takes the middle of some numbers', () => {
  expect([median([3]), median([1, 9, 2]), median([4, 1, 3, 2])]).toEqual([3, 2, 2.5]);
  expect(() => median([])).toThrow(RangeError);
});
