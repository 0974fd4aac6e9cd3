/** The steps of a training over a lake and MLflow in memory: what cannot be trained is left out or refused, in words. */
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { beforeEach, describe, expect, it } from 'vitest';
import type { TrainingDeps } from '../../src/activities/training/deps.js';
import { createTrainingActivities } from '../../src/activities/training/index.js';
import { parseConfig } from '../../src/config/config.js';
import type { PlannedTraining, TrainingActivities, TrainingRun } from '../../src/contracts/ml-flows.js';
import type { ModelDefinition } from '../../src/contracts/model.js';
import { runTrainingJob } from '../../src/training-job.js';
import { definition, ServingLab } from '../model-server/lab.js';

const RUN: TrainingRun = {
  ...{ model: 'demand', dataset: 'demand', logicalTime: '2024-06-01T00:00:00.000Z' },
  ...{ workflowId: 'w', runId: 'r', executionId: 'e' },
};
const FEATURES = [{ name: 'price', lags: [0, 1], windows: [{ rows: 5 }] }];

let lab: ServingLab;
let steps: TrainingActivities;
let model: ModelDefinition;
/** What a training may take. */
let memoryMb: number;

function stepsWith(library: string | undefined): TrainingActivities {
  const all = createTrainingActivities({
    ...{
      config: parseConfig('', {}),
      mlflow: lab.mlflow,
      modelServer: null,
      lake: lab.store,
      engine: lab.engine,
    },
    ...{ newId: randomUUID, clock: { nowMs: () => 0 }, scratchDirectory: tmpdir(), log: () => undefined },
    ...{ loadModel: () => Promise.resolve(model), library, revision: '', memoryMb },
    runJob: (job, { progress }) => Promise.resolve(runTrainingJob(job, progress)) as never,
  } as Partial<TrainingDeps> as TrainingDeps);
  const quiet = { logger: new DefaultLogger('ERROR') };
  return new Proxy(all, {
    get:
      (target, name) =>
      (...args: unknown[]) =>
        new MockActivityEnvironment({}, quiet).run(() =>
          (target[name as keyof typeof target] as (...all: unknown[]) => Promise<unknown>)(...args),
        ),
  });
}

beforeEach(async () => {
  memoryMb = 256;
  lab = new ServingLab();
  model = definition({
    features: FEATURES,
    splits: { minRows: 50, folds: 2 },
    candidates: [{ kind: 'linear' }, { kind: 'boosting' }, { kind: 'forest' }],
    baselines: [{ kind: 'constant' }, { kind: 'last_value' }],
  });
  await lab.gold(
    Array.from({ length: 400 }, (_, index) => ({
      ...{ symbol: index % 2 === 0 ? 'A' : 'B', price: Math.sin(index / 9) * 10 + (index % 7) },
      date: new Date(Date.UTC(2023, 0, 1 + Math.floor(index / 2))).toISOString().slice(0, 10),
    })),
  );
  steps = stepsWith(undefined);
});

describe('without the library', () => {
  it('linear models and naive rules compete, trees are left out with the reason, and a version comes of it', async () => {
    const plan = await steps.planTraining(RUN, {});
    expect(plan.candidates).toEqual(['linear']);
    expect(plan.leftOut.map(({ name }) => name)).toEqual(['boosting', 'forest']);
    expect(plan.leftOut[0]?.reason).toMatch(/library is not on the machine/);
    const run: PlannedTraining = { ...RUN, plan };
    const features = await steps.buildFeatures(run);
    const trained = [await steps.trainCandidate(run, features, 'linear')];
    const evaluated = await steps.evaluateModel(run, features, trained);
    expect(evaluated.gate.rules.find(({ rule }) => rule === 'parity')).toMatchObject({
      ...{ passed: true, detail: expect.stringMatching(/not compared/) as unknown },
    });
    const { version } = await steps.registerModel(run, features, trained, evaluated);
    await steps.endTraining(RUN, 'FINISHED');
    const [made] = await lab.mlflow.versions('demand');
    expect(made).toMatchObject({ version, aliases: ['candidate'] });
    const mlmodel = JSON.parse((await lab.mlflow.getArtifact(made?.source ?? '', 'MLmodel')).toString()) as {
      flavors: { xgboost: object };
    };
    expect(mlmodel.flavors.xgboost).toMatchObject({ data: 'model.json', model_format: 'json' });
    await expect(lab.mlflow.getArtifact(made?.source ?? '', 'model.ubj')).rejects.toThrow();
    const left: string[] = [];
    for await (const { key } of lab.store.list('_ml/')) left.push(key);
    expect(left).toEqual([]);
  });

  it('is another training than one with it: what was left out is in its identity', async () => {
    const plan = await steps.planTraining(RUN, {});
    const lacking = await steps.buildFeatures({ ...RUN, plan });
    const whole = await steps.buildFeatures({ ...RUN, plan: { ...plan, leftOut: [] } });
    expect(lacking.sha256).toBe(whole.sha256);
    expect(lacking.identity).not.toBe(whole.identity);
  });

  it('a model of trees alone is refused before anything is done', async () => {
    model = definition({ candidates: [{ kind: 'boosting' }] });
    await expect(steps.planTraining(RUN, {})).rejects.toMatchObject({
      type: 'MODEL_ENGINE_MISSING',
      nonRetryable: true,
    });
  });
});

