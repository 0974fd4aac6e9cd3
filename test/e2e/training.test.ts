/**
 * Training on the real stack: real prices, a compiled worker, the command line, MLflow, and Python that loads what came of it.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openMlflow } from '../../src/connectors/mlflow/index.js';
import type { Evaluation } from '../../src/contracts/training.js';
import type { TrainingSummary } from '../../src/contracts/ml-flows.js';
import { readSettings } from '../../src/platform/settings.js';
import { locateMlflow } from '../../src/platform/tools.js';
import { MLFLOW_MISSING } from '../support/mlflow.js';
import { ownNamespace } from '../support/namespace.js';
import { testStack, type TestStack } from '../support/stack.js';
import { datalab, ownLake, runCommand, WorkerProcess, type OwnLake } from '../support/worker-process.js';

const MODEL = 'next_day_volatility';

const PYTHON = `
import json, sys, mlflow, pandas
mlflow.set_tracking_uri(sys.argv[1])
rows = json.load(open(sys.argv[3]))
model = mlflow.pyfunc.load_model(sys.argv[2])
frame = pandas.DataFrame([row["features"] for row in rows]).astype("float64")
print(json.dumps([float(value) for value in model.predict(frame)]))
`;

describe.skipIf(MLFLOW_MISSING)(`models on the real stack ${MLFLOW_MISSING ?? ''}`, () => {
  let stack: TestStack;
  let lake: OwnLake;
  let worker: WorkerProcess;

  beforeAll(async () => {
    stack = await testStack('s3', 'temporal', 'mlflow');
    lake = await ownLake(
      { ...stack.env, DATALAB_KAFKA_ENABLED: 'false' },
      'training',
      await ownNamespace(stack.temporal.address, 'training'),
    );
    worker = await WorkerProcess.start(lake.env);
    const filled = await datalab(['runs', 'start', 'stocks', '--wait', '--json'], lake.env);
    expect(`${filled.code} ${filled.stderr}`).toBe('0 ');
  }, 300_000);
  afterAll(async () => {
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
    const { training, outcome } = await train(MODEL);
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

  it('registers nothing when it is run again on the same rows', async () => {
    const { training, outcome } = await train(MODEL);
    expect(outcome).toBe('empty');
    expect(training).toMatchObject({ decision: 'unchanged', version: '1' });
    expect(await openMlflow(stack.mlflow).versions(MODEL)).toHaveLength(1);
  });

  it('refuses a model that is no better than chance, as a success with reasons', async () => {
    const { training, outcome } = await train('next_day_direction');
    expect(outcome).toBe('ok');
    expect(training).toMatchObject({ decision: 'refused', version: '1' });
    expect(training?.reasons.join()).toContain('baseline: roc_auc');
    expect(await openMlflow(stack.mlflow).aliases('next_day_direction')).toEqual({ candidate: '1' });
  });

  it('promotes by hand, rolls back, and puts everything back where the smoke test fails', async () => {
    const { training } = await train(MODEL, '--force');
    expect(training).toMatchObject({ decision: 'promoted', version: '2' });
    const mlflow = openMlflow(stack.mlflow);
    expect(await mlflow.aliases(MODEL)).toMatchObject({ champion: '2', previous: '1' });
    const back = await datalab(['models', 'rollback', MODEL, '--json'], lake.env);
    expect(back.code).toBe(0);
    expect(await mlflow.aliases(MODEL)).toMatchObject({ champion: '1', previous: '2' });

    const second = (await mlflow.versions(MODEL)).find(({ version }) => version === '2');
    const rows = JSON.parse(
      (await mlflow.getArtifact(second?.source ?? '', 'smoke.json')).toString(),
    ) as Evaluation['smoke'];
    await mlflow.putArtifact(
      second?.source ?? '',
      'smoke.json',
      JSON.stringify(rows.map((row) => ({ ...row, prediction: row.prediction + 1 }))),
    );
    const refused = await datalab(['models', 'promote', MODEL, '2', '--json'], lake.env);
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({ status: 'failed', code: 'MODEL_PARITY' });
    expect(await mlflow.aliases(MODEL)).toMatchObject({ champion: '1', previous: '2' });
  });
});
