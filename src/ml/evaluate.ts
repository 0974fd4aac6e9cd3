/** The holdout's verdict: the candidate that walked forward best, beside every baseline and the champion, on the same rows. */
import { baselineName, LOSSES, outputsOf, THRESHOLD, type ModelDefinition } from '../contracts/model.js';
import type { Evaluation, Judged, TrainedCandidate, TrainingProgress } from '../contracts/training.js';
import { predictBaseline } from './baselines.js';
import type { BoosterEngine } from './engine.js';
import { takeRows, type FeatureRows } from './matrix.js';
import { confusionOf, likeliest } from './classes.js';
import { bootstrap, confusion, measure, pickRows, stability } from './metrics.js';
import { OWN_ENGINE } from './own-engine.js';
import { openPredictor, scoreAll } from './predictor.js';
import { seeded, shuffled } from './random.js';
import { holdoutSplit } from './splits.js';
import { figures, isBetter } from './train.js';

const SAMPLES = 200;
const BLOCK_ROWS = 100;
const IMPORTANCE_ROWS = 2000;
const SMOKE_ROWS = 20;

export interface EvaluateInput {
  readonly engine: BoosterEngine;
  readonly data: FeatureRows;
  readonly model: ModelDefinition;
  readonly candidates: ReadonlyArray<{ readonly trained: TrainedCandidate; readonly json: string }>;
  readonly champion: { readonly version: string; readonly json: string } | null;
  readonly progress: (progress: TrainingProgress) => void;
}

type Made = Judged & { readonly predicted: Float64Array };

export function evaluate({ engine, data, model, candidates, champion, progress }: EvaluateInput): Evaluation {
  const split = holdoutSplit(data, model.splits);
  const { kind, threshold } = model.target;
  const { x, y } = takeRows(data, split.test);
  const judge = (name: string, predicted: Float64Array): Made => ({
    name,
    predicted,
    metrics: figures(measure(kind, y, predicted, threshold)),
  });
  const tell = (done: number): void => progress({ phase: 'evaluate', done, total: 5, unit: 'parts' });
  tell(0);
  const best = candidates.reduce((one, other) =>
    isBetter(
      model.metric,
      other.trained.validation[model.metric] ?? NaN,
      one.trained.validation[model.metric] ?? NaN,
    )
      ? other
      : one,
  );
  const judged = candidates.map(({ trained, json }) =>
    judge(trained.name, nativePredictions(engine, json, x, data)),
  );
  const winner =
    judged.find(({ name }) => name === best.trained.name) ??
    judge('', new Float64Array(y.length * outputsOf(model.target)));
  const parity = engine.version === OWN_ENGINE ? null : parityOf(best.json, winner.predicted, x);
  tell(1);
  const baselines = model.baselines.map((one) =>
    judge(baselineName(one), predictBaseline(one, data, split, model)),
  );
  const boot = {
    ...{ kind, threshold, metric: model.metric },
    ...{ seed: model.seed, samples: SAMPLES, blockRows: BLOCK_ROWS },
  };
  const naive = baselines.filter(({ name }) => name !== 'least_squares');
  const rival = naive.reduce((one, other) =>
    isBetter(model.metric, other.metrics[model.metric] ?? NaN, one.metrics[model.metric] ?? NaN)
      ? other
      : one,
  );
  const difference = bootstrap(boot, y, winner.predicted, rival.predicted);
  tell(2);
  const times = split.test.map((row) => new Date(data.time[row] ?? 0).toISOString().slice(0, 7));
  const part = (labels: readonly string[]): Judged[] =>
    [...new Set(labels)].sort().map((name) => {
      const rows = labels.flatMap((label, row) => (label === name ? [row] : []));
      const pick = (values: Float64Array): number[] => pickRows(values, rows, y.length);
      return { name, metrics: figures(measure(kind, pick(y), pick(winner.predicted), threshold)) };
    });
  tell(3);
  const plain = ({ name, metrics }: Judged): Judged => ({ name, metrics });
  const stood = champion && judge('champion', nativePredictions(engine, champion.json, x, data));
  const at = (row: number | undefined): string => new Date(data.time[row ?? 0] ?? 0).toISOString();
  return {
    winner: best.trained.name,
    metric: model.metric,
    rows: {
      train: split.train.length,
      holdout: split.test.length,
      from: at(split.test[0]),
      to: at(split.test.at(-1)),
    },
    metrics: winner.metrics,
    interval: bootstrap(boot, y, winner.predicted) ?? null,
    baselines: baselines.map(plain),
    difference: difference ? { to: rival.name, ...difference } : null,
    champion: stood && champion ? { ...plain(stood), version: champion.version } : null,
    candidates: judged.map(plain),
    byKey: part(split.test.map((row) => data.keys[row] ?? '')),
    byPeriod: part(times.map((time) => time.slice(0, 4) + (Number(time.slice(5)) <= 6 ? '-H1' : '-H2'))),
    importance: importanceOf(best.json, data, split.test, model),
    drift: driftOf(data, split.train, split.test),
    confusion: countsOf(model, y, winner.predicted),
    ...classesOf(model, y, winner.predicted),
    calibration: calibrationOf(model, y, winner.predicted),
    parity,
    smoke: smokeOf(data, split.test, winner.predicted),
  };
}