describe('a Gold table', () => {
  it('is trained on as it was at the version or the time that the model names, unless the run names another', async () => {
    await delay(5);
    const before = new Date().toISOString();
    await delay(5);
    await lab.gold([{ symbol: 'C', date: '2023-01-01', price: 1 }]);
    const planned = async (asOf: object | undefined, options = {}): Promise<number> => {
      model = definition({ splits: { minRows: 50 }, ...(asOf && { asOf }) });
      return (await steps.planTraining(RUN, options)).goldVersion;
    };
    expect(await planned(undefined)).toBe(1);
    expect(await planned({ version: 0 })).toBe(0);
    expect(await planned({ time: before })).toBe(0);
    expect(await planned({ time: new Date().toISOString() })).toBe(1);
    expect(await planned({ version: 0 }, { goldVersion: 1 })).toBe(1);
    await expect(planned({ version: 7 })).rejects.toMatchObject({ type: 'MODEL_TABLE_MISSING' });
    await expect(planned({ time: '1999-01-01T00:00:00Z' })).rejects.toMatchObject({
      type: 'MODEL_TABLE_MISSING',
      message: expect.stringMatching(/gold\.prices as of 1999-01-01T00:00:00Z/) as unknown,
    });
    // What is planned is what is read.
    const rowsOf = async (asOf: object): Promise<number> => {
      model = definition({ splits: { minRows: 50 }, asOf });
      const run: PlannedTraining = { ...RUN, plan: await steps.planTraining(RUN, {}) };
      return (await steps.buildFeatures(run)).step.rows;
    };
    await lab.gold(
      Array.from({ length: 40 }, (_, index) => ({
        ...{ symbol: 'D', date: `2023-02-${String(1 + (index % 28)).padStart(2, '0')}`, price: index },
      })),
    );
    expect(await rowsOf({ version: 2 })).toBeGreaterThan(await rowsOf({ version: 0 }));
  });

  it('that is not there, or has not that version, is named', async () => {
    for (const options of [{ goldVersion: 9 }, {}]) {
      if (options.goldVersion === undefined) model = definition({ table: 'nothing' });
      await expect(steps.planTraining(RUN, options)).rejects.toMatchObject({
        ...{ type: 'MODEL_TABLE_MISSING', nonRetryable: true },
        message: expect.stringMatching(
          options.goldVersion === undefined ? /gold\.nothing/ : /version 9/,
        ) as unknown,
      });
    }
  });

  it.each([
    ['a feature', { features: [{ name: 'colour' }] }, /colour/],
    ['the target', { target: { expression: 'profit', kind: 'regression' } }, /profit/],
    ['the time', { time: 'day' }, /day/],
    ['a key', { keys: ['shop'] }, /shop/],
  ])(
    'without the column of %s is refused with its name, before anything is read',
    async (_what, change, names) => {
      model = definition({ splits: { minRows: 50 }, ...change });
      const plan = await steps.planTraining(RUN, {});
      await expect(steps.buildFeatures({ ...RUN, plan })).rejects.toMatchObject({
        ...{ type: 'MODEL_COLUMNS_MISSING', nonRetryable: true },
        message: expect.stringMatching(names) as unknown,
      });
    },
  );

  it('is read at the version of the plan, whatever came since', async () => {
    const plan = await steps.planTraining(RUN, {});
    const before = await steps.buildFeatures({ ...RUN, plan });
    await lab.gold([{ symbol: 'A', date: '2030-01-01', price: 1 }]);
    expect((await steps.buildFeatures({ ...RUN, plan })).sha256).toBe(before.sha256);
  });

  it('whose model file was edited meanwhile is not trained on', async () => {
    const plan = await steps.planTraining(RUN, {});
    model = definition({ features: FEATURES, description: 'another' });
    await expect(steps.buildFeatures({ ...RUN, plan })).rejects.toMatchObject({ type: 'MODEL_CHANGED' });
  });
});

describe('a training with too little memory for its rows', () => {
  const tooMuch = (columns: number) => ({
    ...{ type: 'MODEL_MEMORY_EXCEEDED', nonRetryable: true },
    message: expect.stringMatching(
      new RegExp(
        `'demand': \\d+ rows of gold\\.prices with ${columns} features take at least 1 MiB, .* may take 0\\.01 MiB\\. What to do: .*limits\\.mlops\\.memoryGb`,
      ),
    ) as unknown,
  });

  it('is refused while they are collected, and where another worker had more, before a process is started', async () => {
    const run: PlannedTraining = { ...RUN, plan: await steps.planTraining(RUN, {}) };
    const features = await steps.buildFeatures(run);
    const trained = await steps.trainCandidate(run, features, 'linear');
    memoryMb = 0.01;
    steps = stepsWith(undefined);
    await expect(steps.buildFeatures(run)).rejects.toMatchObject(tooMuch(3));
    await expect(steps.trainCandidate(run, features, 'linear')).rejects.toMatchObject(tooMuch(3));
    await expect(steps.evaluateModel(run, features, [trained])).rejects.toMatchObject(tooMuch(3));
  });
});
