/** How models are judged: rows that teach never tell of rows that judge, figures are those done by hand, and the gate says why. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseModel } from '../../src/config/model.js';
import type { GateDefinition, ModelDefinition } from '../../src/contracts/model.js';
import type { Evaluation } from '../../src/contracts/training.js';
import { passGate } from '../../src/ml/gate.js';
import { bootstrap, confusion, measure, stability } from '../../src/ml/metrics.js';
import { seeded } from '../../src/ml/random.js';
import { holdoutSplit, walkForward } from '../../src/ml/splits.js';

const HOUR = 3_600_000;

describe('splits', () => {
  const world = fc.record({
    keys: fc.integer({ min: 1, max: 4 }),
    times: fc.integer({ min: 12, max: 60 }),
    horizon: fc.integer({ min: 1, max: 5 }),
    embargo: fc.integer({ min: 0, max: 4 }),
    folds: fc.integer({ min: 1, max: 5 }),
    holdout: fc.double({ min: 0.1, max: 0.5, noNaN: true }),
  });

  it('never teach by a row whose target is known only when judging has begun, nor within the embargo', () => {
    fc.assert(
      fc.property(world, ({ keys, times, horizon, embargo, folds, holdout }) => {
        const rows = keys * times;
        const time = Float64Array.from({ length: rows }, (_, row) => Math.floor(row / keys) * HOUR);
        const targetTime = time.map((at) => at + horizon * HOUR);
        const options = { holdout, folds, embargo, minRows: 10 };
        const last = holdoutSplit({ time, targetTime, rows }, options);
        const walked = walkForward({ time, targetTime, rows }, options);
        for (const { train, test, from } of [...walked, last]) {
          for (const row of train) {
            expect(targetTime[row]).toBeLessThan(from);
            expect(time[row]).toBeLessThan(from - embargo * HOUR);
          }
          for (const row of test) expect(time[row]).toBeGreaterThanOrEqual(from);
        }
        // What judges at the end is not touched before, not even by a target.
        for (const { test } of walked)
          for (const row of test) expect(targetTime[row]).toBeLessThan(last.from);
        // Folds follow each other and share no row that judges.
        const judged = walked.flatMap(({ test }) => test);
        expect(judged).toEqual([...new Set(judged)].sort((left, right) => left - right));
      }),
    );
  });
});

describe('figures', () => {
  it('of numbers', () => {
    expect(measure('regression', [1, 2, 3, 6], [1, 3, 3, 4])).toEqual({
      ...{ rmse: Math.sqrt(5 / 4), mae: 3 / 4, r2: 1 - 5 / 14 },
    });
    expect(measure('regression', [2, 2], [1, 3])).not.toHaveProperty('r2');
  });

  it('of yes and no', () => {
    const truth = [1, 1, 1, 0, 0, 0, 0, 1];
    const chances = [0.9, 0.8, 0.4, 0.7, 0.3, 0.2, 0.1, 0.3];
    expect(confusion(truth, chances)).toEqual({ tp: 2, fp: 1, tn: 3, fn: 2 });
    // From 0.35 on a third yes is found, from 0.85 on one alone; areas and losses know of no threshold.
    expect(confusion(truth, chances, 0.35)).toEqual({ tp: 3, fp: 1, tn: 3, fn: 1 });
    expect(measure('binary', truth, chances, 0.35)).toMatchObject({ accuracy: 6 / 8, recall: 3 / 4 });
    expect(measure('binary', truth, chances, 0.85)).toMatchObject({ precision: 1, recall: 1 / 4 });
    const found = measure('binary', truth, chances);
    for (const name of ['roc_auc', 'pr_auc', 'log_loss', 'brier'] as const)
      expect(measure('binary', truth, chances, 0.85)[name]).toBe(found[name]);
    expect(found).toMatchObject({ accuracy: 5 / 8, precision: 2 / 3, recall: 1 / 2 });
    expect(found.f1).toBeCloseTo(4 / 7, 12);
    // Of the 16 pairs of a yes and a no: 4 + 4 + 3 in the right order, and of 0.3 two with one tie.
    expect(found.roc_auc).toBeCloseTo((4 + 4 + 3 + 2.5) / 16, 12);
    // Precision at each yes by falling chance, ties in one step: 1, 2/2, 3/4, 4/6.
    expect(found.pr_auc).toBeCloseTo((1 + 1 + 3 / 4 + 4 / 6) / 4, 12);
    const loss = [0.9, 0.8, 0.4, 0.3, 0.7, 0.8, 0.9, 0.3].reduce((sum, p) => sum - Math.log(p) / 8, 0);
    expect(found.log_loss).toBeCloseTo(loss, 12);
  });

  it('have an interval that holds the truth, and of a difference one that tells who is better', () => {
    const random = seeded(12);
    const options = { kind: 'regression', metric: 'rmse', seed: 3, samples: 100, blockRows: 10 } as const;
    const world = (): Record<'truth' | 'near' | 'far', number[]> => {
      const truth = Array.from({ length: 400 }, () => random());
      const off = (by: number): number[] => truth.map((value) => value + (random() - 0.5) * by);
      return { truth, near: off(0.2), far: off(0.4) };
    };
    // An even error of 0.2 in all has this spread; of fifty intervals of 95 % nearly all hold it.
    const holds = Array.from({ length: 50 }, world).filter(({ truth, near }) => {
      const { low = NaN, high = NaN } = bootstrap(options, truth, near) ?? {};
      return low < 0.2 / Math.sqrt(12) && high > 0.2 / Math.sqrt(12);
    });
    expect(holds.length).toBeGreaterThan(40);
    const { truth, near, far } = world();
    const own = bootstrap(options, truth, near);
    expect(bootstrap(options, truth, near, far)?.high).toBeLessThan(0);
    expect(bootstrap(options, truth, far, near)?.low).toBeGreaterThan(0);
    expect(bootstrap(options, truth, near)).toEqual(own);
  });

  it('of a shift are nothing where there is none, and large where all has moved', () => {
    const values = Array.from({ length: 1000 }, (_, index) => index);
    expect(stability(values, values)).toBe(0);
    expect(
      stability(
        values,
        values.map((value) => value + 100),
      ),
    ).toBeGreaterThan(0.1);
    expect(
      stability(
        values,
        values.map((value) => value + 5000),
      ),
    ).toBeGreaterThan(2);
    expect(stability([], values)).toBe(0);
  });
});

describe('the gate', () => {
  const model = (gate: object = {}, metric = 'rmse'): ModelDefinition =>
    parseModel('d', 'm', {
      ...{ name: 'm', table: 't', keys: ['key'], time: 'time', metric, gate },
      target: { expression: 'v', kind: metric === 'rmse' ? 'regression' : 'binary' },
      features: [{ name: 'v' }],
      candidates: [{ kind: 'linear' }],
      baselines: [{ kind: 'constant' }],
    });
  const gate: GateDefinition = model({ margin: 0.1, tolerance: 0.05 }).gate;
  /** One that passes: 0.8 beside a naive 1, and a champion that is as good. */
  const good = {
    ...{ metric: 'rmse', metrics: { rmse: 0.8, r2: 0.4 }, parity: 0 },
    baselines: [{ name: 'constant', metrics: { rmse: 1 } }],
    difference: { to: 'constant', low: -0.3, high: -0.1 },
    champion: { name: 'champion', version: '1', metrics: { rmse: 0.79 } },
  } as unknown as Evaluation;
  const found = { leaks: [], championSchema: true };

  it('lets through what has earned it', () => {
    expect(passGate(gate, good, found)).toMatchObject({ passed: true, reasons: [] });
    // A reference is no rival.
    const beside = [...good.baselines, { name: 'least_squares', metrics: { rmse: 0.1 } }];
    expect(passGate(gate, { ...good, baselines: beside }, found).passed).toBe(true);
  });

  it.each<[string, Partial<Evaluation>, object, object, RegExp]>([
    [
      'no better than the best naive rule by the margin',
      { metrics: { rmse: 0.91 } },
      {},
      {},
      /^baseline: rmse 0\.9100, at most 0\.9000/,
    ],
    [
      'better by chance',
      { difference: { to: 'constant', low: -0.3, high: 0.01 } },
      {},
      {},
      /^significance: .* no proof/,
    ],
    ['without an interval', { difference: null }, {}, {}, /^significance: there is no interval/],
    [
      'worse than the champion beyond the tolerance',
      { champion: { name: 'champion', version: '1', metrics: { rmse: 0.75 } } },
      {},
      {},
      /^champion: rmse 0\.8000, the champion \(version 1\) has 0\.7500/,
    ],
    [
      'past a threshold',
      {},
      { thresholds: { r2: { min: 0.5 } } },
      {},
      /^threshold: r2 0\.4000, at least 0\.5 wanted/,
    ],
    ['that cannot be measured', { metrics: {} }, {}, {}, /^baseline: rmse unknown/],
    ['with a feature that looks ahead', {}, {}, { leaks: ['v_lag_1'] }, /^leakage: looks ahead: v_lag_1/],
    [
      'with other features than the champion',
      {},
      {},
      { championSchema: false },
      /^schema: the champion takes other features/,
    ],
    ['that we predict otherwise than the library', { parity: 0.01 }, {}, {}, /^parity: .* differ by 1\.0e-2/],
  ])('refuses what is %s', (_what, change, rules, more, reason) => {
    const result = passGate({ ...gate, ...rules }, { ...good, ...change }, { ...found, ...more });
    expect(result.passed).toBe(false);
    expect(result.reasons.join('\n')).toMatch(reason);
  });

  it('turns round for scores, of which more is better', () => {
    const scores = model({ margin: 0.1, tolerance: 0.05 }, 'roc_auc').gate;
    const one = (own: number, champion: number, low: number) =>
      passGate(
        scores,
        {
          ...{ ...good, metric: 'roc_auc', metrics: { roc_auc: own } },
          baselines: [{ name: 'constant', metrics: { roc_auc: 0.5 } }],
          difference: { to: 'constant', low, high: 0.4 },
          champion: { name: 'champion', version: '1', metrics: { roc_auc: champion } },
        },
        found,
      ).reasons.map((reason) => reason.split(':')[0]);
    expect(one(0.7, 0.74, 0.1)).toEqual([]);
    expect(one(0.59, 0.74, -0.1)).toEqual(['baseline', 'significance', 'champion']);
  });
});
