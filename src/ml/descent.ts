/**
 * The way down a smooth and convex loss: quasi-Newton steps (L-BFGS) that begin from a curvature which is given. Everything is plain
 * arithmetic in one order, so the same loss ends in the same place.
 */

const MEMORY = 10;

export interface Place {
  readonly weights: Float64Array;
  readonly loss: number;
  readonly slope: Float64Array;
}

export interface Loss {
  lookAt(weights: Float64Array): Place;
  /** What the inverse of the curvature at the place that was looked at last makes of a slope, as far as that is known. */
  curvature(): (slope: Float64Array) => Float64Array;
}

export interface Stop {
  readonly iterations: number;
  /** After so many steps the curvature is measured anew. */
  readonly renew: number;
  readonly isDone: (place: Place, moved: Float64Array | undefined) => boolean;
}

interface Step {
  readonly moved: Float64Array;
  readonly turned: Float64Array;
  readonly product: number;
}

/** The weights where it ends, begun at zero. */
export function descend(loss: Loss, size: number, stop: Stop): Float64Array {
  let here = loss.lookAt(new Float64Array(size));
  let curved = loss.curvature();
  let steps: Step[] = [];
  let since = 0;
  let moved: Float64Array | undefined;
  for (let iteration = 0; iteration < stop.iterations && !stop.isDone(here, moved); iteration += 1) {
    const next = alongWay(loss, here, downhill(here.slope, steps, curved));
    if (next === undefined || since >= stop.renew) {
      // At the bottom no step leads on, whatever the curvature.
      if (next === undefined && since === 0) break;
      // Looked at again, so that the curvature is that of this place.
      here = next ?? loss.lookAt(here.weights);
      [curved, steps, since, moved] = [loss.curvature(), [], 0, undefined];
      continue;
    }
    const { weights, slope } = here;
    moved = next.weights.map((value, at) => value - (weights[at] as number));
    const turned = next.slope.map((value, at) => value - (slope[at] as number));
    const product = scalar(moved, turned);
    if (product > 0) steps.push({ moved, turned, product });
    if (steps.length > MEMORY) steps.shift();
    here = next;
    since += 1;
  }
  return here.weights;
}

/** The first of ever shorter steps that brings the loss down as its slope promises; none where no step does. */
function alongWay(loss: Loss, here: Place, way: Float64Array): Place | undefined {
  const promise = scalar(here.slope, way);
  if (!(promise < 0)) return undefined;
  // A sum over many rows is not known more exactly than this.
  const noise = 1e-13 * Math.abs(here.loss);
  for (let length = 1; length > 1e-8; length /= 2) {
    const next = loss.lookAt(here.weights.map((value, at) => value + length * (way[at] as number)));
    if (next.loss <= here.loss + 1e-4 * length * promise + noise) return next;
  }
  return undefined;
}

/** The two loops of L-BFGS over the last steps, newest first and back. */
function downhill(
  slope: Float64Array,
  steps: readonly Step[],
  curved: (slope: Float64Array) => Float64Array,
): Float64Array {
  const left = Float64Array.from(slope);
  const shares = new Float64Array(steps.length);
  for (let at = steps.length - 1; at >= 0; at -= 1) {
    const { moved, turned, product } = steps[at] as Step;
    shares[at] = scalar(moved, left) / product;
    add(left, -(shares[at] as number), turned);
  }
  const way = curved(left);
  for (let at = 0; at < steps.length; at += 1) {
    const { moved, turned, product } = steps[at] as Step;
    add(way, (shares[at] as number) - scalar(turned, way) / product, moved);
  }
  return way.map((value) => -value);
}

function scalar(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at += 1) sum += (a[at] as number) * (b[at] as number);
  return sum;
}

function add(into: Float64Array, factor: number, what: Float64Array): void {
  for (let at = 0; at < into.length; at += 1) into[at] = (into[at] as number) + factor * (what[at] as number);
}
