/** Targets of several classes: figures that can be done by hand, a fit at the bottom of its loss, and our predictor beside the library. */
import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseModel } from '../../src/config/model.js';
import { createDuckDbEngine } from '../../src/connectors/duckdb/engine.js';
import { openXgboost } from '../../src/connectors/xgboost/engine.js';
import type { CandidateKind, ModelDefinition } from '../../src/contracts/model.js';
import type { EngineSession } from '../../src/delta/index.js';
import { predictBaseline } from '../../src/ml/baselines.js';
import { trainOne } from '../../src/ml/candidates.js';
import { confusionOf } from '../../src/ml/classes.js';
import { evaluate } from '../../src/ml/evaluate.js';
import { fitLinear } from '../../src/ml/linear.js';
import { bootstrap, measure } from '../../src/ml/metrics.js';
import { ownEngine } from '../../src/ml/own-engine.js';
import { openPredictor, scoreAll } from '../../src/ml/predictor.js';
import { seeded } from '../../src/ml/random.js';
import { fitSoftmax } from '../../src/ml/softmax.js';
import { trainCandidate } from '../../src/ml/train.js';
import { collectFrom, XGBOOST } from './lab.js';

const CLASSES = ['low', 'middle', 'high'];
const WIDTH = 3;

const model = (change: object = {}): ModelDefinition =>
  parseModel('d', 'm', {
    ...{ name: 'm', table: 't', keys: ['key'], time: 'time', metric: 'log_loss' },
    target: { expression: 'value', horizon: 1, kind: 'multiclass', classes: CLASSES },
    features: ['a', 'b', 'c'].map((name) => ({ name })),
    splits: { minRows: 50 },
    candidates: [{ kind: 'linear' }],
    baselines: [{ kind: 'majority' }, { kind: 'last_value' }],
    ...change,
  });

/** Rows of three classes: the third is told by the first feature, the others by the second, all with some noise. */
function world(rows: number, seed: number): { x: Float32Array; y: Float64Array } {
  const random = seeded(seed);
  const x = Float32Array.from({ length: rows * WIDTH }, () => random() * 4 - 2);
  const y = Float64Array.from({ length: rows }, (_, row) => {
    const noise = (): number => random() - 0.5;
    if ((x[row * WIDTH] as number) + noise() > 0.7) return 2;
    return (x[row * WIDTH + 1] as number) * (x[row * WIDTH + 2] as number) + noise() > 0 ? 1 : 0;
  });
  return { x, y };
}

describe('figures of classes', () => {
  // Three rows of the first class, two of the second, one of the third; said: 0 0 1, 1 2, 2.
  const truth = [0, 0, 0, 1, 1, 2];
  const chances = [
    [0.8, 0.1, 0.1],
    [0.5, 0.25, 0.25],
    [0.2, 0.6, 0.2],
    [0.1, 0.7, 0.2],
    [0.2, 0.3, 0.5],
    [0.3, 0.1, 0.6],
  ].flat();

  it('are those that can be counted', () => {
    expect(confusionOf(truth, chances, 3)).toEqual([
      [2, 1, 0],
      [0, 1, 1],
      [0, 0, 1],
    ]);
    const found = measure('multiclass', truth, chances);
    expect(found.accuracy).toBeCloseTo(4 / 6, 12);
    // Said 2, 2 and 2 times, right 2, 1 and 1 times; they occur 3, 2 and 1 times.
    expect(found.macro_precision).toBeCloseTo((1 + 1 / 2 + 1 / 2) / 3, 12);
    expect(found.macro_recall).toBeCloseTo((2 / 3 + 1 / 2 + 1) / 3, 12);
    expect(found.macro_f1).toBeCloseTo((4 / 5 + 1 / 2 + 2 / 3) / 3, 12);
    // Of each class the pairs with a row of another class: in the right order, ties by half.
    const pairs = [
      [0.8, 0.5, 0.2].map((own) => [0.1, 0.2, 0.3].map((other) => [own, other])),
      [0.7, 0.3].map((own) => [0.1, 0.25, 0.6, 0.1].map((other) => [own, other])),
      [0.6].map((own) => [0.1, 0.25, 0.2, 0.2, 0.5].map((other) => [own, other])),
    ].map((all) => all.flat());
    const areas = pairs.map(
      (all) =>
        all.reduce((sum, [own = 0, other = 0]) => sum + (own > other ? 1 : own === other ? 0.5 : 0), 0) /
        all.length,
    );
    expect(found.macro_roc_auc).toBeCloseTo(areas.reduce((sum, area) => sum + area, 0) / 3, 12);
    const happened = [0.8, 0.5, 0.2, 0.7, 0.3, 0.6];
    expect(found.log_loss).toBeCloseTo(-happened.reduce((sum, p) => sum + Math.log(p), 0) / 6, 12);
  });

  it('leave out classes that are nowhere, and areas of one class alone', () => {
    const found = measure('multiclass', [1, 1], [0, 0.9, 0.1, 0, 0.8, 0.2]);
    expect(found).toMatchObject({ accuracy: 1, macro_precision: 1, macro_recall: 1, macro_f1: 1 });
    expect(found).not.toHaveProperty('macro_roc_auc');
  });

  it('of two classes are those of yes and no', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 20 })), {
          minLength: 2,
          maxLength: 40,
        }),
        (rows) => {
          const y = rows.map(([happened]) => happened);
          // No half: of equal chances the first class is said, and yes at one half.
          const p = rows.map(([, chance]) => (chance + 0.25) / 21);
          const two = measure(
            'multiclass',
            y,
            p.flatMap((one) => [1 - one, one]),
          );
          const yes = measure('binary', y, p);
          expect(two.accuracy).toBeCloseTo(yes.accuracy as number, 10);
          expect(two.log_loss).toBeCloseTo(yes.log_loss as number, 10);
          expect(two.brier).toBeCloseTo(2 * (yes.brier as number), 10);
          if (yes.roc_auc === undefined) expect(two.macro_roc_auc).toBeUndefined();
          else expect(two.macro_roc_auc).toBeCloseTo(yes.roc_auc, 10);
        },
      ),
    );
  });

  it('have intervals over whole rows', () => {
    const y = Array.from({ length: 60 }, (_, row) => row % 3);
    const right = y.flatMap((happened) => [0, 1, 2].map((place) => (place === happened ? 0.8 : 0.1)));
    const options = { kind: 'multiclass', metric: 'accuracy', seed: 1, samples: 20, blockRows: 5 } as const;
    expect(bootstrap(options, y, right)).toEqual({ low: 1, high: 1 });
  });
});

