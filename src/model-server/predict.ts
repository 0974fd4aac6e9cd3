/** One request → predictions, or a refusal that names the row and the feature. All rows of a request, or none. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { DatalabError } from '../contracts/errors.js';
import type { PredictAnswer, Prediction, PredictionRecord } from '../contracts/serving.js';
import { sayRow } from '../ml/say.js';
import { keyText } from './features.js';
import type { LoadedVersion } from './version.js';

const row = z.record(z.string(), z.number().nullable());
const key = z.record(z.string(), z.union([z.string(), z.number()]));

export const predictSchema = z
  .strictObject({
    model: z.string().min(1),
    rows: z.array(row).min(1).optional().describe('A number by feature name; null is a missing value.'),
    keys: z
      .array(key)
      .min(1)
      .optional()
      .describe('Values by key column, such as {"symbol": "AAPL"}: the newest Gold features are taken.'),
  })
  .refine((body) => (body.rows === undefined) !== (body.keys === undefined), {
    error: 'give either rows or keys',
  });

export type PredictRequest = z.output<typeof predictSchema>;

/** How many problems of a request are named. */
const NAMED_MAX = 5;

export interface Predicted {
  readonly answer: PredictAnswer;
  readonly records: readonly PredictionRecord[];
}

interface Made {
  readonly predictions: readonly Prediction[];
  readonly goldVersion?: number;
}

/** Throws INPUT_INVALID, PREDICTION_FEATURE_MISSING, PREDICTION_KEY_UNKNOWN, and what reading Gold throws. */
export async function predict(
  loaded: LoadedVersion,
  { rows, keys = [] }: PredictRequest,
  at: string,
): Promise<Predicted> {
  const id = randomUUID();
  const { model, version, definition } = loaded;
  const of = rows ? byRow(loaded, rows) : await byKey(loaded, keys);
  const { goldVersion } = of;
  const { classes = [] } = definition.target;
  const gold =
    goldVersion === undefined ? {} : { gold: { table: `gold.${definition.table}`, version: goldVersion } };
  const records = of.predictions.map(({ prediction, probabilities, key: asked, time = null }) => ({
    ...{ id, at, model, version, time, prediction },
    key: asked ? keyText(definition, asked) : null,
    ...(probabilities && { probabilities: classes.map((name) => probabilities[name] ?? NaN) }),
  }));
  return { answer: { id, model, version, ...gold, predictions: of.predictions }, records };
}

function byRow(
  { predictor, definition }: LoadedVersion,
  rows: ReadonlyArray<Readonly<Record<string, number | null>>>,
): Made {
  const { featureNames } = predictor;
  const known = new Set(featureNames);
  const problems: string[] = [];
  const incomplete: string[] = [];
  const values = new Float32Array(featureNames.length);
  const predictions = rows.map((given, index): Prediction => {
    const strange = Object.keys(given).filter((name) => !known.has(name));
    const absent = featureNames.filter((name) => given[name] === undefined);
    if (strange.length > 0) problems.push(`rows.${index}: the model takes no feature ${strange.join(', ')}`);
    if (absent.length > 0) problems.push(`rows.${index}: ${absent.join(', ')} is not given`);
    let missing = '';
    featureNames.forEach((name, place) => {
      const value = Math.fround(given[name] ?? NaN);
      values[place] = value;
      if (Number.isNaN(value)) missing ||= name;
      else if (!Number.isFinite(value))
        problems.push(`rows.${index}: ${name} is too large for single precision`);
    });
    if (missing !== '' && definition.missing === 'drop') incomplete.push(`rows.${index}: ${missing} is null`);
    return sayRow(predictor, values, definition.target.classes);
  });
  refuse('INPUT_INVALID', problems);
  refuse('PREDICTION_FEATURE_MISSING', incomplete);
  return { predictions };
}

async function byKey(
  { predictor, definition, features, model }: LoadedVersion,
  keys: ReadonlyArray<Readonly<Record<string, string | number>>>,
): Promise<Made> {
  const names = definition.keys.join(', ');
  const shape = [...definition.keys].sort().join('\n');
  refuse(
    'INPUT_INVALID',
    keys.flatMap((one, index) =>
      Object.keys(one).sort().join('\n') === shape ? [] : [`keys.${index}: model '${model}' wants ${names}`],
    ),
  );
  const { version, byKey: known } = await features.read();
  const unknown: string[] = [];
  const incomplete: string[] = [];
  const predictions = keys.map((asked, index): Prediction => {
    const text = keyText(definition, asked);
    const found = known.get(text);
    if (!found) {
      unknown.push(`keys.${index}: gold.${definition.table} version ${version} has no ${text}`);
      return { prediction: NaN };
    }
    const missing = found.values.findIndex(Number.isNaN);
    if (missing !== -1 && definition.missing === 'drop')
      incomplete.push(`keys.${index}: ${predictor.featureNames[missing]} of ${text} is not known yet`);
    return {
      ...sayRow(predictor, found.values, definition.target.classes),
      key: asked,
      time: new Date(found.time).toISOString(),
    };
  });
  refuse('PREDICTION_KEY_UNKNOWN', unknown);
  refuse('PREDICTION_FEATURE_MISSING', incomplete);
  return { predictions, goldVersion: version };
}

function refuse(
  code: 'INPUT_INVALID' | 'PREDICTION_FEATURE_MISSING' | 'PREDICTION_KEY_UNKNOWN',
  problems: readonly string[],
): void {
  if (problems.length === 0) return;
  const more = problems.length > NAMED_MAX ? `; and ${problems.length - NAMED_MAX} more` : '';
  throw new DatalabError(code, `${problems.slice(0, NAMED_MAX).join('; ')}${more}`);
}
