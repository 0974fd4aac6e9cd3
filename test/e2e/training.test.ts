/**
 * Training on the real stack: real prices, a compiled worker, the command line, MLflow, and Python that loads what came of it.
 */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openMlflow } from '../../src/connectors/mlflow/index.js';
import { openObjectStore } from '../../src/connectors/object-store/index.js';
import type { ModelDefinition } from '../../src/contracts/model.js';
import type { Evaluation, TrainedCandidate } from '../../src/contracts/training.js';
import type { TrainingSummary } from '../../src/contracts/ml-flows.js';
import type { RunFinished } from '../../src/contracts/events.js';
import type { ServedModel } from '../../src/contracts/serving.js';
import { DeltaTable } from '../../src/delta/index.js';
import { freePorts } from '../../src/platform/ports.js';
import { readSettings } from '../../src/platform/settings.js';
import { locateMlflow } from '../../src/platform/tools.js';
import { MLFLOW_MISSING } from '../support/mlflow.js';
import { ownNamespace } from '../support/namespace.js';
import { ModelServerProcess, underLoad } from '../support/model-server-process.js';
import { testStack, type TestStack } from '../support/stack.js';
import { eventsFrom } from '../support/topic.js';
import { datalab, ownLake, runCommand, WorkerProcess, type OwnLake } from '../support/worker-process.js';

const MODEL = 'next_day_volatility';
/** The one that the gate refuses. */
const REFUSED = 'next_day_direction';

const PYTHON = `
import json, sys, mlflow, pandas
mlflow.set_tracking_uri(sys.argv[1])
rows = json.load(open(sys.argv[3]))
model = mlflow.pyfunc.load_model(sys.argv[2])
frame = pandas.DataFrame([row["features"] for row in rows]).astype("float64")
print(json.dumps([float(value) for value in model.predict(frame)]))
`;

/** What MLflow's REST interface says of a run, as far as it is looked at here. */
interface Told {
  readonly info: {
    readonly run_id: string;
    readonly run_name: string;
    readonly experiment_id: string;
    readonly artifact_uri: string;
  };
  readonly data: { readonly metrics: ReadonlyArray<{ readonly key: string; readonly value: number }> };
  readonly inputs: {
    readonly dataset_inputs: ReadonlyArray<{
      readonly tags: ReadonlyArray<{ readonly key: string; readonly value: string }>;
      readonly dataset: Readonly<Record<'name' | 'digest' | 'source' | 'source_type' | 'profile', string>>;
    }>;
  };
}

interface Report {
  readonly model: ModelDefinition;
  readonly evaluation: Evaluation;
  readonly candidates: readonly TrainedCandidate[];
}

