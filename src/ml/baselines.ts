/** Naive rules that a model must beat, on the holdout, learned from what comes before it. */
import {
  baselineName,
  outputsOf,
  THRESHOLD,
  type BaselineDefinition,
  type ModelDefinition,
} from '../contracts/model.js';
import { fitLinear } from './linear.js';
import { takeRows, type FeatureRows } from './matrix.js';
import type { Split } from './splits.js';

/** What a baseline says of each holdout row. A rule that has nothing to say of a row says the mean of the training rows. */
export function predictBaseline(
  baseline: BaselineDefinition,
  data: FeatureRows,
  { train, test }: Split,
  model: ModelDefinition,
): Float64Array {
  const { y } = takeRows(data, train);
  if (model.target.kind === 'multiclass')
    return chances(baseline, data, sharesOf(y, outputsOf(model.target)), test);
  const mean = y.reduce((sum, value) => sum + value, 0) / y.length;
  switch (baseline.kind) {
    case 'constant':
      return new Float64Array(test.length).fill(mean);
    case 'majority':
      return new Float64Array(test.length).fill(majority(mean, model.target.threshold));
    case 'least_squares':
      return leastSquares(baseline.features, data, { train, test }, model);
    case 'last_value':
    case 'rolling_mean': {
      const said = data.baselines[baselineName(baseline)];
      return Float64Array.from(test, (row) => {
        const value = said?.[row] ?? NaN;
        return Number.isFinite(value) ? value : mean;
      });
    }
  }
}

function sharesOf(y: Float64Array, classes: number): Float64Array {
  const shares = new Float64Array(classes);
  for (const place of y) shares[place] = (shares[place] ?? 0) + 1 / y.length;
  return shares;
}

/**
 * One probability per class: those of the training rows, of which the likeliest is the most frequent class; or all for the class
 * that the row itself has.
 */
function chances(
  baseline: BaselineDefinition,
  data: FeatureRows,
  shares: Float64Array,
  test: readonly number[],
): Float64Array {
  const classes = shares.length;
  const said = baseline.kind === 'last_value' ? data.baselines[baselineName(baseline)] : undefined;
  const all = new Float64Array(test.length * classes);
  test.forEach((row, at) => {
    const place = said?.[row] ?? NaN;
    if (place >= 0) all[at * classes + place] = 1;
    else all.set(shares, at * classes);
  });
  return all;
}

function leastSquares(
  features: readonly string[],
  data: FeatureRows,
  { train, test }: Pick<Split, 'train' | 'test'>,
  { target }: ModelDefinition,
): Float64Array {
  if (target.kind === 'multiclass') throw new TypeError('a line says no class');
  const width = data.names.length;
  const places = features.map((name) => data.names.indexOf(name));
  const pick = (rows: readonly number[]): Float32Array =>
    Float32Array.from({ length: rows.length * places.length }, (_, at) => {
      const value =
        data.x[(rows[Math.floor(at / places.length)] ?? 0) * width + (places[at % places.length] ?? 0)] ??
        NaN;
      return Number.isNaN(value) ? 0 : value;
    });
  const { weights } = fitLinear(pick(train), takeRows(data, train).y, places.length, 0, target.kind);
  const x = pick(test);
  return Float64Array.from({ length: test.length }, (_, row) => {
    const margin = places.reduce(
      (sum, _place, i) => sum + (x[row * places.length + i] ?? 0) * (weights[i] ?? 0),
      weights[places.length] ?? 0,
    );
    return target.kind === 'binary' ? 1 / (1 + Math.exp(-margin)) : margin;
  });
}

/** A probability near that of the training rows by which what most of them are is said, whatever the threshold. */
function majority(mean: number, threshold: number = THRESHOLD): number {
  return mean >= 0.5 ? Math.max(mean, threshold) : Math.min(mean, threshold * (1 - Number.EPSILON));
}
