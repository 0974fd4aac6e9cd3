/** Whether our own predictor says what XGBoost's library says: tried before a version answers anybody. */
import { DatalabError } from '../contracts/errors.js';
import type { ParityCheck } from '../contracts/serving.js';
import type { Predictor } from '../ml/predictor.js';
import { seeded } from '../ml/random.js';
import { compareScores, smokeMatrix, storedScores, type SmokeRow } from '../ml/smoke.js';

/** Predictions of the library for rows of a model in JSON; of several classes, the probabilities of each row. */
export type NativePredict = (
  json: string,
  x: Float32Array,
  width: number,
) => Promise<{ readonly engine: string; readonly predictions: readonly number[] }>;

/** Rows put together from the stored ones, so that paths are walked that no stored row takes. */
const MIXED_ROWS = 200;
const MISSING_SHARE = 0.1;

/**
 * Holds the predictor against what the library said of the stored rows at training, and, where the library is here, against
 * what it says now of more rows, missing values among them. Throws MODEL_PARITY.
 */
export async function checkParity(
  what: string,
  predictor: Predictor,
  json: string,
  smoke: readonly SmokeRow[],
  native: NativePredict | null,
): Promise<ParityCheck> {
  const width = predictor.featureNames.length;
  const stored = smokeMatrix(predictor, smoke);
  const known = smoke.flatMap(storedScores);
  const atTraining = greatest(what, predictor, stored, known, 'is stored');
  if (!native) {
    const detail = "XGBoost's library is not on this machine";
    return { against: 'stored', rows: smoke.length, difference: atTraining, detail };
  }
  const x = mixed(stored, width);
  const { engine, predictions } = await native(json, x, width);
  const now = greatest(what, predictor, x, predictions, 'is what the library says');
  return {
    ...{ against: 'native', rows: x.length / width },
    ...{ difference: Math.max(atTraining, now), detail: engine },
  };
}

/** The stored rows, then rows of which each value is that of some stored row, or missing. Always the same ones. */
function mixed(stored: Float32Array, width: number): Float32Array {
  const rows = stored.length / width;
  const random = seeded(7);
  const more = rows === 0 ? 0 : MIXED_ROWS;
  const all = new Float32Array((rows + more) * width);
  all.set(stored);
  for (let at = stored.length; at < all.length; at += 1) {
    const from = Math.floor(random() * rows);
    all[at] = random() < MISSING_SHARE ? NaN : (stored[from * width + (at % width)] ?? NaN);
  }
  return all;
}

function greatest(
  what: string,
  predictor: Predictor,
  x: Float32Array,
  expected: readonly number[],
  where: string,
): number {
  const width = predictor.featureNames.length;
  let most = 0;
  for (let row = 0; row < x.length / width; row += 1) {
    const found = compareScores(predictor.scores(x, row * width), expected, row * predictor.outputs);
    if ('own' in found)
      throw new DatalabError('MODEL_PARITY', `${what} predicts ${found.own} where ${found.wanted} ${where}`);
    most = Math.max(most, found.greatest);
  }
  return most;
}
