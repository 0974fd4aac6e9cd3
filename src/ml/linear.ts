/** Ridge and logistic regression, solved exactly, as weights of the plain features. A missing value counts as zero. */
import type { ModelKind } from '../contracts/model.js';
import { descend, type Place } from './descent.js';

export interface LinearModel {
  /** One weight per feature, then the intercept, in single precision as the stored model has them. */
  readonly weights: Float32Array;
}

const STOP = {
  iterations: 200,
  renew: 25,
  isDone: (_place: Place, moved: Float64Array | undefined): boolean =>
    moved !== undefined && moved.reduce((most, value) => Math.max(most, Math.abs(value)), 0) < 1e-10,
};

/** Rows that are worked on together, so that what is read of them is still near when it is needed again. */
const BLOCK = 2048;

/** Standardised features, column by column, and a last column of ones. */
export type Columns = readonly Float64Array[];

/**
 * Fits with an L2 penalty on standardised features (not on the intercept). Logistic by quasi-Newton steps from the curvature at the
 * start: measuring it takes several times what a step takes. `x` is row by row.
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
  const rows = y.length;
  const probability = new Float64Array(rows);
  const residual = new Float64Array(BLOCK);
  const lookAt = (weights: Float64Array): Place => {
    const slope = new Float64Array(size);
    let loss = 0;
    for (let from = 0; from < rows; from += BLOCK) {
      const to = Math.min(rows, from + BLOCK);
      probabilities(columns, weights, probability, from, to);
      loss += residuals(probability, y, residual, from, to);
      for (let i = 0; i < size; i += 1)
        slope[i] = (slope[i] as number) + partDot(residual, columns[i] as Float64Array, from, to);
    }
    for (let i = 0; i < size; i += 1) {
      const held = penalty(i, size, l2, rows) * (weights[i] as number);
      slope[i] = (slope[i] as number) + held;
      loss += (held * (weights[i] as number)) / 2;
    }
    return { weights, loss, slope };
  };
  const curvature = () => {
    const weight = probability.map((p) => Math.max(p * (1 - p), 1e-9));
    const factor = factorOf(columns, weight, l2);
    return (slope: Float64Array): Float64Array => solve(factor, slope);
  };
  return descend({ lookAt, curvature }, size, STOP);
}

/** Probabilities of some rows. */
function probabilities(
  columns: Columns,
  weights: Float64Array,
  into: Float64Array,
  from: number,
  to: number,
): void {
  for (let at = from; at < to; at += 1) into[at] = 0;
  for (let i = 0; i < columns.length; i += 1) {
    const column = columns[i] as Float64Array;
    const weight = weights[i] as number;
    for (let at = from; at < to; at += 1) into[at] = (into[at] as number) + weight * (column[at] as number);
  }
  for (let at = from; at < to; at += 1) into[at] = 1 / (1 + Math.exp(-(into[at] as number)));
}

/** Probabilities less what happened, from the beginning of `into`. Returns the loss of those rows. */
function residuals(
  probability: Float64Array,
  y: Float64Array,
  into: Float64Array,
  from: number,
  to: number,
): number {
  let loss = 0;
  // One logarithm for some rows: their chances multiplied are far from where numbers end.
  let product = 1;
  for (let at = from; at < to; at += 1) {
    const p = probability[at] as number;
    into[at - from] = p - (y[at] as number);
    product *= Math.max((y[at] as number) > 0.5 ? p : 1 - p, 1e-300);
    if (product < 1e-200) {
      loss -= Math.log(Math.max(product, 1e-300));
      product = 1;
    }
  }
  return loss - Math.log(product);
}

/** The product of some rows of a column with values that begin with the first of them. */
function partDot(values: Float64Array, column: Float64Array, from: number, to: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  const whole = to - ((to - from) % 4);
  for (let at = from; at < whole; at += 4) {
    s0 += (values[at - from] as number) * (column[at] as number);
    s1 += (values[at - from + 1] as number) * (column[at + 1] as number);
    s2 += (values[at - from + 2] as number) * (column[at + 2] as number);
    s3 += (values[at - from + 3] as number) * (column[at + 3] as number);
  }
  for (let at = whole; at < to; at += 1) s0 += (values[at - from] as number) * (column[at] as number);
  return s0 + s1 + (s2 + s3);
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
  const scratch = weight && new Float64Array(weight.length);
  for (const [i, column] of columns.entries()) {
    const scaled = weight && scratch ? multiply(column, weight, scratch) : column;
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

function multiply(a: Float64Array, b: Float64Array, into: Float64Array): Float64Array {
  for (let at = 0; at < into.length; at += 1) into[at] = (a[at] as number) * (b[at] as number);
  return into;
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
  const columns = Array.from({ length: width }, () => new Float64Array(rows));
  for (let from = 0; from < rows; from += BLOCK)
    columns.forEach((column, i) => {
      const [middle, spread] = [mean[i] as number, scale[i] as number];
      for (let at = from; at < Math.min(rows, from + BLOCK); at += 1)
        column[at] = (finite(x[at * width + i]) - middle) / spread;
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