describe('the softmax regression', () => {
  it.each([
    [3, 1],
    [3, 0],
    [5, 10],
  ])('of %i classes with a penalty of %f ends where the loss is flat', (classes, l2) => {
    const { x } = world(900, 11);
    const random = seeded(4);
    const y = Float64Array.from({ length: 900 }, (_, row) =>
      Math.min(classes - 1, Math.max(0, Math.floor((x[row * WIDTH] as number) + 2 + random() * 2 - 1))),
    );
    const { weights } = fitSoftmax(x, y, WIDTH, l2, classes);
    const slopes = slopesOf(x, y, weights, l2, classes);
    expect(Math.max(...slopes.map(Math.abs))).toBeLessThan(1e-5);
    expect(fitSoftmax(x, y, WIDTH, l2, classes).weights).toEqual(weights);
  });

  it('of two classes is the logistic regression with half the penalty', () => {
    const { x, y: three } = world(700, 5);
    const y = three.map((place) => Math.min(place, 1));
    const two = fitSoftmax(x, y, WIDTH, 2, 2).weights;
    const one = fitLinear(x, y, WIDTH, 1, 'binary').weights;
    one.forEach((weight, i) =>
      expect((two[2 * i + 1] as number) - (two[2 * i] as number)).toBeCloseTo(weight, 5),
    );
  });

  it('stays finite where a class never occurs, classes part, features repeat or are missing', () => {
    const { x } = world(300, 2);
    const parted = Float64Array.from({ length: 300 }, (_, row) => ((x[row * WIDTH] as number) > 0 ? 2 : 0));
    const repeated = x.map((_value, at) => x[at - (at % WIDTH)] as number);
    const missing = x.map((value, at) => (at % 3 === 0 ? NaN : value));
    for (const given of [x, repeated, missing])
      expect([...fitSoftmax(given, parted, WIDTH, 0.1, 4).weights].every(Number.isFinite)).toBe(true);
  });

  /** Slopes of the penalised loss per row, by weights of standardised features and intercepts. */
  function slopesOf(x: Float32Array, y: Float64Array, weights: Float32Array, l2: number, classes: number) {
    const rows = y.length;
    const columns = Array.from({ length: WIDTH }, (_, i) => y.map((_y, row) => x[row * WIDTH + i] as number));
    const mean = columns.map((column) => column.reduce((sum, value) => sum + value / rows, 0));
    const scale = columns.map((column, i) =>
      Math.sqrt(column.reduce((sum, value) => sum + (value - (mean[i] as number)) ** 2 / rows, 0)),
    );
    const slopes = new Float64Array((WIDTH + 1) * classes);
    for (let row = 0; row < rows; row += 1) {
      const margins = Array.from({ length: classes }, (_, k) =>
        columns.reduce(
          (sum, column, i) => sum + (column[row] as number) * (weights[i * classes + k] as number),
          weights[WIDTH * classes + k] as number,
        ),
      );
      const whole = margins.reduce((sum, margin) => sum + Math.exp(margin), 0);
      margins.forEach((margin, k) => {
        const residual = Math.exp(margin) / whole - (y[row] === k ? 1 : 0);
        columns.forEach((column, i) => {
          const z = ((column[row] as number) - (mean[i] as number)) / (scale[i] as number);
          slopes[i * classes + k] = (slopes[i * classes + k] as number) + (residual * z) / rows;
        });
        slopes[WIDTH * classes + k] = (slopes[WIDTH * classes + k] as number) + residual / rows;
      });
    }
    return [...slopes].map((slope, at) => {
      const i = Math.floor(at / classes);
      return i < WIDTH ? slope + (l2 * (weights[at] as number) * (scale[i] as number)) / rows : slope;
    });
  }
});

