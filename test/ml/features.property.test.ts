/** No feature looks ahead: whatever happens later, what was known before stays as it was. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseModel } from '../../src/config/model.js';
import { createDuckDbEngine } from '../../src/connectors/duckdb/engine.js';
import { WINDOW_STATISTICS } from '../../src/contracts/model.js';
import { featureSelect } from '../../src/ml/features.js';
import { tmpdir } from 'node:os';

const engine = createDuckDbEngine({ memoryLimit: '500MB', threads: 1, spillDirectory: tmpdir() });

const feature = fc.record({
  lags: fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 3 }),
  rows: fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 3 }),
  statistic: fc.constantFrom(...WINDOW_STATISTICS),
});
const day = fc.record({
  key: fc.constantFrom('a', 'b', 'c'),
  value: fc.option(fc.integer({ min: -9, max: 9 })),
  later: fc.integer(),
});

describe('features', () => {
  it('of rows up to a time are the same whatever comes after it', async () => {
    const session = await engine.open({ inputs: [] });
    await fc.assert(
      fc.asyncProperty(
        feature,
        fc.array(day, { minLength: 5, maxLength: 40 }),
        fc.integer({ min: 1, max: 3 }),
        fc.nat(39),
        async ({ lags, rows, statistic }, days, horizon, cutAt) => {
          const cut = cutAt % days.length;
          const model = parseModel('d', 'm', {
            ...{ name: 'm', table: 't', keys: ['key'], time: 'time', metric: 'rmse' },
            target: { expression: 'value', horizon, kind: 'regression' },
            features: [{ name: 'value', lags, windows: [{ rows, statistic }] }],
            candidates: [{ kind: 'linear' }],
            baselines: [{ kind: 'last_value' }, { kind: 'rolling_mean', rows: 3 }],
          });
          const table = (change: (value: number | null, index: number) => number | null): string => {
            const values = days.map(({ key, value }, index) => {
              const shown = change(value, index);
              return `('${key}', DATE '2020-01-01' + ${index}, ${shown === null ? 'NULL' : shown}::DOUBLE)`;
            });
            return `(VALUES ${values.join(', ')}) AS t(key, time, value)`;
          };
          const known = async (relation: string): Promise<string> => {
            const found = await session.rows<Record<string, unknown>>(
              featureSelect(model, relation, { target: true }),
            );
            const before = found.filter(({ _time }) => Number(_time) <= Date.UTC(2020, 0, 1 + cut));
            const visible = before.map(({ _target, _target_time, ...rest }) => ({
              ...rest,
              // A target that was known by then may not change either.
              ...(Number(_target_time ?? Infinity) <= Date.UTC(2020, 0, 1 + cut) && { _target }),
            }));
            return JSON.stringify(visible, (_, value: unknown) =>
              typeof value === 'bigint' ? String(value) : value,
            );
          };
          const whole = await known(table((value) => value));
          expect(
            await known(table((value, index) => (index > cut ? (days[index]?.later ?? 0) : value))),
          ).toBe(whole);
          expect(
            await known(
              `(SELECT * FROM ${table((value) => value)} WHERE time <= DATE '2020-01-01' + ${cut})`,
            ),
          ).toBe(whole);
        },
      ),
      { numRuns: 60, seed: 20261124 },
    );
    await session.close();
  });
});
