/** Whether our own predictor says what XGBoost's library says: tried before a version answers anybody. */
import { DatalabError } from '../contracts/errors.js';
import type { ParityCheck } from '../contracts/serving.js';
import type { Evaluation } from '../contracts/training.js';
import type { Predictor } from '../ml/predictor.js';
import { seeded } from '../ml/random.js';

/** Predictions of the library for rows of a model in JSON. */
export type NativePredict = (
  json: string,
  x: Float32Array,
  width: number,
) => Promise<{ readonly engine: string; readonly predictions: readonly number[] }>;

/** Share of a prediction (and of one, for small ones) by which single precision may differ. */
const DIFFERENCE_MAX = 1e-4;
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
  smoke: Evaluation['smoke'],
  native: NativePredict | null,
): Promise<ParityCheck> {
  const width = predictor.featureNames.length;
  const stored = matrixOf(predictor, smoke);
  const known = smoke.map(({ prediction }) => prediction);
  const atTraining = greatest(what, predictor, stored, known, 'is stored');
  if (!native) {
    const detail = "XGBoost's library is not on this machine";
    return { against: 'stored', rows: known.length, difference: atTraining, detail };
  }
  const x = mixed(stored, width);
  const { engine, predictions } = await native(json, x, width);
  const now = greatest(what, predictor, x, predictions, 'is what the library says');
  return {
    ...{ against: 'native', rows: predictions.length },
    ...{ difference: Math.max(atTraining, now), detail: engine },
  };
}

function matrixOf({ featureNames }: Predictor, smoke: Evaluation['smoke']): Float32Array {
  return Float32Array.from(
    smoke.flatMap(({ features }) => featureNames.map((name) => features[name] ?? NaN)),
  );
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
  return expected.reduce((most, wanted, row) => {
    const own = predictor.predict(x, row * width);
    const difference = Math.abs(own - wanted);
    if (difference <= DIFFERENCE_MAX * (1 + Math.abs(wanted))) return Math.max(most, difference);
    throw new DatalabError('MODEL_PARITY', `${what} predicts ${own} where ${wanted} ${where}`);
  }, 0);
}
