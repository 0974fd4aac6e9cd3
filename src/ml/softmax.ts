/**
 * Multinomial logistic regression with an L2 penalty, as weights of the plain features. A missing value counts as zero.
 *
 * Its steps begin from a curvature that is never too small: half the features' products with each other, the same for every class
 * (Böhning). It is factored once, whatever the number of classes.
 */
import { descend, type Place } from './descent.js';
import {
  dot,
  factorOf,
  moments,
  penalty,
  solve,
  standardised,
  type Columns,
  type LinearModel,
} from './linear.js';

/** The steepest slope per row at which a fit is done. */
const FLAT = 1e-9;

interface Problem {
  readonly columns: Columns;
  readonly y: Float64Array;
  readonly classes: number;
  readonly l2: number;
}

/** `y` holds places of classes. Weights are feature by feature with one per class, then the intercepts, as XGBoost keeps them. */
export function fitSoftmax(
  x: Float32Array,
  y: Float64Array,
  width: number,
  l2: number,
  classes: number,
): LinearModel {
  const { mean, scale } = moments(x, y.length, width);
  const columns = standardised(x, y.length, mean, scale);
  const size = columns.length;
  const weights = solveAll({ columns, y, classes, l2 });
  const plain = new Float32Array(size * classes);
  for (let k = 0; k < classes; k += 1) {
    let intercept = weights[k * size + width] as number;
    for (let i = 0; i < width; i += 1) {
      const value = (weights[k * size + i] as number) / (scale[i] as number);
      plain[i * classes + k] = value;
      intercept -= value * (mean[i] as number);
    }
    plain[width * classes + k] = intercept;
  }
  return { weights: plain };
}

function solveAll(problem: Problem): Float64Array {
  const { columns, y, classes, l2 } = problem;
  const factor = factorOf(columns, new Float64Array(y.length).fill(0.5), l2);
  const scratch = Array.from({ length: classes }, () => new Float64Array(y.length));
  return descend(
    {
      lookAt: (weights) => lookAt(problem, weights, scratch),
      curvature: () => (slope) => solveEach(factor, slope, classes),
    },
    columns.length * classes,
    {
      ...{ iterations: 500, renew: Infinity },
      isDone: ({ slope }) =>
        slope.reduce((most, value) => Math.max(most, Math.abs(value)), 0) <= FLAT * y.length,
    },
  );
}

function solveEach(factor: readonly Float64Array[], slope: Float64Array, classes: number): Float64Array {
  const size = factor.length;
  const out = new Float64Array(slope.length);
  for (let k = 0; k < classes; k += 1)
    out.set(solve(factor, slope.subarray(k * size, (k + 1) * size)), k * size);
  return out;
}

/** Loss and slope at these weights, class by class one for each column. `chances` is room for one list per class. */
function lookAt({ columns, y, classes, l2 }: Problem, weights: Float64Array, chances: Float64Array[]): Place {
  const size = columns.length;
  const rows = y.length;
  chances.forEach((chance, k) => {
    chance.fill(0);
    columns.forEach((column, i) => {
      const weight = weights[k * size + i] as number;
      for (let at = 0; at < rows; at += 1)
        chance[at] = (chance[at] as number) + weight * (column[at] as number);
    });
  });
  let loss = 0;
  for (let at = 0; at < rows; at += 1) loss += toResiduals(chances, at, y[at] as number);
  const slope = new Float64Array(weights.length);
  for (let k = 0; k < classes; k += 1)
    for (let i = 0; i < size; i += 1) {
      const place = k * size + i;
      const held = penalty(i, size, l2, rows) * (weights[place] as number);
      loss += (held * (weights[place] as number)) / 2;
      slope[place] = dot(chances[k] as Float64Array, columns[i] as Float64Array) + held;
    }
  return { weights, loss, slope };
}

/** Margins of a row → its probabilities less what happened. Returns the row's loss. */
function toResiduals(chances: readonly Float64Array[], at: number, happened: number): number {
  let greatest = -Infinity;
  for (const chance of chances) greatest = Math.max(greatest, chance[at] as number);
  let sum = 0;
  for (const chance of chances) sum += Math.exp((chance[at] as number) - greatest);
  const whole = greatest + Math.log(sum);
  const loss = whole - ((chances[happened] as Float64Array)[at] as number);
  chances.forEach((chance, k) => {
    chance[at] = Math.exp((chance[at] as number) - whole) - (k === happened ? 1 : 0);
  });
  return loss;
}
