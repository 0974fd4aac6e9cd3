/** How good predictions are. Binary predictions are probabilities of the target being 1, those of classes one for each. */
import { THRESHOLD, type MetricName, type ModelKind } from '../contracts/model.js';
import { multiclass } from './classes.js';
import { seeded } from './random.js';

export type Metrics = Readonly<Partial<Record<MetricName, number>>>;
type Values = Float64Array | readonly number[];

/** Every metric of the kind; `threshold` is of yes or no. A metric that has no value for these rows (R2 of a constant, AUC of one class) is absent. */
export function measure(
  kind: ModelKind,
  truth: Values,
  predicted: Values,
  threshold: number = THRESHOLD,
): Metrics {
  const all = BY_KIND[kind](truth, predicted, threshold);
  return Object.fromEntries(Object.entries(all).filter(([, value]) => Number.isFinite(value)));
}

type Measuring = (truth: Values, predicted: Values, threshold: number) => Record<string, number>;

const BY_KIND: Readonly<Record<ModelKind, Measuring>> = {
  regression,
  binary,
  multiclass,
};

/** What was predicted of some rows, however many numbers each prediction has. */
export function pickRows(predicted: Values, places: readonly number[], rows: number): number[] {
  const outputs = predicted.length / rows;
  if (outputs === 1) return places.map((row) => predicted[row] ?? NaN);
  return places.flatMap((row) =>
    Array.from({ length: outputs }, (_, place) => predicted[row * outputs + place] ?? NaN),
  );
}

function regression(truth: Values, predicted: Values): Record<string, number> {
  const rows = truth.length;
  let squares = 0;
  let absolute = 0;
  let total = 0;
  const mean = sum(truth) / rows;
  for (let row = 0; row < rows; row += 1) {
    const error = (predicted[row] ?? NaN) - (truth[row] ?? NaN);
    squares += error * error;
    absolute += Math.abs(error);
    total += ((truth[row] ?? NaN) - mean) ** 2;
  }
  return { rmse: Math.sqrt(squares / rows), mae: absolute / rows, r2: 1 - squares / total };
}

/** Counts of yes and no, said from `threshold` on. */
export function confusion(
  truth: Values,
  predicted: Values,
  threshold: number = THRESHOLD,
): { tp: number; fp: number; tn: number; fn: number } {
  const counts = { tp: 0, fp: 0, tn: 0, fn: 0 };
  for (let row = 0; row < truth.length; row += 1) {
    const said = (predicted[row] ?? 0) >= threshold;
    if (truth[row] === 1) counts[said ? 'tp' : 'fn'] += 1;
    else counts[said ? 'fp' : 'tn'] += 1;
  }
  return counts;
}

function binary(truth: Values, predicted: Values, threshold: number): Record<string, number> {
  const { tp, fp, tn, fn } = confusion(truth, predicted, threshold);
  const rows = truth.length;
  let loss = 0;
  let brier = 0;
  for (let row = 0; row < rows; row += 1) {
    const chance = Math.min(1 - 1e-15, Math.max(1e-15, predicted[row] ?? NaN));
    loss -= truth[row] === 1 ? Math.log(chance) : Math.log(1 - chance);
    brier += (chance - (truth[row] ?? NaN)) ** 2;
  }
  const precision = tp + fp === 0 ? 0 : tp / (tp + fp);
  const recall = tp / (tp + fn);
  return {
    accuracy: (tp + tn) / rows,
    precision,
    recall,
    f1: precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall),
    ...areas(truth, predicted),
    log_loss: loss / rows,
    brier: brier / rows,
  };
}