describe.skipIf(MLFLOW_MISSING)(`models on the real stack ${MLFLOW_MISSING ?? ''}`, () => {
  let stack: TestStack;
  let lake: OwnLake;
  let worker: WorkerProcess;
  let server: ModelServerProcess;
  /** Of the run that made version 1. */
  let first: TrainingSummary;
  /** Of the run that the gate refused. */
  let refused: TrainingSummary;

  beforeAll(async () => {
    stack = await testStack('s3', 'kafka', 'temporal', 'mlflow');
    const [port] = await freePorts(1);
    lake = await ownLake(
      { ...stack.env, DATALAB_MODEL_SERVER_PORT: String(port) },
      'training',
      await ownNamespace(stack.temporal.address, 'training'),
    );
    worker = await WorkerProcess.start(lake.env);
    server = await ModelServerProcess.start(lake.env);
    const filled = await datalab(['runs', 'start', 'stocks', '--wait', '--json'], lake.env);
    expect(`${filled.code} ${filled.stderr}`).toBe('0 ');
  }, 300_000);
  afterAll(async () => {
    await server?.stop();
    await worker?.stop();
    await lake?.remove();
  });

  async function train(model: string, ...more: string[]): Promise<TrainingSummary> {
    const { code, stdout, stderr } = await datalab(
      ['models', 'train', model, '--wait', '--json', ...more],
      lake.env,
    );
    expect(`${code} ${stderr} ${code === 0 ? '' : stdout}`.trim()).toBe('0');
    return JSON.parse(stdout) as TrainingSummary;
  }

  it('trains, promotes, and Python predicts the same with what MLflow keeps', async () => {
    first = await train(MODEL);
    const { training, outcome } = first;
    expect(outcome).toBe('ok');
    expect(training).toMatchObject({ decision: 'promoted', reasons: [], version: '1' });
    expect(training?.metrics['rmse']).toBeLessThan(0.391);

    const mlflow = openMlflow(stack.mlflow);
    expect(await mlflow.aliases(MODEL)).toEqual({ champion: '1', candidate: '1' });
    const [version] = await mlflow.versions(MODEL);
    expect(version?.tags).toMatchObject({
      'datalab.gate': 'passed',
      'datalab.decision': 'promoted',
      'datalab.gold_version': '0',
    });
    const experiment = await mlflow.experiment(`datalab/${MODEL}`);
    const runs = await mlflow.findRuns(experiment, '');
    expect(runs.map(({ status }) => status)).toEqual(['FINISHED', 'FINISHED', 'FINISHED', 'FINISHED']);

    const smoke = await mlflow.getArtifact(version?.source ?? '', 'smoke.json');
    const folder = path.dirname(lake.env['DATALAB_CACHE_DIRECTORY'] ?? '');
    await writeFile(path.join(folder, 'smoke.json'), smoke);
    await writeFile(path.join(folder, 'load.py'), PYTHON);
    const python = locateMlflow(readSettings(process.env));
    const said = await runCommand(
      python,
      [
        path.join(folder, 'load.py'),
        stack.mlflow,
        `models:/${MODEL}@champion`,
        path.join(folder, 'smoke.json'),
      ],
      { MLFLOW_DISABLE_TELEMETRY: 'true' },
    );
    const predictions = JSON.parse(said.stdout.trim().split('\n').at(-1) ?? '[]') as number[];
    const expected = JSON.parse(smoke.toString()) as Evaluation['smoke'];
    expect(predictions).toHaveLength(expected.length);
    predictions.forEach((value, row) =>
      expect(Math.abs(value - (expected[row]?.prediction ?? NaN))).toBeLessThan(1e-6),
    );
  });

  it('is told to MLflow by value: data, figures of each fold, and where the version comes from', async () => {
    const ask = async <Answer>(question: string): Promise<Answer> =>
      (await (await fetch(`${stack.mlflow}/api/2.0/mlflow/${question}`)).json()) as Answer;
    const mlflow = openMlflow(stack.mlflow);
    const [version] = await mlflow.versions(MODEL);
    const { run } = await ask<{ run: Told }>(`runs/get?run_id=${version?.runId}`);
    const artifact = (name: string): Promise<Buffer> => mlflow.getArtifact(run.info.artifact_uri, name);

    const features = await artifact('features.arrow');
    const [input] = run.inputs.dataset_inputs;
    expect(run.inputs.dataset_inputs).toHaveLength(1);
    expect(input?.tags).toEqual([{ key: 'mlflow.data.context', value: 'training' }]);
    const dataset = input?.dataset ?? { name: '', digest: '', source: '{}', source_type: '', profile: '{}' };
    expect(dataset).toMatchObject({ name: 'gold.stocks_daily_features', source_type: 'delta_table' });
    expect(dataset.digest).toBe(createHash('sha256').update(features).digest('hex').slice(0, 32));
    const gold = 'gold/stocks_daily_features';
    const store = openObjectStore(lake.lakeUri, {
      s3: { ...stack.s3, forcePathStyle: true },
      ...{ cacheDirectory: lake.env['DATALAB_CACHE_DIRECTORY'] ?? '', cacheBytes: 0 },
    });
    const snapshot = await new DeltaTable(store.at(gold)).snapshot();
    expect(JSON.parse(dataset.source)).toEqual({
      ...{ uri: `${lake.lakeUri}/${gold}`, version: snapshot.version, table_id: snapshot.metadata.id },
      feature_file: `${run.info.artifact_uri}/features.arrow`,
    });
    const table = tableFromIPC(features);
    const { model, evaluation, candidates } = JSON.parse(
      (await artifact('report.json')).toString(),
    ) as Report;
    const columns = table.schema.fields.map(({ name }) => name).filter((name) => !name.startsWith('_'));
    expect(JSON.parse(dataset.profile)).toEqual({ num_rows: table.numRows, features: columns.length });

    const folds = candidates.flatMap((one) =>
      one.folds.map(({ metrics }, step) => ({ ...one, metrics, step })),
    );
    expect(folds.length).toBe(3 * model.splits.folds);
    const ofParent = `tags."mlflow.parentRunId" = '${run.info.run_id}'`;
    const children = await mlflow.findRuns(run.info.experiment_id, ofParent);
    expect(children).toHaveLength(candidates.length);
    const figures = new Map<string, number>();
    for (const { runId } of children) {
      const child = await ask<{ run: Told }>(`runs/get?run_id=${runId}`);
      const name = child.run.info.run_name.replace(`${MODEL} `, '');
      for (const { key } of child.run.data.metrics.filter((one) => one.key.startsWith('fold_'))) {
        const { metrics } = await ask<{ metrics: Array<{ value: number; step: number }> }>(
          `metrics/get-history?run_id=${runId}&metric_key=${key}`,
        );
        for (const { value, step } of metrics) figures.set(`${name} ${key} ${step}`, value);
      }
    }
    const expected = folds.flatMap(({ name, metrics, step }) =>
      Object.entries(metrics).map(([key, value]) => [`${name} fold_${key} ${step}`, value] as const),
    );
    expect([...figures].sort()).toEqual(expected.sort());
    const holdout = run.data.metrics.filter(({ key }) => key.startsWith('holdout_'));
    expect(Object.fromEntries(holdout.map(({ key, value }) => [key.slice(8), value]))).toEqual(
      evaluation.metrics,
    );

    const git = await runCommand('git', ['rev-parse', 'HEAD'], {});
    const { 'datalab.identity': identity, ...tags } = version?.tags ?? {};
    expect(identity).toMatch(/^[\da-f]{16,}$/);
    expect({ ...tags, 'datalab.git_revision': tags['datalab.git_revision']?.replace(/-dirty$/, '') }).toEqual(
      {
        ...{ 'datalab.model': MODEL, 'datalab.dataset': 'stocks', 'datalab.gold_version': '0' },
        ...{ 'datalab.gold_table': 'gold.stocks_daily_features', 'datalab.git_revision': git.stdout.trim() },
        ...{ 'datalab.gate': 'passed', 'datalab.decision': 'promoted', 'datalab.reasons': '' },
        'datalab.run': first.run.executionId,
        'datalab.workflow': first.run.workflowId,
        'datalab.logical_time': first.run.logicalTime,
      },
    );
  });

  it('is served at once, tried against the library, by row and by key', async () => {
    const { models } = await server.get<{ models: ServedModel[] }>('/models');
    // Other tests have models in the same registry.
    expect(models.filter(({ model }) => model === MODEL)).toMatchObject([
      { model: MODEL, version: '1', champion: '1', problem: null, parity: { against: 'native' } },
    ]);
    const [version] = await openMlflow(stack.mlflow).versions(MODEL);
    const stored = JSON.parse(
      (await openMlflow(stack.mlflow).getArtifact(version?.source ?? '', 'smoke.json')).toString(),
    ) as Evaluation['smoke'];
    const { body } = await server.predict({ model: MODEL, rows: stored.map(({ features }) => features) });
    const predictions = body['predictions'] as Array<{ prediction: number }>;
    expect(predictions).toHaveLength(stored.length);
    predictions.forEach(({ prediction }, row) =>
      expect(Math.abs(prediction - (stored[row]?.prediction ?? NaN))).toBeLessThan(1e-5),
    );
    const byKey = await server.predict({ model: MODEL, keys: [{ symbol: 'AAPL' }, { symbol: 'MSFT' }] });
    expect(byKey).toMatchObject({
      status: 200,
      body: { gold: { table: 'gold.stocks_daily_features', version: 0 }, version: '1' },
    });
    for (const { prediction } of byKey.body['predictions'] as Array<{ prediction: number }>)
      expect(Math.abs(prediction)).toBeLessThan(10);
  });

  it('is shown and asked on the command line', async () => {
    const json = async <Answer>(...args: string[]): Promise<Answer> => {
      const { code, stdout, stderr } = await datalab(['models', ...args, '--json'], lake.env);
      expect(`${code} ${stderr} ${code === 0 ? '' : stdout}`.trim()).toBe('0');
      return JSON.parse(stdout) as Answer;
    };
    const table = 'gold.stocks_daily_features';
    expect(await json('list')).toEqual([
      {
        ...{ name: 'next_day_direction', dataset: 'stocks', table, metric: 'roc_auc' },
        ...{ champion: null, candidate: null },
      },
      { name: MODEL, dataset: 'stocks', table, metric: 'rmse', champion: '1', candidate: '1' },
    ]);
    const mlflow = openMlflow(stack.mlflow);
    const [version] = await mlflow.versions(MODEL);
    expect(await json('show', MODEL)).toEqual([{ ...version }]);
    const figures = await mlflow.metrics(version?.runId ?? '');
    const compared = await json<Array<{ version: string; metrics: Record<string, number> }>>(
      'compare',
      MODEL,
      '1',
    );
    expect(compared.map((one) => one.version)).toEqual(['1', '1']);
    expect(compared[0]?.metrics).toEqual({
      mae: figures['holdout_mae'],
      r2: figures['holdout_r2'],
      rmse: figures['holdout_rmse'],
    });

    const stored = JSON.parse(
      (await mlflow.getArtifact(version?.source ?? '', 'smoke.json')).toString(),
    ) as Evaluation['smoke'];
    const [row] = stored;
    const said = await json<{ version: string; prediction: number }>(
      'predict',
      MODEL,
      JSON.stringify(row?.features),
    );
    expect(said.version).toBe('1');
    expect(Math.abs(said.prediction - (row?.prediction ?? NaN))).toBeLessThan(1e-5);

    const plain = async (...args: string[]): Promise<string> =>
      (await datalab(['models', ...args], lake.env)).stdout;
    expect(await plain('list')).toMatch(new RegExp(`${MODEL} +${table} +rmse +1 +1`));
    expect(await plain('show', MODEL)).toMatch(/1 +champion, candidate|1 +candidate, champion/);
    const rmse = figures['holdout_rmse']?.toFixed(4) ?? '';
    expect(await plain('compare', MODEL, 'champion')).toMatch(new RegExp(`^rmse +${rmse} +${rmse}$`, 'm'));
    expect(Number(await plain('predict', MODEL, JSON.stringify(row?.features)))).toBe(said.prediction);
  });

  it.each([
    ['a model that there is not', ['show', 'nothing'], 'MODEL_UNKNOWN'],
    ['a version that there is not', ['compare', MODEL, '99'], 'MODEL_VERSION_UNKNOWN'],
    ['a feature that the model does not take', ['predict', MODEL, '{"colour": 1}'], 'INPUT_INVALID'],
    ['a row that is none', ['predict', MODEL, '[1]'], 'INPUT_INVALID'],
    ['a model without a file', ['train', 'nothing', '--wait'], 'MODEL_UNKNOWN'],
    ['a version to promote that there is not', ['promote', MODEL, '99'], 'MODEL_VERSION_UNKNOWN'],
    ['a way back where there was no champion before', ['rollback', MODEL], 'MODEL_VERSION_UNKNOWN'],
  ])('says what is wrong of %s, by its code', async (_what, args, code) => {
    const { code: exit, stdout, stderr } = await datalab(['models', ...args], lake.env);
    expect(exit).not.toBe(0);
    expect(`${stdout}${stderr}`).toContain(code);
    expect(await openMlflow(stack.mlflow).aliases(MODEL)).toEqual({ champion: '1', candidate: '1' });
  });

  it('registers nothing when it is run again on the same rows', async () => {
    const { training, outcome } = await train(MODEL);
    expect(outcome).toBe('empty');
    expect(training).toMatchObject({ decision: 'unchanged', version: '1' });
    expect(await openMlflow(stack.mlflow).versions(MODEL)).toHaveLength(1);
  });

  it('refuses a model that is no better than chance, as a success with reasons', async () => {
    refused = await train(REFUSED);
    const { training, outcome } = refused;
    expect(outcome).toBe('ok');
    expect(training).toMatchObject({ decision: 'refused', version: '1' });
    expect(training?.reasons.join()).toContain('baseline: roc_auc');
    expect(await openMlflow(stack.mlflow).aliases(REFUSED)).toEqual({ candidate: '1' });
  });

  it('tells of the refusal on Kafka, once, with every reason that the gate had', async () => {
    const { run, training } = refused;
    const [version] = await openMlflow(stack.mlflow).versions(REFUSED);
    const report = JSON.parse(
      (
        await openMlflow(stack.mlflow).getArtifact(
          (version?.source ?? '').replace(/\/model$/, ''),
          'report.json',
        )
      ).toString(),
    ) as Report & { readonly gate: { readonly reasons: readonly string[] } };
    const { reasons } = report.gate;
    expect(reasons.length).toBeGreaterThan(0);
    const all = await eventsFrom<RunFinished>(stack.kafka.brokers, 'datalab-notifications', lake.lakeUri);
    const told = all.filter(({ id }) => id === `run:${run.executionId}`);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({
      ...{ specversion: '1.0', type: 'io.datalab.run.ok', subject: REFUSED },
      ...{ source: `${lake.lakeUri}/meta/runs`, datacontenttype: 'application/json' },
    });
    expect(told[0]?.data).toMatchObject({
      ...{ dataset: REFUSED, outcome: 'ok', workflowId: run.workflowId, executionId: run.executionId },
      training: { model: REFUSED, version: '1', decision: 'refused', reasons },
      message: `${REFUSED} version 1 (roc_auc ${training?.metrics['roc_auc']?.toFixed(4)}): refused by the gate: ${reasons.join('; ')}`,
    });
    // One that was promoted says that, and gives no reasons.
    expect(all.find(({ id }) => id === `run:${first.run.executionId}`)).toMatchObject({
      ...{ type: 'io.datalab.run.ok', subject: MODEL },
      data: { training: { model: MODEL, version: '1', decision: 'promoted', reasons: [] } },
    });
  });

  it('promotes by hand, rolls back, and puts everything back where the smoke test fails, unnoticed by clients', async () => {
    const { training } = await train(MODEL, '--force');
    expect(training).toMatchObject({ decision: 'promoted', version: '2' });
    const mlflow = openMlflow(stack.mlflow);
    expect(await mlflow.aliases(MODEL)).toMatchObject({ champion: '2', previous: '1' });
    const served = async (): Promise<unknown> =>
      (await server.get<{ models: ServedModel[] }>('/models')).models.find(({ model }) => model === MODEL)
        ?.version;
    expect(await served()).toBe('2');

    const load = await underLoad(server, { model: MODEL, keys: [{ symbol: 'AAPL' }] }, async () => {
      expect(await datalab(['models', 'rollback', MODEL, '--json'], lake.env)).toMatchObject({ code: 0 });
      expect(await mlflow.aliases(MODEL)).toMatchObject({ champion: '1', previous: '2' });
      expect(await served()).toBe('1');

      const second = (await mlflow.versions(MODEL)).find(({ version }) => version === '2');
      const rows = JSON.parse(
        (await mlflow.getArtifact(second?.source ?? '', 'smoke.json')).toString(),
      ) as Evaluation['smoke'];
      const wrong = rows.map((row) => ({ ...row, prediction: row.prediction + 1 }));
      await mlflow.putArtifact(second?.source ?? '', 'smoke.json', JSON.stringify(wrong));
      const refused = await datalab(['models', 'promote', MODEL, '2', '--json'], lake.env);
      expect(refused.code).toBe(1);
      expect(JSON.parse(refused.stdout)).toMatchObject({ status: 'failed', code: 'MODEL_PARITY' });
      expect(await mlflow.aliases(MODEL)).toMatchObject({ champion: '1', previous: '2' });
      expect(await served()).toBe('1');

      await mlflow.putArtifact(second?.source ?? '', 'smoke.json', JSON.stringify(rows));
      expect(await datalab(['models', 'promote', MODEL, '2', '--json'], lake.env)).toMatchObject({ code: 0 });
      expect(await served()).toBe('2');
    });
    expect(load.failures).toEqual([]);
    expect([...load.answers.keys()].sort()).toEqual(['1', '2']);
  });
});
