/** Telling MLflow: a parent run, one run per candidate, the model's files, and one version of the registered model. */
import type { MlflowClient, MlflowMetric, MlflowRun } from '../../connectors/mlflow/index.js';
import type {
  BuiltFeatures,
  EvaluatedStep,
  KnownModel,
  PlannedTraining,
  RegisteredStep,
  TrainedStep,
  TrainingRun,
} from '../../contracts/ml-flows.js';
import { featureNames, outputsOf, type ModelDefinition } from '../../contracts/model.js';
import type { ReportRef } from '../../contracts/run.js';
import type { Evaluation, Figures, GateResult } from '../../contracts/training.js';
import { mlflowFiles } from '../../ml/mlmodel.js';
import { OWN_ENGINE } from '../../ml/own-engine.js';
import { renderModelReport } from '../../report/index.js';
import { runStep } from '../step.js';
import { folderOf, mlflowOf, plannedModel } from './common.js';
import type { TrainingDeps } from './deps.js';

/** Tag by which a version is known to be what these rows and this definition give. */
const IDENTITY = 'datalab.identity';
/** The feature file among the artifacts of the parent run. */
const FEATURES = 'features.arrow';
const experimentOf = (model: string): string => `datalab/${model}`;

export async function findIdentical(
  deps: TrainingDeps,
  { plan }: PlannedTraining,
  identity: string,
): Promise<KnownModel | null> {
  const versions = await mlflowOf(deps).versions(plan.model);
  const known = versions.find(({ tags }) => tags[IDENTITY] === identity);
  if (!known) return null;
  const isChampion = known.aliases.includes('champion');
  return { version: known.version, gate: known.tags['datalab.gate'] ?? 'unknown', isChampion };
}

/** What a registration works with; made once from what the steps before handed over. */
interface Registration {
  readonly deps: TrainingDeps;
  readonly mlflow: MlflowClient;
  readonly model: ModelDefinition;
  readonly run: PlannedTraining;
  readonly features: BuiltFeatures;
  readonly trained: readonly TrainedStep[];
  readonly winner: TrainedStep;
  readonly evaluation: Evaluation;
  readonly gate: GateResult;
  readonly tags: Readonly<Record<string, string>>;
  /** The time of everything that is told: a repetition tells the same. */
  readonly startMs: number;
}

export async function registerModel(
  deps: TrainingDeps,
  run: PlannedTraining,
  features: BuiltFeatures,
  trained: readonly TrainedStep[],
  evaluated: EvaluatedStep,
): Promise<RegisteredStep> {
  const model = await plannedModel(deps, run);
  const { step, value } = await runStep('register', deps.scratchDirectory, async ({ progress }) => {
    const stored = await deps.lake.get(evaluated.key);
    const { evaluation, gate } = JSON.parse(Buffer.from(stored).toString()) as {
      evaluation: Evaluation;
      gate: GateResult;
    };
    const winner = trained.find((one) => one.trained.name === evaluated.winner);
    if (!winner) throw new RangeError(`there is no candidate '${evaluated.winner}' to register`);
    const registration: Registration = {
      ...{ deps, mlflow: mlflowOf(deps), model, run, features, trained, winner, evaluation, gate },
      ...{ tags: tagsOf(deps, run, model, features, gate), startMs: Date.parse(run.logicalTime) },
    };
    const parent = await tellRuns(registration);
    progress({ phase: 'register', done: 1, total: 3, unit: 'parts' });
    const report = await keepReport(registration, parent);
    progress({ phase: 'register', done: 2, total: 3, unit: 'parts' });
    const { version, bytes } = await makeVersion(registration, parent);
    await registration.mlflow.closeRun(parent.runId, 'FINISHED', deps.clock.nowMs());
    return {
      ...{ rows: 0, bytes, detail: `${model.name} version ${version}` },
      value: { version, mlflowRun: parent.runId, report },
    };
  });
  return { step, ...value };
}