function nativePredictions(
  engine: BoosterEngine,
  json: string,
  x: Float32Array,
  data: FeatureRows,
): Float64Array {
  const booster = engine.load(json);
  try {
    return Float64Array.from(booster.predict(x, data.names.length));
  } finally {
    booster.close();
  }
}

/** How much worse the metric gets when one feature's values change places, most first. */
function importanceOf(
  json: string,
  data: FeatureRows,
  test: readonly number[],
  model: ModelDefinition,
): Evaluation['importance'] {
  const random = seeded(model.seed);
  const chosen = shuffled(test.length, random)
    .slice(0, IMPORTANCE_ROWS)
    .map((place) => test[place] ?? 0);
  const { x, y } = takeRows(data, chosen);
  const width = data.names.length;
  const predictor = openPredictor(json);
  const { kind, threshold } = model.target;
  const score = (matrix: Float32Array): number =>
    measure(kind, y, scoreAll(predictor, matrix), threshold)[model.metric] ?? NaN;
  const whole = score(x);
  const found = data.names.map((feature, column) => {
    const mixed = Float32Array.from(x);
    shuffled(y.length, random).forEach((from, row) => {
      mixed[row * width + column] = x[from * width + column] ?? NaN;
    });
    const loss = (LOSSES.has(model.metric) ? 1 : -1) * (score(mixed) - whole);
    return { feature, loss: Number.isFinite(loss) ? loss : 0 };
  });
  return found.sort((left, right) => right.loss - left.loss);
}

/** Shift of each feature from the training rows to the newest quarter of the holdout, most first. */
function driftOf(data: FeatureRows, train: readonly number[], test: readonly number[]): Evaluation['drift'] {
  const newest = test.slice(Math.floor(test.length * 0.75));
  const width = data.names.length;
  const column = (rows: readonly number[], index: number): number[] =>
    rows.map((row) => data.x[row * width + index] ?? NaN);
  return data.names
    .map((feature, index) => ({ feature, psi: stability(column(train, index), column(newest, index)) }))
    .sort((left, right) => right.psi - left.psi);
}

/** Of yes or no: how often each was said, and rightly. */
function countsOf(
  { target: { kind, threshold = THRESHOLD } }: ModelDefinition,
  y: Float64Array,
  predicted: Float64Array,
): Evaluation['confusion'] {
  return kind === 'binary' ? { ...confusion(y, predicted, threshold), threshold } : null;
}

/** What is said of several classes, beside the figures. */
function classesOf(
  { target: { classes } }: ModelDefinition,
  y: Float64Array,
  predicted: Float64Array,
): Pick<Evaluation, 'classes'> {
  if (!classes) return {};
  return { classes: { names: classes, confusion: confusionOf(y, predicted, classes.length) } };
}

/** Of yes or no, the probability of yes; of several classes, that of the one that is said. */
function calibrationOf(
  { target }: ModelDefinition,
  y: Float64Array,
  predicted: Float64Array,
): Evaluation['calibration'] {
  if (target.kind === 'regression') return [];
  if (target.kind === 'binary') return tenthsOf(y, predicted);
  const classes = outputsOf(target);
  const said = y.map((_, row) => likeliest(predicted, row * classes, classes));
  return tenthsOf(
    y.map((happened, row) => (happened === said[row] ? 1 : 0)),
    said.map((place, row) => predicted[row * classes + place] ?? NaN),
  );
}

function tenthsOf(y: Float64Array, predicted: Float64Array): Evaluation['calibration'] {
  return Array.from({ length: 10 }, (_, bin) => {
    const rows = [...predicted.keys()].filter(
      (row) => Math.min(9, Math.floor((predicted[row] ?? 0) * 10)) === bin,
    );
    const mean = (values: Float64Array): number =>
      rows.reduce((sum, row) => sum + (values[row] ?? 0), 0) / Math.max(1, rows.length);
    return { predicted: mean(predicted), observed: mean(y), rows: rows.length };
  }).filter(({ rows }) => rows > 0);
}

function smokeOf(data: FeatureRows, test: readonly number[], predicted: Float64Array): Evaluation['smoke'] {
  const step = Math.max(1, Math.floor(test.length / SMOKE_ROWS));
  const places = Array.from({ length: Math.min(SMOKE_ROWS, test.length) }, (_, index) => index * step);
  const width = data.names.length;
  const outputs = predicted.length / test.length;
  const said = (place: number): Pick<Evaluation['smoke'][number], 'prediction' | 'probabilities'> => {
    if (outputs === 1) return { prediction: predicted[place] ?? NaN };
    const probabilities = Array.from(predicted.subarray(place * outputs, (place + 1) * outputs));
    return { prediction: likeliest(probabilities, 0, outputs), probabilities };
  };
  return places.map((place) => {
    const values = data.names.map((name, column): [string, number | null] => {
      const value = data.x[(test[place] ?? 0) * width + column] ?? NaN;
      return [name, Number.isNaN(value) ? null : value];
    });
    return { features: Object.fromEntries(values), ...said(place) };
  });
}

/** Greatest difference between the library's predictions and our own. */
function parityOf(json: string, native: Float64Array, x: Float32Array): number {
  const own = scoreAll(openPredictor(json), x);
  return native.reduce((most, value, at) => Math.max(most, Math.abs(value - (own[at] ?? NaN))), 0);
}