/** Areas under the ROC and the precision-recall curve; rows with equal predictions share one step. */
function areas(truth: Values, predicted: Values): { roc_auc: number; pr_auc: number } {
  const order = Array.from(truth, (_, row) => row).sort((a, b) => (predicted[b] ?? 0) - (predicted[a] ?? 0));
  const positives = sum(truth);
  const negatives = truth.length - positives;
  let tp = 0;
  let fp = 0;
  let roc = 0;
  let pr = 0;
  for (let at = 0; at < order.length;) {
    const value = predicted[order[at] ?? 0];
    const before = { tp, fp };
    for (; at < order.length && predicted[order[at] ?? 0] === value; at += 1) {
      if (truth[order[at] ?? 0] === 1) tp += 1;
      else fp += 1;
    }
    roc += ((fp - before.fp) * (tp + before.tp)) / 2;
    pr += (tp - before.tp) * (tp / (tp + fp));
  }
  return { roc_auc: roc / (positives * negatives), pr_auc: pr / positives };
}

function sum(values: Values): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** Middle 95 % of a metric, or of the difference to another prediction, over rows drawn again. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * Bootstrap over blocks of neighbouring rows, since rows of one time say much the same. `other` makes it the interval of
 * the difference `predicted - other`. Undefined where the metric has no value.
 */
export function bootstrap(
  options: {
    readonly kind: ModelKind;
    readonly threshold?: number | undefined;
    readonly metric: MetricName;
    readonly seed: number;
    readonly samples: number;
    readonly blockRows: number;
  },
  truth: Values,
  predicted: Values,
  other?: Values,
): Interval | undefined {
  const { kind, threshold, metric, seed, samples, blockRows } = options;
  const random = seeded(seed);
  const rows = truth.length;
  const block = Math.max(1, Math.min(blockRows, rows));
  const found: number[] = [];
  for (let sample = 0; sample < samples; sample += 1) {
    const drawn: number[] = [];
    while (drawn.length < rows) {
      const start = Math.floor(random() * (rows - block + 1));
      for (let row = start; row < start + block && drawn.length < rows; row += 1) drawn.push(row);
    }
    const pick = (values: Values): number[] => pickRows(values, drawn, rows);
    const y = pick(truth);
    const one = measure(kind, y, pick(predicted), threshold)[metric];
    const two = other === undefined ? 0 : measure(kind, y, pick(other), threshold)[metric];
    if (one !== undefined && two !== undefined) found.push(one - two);
  }
  found.sort((left, right) => left - right);
  const low = found[Math.floor(found.length * 0.025)];
  const high = found[Math.min(found.length - 1, Math.ceil(found.length * 0.975))];
  return low === undefined || high === undefined ? undefined : { low, high };
}

/** Population stability index between two samples, over tenths of the first: 0.1 is a shift, 0.25 a large one. */
export function stability(before: Values, after: Values): number {
  const sorted = [...before].filter(Number.isFinite).sort((left, right) => left - right);
  const later = [...after].filter(Number.isFinite);
  if (sorted.length === 0 || later.length === 0) return 0;
  const edges = [
    ...new Set(Array.from({ length: 9 }, (_, i) => sorted[Math.floor((sorted.length * (i + 1)) / 10)] ?? 0)),
  ];
  const shares = (values: readonly number[]): number[] => {
    const counts = new Array<number>(edges.length + 1).fill(0);
    for (const value of values) {
      const place = edges.findIndex((edge) => value < edge);
      const bin = place === -1 ? edges.length : place;
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
    return counts.map((count) => count / values.length);
  };
  return shift(shares(sorted), shares(later));
}

/** The same of places of classes, class by class. */
export function classStability(before: readonly number[], after: readonly number[], classes: number): number {
  const shares = (values: readonly number[]): number[] =>
    Array.from(
      { length: classes },
      (_, place) => values.filter((value) => value === place).length / values.length,
    );
  return before.length === 0 || after.length === 0 ? 0 : shift(shares(before), shares(after));
}

/** A share of nothing counts as a ten-thousandth. */
function shift(before: readonly number[], after: readonly number[]): number {
  return before.reduce((total, share, bin) => {
    const [old, now] = [Math.max(share, 1e-4), Math.max(after[bin] ?? 0, 1e-4)];
    return total + (now - old) * Math.log(now / old);
  }, 0);
}
