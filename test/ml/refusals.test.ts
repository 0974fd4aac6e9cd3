/** Data that nothing can be learned from is refused in words; features that look ahead are found, however they do it. */
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findLeaks } from '../../src/activities/training/features.js';
import { parseModel } from '../../src/config/model.js';
import { createDuckDbEngine } from '../../src/connectors/duckdb/engine.js';
import type { ModelDefinition } from '../../src/contracts/model.js';
import type { EngineSession } from '../../src/delta/index.js';
import { collectFrom } from './lab.js';

const model = (change: object = {}): ModelDefinition =>
  parseModel('d', 'm', {
    ...{ name: 'm', table: 't', keys: ['key'], time: 'time', metric: 'rmse' },
    target: { expression: 'value', horizon: 1, kind: 'regression' },
    features: [{ name: 'value' }],
    splits: { minRows: 50 },
    candidates: [{ kind: 'linear' }],
    baselines: [{ kind: 'constant' }],
    ...change,
  });
const table = (value: string, rows = 100): string =>
  `(SELECT 'a' AS key, DATE '2020-01-01' + i::INTEGER AS time, (${value})::DOUBLE AS value FROM range(${rows}) AS r(i))`;

describe('data for a model', () => {
  let session: EngineSession;
  beforeAll(async () => {
    const engine = createDuckDbEngine({ memoryLimit: '500MB', threads: 1, spillDirectory: tmpdir() });
    session = await engine.open({ inputs: [] });
  });
  afterAll(() => session.close());

  it.each([
    ['too few rows', table('i % 7', 20), 'MODEL_ROWS_TOO_FEW'],
    ['a constant target', table('3'), 'MODEL_TARGET_CONSTANT'],
    ['a NaN', table("CASE WHEN i = 9 THEN 'nan'::DOUBLE ELSE i % 7 END"), 'MODEL_VALUES_NOT_FINITE'],
    ['an infinity', table("CASE WHEN i = 9 THEN 'inf'::DOUBLE ELSE i % 7 END"), 'MODEL_VALUES_NOT_FINITE'],
  ])('with %s is refused', async (_what, relation, code) => {
    await expect(collectFrom(session, model(), relation)).rejects.toMatchObject({ code, retry: false });
  });

  it('drops a row with a NULL feature, or keeps it as missing', async () => {
    const relation = table('CASE WHEN i = 9 THEN NULL ELSE i % 7 END');
    // The row before has no target; the row itself no feature; the last no row after it.
    expect(await collectFrom(session, model(), relation)).toMatchObject({ incomplete: 1, withoutTarget: 2 });
    const kept = await collectFrom(session, model({ missing: 'keep' }), relation);
    expect(kept).toMatchObject({ incomplete: 0, withoutTarget: 2 });
    expect([...kept.data.x].filter(Number.isNaN)).toHaveLength(1);
  });

  it('is searched for features that look ahead', async () => {
    await session.run(`CREATE TABLE gold_rows AS SELECT * FROM ${table('hash(i) % 97')}`);
    const features = [
      { name: 'value', lags: [0, 1], windows: [{ rows: 5 }] },
      { name: 'ahead', expression: 'lead(value, 2) OVER (PARTITION BY key ORDER BY time)' },
      { name: 'whole', expression: 'value - avg(value) OVER ()' },
      { name: 'answer', expression: '2 * lead(value) OVER (PARTITION BY key ORDER BY time)' },
    ];
    const hidden = [{ name: 'hidden', expression: 'value - (SELECT avg(value) FROM gold_rows)' }];
    expect(() => model({ features: hidden })).toThrow('a subquery is not allowed');
    const leaks = await findLeaks(session, model({ features }));
    expect(leaks).toEqual(['ahead', 'answer', 'whole']);
  });
});
