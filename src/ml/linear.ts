/** Ridge and logistic regression, solved exactly, as weights of the plain features. A missing value counts as zero. */
import type { ModelKind } from '../contracts/model.js';

export interface LinearModel {
  /** One weight per feature, then the intercept, in single precision as the stored model has them. */
  readonly weights: Float32Array;
}

const ITERATIONS_MAX = 200;

/** Share of the step before at which a step still counts as progress; past it the curvature is measured anew. */
const SLOW = 0.25;

/** Standardised features, column by column, and a last column of ones. */
export type Columns = readonly Float64Array[];

/**
 * Fits with an L2 penalty on standardised features (not on the intercept). Logistic by Newton's method, with the curvature
 * kept from step to step while that brings them down well: measuring it takes ten times what a step takes otherwise. `x`
 * is row by row.
 */
export function fitLinear(
  x: Float32Array,
  y: Float64Array,
  width: number,
  l2: number,
  kind: Exclude<ModelKind, 'multiclass'>,
): LinearModel {
  const { mean, scale } = moments(x, y.length, width);
  const columns = standardised(x, y.length, mean, scale);
  const weights = kind === 'binary' ? logistic(columns, y, l2) : leastSquares(columns, y, l2);
  const plain = new Float32Array(width + 1);
  let intercept = weights[width] as number;
  for (let i = 0; i < width; i += 1) {
    const value = (weights[i] as number) / (scale[i] as number);
    plain[i] = value;
    intercept -= value * (mean[i] as number);
  }
  plain[width] = intercept;
  return { weights: plain };
}

function leastSquares(columns: Columns, y: Float64Array, l2: number): Float64Array {
  const right = Float64Array.from(columns, (column) => dot(column, y));
  return solve(factorOf(columns, undefined, l2), right);
}

function logistic(columns: Columns, y: Float64Array, l2: number): Float64Array {
  const size = columns.length;
  const probability = new Float64Array(y.length);
  const residual = new Float64Array(y.length);
  const weights = new Float64Array(size);
  let step: Float64Array = new Float64Array(size);
  let factor: readonly Float64Array[] | undefined;
  let [before, lossBefore] = [Infinity, Infinity];
  for (let iteration = 0; iteration < ITERATIONS_MAX; iteration += 1) {
    probabilities(columns, weights, probability);
    const loss = lossOf(probability, y, weights, l2);
    if (loss > lossBefore * (1 + 1e-12)) {
      // Too far: halfway back, and on from there by the curvature of that place.
      step = step.map((value) => value / 2);
      for (let i = 0; i < size; i += 1) weights[i] = (weights[i] as number) - (step[i] as number);
      [factor, before] = [undefined, Infinity];
      continue;
    }
    lossBefore = loss;
    for (let at = 0; at < y.length; at += 1) residual[at] = (y[at] as number) - (probability[at] as number);
    factor ??= factorOf(columns, curvatureOf(probability), l2);
    const uphill = Float64Array.from(
      columns,
      (column, i) => dot(column, residual) - penalty(i, size, l2, y.length) * (weights[i] as number),
    );
    step = solve(factor, uphill);
    const moved = step.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    for (let i = 0; i < size; i += 1) weights[i] = (weights[i] as number) + (step[i] as number);
    if (moved < 1e-10) break;
    if (moved > SLOW * before) factor = undefined;
    before = moved;
  }
  return weights;
}

function curvatureOf(probability: Float64Array): Float64Array {
  return probability.map((p) => Math.max(p * (1 - p), 1e-9));
}

function lossOf(probability: Float64Array, y: Float64Array, weights: Float64Array, l2: number): number {
  let loss = 0;
  for (let at = 0; at < y.length; at += 1) {
    const p = probability[at] as number;
    loss -= Math.log(Math.max((y[at] as number) > 0.5 ? p : 1 - p, 1e-300));
  }
  return weights.reduce((sum, w, i) => sum + (penalty(i, weights.length, l2, y.length) * w * w) / 2, loss);
}

