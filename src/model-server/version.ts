/** One version of a model, taken from MLflow, tried, and ready to answer. */
import { z } from 'zod';
import type { MlflowVersion } from '../connectors/mlflow/index.js';
import { DatalabError } from '../contracts/errors.js';
import { MODEL_KINDS, outputsOf, WINDOW_STATISTICS, type ModelDefinition } from '../contracts/model.js';
import type { ParityCheck } from '../contracts/serving.js';
import type { Evaluation } from '../contracts/training.js';
import { openPredictor, type Predictor } from '../ml/predictor.js';
import type { ModelServerDeps } from './deps.js';
import { NewestFeatures } from './features.js';
import { checkParity } from './parity.js';

export interface LoadedVersion {
  readonly model: string;
  readonly version: string;
  readonly definition: ModelDefinition;
  readonly predictor: Predictor;
  readonly features: NewestFeatures;
  readonly parity: ParityCheck;
  /** Where a row's numbers stand while it is predicted: one for all, since nothing waits in between. */
  readonly row: Float32Array;
  /** ISO instant. */
  readonly loadedAt: string;
}

/** What of a definition is relied on; the rest was held to the schema of model files when it was trained. */
const definitionSchema = z.looseObject({
  ...{ name: z.string(), dataset: z.string(), table: z.string(), time: z.string() },
  keys: z.array(z.string()).min(1),
  target: z.looseObject({
    ...{ expression: z.string(), horizon: z.number(), kind: z.enum(MODEL_KINDS) },
    classes: z.array(z.string()).optional(),
  }),
  features: z.array(
    z.object({
      ...{ name: z.string(), expression: z.string(), lags: z.array(z.number()) },
      windows: z.array(z.object({ rows: z.number(), statistic: z.enum(WINDOW_STATISTICS) })),
    }),
  ),
  baselines: z.array(z.looseObject({ kind: z.string() })),
  missing: z.enum(['drop', 'keep']),
  fingerprint: z.string(),
});
const smokeSchema = z.array(
  z.object({
    ...{ features: z.record(z.string(), z.number().nullable()), prediction: z.number() },
    probabilities: z.array(z.number()).optional(),
  }),
);

/** Whether DataLab made the version: others' models are none of ours to serve. */
export const isOurs = ({ tags }: MlflowVersion): boolean => tags['datalab.model'] !== undefined;

/** Throws MODEL_UNREADABLE, MODEL_PARITY and what MLflow says. */
export async function loadVersion(
  deps: ModelServerDeps,
  model: string,
  { version, source }: MlflowVersion,
): Promise<LoadedVersion> {
  const read = async (name: string): Promise<string> =>
    (await deps.mlflow.getArtifact(source, name)).toString();
  const [json, smoke, defined] = await Promise.all(['model.json', 'smoke.json', 'definition.json'].map(read));
  const what = `model '${model}' version ${version}`;
  const definition = parse(what, definitionSchema, defined) as unknown as ModelDefinition;
  const rows: Evaluation['smoke'] = parse(what, smokeSchema, smoke);
  const predictor = openPredictor(json ?? '');
  if (predictor.outputs !== outputsOf(definition.target))
    throw new DatalabError(
      'MODEL_UNREADABLE',
      `${what}: it says ${predictor.outputs} numbers of a row, its definition ${outputsOf(definition.target)}`,
    );
  const parity = await checkParity(what, predictor, json ?? '', rows, deps.native);
  const features = new NewestFeatures(deps.lake, definition, predictor.featureNames);
  const loadedAt = new Date(deps.clock.nowMs()).toISOString();
  const row = new Float32Array(predictor.featureNames.length);
  return { model, version, definition, predictor, features, parity, row, loadedAt };
}

function parse<T>(what: string, schema: z.ZodType<T>, text = ''): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new DatalabError('MODEL_UNREADABLE', `${what}: ${(error as Error).message.slice(0, 500)}`, {
      cause: error,
    });
  }
}
