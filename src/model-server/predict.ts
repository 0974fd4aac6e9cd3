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
export type Row = Readonly<Record<string, number | null>>;

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
  return rows ? predictRows(loaded, rows, at) : told(loaded, await byKey(loaded, keys), at);
}

/** Throws INPUT_INVALID and PREDICTION_FEATURE_MISSING. */
export function predictRows(loaded: LoadedVersion, rows: readonly Row[], at: string): Predicted {
  return told(loaded, byRow(loaded, rows), at);
}

function told({ model, version, definition }: LoadedVersion, of: Made, at: string): Predicted {
  const id = randomUUID();
  const { goldVersion, predictions } = of;
  const { classes = [] } = definition.target;
  const records = predictions.map((one): PredictionRecord => {
    const { prediction, probabilities } = one;
    const key = one.key ? keyText(definition, one.key) : null;
    const record = { id, at, model, version, key, time: one.time ?? null, prediction };
    return probabilities
      ? { ...record, probabilities: classes.map((name) => probabilities[name] ?? NaN) }
      : record;
  });
  const gold = goldVersion !== undefined && { table: `gold.${definition.table}`, version: goldVersion };
  return {
    answer: gold ? { id, model, version, gold, predictions } : { id, model, version, predictions },
    records,
  };
}

function byRow({ predictor, definition, row: values }: LoadedVersion, rows: readonly Row[]): Made {
  const { featureNames } = predictor;
  const problems: string[] = [];
  const incomplete: string[] = [];
  const predictions = rows.map((given, index): Prediction => {
    const missing = fill(values, featureNames, given);
    if (missing === undefined) problems.push(...problemsOf(featureNames, given, index));
    else if (missing !== '' && definition.missing === 'drop')
      incomplete.push(`rows.${index}: ${missing} is null`);
    return sayRow(predictor, values, definition.target.classes);
  });
  refuse('INPUT_INVALID', problems);
  refuse('PREDICTION_FEATURE_MISSING', incomplete);
  return { predictions };
}

/** The first feature that is null, or an empty text; undefined of a row that is refused. */
function fill(values: Float32Array, names: readonly string[], given: Row): string | undefined {
  let missing = '';
  for (let place = 0; place < names.length; place += 1) {
    const name = names[place] ?? '';
    const value = given[name];
    if (value === undefined) return undefined;
    if (value === null) missing ||= name;
    else if (!Number.isFinite(Math.fround(value))) return undefined;
    values[place] = value ?? NaN;
  }
  let known = 0;
  for (const _ in given) known += 1;
  return known === names.length ? missing : undefined;
}

function problemsOf(names: readonly string[], given: Row, index: number): string[] {
  const known = new Set(names);
  const strange = Object.keys(given).filter((name) => !known.has(name));
  const absent = names.filter((name) => given[name] === undefined);
  const large = names.filter((name) => Math.abs(Math.fround(given[name] ?? NaN)) === Infinity);
  return [
    ...(strange.length > 0 ? [`rows.${index}: the model takes no feature ${strange.join(', ')}`] : []),
    ...(absent.length > 0 ? [`rows.${index}: ${absent.join(', ')} is not given`] : []),
    ...large.map((name) => `rows.${index}: ${name} is too large for single precision`),
  ];
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