function probabilities(columns: Columns, weights: Float64Array, into: Float64Array): void {
  into.fill(0);
  columns.forEach((column, i) => {
    const weight = weights[i] as number;
    for (let at = 0; at < into.length; at += 1)
      into[at] = (into[at] as number) + weight * (column[at] as number);
  });
  for (let at = 0; at < into.length; at += 1) into[at] = 1 / (1 + Math.exp(-(into[at] as number)));
}

/** A hair of penalty everywhere keeps features that say the same from making the system singular. */
export function penalty(column: number, size: number, l2: number, rows: number): number {
  return (column < size - 1 ? l2 : 0) + 1e-9 * rows;
}

/** Cholesky factor, row by row, of the columns' products with each other, weighted row by row, with the penalty added. */
export function factorOf(
  columns: Columns,
  weight: Float64Array | undefined,
  l2: number,
): readonly Float64Array[] {
  const size = columns.length;
  const factor: Float64Array[] = [];
  for (const [i, column] of columns.entries()) {
    const scaled = weight ? column.map((value, at) => value * (weight[at] as number)) : column;
    const row = new Float64Array(i + 1);
    for (let j = 0; j <= i; j += 1) {
      let sum = dot(scaled, columns[j] as Float64Array);
      if (i === j) sum += penalty(i, size, l2, column.length);
      const other = j === i ? row : (factor[j] as Float64Array);
      for (let k = 0; k < j; k += 1) sum -= (row[k] as number) * (other[k] as number);
      row[j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / (other[j] as number);
    }
    factor.push(row);
  }
  return factor;
}

/** Solves the system of which `factor` is the Cholesky factor. */
export function solve(factor: readonly Float64Array[], right: Float64Array): Float64Array {
  const out = Float64Array.from(right);
  for (const [i, row] of factor.entries()) {
    for (let k = 0; k < i; k += 1) out[i] = (out[i] as number) - (row[k] as number) * (out[k] as number);
    out[i] = (out[i] as number) / (row[i] as number);
  }
  for (let i = factor.length - 1; i >= 0; i -= 1) {
    for (let k = i + 1; k < factor.length; k += 1)
      out[i] = (out[i] as number) - ((factor[k] as Float64Array)[i] as number) * (out[k] as number);
    out[i] = (out[i] as number) / ((factor[i] as Float64Array)[i] as number);
  }
  return out;
}

export function dot(a: Float64Array, b: Float64Array): number {
  // Four sums beside each other, so that one addition need not wait for the other.
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  const whole = a.length - (a.length % 4);
  for (let at = 0; at < whole; at += 4) {
    s0 += (a[at] as number) * (b[at] as number);
    s1 += (a[at + 1] as number) * (b[at + 1] as number);
    s2 += (a[at + 2] as number) * (b[at + 2] as number);
    s3 += (a[at + 3] as number) * (b[at + 3] as number);
  }
  for (let at = whole; at < a.length; at += 1) s0 += (a[at] as number) * (b[at] as number);
  return s0 + s1 + (s2 + s3);
}

export function standardised(
  x: Float32Array,
  rows: number,
  mean: Float64Array,
  scale: Float64Array,
): Columns {
  const width = mean.length;
  const columns = Array.from({ length: width }, (_, i) => {
    const column = new Float64Array(rows);
    for (let at = 0; at < rows; at += 1)
      column[at] = (finite(x[at * width + i]) - (mean[i] as number)) / (scale[i] as number);
    return column;
  });
  return [...columns, new Float64Array(rows).fill(1)];
}

const finite = (value: number | undefined): number =>
  value === undefined || Number.isNaN(value) ? 0 : value;

export function moments(
  x: Float32Array,
  rows: number,
  width: number,
): { mean: Float64Array; scale: Float64Array } {
  const mean = new Float64Array(width);
  const scale = new Float64Array(width);
  for (let at = 0; at < rows; at += 1)
    for (let i = 0; i < width; i += 1) mean[i] = (mean[i] ?? 0) + finite(x[at * width + i]) / rows;
  for (let at = 0; at < rows; at += 1)
    for (let i = 0; i < width; i += 1)
      scale[i] = (scale[i] ?? 0) + (finite(x[at * width + i]) - (mean[i] ?? 0)) ** 2 / rows;
  return { mean, scale: Float64Array.from(scale, (variance) => (variance > 0 ? Math.sqrt(variance) : 1)) };
}
