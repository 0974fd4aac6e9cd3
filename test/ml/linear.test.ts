/** Linear and logistic regression end where no small change of the weights is better. */
import { describe, expect, it } from 'vitest';
import { fitLinear } from '../../src/ml/linear.js';
import { seeded } from '../../src/ml/random.js';

const WIDTH = 4;

interface World {
  readonly x: Float32Array;
  readonly y: Float64Array;
}

/** Rows whose answer depends on the features by `margin`, and on chance. */
function world(rows: number, seed: number, margin: (row: Float32Array) => number): World {
  const random = seeded(seed);
  const x = Float32Array.from({ length: rows * WIDTH }, (_, at) => (random() - 0.5) * 10 ** (at % WIDTH));
  const y = Float64Array.from({ length: rows }, (_, at) => {
    const chance = 1 / (1 + Math.exp(-margin(x.subarray(at * WIDTH, (at + 1) * WIDTH))));
    return random() < chance ? 1 : 0;
  });
  return { x, y };
}

/** The steepest slope of the penalised loss by weights of standardised features and the intercept, per row. */
function slope({ x, y }: World, weights: Float32Array, l2: number): number {
  const rows = y.length;
  const value = (at: number, i: number): number =>
    Number.isNaN(x[at * WIDTH + i]) ? 0 : (x[at * WIDTH + i] as number);
  const slopes = Array.from({ length: WIDTH + 1 }, () => 0);
  const mean = Array.from({ length: WIDTH }, (_, i) =>
    y.reduce((sum, _y, at) => sum + value(at, i) / rows, 0),
  );
  const scale = mean.map(
    (m, i) => Math.sqrt(y.reduce((sum, _y, at) => sum + (value(at, i) - m) ** 2 / rows, 0)) || 1,
  );
  for (let at = 0; at < rows; at += 1) {
    const margin = mean.reduce(
      (sum, _m, i) => sum + value(at, i) * (weights[i] as number),
      weights[WIDTH] as number,
    );
    const residual = (y[at] as number) - 1 / (1 + Math.exp(-margin));
    for (let i = 0; i < WIDTH; i += 1)
      slopes[i] =
        (slopes[i] as number) + (residual * (value(at, i) - (mean[i] as number))) / (scale[i] as number);
    slopes[WIDTH] = (slopes[WIDTH] as number) + residual;
  }
  return Math.max(
    ...slopes.map(
      (s, i) => Math.abs(s - (i < WIDTH ? l2 * (weights[i] as number) * (scale[i] as number) : 0)) / rows,
    ),
  );
}

describe('logistic regression', () => {
  it.each([
    ['a weak signal', 0, (row: Float32Array) => 0.3 * (row[0] as number)],
    [
      'a strong signal on several scales',
      1,
      (row: Float32Array) => 6 * (row[0] as number) - 0.05 * (row[2] as number),
    ],
    ['rare answers', 1, (row: Float32Array) => (row[0] as number) - 5],
    ['no signal', 0, () => 0],
  ])('ends where the loss is flat: %s', (_name, l2, margin) => {
    const made = world(3000, 20261129, margin);
    const { weights } = fitLinear(made.x, made.y, WIDTH, l2, 'binary');
    expect(slope(made, weights, l2)).toBeLessThan(1e-5);
  });

  it('stays finite where the classes part, all answers are one, features repeat or are missing', () => {
    const parted = world(500, 7, (row) => ((row[0] as number) > 0 ? 1e6 : -1e6));
    const one = { ...parted, y: new Float64Array(500).fill(1) };
    const repeated = { ...parted, x: parted.x.map((_value, at) => parted.x[at - (at % WIDTH)] as number) };
    const missing = { ...parted, x: parted.x.map((value, at) => (at % 3 === 0 ? NaN : value)) };
    for (const { x, y } of [parted, one, repeated, missing]) {
      const { weights } = fitLinear(x, y, WIDTH, 0.1, 'binary');
      expect([...weights].every(Number.isFinite)).toBe(true);
      // The same bytes give the same bytes.
      expect(fitLinear(x, y, WIDTH, 0.1, 'binary').weights).toEqual(weights);
    }
    const right = (weights: Float32Array): number =>
      parted.y.filter((y, at) => {
        const margin = [0, 1, 2, 3].reduce(
          (sum, i) => sum + (parted.x[at * WIDTH + i] as number) * (weights[i] as number),
          weights[WIDTH] as number,
        );
        return margin > 0 === y > 0.5;
      }).length;
    expect(right(fitLinear(parted.x, parted.y, WIDTH, 0.1, 'binary').weights)).toBeGreaterThan(490);
  });
});

it('finds the plane through points that lie on one', () => {
  const random = seeded(3);
  const x = Float32Array.from({ length: 200 * WIDTH }, () => random());
  const y = Float64Array.from(
    { length: 200 },
    (_, at) => 3 * (x[at * WIDTH] as number) - 2 * (x[at * WIDTH + 3] as number) + 1,
  );
  const { weights } = fitLinear(x, y, WIDTH, 0, 'regression');
  [3, 0, 0, -2, 1].forEach((expected, i) => expect(weights[i]).toBeCloseTo(expected, 4));
});
