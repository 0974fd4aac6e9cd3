/** Models: as the model files declare them, as MLflow keeps their versions, and how each version was judged. */
import path from 'node:path';
import type { z } from 'zod';
import { listDatasets } from '../../config/datasets.js';
import { loadModels } from '../../config/model.js';
import { openMlflow, type MlflowClient, type MlflowVersion } from '../../connectors/mlflow/index.js';
import { DatalabError } from '../../contracts/errors.js';
import { LOSSES, type ModelDefinition } from '../../contracts/model.js';
import { WATCH_MEMORY, type WatchMemory } from '../../contracts/model-watch.js';
import type { Prediction } from '../../contracts/serving.js';
import { mapLimited } from '../../delta/index.js';
import { openPredictor } from '../../ml/predictor.js';
import { classesIn, sayRow } from '../../ml/say.js';
import type { DashboardDeps } from './deps.js';
import { reasonOf } from './measured.js';
import { askPrediction, servedModel } from './serving.js';
import type { ModelDetail, ModelRow, ModelsNow, ModelVersion, prediction } from './shapes/models.js';

const VERSIONS_SHOWN = 50;
const MODELS_MAX = 200;

/** Throws DatalabError MLFLOW_OFF. */
export function mlflowOf({ config }: DashboardDeps): MlflowClient {
  if (config.mlflow.enabled) return openMlflow(config.mlflow.trackingUri);
  throw new DatalabError('MLFLOW_OFF', 'MLflow is switched off (mlflow.enabled)');
}

/** Every declared model, and those that MLflow keeps without a file. Broken files are named, not fatal. */
export async function modelsNow(deps: DashboardDeps): Promise<ModelsNow> {
  const { declared, problems } = await declaredModels(deps);
  if (!deps.config.mlflow.enabled)
    return {
      ...{ problems, off: 'MLflow is switched off (mlflow.enabled)' },
      models: declared.map((one) => rowOf(one.name, one, [])),
    };
  const mlflow = mlflowOf(deps);
  const registered = await mlflow.models();
  const names = [...new Set([...declared.map(({ name }) => name), ...registered])].sort();
  const models = await mapLimited(names.slice(0, MODELS_MAX), 4, async (name) =>
    rowOf(
      name,
      declared.find((one) => one.name === name),
      registered.includes(name) ? await mlflow.versions(name) : [],
    ),
  );
  return { off: null, problems, models };
}

async function declaredModels({ config, projectDirectory }: DashboardDeps) {
  const folder = path.resolve(projectDirectory, config.datasets.directory);
  const declared: ModelDefinition[] = [];
  const problems: string[] = [];
  for (const dataset of await listDatasets(folder))
    await loadModels(folder, dataset).then(
      (models) => declared.push(...models),
      (error: unknown) => problems.push(`${dataset}: ${reasonOf(error)}`),
    );
  return { declared, problems };
}

function rowOf(
  name: string,
  declared: ModelDefinition | undefined,
  versions: readonly MlflowVersion[],
): ModelRow {
  const holds = (alias: string): string | null =>
    versions.find(({ aliases }) => aliases.includes(alias))?.version ?? null;
  const [newest] = versions;
  return {
    name,
    dataset: declared?.dataset ?? null,
    table: declared ? `gold.${declared.table}` : null,
    metric: declared?.metric ?? null,
    description: declared?.description ?? '',
    ...{ champion: holds('champion'), previous: holds('previous'), candidate: holds('candidate') },
    versions: versions.length,
    newest: newest
      ? {
          version: newest.version,
          decision: newest.tags['datalab.decision'] ?? null,
          reasons: (newest.tags['datalab.reasons'] ?? '').split('\n')[0] ?? '',
          at: newest.createdAt,
        }
      : null,
  };
}

/** One model with its newest versions and their figures. Throws MODEL_UNKNOWN, MLFLOW_OFF, MLFLOW_UNAVAILABLE. */
export async function modelDetail(deps: DashboardDeps, name: string): Promise<ModelDetail> {
  const mlflow = mlflowOf(deps);
  const [{ declared }, versions, served, live] = await Promise.all([
    declaredModels(deps),
    mlflow.versions(name),
    servedModel(deps, name),
    liveOf(deps, name),
  ]);
  const model = declared.find((one) => one.name === name);
  if (!model && versions.length === 0)
    throw new DatalabError('MODEL_UNKNOWN', `there is no model '${name}', declared or in MLflow`);
  const base = deps.config.mlflow.trackingUri.replace(/\/+$/, '');
  const experiment = versions.length === 0 ? null : await mlflow.experiment(`datalab/${name}`);
  const shown = await mapLimited(versions.slice(0, VERSIONS_SHOWN), 4, async (version) =>
    versionOf(version, experiment && `${base}/#/experiments/${experiment}`, await figuresOf(mlflow, version)),
  );
  return {
    name,
    description: model?.description ?? '',
    dataset: model?.dataset ?? null,
    table: model ? `gold.${model.table}` : null,
    metric: model?.metric ?? null,
    isLoss: LOSSES.has(model?.metric ?? ''),
    kind: model?.target.kind ?? null,
    target: model?.target.expression ?? null,
    horizon: model?.target.horizon ?? null,
    deploys: model?.deploy ?? null,
    needsApproval: model?.gate.approval.required ?? null,
    live,
    served: served && {
      ...{ version: served.version, loadedAt: served.loadedAt, problem: served.problem, keys: served.keys },
      parity:
        served.parity && `${served.parity.against}, ${served.parity.rows} rows, ${served.parity.difference}`,
    },
    experimentUrl: experiment ? `${base}/#/experiments/${experiment}` : base,
    versions: shown,
    total: versions.length,
  };
}

