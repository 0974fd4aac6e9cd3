/**
 * Multinomial logistic regression with an L2 penalty, as weights of the plain features. A missing value counts as zero.
 *
 * Quasi-Newton steps (L-BFGS) from a curvature that is never too small: half the features' products with each other, the same for
 * every class (Böhning). It is factored once, whatever the number of classes.
 */
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

const ITERATIONS_MAX = 500;
const MEMORY = 10;
/** The steepest slope per row at which a fit is done. */
const FLAT = 1e-9;

interface Problem {
  readonly columns: Columns;
  readonly y: Float64Array;
  readonly classes: number;
  readonly l2: number;
}

interface Place {
  /** Class by class, one weight per column. */
  readonly weights: Float64Array;
  readonly loss: number;
  readonly slope: Float64Array;
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
  const weights = descend({ columns, y, classes, l2 });
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

function descend(problem: Problem): Float64Array {
  const { columns, y, classes, l2 } = problem;
  const size = columns.length;
  const factor = factorOf(columns, new Float64Array(y.length).fill(0.5), l2);
  const scratch = Array.from({ length: classes }, () => new Float64Array(y.length));
  let here = lookAt(problem, new Float64Array(size * classes), scratch);
  const steps: Array<{ readonly moved: Float64Array; readonly turned: Float64Array }> = [];
  for (let iteration = 0; iteration < ITERATIONS_MAX; iteration += 1) {
    const steepest = here.slope.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    if (steepest <= FLAT * y.length) break;
    const way = downhill(here.slope, steps, (slope) => solveEach(factor, slope, classes));
    const next = alongWay(problem, here, way, scratch);
    if (!next) {
      // What was remembered of the curvature leads nowhere; without it the bound alone does not, unless this is the bottom.
      if (steps.length === 0) break;
      steps.length = 0;
      continue;
    }
    const moved = next.weights.map((value, at) => value - (here.weights[at] as number));
    const turned = next.slope.map((value, at) => value - (here.slope[at] as number));
    if (dot(moved, turned) > 0) steps.push({ moved, turned });
    if (steps.length > MEMORY) steps.shift();
    here = next;
  }
  return here.weights;
}

/** The first of ever shorter steps that brings the loss down as its slope promises; none where no step does. */
function alongWay(
  problem: Problem,
  here: Place,
  way: Float64Array,
  scratch: Float64Array[],
): Place | undefined {
  const promise = dot(here.slope, way);
  if (!(promise < 0)) return undefined;
  for (let length = 1; length > 1e-8; length /= 2) {
    const next = lookAt(
      problem,
      here.weights.map((value, at) => value + length * (way[at] as number)),
      scratch,
    );
    if (next.loss <= here.loss + 1e-4 * length * promise) return next;
  }
  return undefined;
}

/** The two loops of L-BFGS over the last steps, newest first and back. */
function downhill(
  slope: Float64Array,
  steps: ReadonlyArray<{ readonly moved: Float64Array; readonly turned: Float64Array }>,
  start: (slope: Float64Array) => Float64Array,
): Float64Array {
  const left = Float64Array.from(slope);
  const shares = new Float64Array(steps.length);
  for (let at = steps.length - 1; at >= 0; at -= 1) {
    const { moved, turned } = steps[at] as (typeof steps)[number];
    shares[at] = dot(moved, left) / dot(moved, turned);
    for (let i = 0; i < left.length; i += 1)
      left[i] = (left[i] as number) - (shares[at] as number) * (turned[i] as number);
  }
  const way = start(left);
  for (let at = 0; at < steps.length; at += 1) {
    const { moved, turned } = steps[at] as (typeof steps)[number];
    const share = (shares[at] as number) - dot(turned, way) / dot(moved, turned);
    for (let i = 0; i < way.length; i += 1) way[i] = (way[i] as number) + share * (moved[i] as number);
  }
  return way.map((value) => -value);
}

function solveEach(factor: readonly Float64Array[], slope: Float64Array, classes: number): Float64Array {
  const size = factor.length;
  const out = new Float64Array(slope.length);
  for (let k = 0; k < classes; k += 1)
    out.set(solve(factor, slope.subarray(k * size, (k + 1) * size)), k * size);
  return out;
}

/** Loss and slope at these weights. `chances` is room for one list per class. */
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
