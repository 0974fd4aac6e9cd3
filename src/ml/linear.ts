/** Ridge and logistic regression, solved exactly, as weights of the plain features. A missing value counts as zero. */
import type { ModelKind } from '../contracts/model.js';

export interface LinearModel {
  /** One weight per feature, then the intercept, in single precision as the stored model has them. */
  readonly weights: Float32Array;
}

const ITERATIONS_MAX = 50;

/**
 * Fits with an L2 penalty on standardised features (not on the intercept). Logistic by iteratively reweighted least
 * squares. `x` is row by row.
 */
export function fitLinear(
  x: Float32Array,
  y: Float64Array,
  width: number,
  l2: number,
  kind: ModelKind,
): LinearModel {
  const rows = y.length;
  const { mean, scale } = moments(x, rows, width);
  const size = width + 1;
  const row = new Float64Array(size);
  let weights: Float64Array = new Float64Array(size);
  for (let iteration = 0; iteration < (kind === 'binary' ? ITERATIONS_MAX : 1); iteration += 1) {
    const normal = new Float64Array(size * size);
    const right = new Float64Array(size);
    for (let at = 0; at < rows; at += 1) {
      standardise(x, at, width, mean, scale, row);
      const { weight, response } = working(row, weights, y[at] ?? 0, kind);
      for (let i = 0; i < size; i += 1) {
        const scaled = weight * (row[i] ?? 0);
        right[i] = (right[i] ?? 0) + scaled * response;
        for (let j = 0; j <= i; j += 1)
          normal[i * size + j] = (normal[i * size + j] ?? 0) + scaled * (row[j] ?? 0);
      }
    }
    // A hair of penalty everywhere keeps features that say the same from making the system singular.
    for (let i = 0; i < size; i += 1)
      normal[i * size + i] = (normal[i * size + i] ?? 0) + (i < width ? l2 : 0) + 1e-9 * rows;
    const next = solve(normal, right, size);
    const moved = next.reduce((most, value, i) => Math.max(most, Math.abs(value - (weights[i] ?? 0))), 0);
    weights = next;
    if (moved < 1e-10) break;
  }
  const plain = new Float32Array(size);
  let intercept = weights[width] ?? 0;
  for (let i = 0; i < width; i += 1) {
    const value = (weights[i] ?? 0) / (scale[i] ?? 1);
    plain[i] = value;
    intercept -= value * (mean[i] ?? 0);
  }
  plain[width] = intercept;
  return { weights: plain };
}

/** What the current fit asks of a row: its weight, and the response that a least-squares step should meet. */
function working(
  row: Float64Array,
  weights: Float64Array,
  y: number,
  kind: ModelKind,
): { weight: number; response: number } {
  if (kind === 'regression') return { weight: 1, response: y };
  const margin = row.reduce((sum, value, i) => sum + value * (weights[i] ?? 0), 0);
  const probability = 1 / (1 + Math.exp(-margin));
  const weight = Math.max(probability * (1 - probability), 1e-9);
  return { weight, response: margin + (y - probability) / weight };
}

function standardise(
  x: Float32Array,
  at: number,
  width: number,
  mean: Float64Array,
  scale: Float64Array,
  into: Float64Array,
): void {
  for (let i = 0; i < width; i += 1) into[i] = (finite(x[at * width + i]) - (mean[i] ?? 0)) / (scale[i] ?? 1);
  into[width] = 1;
}

const finite = (value: number | undefined): number =>
  value === undefined || Number.isNaN(value) ? 0 : value;

function moments(x: Float32Array, rows: number, width: number): { mean: Float64Array; scale: Float64Array } {
  const mean = new Float64Array(width);
  const scale = new Float64Array(width);
  for (let at = 0; at < rows; at += 1)
    for (let i = 0; i < width; i += 1) mean[i] = (mean[i] ?? 0) + finite(x[at * width + i]) / rows;
  for (let at = 0; at < rows; at += 1)
    for (let i = 0; i < width; i += 1)
      scale[i] = (scale[i] ?? 0) + (finite(x[at * width + i]) - (mean[i] ?? 0)) ** 2 / rows;
  return { mean, scale: Float64Array.from(scale, (variance) => (variance > 0 ? Math.sqrt(variance) : 1)) };
}

/** Cholesky of a symmetric positive matrix, of which the lower half is given. */
function solve(lower: Float64Array, right: Float64Array, size: number): Float64Array {
  const factor = new Float64Array(lower);
  for (let i = 0; i < size; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      let sum = factor[i * size + j] ?? 0;
      for (let k = 0; k < j; k += 1) sum -= (factor[i * size + k] ?? 0) * (factor[j * size + k] ?? 0);
      factor[i * size + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / (factor[j * size + j] ?? 1);
    }
  }
  const out = new Float64Array(right);
  for (let i = 0; i < size; i += 1) {
    for (let k = 0; k < i; k += 1) out[i] = (out[i] ?? 0) - (factor[i * size + k] ?? 0) * (out[k] ?? 0);
    out[i] = (out[i] ?? 0) / (factor[i * size + i] ?? 1);
  }
  for (let i = size - 1; i >= 0; i -= 1) {
    for (let k = i + 1; k < size; k += 1)
      out[i] = (out[i] ?? 0) - (factor[k * size + i] ?? 0) * (out[k] ?? 0);
    out[i] = (out[i] ?? 0) / (factor[i * size + i] ?? 1);
  }
  return out;
}