describe.skipIf(XGBOOST === undefined)('models of classes', () => {
  const { x, y } = world(600, 9);
  const target = { kind: 'multiclass', classes: CLASSES } as const;
  const names = ['a', 'b', 'c'];

  it.each<[CandidateKind, Record<string, number>]>([
    ['linear', { l2: 1 }],
    ['forest', { trees: 30, max_depth: 5, subsample: 0.7 }],
    ['boosting', { rounds: 40, max_depth: 4, eta: 0.2 }],
  ])('%s: our predictor says what the library says', (kind, parameters) => {
    const data = { x, y: Float32Array.from(y), names };
    const train = (): { native: Float32Array; json: string; bytes: Buffer } => {
      const engine = openXgboost(XGBOOST ?? '');
      const booster = trainOne(engine, kind, target, parameters, data, 7, () => undefined);
      const probe = x.map((value, at) => (at % 11 === 0 ? NaN : value));
      const native = booster.predict(probe, WIDTH);
      const json = Buffer.from(booster.save('json')).toString();
      const bytes = Buffer.from(booster.save('ubj'));
      booster.close();
      const own = scoreAll(openPredictor(json), probe);
      expect(own).toHaveLength(native.length);
      native.forEach((value, at) => expect(Math.abs(value - (own[at] ?? NaN))).toBeLessThan(1e-6));
      return { native, json, bytes };
    };
    const { native, json, bytes } = train();
    expect(native).toHaveLength(600 * 3);
    for (let row = 0; row < 600; row += 1) {
      const three = native.subarray(row * 3, row * 3 + 3);
      expect(three.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
      const said = openPredictor(json).predict(
        x.map((v, at) => (at % 11 === 0 ? NaN : v)),
        row * WIDTH,
      );
      expect(three[said]).toBe(Math.max(...three));
    }
    expect(train().bytes.equals(bytes)).toBe(true);
  });

  it('are judged whole: the trees beat the line, both beat the naive rules', () => {
    const rows = 3000;
    const big = world(rows, 77);
    const day = 86_400_000;
    const data = {
      ...{ names, rows, ...big, keys: Array.from({ length: rows }, (_, row) => `["${row % 2}"]`) },
      time: Float64Array.from({ length: rows }, (_, row) => Math.floor(row / 2) * day),
      targetTime: Float64Array.from({ length: rows }, (_, row) => (Math.floor(row / 2) + 1) * day),
      baselines: { last_value: big.y.map((_, row) => (row < 2 ? NaN : (big.y[row - 2] as number))) },
    };
    const trees = { kind: 'boosting', parameters: { rounds: 60, max_depth: 4, eta: 0.2 } };
    const definition = model({ candidates: [{ kind: 'linear' }, trees], metric: 'macro_f1' });
    const engine = openXgboost(XGBOOST ?? '');
    const quiet = { nowMs: () => 0, progress: () => undefined };
    const candidates = definition.candidates.map((candidate) => {
      const { trained, booster } = trainCandidate(engine, data, definition, candidate, quiet);
      const json = Buffer.from(booster.save('json')).toString();
      booster.close();
      return { trained, json };
    });
    const [line] = candidates;
    if (!line) throw new Error('no candidate');
    const champion = { version: '1', json: line.json };
    const found = evaluate({
      engine,
      data,
      model: definition,
      candidates,
      champion,
      progress: () => undefined,
    });
    expect(found.winner).toBe('boosting');
    expect(found.parity).toBeLessThan(1e-6);
    const f1 = (name: string): number =>
      [...found.candidates, ...found.baselines].find((one) => one.name === name)?.metrics['macro_f1'] ?? NaN;
    expect(f1('boosting')).toBeGreaterThan(f1('linear') + 0.1);
    expect(f1('linear')).toBeGreaterThan(Math.max(f1('majority'), f1('last_value')));
    expect(found.champion?.metrics['macro_f1']).toBe(f1('linear'));
    const counts = found.classes?.confusion ?? [];
    expect(found.classes?.names).toEqual(CLASSES);
    expect(counts.flat().reduce((sum, value) => sum + value, 0)).toBe(found.rows.holdout);
    const right = counts.reduce((sum, line_, place) => sum + (line_[place] ?? 0), 0);
    expect(found.metrics['accuracy']).toBeCloseTo(right / found.rows.holdout, 12);
    expect(found.confusion).toBeNull();
    // One class is told by the first feature, the others by two together.
    expect(found.importance.map(({ loss }) => loss > 0.05)).toEqual([true, true, true]);
    expect(found.byKey.map(({ name }) => name)).toEqual(['["0"]', '["1"]']);
    const surest = found.calibration.at(-1);
    expect(surest?.predicted).toBeGreaterThan(0.9);
    expect(surest?.observed).toBeGreaterThan(0.9);
    for (const { probabilities, prediction } of found.smoke)
      expect(probabilities?.[prediction]).toBe(Math.max(...(probabilities ?? [])));
    const split = { train: [0, 1, 2, 3, 4, 5], test: [6], from: 0 };
    const shares = predictBaseline({ kind: 'majority' }, data, split, definition);
    expect([...shares]).toEqual(
      CLASSES.map((_, place) => data.y.slice(0, 6).reduce((sum, v) => sum + (v === place ? 1 / 6 : 0), 0)),
    );
  });

  it('that other programs wrote are refused where they cannot be read', () => {
    const booster = trainOne(
      ownEngine,
      'linear',
      target,
      { l2: 1 },
      { x, y: Float32Array.from(y), names },
      7,
      () => undefined,
    );
    const json = JSON.parse(Buffer.from(booster.save('json')).toString()) as {
      learner: { learner_model_param: { num_class: string } };
    };
    json.learner.learner_model_param.num_class = '4';
    expect(() => openPredictor(JSON.stringify(json))).toThrow('12 weights for 3 features and 4 classes');
  });
});

describe('a model file', () => {
  it.each([
    ['without classes', { target: { expression: 'v', kind: 'multiclass' } }, 'target.classes'],
    [
      'with classes of a number',
      { target: { expression: 'v', kind: 'regression', classes: ['a', 'b'] } },
      'target.classes',
    ],
    [
      'with a class twice',
      { target: { expression: 'v', kind: 'multiclass', classes: ['a', 'a'] } },
      "'a' is there twice",
    ],
    ['with a metric of yes and no', { metric: 'roc_auc' }, 'for multiclass is one of'],
    ['with the mean of classes', { baselines: [{ kind: 'rolling_mean', rows: 5 }] }, 'classes have no mean'],
  ])('%s is refused', (_what, change, said) => {
    expect(() => model(change)).toThrow(said);
  });
});

describe('classes in a table', () => {
  let session: EngineSession;
  beforeAll(async () => {
    const engine = createDuckDbEngine({ memoryLimit: '500MB', threads: 1, spillDirectory: tmpdir() });
    session = await engine.open({ inputs: [] });
  });
  afterAll(() => session.close());

  const table = (value: string): string =>
    `(SELECT 'k' AS key, DATE '2020-01-01' + i::INTEGER AS time, i::DOUBLE AS a, 1.0 AS b, 2.0 AS c, ${value} AS value FROM range(100) AS r(i))`;

  it('become places in the order of the file, and what is not known yet stays away', async () => {
    const value =
      "CASE WHEN i = 9 THEN NULL WHEN i % 3 = 0 THEN 'high' WHEN i % 3 = 1 THEN 'low' ELSE 'middle' END";
    const { data, withoutTarget } = await collectFrom(session, model(), table(value));
    // The target of a row is the class of the next.
    expect([...data.y.slice(0, 8)]).toEqual([0, 1, 2, 0, 1, 2, 0, 1]);
    expect(withoutTarget).toBe(2);
    expect([...(data.baselines['last_value'] ?? [])].slice(0, 4)).toEqual([2, 0, 1, 2]);
  });

  it.each([
    ['of numbers are told as text', '(i % 3)', { classes: ['2', '0', '1'] }, null],
    [
      'that the file does not name are refused',
      "CASE WHEN i % 2 = 0 THEN 'low' ELSE 'other' END",
      {},
      'MODEL_CLASS_UNKNOWN',
    ],
    ['of which there is one are refused', "'high'", {}, 'MODEL_TARGET_CONSTANT'],
  ])('%s', async (_what, value, change, code) => {
    const made = model({ target: { expression: 'value', kind: 'multiclass', classes: CLASSES, ...change } });
    const collecting = collectFrom(session, made, table(value));
    if (code === null) expect([...(await collecting).data.y.slice(0, 3)]).toEqual([2, 0, 1]);
    else await expect(collecting).rejects.toMatchObject({ code, retry: false });
  });
});
