import { describe, expect, it } from 'vitest';
import { datasetWith } from '../quality/checks.js';

const only = (check: object) => datasetWith([check]).checks[0];

describe('checks of a dataset', () => {
  it('reads limits as counts and as percentages', () => {
    const nulls = { kind: 'nulls', column: 'id' };
    expect(only({ ...nulls, max: 10 })).toMatchObject({ max: { unit: 'rows', value: 10 } });
    expect(only({ ...nulls, max: '2%' })).toMatchObject({ max: { unit: 'ratio', value: 0.02 } });
    expect(only({ ...nulls, max: '0.5 %' })).toMatchObject({ max: { unit: 'ratio', value: 0.005 } });
    expect(only({ kind: 'volume', maxShift: '250%' })).toMatchObject({ maxShift: 2.5 });
    for (const max of [0.05, -1, 'many', '5', '%']) {
      expect(() => only({ ...nulls, max })).toThrow('checks[0].max: ');
    }
  });

  it('names checks after what they judge', () => {
    const { checks } = datasetWith([
      { kind: 'row_count' },
      { kind: 'range', column: 'price', from: 0 },
      { kind: 'distribution', column: 'price' },
      { kind: 'distribution', column: 'name', statistic: 'null_ratio' },
      { kind: 'sql', name: 'odd', sql: 'checks/odd.sql' },
    ]);
    expect(checks.map(({ name }) => name)).toEqual([
      'row_count',
      'range_price',
      'mean_price',
      'null_ratio_name',
      'odd',
    ]);
    expect(checks[4]).toMatchObject({ sql: 'SELECT * FROM bronze.d WHERE id % 2 = 1 -- odd' });
    expect(checks[1]).toMatchObject({ type: 'double' });
  });

  it('lets no default contradict what is declared', () => {
    expect(only({ kind: 'row_count', max: 10 })).toMatchObject({ min: 10, max: 10 });
    expect(only({ kind: 'volume', minHistory: 50 })).toMatchObject({ minHistory: 50, history: 50 });
  });

  it.each([
    ['checks[0].column: no such column', { kind: 'pattern', column: 'zz', pattern: 'a' }],
    ['checks[0].columns: no column', { kind: 'unique', columns: ['id', 'zz'] }],
    ['checks[0].severity', { kind: 'duplicates', severity: 'quarantine' }],
    ['checks[0].from: from, to or both', { kind: 'range', column: 'price' }],
    ['checks[0].from: a number', { kind: 'range', column: 'price', from: '1' }],
    ['checks[0].to: a text, such as 2024-01-31', { kind: 'range', column: 'day', to: 20240101 }],
    ['checks[0].to: is no date', { kind: 'range', column: 'day', to: 'tomorrow' }],
    ['checks[0].to: is no timestamp', { kind: 'range', column: 'at', to: '2024-01-01T00:00:00' }],
    ['checks[0].values[1]: a number', { kind: 'set', column: 'id', values: [1, 'x'] }],
    ['checks[0].column: is of type long; patterns', { kind: 'pattern', column: 'id', pattern: 'a' }],
    ['checks[0].column: is of type string; freshness', { kind: 'freshness', column: 'name', maxAgeDays: 1 }],
    ['checks[0].column: is of type string; only null_ratio', { kind: 'distribution', column: 'name' }],
    ['checks[0].quantile', { kind: 'distribution', column: 'price', statistic: 'quantile' }],
    ['checks[0].max: is below min', { kind: 'row_count', min: 5, max: 4 }],
    ["checks[0].sql: no file 'nope.sql'", { kind: 'sql', sql: 'nope.sql' }],
    ["checks[0].name: is the score's own", { kind: 'schema', name: 'score' }],
  ])('refuses with the place: %s', (problem, check) => {
    expect(() => only(check)).toThrow(problem);
  });

  it('makes a rule of Silver of a check that sends rows to quarantine', () => {
    const range = { kind: 'range', column: 'price', from: 0, where: 'ok', severity: 'quarantine' };
    const { silver, checks } = datasetWith([range]);
    expect(silver.rules).toMatchObject([{ name: 'range_price', reason: 'price is below 0' }]);
    expect(checks).toMatchObject([{ severity: 'quarantine' }]);
    const rules = [{ name: 'range_price', must: 'true', reason: 'r' }];
    expect(() => datasetWith([range], { silver: { sql: 'silver.sql', rules } })).toThrow(
      'checks[0].name: is the name of a rule',
    );
  });

  it('takes what becomes of a low score', () => {
    expect(datasetWith([], { score: { min: 0.9, severity: 'block' } }).score).toEqual({
      min: 0.9,
      severity: 'block',
    });
    expect(() => datasetWith([], { score: { min: 90 } })).toThrow('score.min');
  });
});
