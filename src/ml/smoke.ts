/** Stored rows of a version with what was predicted of them, and whether a predictor still says the same. */
import type { Evaluation } from '../contracts/training.js';
import type { Predictor } from './predictor.js';

export type SmokeRow = Evaluation['smoke'][number];

/** Share of a prediction (and of one, for small ones) by which single precision may differ. */
const DIFFERENCE_MAX = 1e-4;

/** What the library said of the row: one number, or the probability of each class. */
export const storedScores = ({ prediction, probabilities }: SmokeRow): readonly number[] =>
  probabilities ?? [prediction];

/** The first of the numbers that is another than expected, if one is; else the greatest difference. */
export function compareScores(
  own: ArrayLike<number>,
  expected: ArrayLike<number>,
  at = 0,
): { readonly greatest: number } | { readonly own: number; readonly wanted: number } {
  let greatest = 0;
  for (let place = 0; place < own.length; place += 1) {
    const said = own[place] ?? NaN;
    const wanted = expected[at + place] ?? NaN;
    const difference = Math.abs(said - wanted);
    if (!(difference <= DIFFERENCE_MAX * (1 + Math.abs(wanted)))) return { own: said, wanted };
    greatest = Math.max(greatest, difference);
  }
  return { greatest };
}

/** The features of stored rows in the order of the predictor, NaN where one is missing. */
export function smokeMatrix({ featureNames }: Predictor, rows: readonly SmokeRow[]): Float32Array {
  return Float32Array.from(rows.flatMap(({ features }) => featureNames.map((name) => features[name] ?? NaN)));
}