/** What the model watch keeps of a model; null where it has not measured it, or the lake does not answer. */
async function liveOf({ lake }: DashboardDeps, name: string): Promise<ModelDetail['live']> {
  try {
    const bytes = await lake.store.get(`_monitoring/${WATCH_MEMORY}.json`);
    const { at, models } = JSON.parse(Buffer.from(bytes).toString()) as WatchMemory;
    const found = models.find(({ model }) => model === name);
    return found ? { at, ...found } : null;
  } catch {
    return null;
  }
}

/** Figures of a version never change: they are asked once. */
const FIGURES = new Map<string, Readonly<Record<string, number>>>();
const FIGURES_MAX = 2000;

async function figuresOf(mlflow: MlflowClient, { runId }: MlflowVersion): Promise<Record<string, number>> {
  if (runId === undefined) return {};
  const known: Readonly<Record<string, number>> =
    FIGURES.get(runId) ?? (await mlflow.metrics(runId).catch(() => ({})));
  if (FIGURES.size >= FIGURES_MAX) FIGURES.clear();
  if (Object.keys(known).length > 0) FIGURES.set(runId, known);
  const prefix = 'holdout_';
  return Object.fromEntries(
    Object.entries(known)
      .filter(([key, value]) => key.startsWith(prefix) && Number.isFinite(value))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
}

function versionOf(
  { version, createdAt, aliases, tags, runId }: MlflowVersion,
  experimentUrl: string | null,
  metrics: Record<string, number>,
): ModelVersion {
  const tag = (name: string): string | null => tags[`datalab.${name}`] ?? null;
  return {
    ...{ version, at: createdAt, aliases, metrics },
    ...{ gate: tag('gate'), decision: tag('decision') },
    reasons: (tag('reasons') ?? '').split('\n').filter((line) => line !== ''),
    ...{ goldTable: tag('gold_table'), goldVersion: tag('gold_version'), revision: tag('git_revision') },
    ...{ workflowId: tag('workflow'), runId: tag('run') },
    mlflowUrl: experimentUrl && runId ? `${experimentUrl}/runs/${runId}` : null,
  };
}

/** A version by its number or alias. Throws MODEL_UNKNOWN, MODEL_VERSION_UNKNOWN. */
export async function findVersion(
  mlflow: MlflowClient,
  name: string,
  wanted: string,
): Promise<MlflowVersion> {
  const versions = await mlflow.versions(name);
  if (versions.length === 0)
    throw new DatalabError('MODEL_UNKNOWN', `MLflow has no version of a model '${name}'`);
  const found = versions.find(({ version, aliases }) => version === wanted || aliases.includes(wanted));
  if (found) return found;
  throw new DatalabError('MODEL_VERSION_UNKNOWN', `model '${name}' has no version '${wanted}'`);
}

/**
 * Predicts one row. The model server is asked where it serves the version that is meant; any other version, and where none
 * runs, DataLab's own predictor computes it here, as `datalab models predict` does. Throws INPUT_INVALID.
 */
export async function predictRow(
  deps: DashboardDeps,
  name: string,
  { version: wanted, row }: { version: string; row: Readonly<Record<string, number | null>> },
): Promise<Predicted> {
  const served = await servedModel(deps, name);
  if (served?.version != null && (wanted === 'champion' || wanted === served.version)) {
    const answer = await askPrediction(deps, name, { rows: [row] });
    const [first] = answer?.predictions ?? [];
    if (answer && first) return told(name, answer.version, first, 'model server');
  }
  const mlflow = mlflowOf(deps);
  const { source, version } = await findVersion(mlflow, name, wanted);
  const predictor = openPredictor((await mlflow.getArtifact(source, 'model.json')).toString());
  const strange = Object.keys(row).filter((key) => !predictor.featureNames.includes(key));
  if (strange.length > 0)
    throw new DatalabError('INPUT_INVALID', `model '${name}' takes no feature ${strange.join(', ')}`);
  const values = Float32Array.from(predictor.featureNames, (feature) => row[feature] ?? NaN);
  const classes =
    predictor.outputs > 1
      ? classesIn((await mlflow.getArtifact(source, 'definition.json')).toString())
      : undefined;
  return told(name, version, sayRow(predictor, values, classes), 'dashboard');
}

type Predicted = z.input<typeof prediction>;

const told = (model: string, version: string, said: Prediction, by: Predicted['by']): Predicted => ({
  ...{ model, version, prediction: said.prediction, by, time: null, gold: null },
  class: said.class ?? null,
  probabilities: said.probabilities ? { ...said.probabilities } : null,
});

/** Predicts for a key, from the newest row of its Gold table: the model server reads it. Throws MODEL_SERVER_UNAVAILABLE. */
export async function predictKey(
  deps: DashboardDeps,
  name: string,
  key: Readonly<Record<string, string | number>>,
): Promise<Predicted> {
  const answer = await askPrediction(deps, name, { keys: [key] });
  const [first] = answer?.predictions ?? [];
  if (!answer || !first)
    throw new DatalabError(
      'MODEL_SERVER_UNAVAILABLE',
      "predictions by key are the model server's, and none answers",
    );
  return {
    ...told(name, answer.version, first, 'model server'),
    time: first.time ?? null,
    gold: answer.gold ? `${answer.gold.table} v${answer.gold.version}` : null,
  };
}