function tagsOf(
  { revision }: TrainingDeps,
  run: PlannedTraining,
  model: ModelDefinition,
  features: BuiltFeatures,
  gate: GateResult,
): Record<string, string> {
  return {
    'datalab.run': run.executionId,
    'datalab.workflow': run.workflowId,
    'datalab.model': model.name,
    'datalab.dataset': model.dataset,
    'datalab.gold_table': `gold.${model.table}`,
    'datalab.gold_version': String(run.plan.goldVersion),
    'datalab.gate': gate.passed ? 'passed' : 'refused',
    'datalab.git_revision': revision,
    'datalab.logical_time': run.logicalTime,
    [IDENTITY]: features.identity,
  };
}

/** The parent run with its data and figures, and one closed run per candidate. Returns the parent, still open. */
async function tellRuns(registration: Registration): Promise<MlflowRun> {
  const { deps, mlflow, model, run, features, trained, winner, evaluation, tags, startMs } = registration;
  const { goldVersion, tableId } = run.plan;
  const experiment = await mlflow.experiment(experimentOf(model.name));
  const open = (part: string, more: Record<string, string> = {}): Promise<MlflowRun> =>
    mlflow.ensureRun(experiment, {
      ...{ key: `${run.executionId}/${part}`, name: `${model.name} ${part}` },
      ...{ startMs, tags: { ...tags, ...more } },
    });
  const parent = await open('training');
  await mlflow.logBatch(parent.runId, {
    params: {
      ...{ target: model.target.expression, horizon: String(model.target.horizon) },
      ...{ table: `gold.${model.table}`, gold_version: String(goldVersion), rows: String(features.rows) },
      ...{ winner: evaluation.winner, seed: String(model.seed), definition: model.fingerprint },
      engine: winner.trained.engine,
      ...(model.target.classes && { classes: model.target.classes.join(', ') }),
    },
    metrics: [
      ...metricsOf(evaluation.metrics, startMs, 'holdout_'),
      ...evaluation.baselines.flatMap(({ name, metrics }) =>
        metricsOf(metrics, startMs, `baseline_${name}_`),
      ),
    ],
  });
  await mlflow.logDataset(parent.runId, {
    ...{ name: `gold.${model.table}`, digest: features.sha256.slice(0, 32) },
    source: {
      ...{ uri: `${deps.lake.uri}/gold/${model.table}`, version: goldVersion, table_id: tableId },
      feature_file: `${parent.artifactUri}/${FEATURES}`,
    },
    profile: { num_rows: features.rows, features: featureNames(model.features).length },
  });
  for (const { trained: one } of trained) {
    const child = await open(one.name, { 'mlflow.parentRunId': parent.runId });
    await mlflow.logBatch(child.runId, {
      params: Object.fromEntries(Object.entries(one.parameters).map(([name, set]) => [name, String(set)])),
      metrics: [
        ...one.folds.flatMap(({ metrics }, fold) => metricsOf(metrics, startMs, 'fold_', fold)),
        ...metricsOf(one.validation, startMs, 'validation_'),
      ],
    });
    await mlflow.closeRun(child.runId, 'FINISHED', deps.clock.nowMs());
  }
  return parent;
}

/** The report in the lake and in MLflow, and the feature file in MLflow, so that no table version is kept for a model. */
async function keepReport(registration: Registration, parent: MlflowRun): Promise<ReportRef> {
  const { deps, mlflow, model, run, features, trained, evaluation, gate } = registration;
  const candidates = trained.map((one) => one.trained);
  const data = { model, run, plan: run.plan, evaluation, gate, candidates, reportedAt: run.logicalTime };
  const page = renderModelReport(data);
  const json = JSON.stringify({ schema: 'datalab.model-report/1', ...data });
  const at = run.logicalTime.replace(/\.\d+Z$/, 'Z').replaceAll(':', '');
  const stem = `reports/${model.dataset}/models/${model.name}/${at}-${run.executionId}`;
  const report = { html: `${stem}.html`, json: `${stem}.json` };
  await deps.lake.put(report.html, Buffer.from(page));
  await deps.lake.put(report.json, Buffer.from(json));
  await mlflow.putArtifact(parent.artifactUri, 'report.html', page);
  await mlflow.putArtifact(parent.artifactUri, 'report.json', json);
  await mlflow.putArtifact(parent.artifactUri, FEATURES, await deps.lake.get(features.key));
  return report;
}

