/** Telling MLflow: a parent run, one run per candidate, the model's files, and one version of the registered model. */
import type { MlflowMetric } from '../../connectors/mlflow.js';
import type {
  BuiltFeatures,
  EvaluatedStep,
  KnownModel,
  PlannedTraining,
  RegisteredStep,
  TrainedStep,
  TrainingRun,
} from '../../contracts/ml-flows.js';
import { featureNames } from '../../contracts/model.js';
import type { Evaluation, Figures, GateResult } from '../../contracts/training.js';
import { mlflowFiles } from '../../ml/mlmodel.js';
import { renderModelReport } from '../../report/index.js';
import { runStep } from '../step.js';
import { folderOf, mlflowOf, plannedModel } from './common.js';
import type { TrainingDeps } from './deps.js';

/** Tag by which a version is known to be what these rows and this definition give. */
const IDENTITY = 'datalab.identity';
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

export async function registerModel(
  deps: TrainingDeps,
  run: PlannedTraining,
  features: BuiltFeatures,
  trained: readonly TrainedStep[],
  evaluated: EvaluatedStep,
): Promise<RegisteredStep> {
  const model = await plannedModel(deps, run);
  const mlflow = mlflowOf(deps);
  const { step, value } = await runStep('register', deps.scratchDirectory, async ({ progress }) => {
    const startMs = Date.parse(run.logicalTime);
    const stored = JSON.parse(Buffer.from(await deps.lake.get(evaluated.key)).toString()) as {
      evaluation: Evaluation;
      gate: GateResult;
    };
    const { evaluation, gate } = stored;
    const winner = trained.find((one) => one.trained.name === evaluated.winner) ?? trained[0];
    if (!winner) throw new RangeError('there is no candidate to register');
    const tags = {
      'datalab.run': run.executionId,
      'datalab.workflow': run.workflowId,
      'datalab.model': model.name,
      'datalab.dataset': model.dataset,
      'datalab.gold_table': `gold.${model.table}`,
      'datalab.gold_version': String(run.plan.goldVersion),
      'datalab.gate': gate.passed ? 'passed' : 'refused',
      'datalab.git_revision': deps.revision,
      'datalab.logical_time': run.logicalTime,
      [IDENTITY]: features.identity,
    };
    const experiment = await mlflow.experiment(experimentOf(model.name));
    const open = (part: string, more: Record<string, string> = {}) =>
      mlflow.ensureRun(experiment, {
        ...{
          key: `${run.executionId}/${part}`,
          name: `${model.name} ${part}`,
          startMs,
          tags: { ...tags, ...more },
        },
      });
    const parent = await open('training');
    await mlflow.logBatch(parent.runId, {
      params: {
        ...{
          target: model.target.expression,
          horizon: String(model.target.horizon),
          table: `gold.${model.table}`,
        },
        ...{
          gold_version: String(run.plan.goldVersion),
          rows: String(features.rows),
          winner: evaluation.winner,
        },
        ...{ seed: String(model.seed), definition: model.fingerprint, engine: winner.trained.engine },
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
        uri: `${deps.lake.uri}/gold/${model.table}`,
        version: run.plan.goldVersion,
        table_id: run.plan.tableId,
      },
      profile: { num_rows: features.rows, features: featureNames(model.features).length },
    });
    progress({ phase: 'register', done: 1, total: 3, unit: 'parts' });
    for (const { trained: one } of trained) {
      const child = await open(one.name, { 'mlflow.parentRunId': parent.runId });
      await mlflow.logBatch(child.runId, {
        params: Object.fromEntries(
          Object.entries(one.parameters).map(([name, number]) => [name, String(number)]),
        ),
        metrics: [
          ...one.folds.flatMap(({ metrics }, fold) => metricsOf(metrics, startMs, 'fold_', fold)),
          ...metricsOf(one.validation, startMs, 'validation_'),
        ],
      });
      await mlflow.closeRun(child.runId, 'FINISHED', deps.clock.nowMs());
    }
    const data = {
      model,
      run,
      plan: run.plan,
      evaluation,
      gate,
      candidates: trained.map((one) => one.trained),
    };
    const page = renderModelReport({ ...data, reportedAt: run.logicalTime });
    const json = JSON.stringify({ schema: 'datalab.model-report/1', ...data });
    const stem = `reports/${model.dataset}/models/${model.name}/${run.logicalTime.replace(/\.\d+Z$/, 'Z').replaceAll(':', '')}-${run.executionId}`;
    const report = { html: `${stem}.html`, json: `${stem}.json` };
    await deps.lake.put(report.html, Buffer.from(page));
    await deps.lake.put(report.json, Buffer.from(json));
    const root = { 'report.html': page, 'report.json': json, 'model-definition.json': JSON.stringify(model) };
    for (const [name, content] of Object.entries(root))
      await mlflow.putArtifact(parent.artifactUri, name, content);
    await mlflow.putArtifact(parent.artifactUri, 'features.arrow', await deps.lake.get(features.key));
    progress({ phase: 'register', done: 2, total: 3, unit: 'parts' });
    const ubj = await deps.lake.get(`${winner.folder}/model.ubj`);
    const source = `${parent.artifactUri}/model`;
    const files = {
      ...mlflowFiles({
        ...{ ubj, featureNames: featureNames(model.features), runId: parent.runId },
        ...{ createdAt: run.logicalTime, example: evaluation.smoke[0]?.features ?? {} },
      }),
      // What our own predictor, its smoke test and predictions by key need.
      'model.json': await deps.lake.get(`${winner.folder}/model.json`),
      'smoke.json': JSON.stringify(evaluation.smoke),
      'definition.json': JSON.stringify(model),
    };
    for (const [name, content] of Object.entries(files)) await mlflow.putArtifact(source, name, content);
    await mlflow.ensureModel(model.name, model.description);
    // Making a version twice makes two: look for this run's first.
    const there = (await mlflow.versions(model.name)).find((one) => one.runId === parent.runId);
    const description = `${evaluation.winner} on gold.${model.table} version ${run.plan.goldVersion}`;
    const version =
      there?.version ??
      (await mlflow.createVersion(model.name, { source, runId: parent.runId, tags, description }));
    await mlflow.setAlias(model.name, 'candidate', version);
    await mlflow.closeRun(parent.runId, 'FINISHED', deps.clock.nowMs());
    return {
      ...{ rows: 0, bytes: ubj.length, detail: `${model.name} version ${version}` },
      value: { version, mlflowRun: parent.runId, report },
    };
  });
  return { step, ...value };
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
