/** The probability from which yes is said is chosen by the model's definition, and everything is judged by it. */
import { expect, it } from 'vitest';
import { parseModel } from '../../src/config/model.js';
import type { ModelDefinition } from '../../src/contracts/model.js';
import { predictBaseline } from '../../src/ml/baselines.js';
import { evaluate } from '../../src/ml/evaluate.js';
import { confusion } from '../../src/ml/metrics.js';
import type { FeatureRows } from '../../src/ml/matrix.js';
import { ownEngine } from '../../src/ml/own-engine.js';
import { seeded } from '../../src/ml/random.js';
import { trainCandidate } from '../../src/ml/train.js';

const model = (target: object = {}, change: object = {}): ModelDefinition =>
  parseModel('d', 'm', {
    ...{ name: 'm', table: 't', keys: ['key'], time: 'time', metric: 'f1' },
    target: { expression: 'yes', horizon: 1, kind: 'binary', ...target },
    features: [{ name: 'value' }],
    candidates: [{ kind: 'linear' }],
    baselines: [{ kind: 'majority' }],
    ...change,
  });

it('is told from the definition, and only for yes or no', () => {
  expect(model().target.threshold).toBeUndefined();
  expect(model({ threshold: 0.3 }).target.threshold).toBe(0.3);
  expect(model({ threshold: 0.3 }).fingerprint).not.toBe(model().fingerprint);
  for (const threshold of [0, 1, -0.2, 1.5]) expect(() => model({ threshold })).toThrow(/target\.threshold/);
  expect(() =>
    model({ kind: 'regression', threshold: 0.3 }, { metric: 'rmse', baselines: [{ kind: 'constant' }] }),
  ).toThrow(/target\.threshold.*kind binary/s);
});

it('names a version or a time of the table, and not both', () => {
  expect(model({}, { asOf: { version: 3 } }).asOf).toEqual({ version: 3 });
  expect(model({}, { asOf: { time: '2026-11-30T00:00:00Z' } }).asOf).toEqual({
    time: '2026-11-30T00:00:00Z',
  });
  expect(model()).not.toHaveProperty('asOf');
  for (const asOf of [
    {},
    { version: 3, time: '2026-11-30T00:00:00Z' },
    { version: -1 },
    { time: 'yesterday' },
  ])
    expect(() => model({}, { asOf })).toThrow(/asOf/);
});

it.each([
  [0.2, 0.5],
  [0.2, 0.1],
  [0.8, 0.5],
  [0.8, 0.9],
])('leaves the naive rule saying what most rows are: share %f, threshold %f', (share, threshold) => {
  const rows = 100;
  const y = Float64Array.from({ length: rows }, (_, row) => (row < rows * share ? 1 : 0));
  const data = {
    ...{ x: new Float32Array(rows), y, names: ['value'], baselines: {} },
    ...{ keys: [], time: new Float64Array(rows) },
  } as unknown as FeatureRows;
  const every = Array.from({ length: rows }, (_, row) => row);
  const said = predictBaseline(
    { kind: 'majority' },
    data,
    { train: every, test: every, from: 0 },
    model({ threshold }),
  );
  const { tp, fp } = confusion(y, said, threshold);
  expect(tp + fp).toBe(share > 0.5 ? rows : 0);
});

it('goes through a whole training: folds, holdout and counts are by it, and the model itself is the same', () => {
  const rows = 1200;
  const day = 86_400_000;
  const random = seeded(5);
  const x = Float32Array.from({ length: rows }, () => random() * 4 - 2);
  const data: FeatureRows = {
    ...{ names: ['value'], rows, x, baselines: {} },
    // A yes is rare, so that hardly any row is said to be one at one half.
    y: Float64Array.from(x, (value) => (random() < 1 / (1 + Math.exp(1.5 - value)) ? 1 : 0)),
    keys: Array.from({ length: rows }, () => '["a"]'),
    time: Float64Array.from({ length: rows }, (_, row) => row * day),
    targetTime: Float64Array.from({ length: rows }, (_, row) => (row + 1) * day),
  };
  const judged = [undefined, 0.2].map((threshold) => {
    const definition = model(threshold === undefined ? {} : { threshold });
    const engine = ownEngine;
    const quiet = { nowMs: () => 0, progress: () => undefined };
    const [candidate] = definition.candidates;
    if (!candidate) throw new Error('no candidate');
    const { trained, booster } = trainCandidate(engine, data, definition, candidate, quiet);
    const json = Buffer.from(booster.save('json')).toString();
    const found = evaluate({
      ...{ engine, data, model: definition, champion: null },
      ...{ candidates: [{ trained, json }], progress: () => undefined },
    });
    return { trained, json, found };
  });
  const [half, low] = judged;
  if (!half || !low) throw new Error('two were asked for');
  expect(low.json).toBe(half.json);
  expect(half.found.confusion?.threshold).toBe(0.5);
  expect(low.found.confusion?.threshold).toBe(0.2);
  const said = ({ confusion: counts }: typeof low.found): number => (counts?.tp ?? 0) + (counts?.fp ?? 0);
  expect(said(low.found)).toBeGreaterThan(2 * said(half.found));
  for (const { found } of judged) {
    const { tp = 0, fp = 0, fn = 0 } = found.confusion ?? {};
    expect(found.metrics['recall']).toBeCloseTo(tp / (tp + fn), 12);
    expect(found.metrics['precision']).toBeCloseTo(tp / (tp + fp), 12);
    expect(found.interval?.low).toBeLessThan(found.metrics['f1'] ?? NaN);
    expect(found.interval?.high).toBeGreaterThan(found.metrics['f1'] ?? NaN);
  }
  expect(low.trained.validation['recall']).toBeGreaterThan((half.trained.validation['recall'] ?? NaN) + 0.2);
  expect(low.trained.validation['log_loss']).toBe(half.trained.validation['log_loss']);
});