/** The model's files, and one version of the registered model for this run, with the alias `candidate`. */
async function makeVersion(
  { deps, mlflow, model, run, winner, evaluation, tags }: Registration,
  parent: MlflowRun,
): Promise<{ version: string; bytes: number }> {
  const json = await deps.lake.get(`${winner.folder}/model.json`);
  const stored =
    winner.trained.engine === OWN_ENGINE
      ? ({ format: 'json', bytes: json } as const)
      : ({ format: 'ubj', bytes: await deps.lake.get(`${winner.folder}/model.ubj`) } as const);
  const source = `${parent.artifactUri}/model`;
  const files = {
    ...mlflowFiles({
      ...{ stored, featureNames: featureNames(model.features), runId: parent.runId },
      outputs: outputsOf(model.target),
      ...{ createdAt: run.logicalTime, example: evaluation.smoke[0]?.features ?? {} },
    }),
    // What our own predictor, its smoke test and predictions by key need.
    'model.json': json,
    'smoke.json': JSON.stringify(evaluation.smoke),
    'definition.json': JSON.stringify(model),
  };
  for (const [name, content] of Object.entries(files)) await mlflow.putArtifact(source, name, content);
  await mlflow.ensureModel(model.name, model.description);
  // Making a version twice makes two: look for this run's first.
  const there = (await mlflow.versions(model.name)).find((one) => one.runId === parent.runId);
  const description = `${evaluation.winner} on gold.${model.table} version ${run.plan.goldVersion}`;
  const made = { source, runId: parent.runId, tags, description };
  const version = there?.version ?? (await mlflow.createVersion(model.name, made));
  await mlflow.setAlias(model.name, 'candidate', version);
  return { version, bytes: stored.bytes.length };
}

function metricsOf(metrics: Figures, timestamp: number, prefix: string, step = 0): MlflowMetric[] {
  return Object.entries(metrics).map(([name, value]) => ({
    key: `${prefix}${name}`,
    value,
    timestamp,
    step,
  }));
}

export async function tagDecision(
  deps: TrainingDeps,
  run: TrainingRun,
  version: string,
  decision: string,
  reasons: readonly string[],
): Promise<void> {
  const mlflow = mlflowOf(deps);
  await mlflow.tagVersion(run.model, version, 'datalab.decision', decision);
  await mlflow.tagVersion(run.model, version, 'datalab.reasons', reasons.join('\n').slice(0, 4000));
}

/** Closes what is open in MLflow and deletes the run's files in the lake. MLflow that is away does not keep a run from ending. */
export async function endTraining(
  deps: TrainingDeps,
  run: TrainingRun,
  status: 'FINISHED' | 'FAILED' | 'KILLED',
): Promise<void> {
  const keys: string[] = [];
  for await (const { key } of deps.lake.list(`${folderOf(run)}/`)) keys.push(key);
  if (keys.length > 0) await deps.lake.delete(keys);
  if (!deps.mlflow) return;
  const experiment = await deps.mlflow.experiment(experimentOf(run.model));
  const open = await deps.mlflow.findRuns(
    experiment,
    `tags.\`datalab.run\` = '${run.executionId}' and attributes.status = 'RUNNING'`,
  );
  for (const { runId } of open) await deps.mlflow.closeRun(runId, status, deps.clock.nowMs());
}
