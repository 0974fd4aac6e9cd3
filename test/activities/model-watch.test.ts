/** Predictions from the server's inbox into their table, once each, and held against the truth when it has come. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tmpdir } from 'node:os';
import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { measureLive } from '../../src/activities/monitoring/models.js';
import { createTrainingActivities } from '../../src/activities/training/index.js';
import type { TrainingDeps } from '../../src/activities/training/deps.js';
import { createRowParquet } from '../../src/connectors/parquet-rows.js';
import type { ScheduledTime } from '../../src/contracts/expected-runs.js';
import type { ModelDefinition } from '../../src/contracts/model.js';
import type { LiveModel, TakenPredictions, WatchActivities } from '../../src/contracts/model-watch.js';
import { PREDICTIONS_INBOX, type PredictionRecord } from '../../src/contracts/serving.js';
import { DeltaTable } from '../../src/delta/index.js';
import { queryLake } from '../../src/lake/query.js';
import { encodeRows } from '../../src/ml/matrix.js';
import { DEFAULT_RULES } from '../../src/monitoring/default-rules.js';
import { judge } from '../../src/monitoring/judge.js';
import { chancesAt, classesDefinition, definition, ServingLab } from '../model-server/lab.js';

let lab: ServingLab;
let watch: WatchActivities;
let declared: ModelDefinition;
const AT = '2024-06-01T00:00:00.000Z';
const DUE = '2024-05-31T23:45:00.000Z';

beforeEach(() => {
  lab = new ServingLab();
  declared = definition();
  const activities = createTrainingActivities({
    ...{ mlflow: lab.mlflow, modelServer: null, lake: lab.store, engine: lab.engine, newId: randomUUID },
    ...{ rowParquet: createRowParquet(), clock: { nowMs: () => Date.now() }, scratchDirectory: tmpdir() },
    isExpected: (_: string, logicalTime: string) => Promise.resolve(logicalTime === DUE),
    ...{ log: () => undefined, loadModel: () => Promise.resolve(declared) },
  } as Partial<TrainingDeps> as TrainingDeps);
  const inActivity =
    <Args extends unknown[], Result>(body: (...args: Args) => Promise<Result>) =>
    (...args: Args): Promise<Result> =>
      new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(() => body(...args));
  watch = {
    takePredictions: inActivity(() => activities.takePredictions()),
    measureModels: inActivity((at: string, scheduled?: ScheduledTime) =>
      activities.measureModels(at, scheduled),
    ),
  };
});

const record = (change: Partial<PredictionRecord> = {}): PredictionRecord => ({
  ...{ id: randomUUID(), at: '2024-05-31T12:00:00.000Z', model: 'demand', version: '1' },
  ...{ key: '["A"]', time: '2024-01-02T00:00:00.000Z', prediction: 1 },
  ...change,
});

let files = 0;
async function drop(...records: ReadonlyArray<PredictionRecord | string>): Promise<string> {
  const key = `${PREDICTIONS_INBOX}2024-${String((files += 1)).padStart(6, '0')}.jsonl`;
  const lines = records.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)));
  await lab.store.put(key, Buffer.from(`${lines.join('\n')}\n`));
  return key;
}

async function ids(): Promise<unknown[]> {
  const { rows } = await queryLake(
    { store: lab.store, engine: lab.engine },
    'SELECT id FROM meta.predictions ORDER BY id',
    { limit: 10_000 },
  );
  return rows.map(([id]) => id);
}

async function waiting(): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of lab.store.list(PREDICTIONS_INBOX)) keys.push(key);
  return keys;
}

describe('the inbox', () => {
  it('is emptied into the table, and what is no prediction is counted', async () => {
    await drop(record({ id: 'a' }), record({ id: 'b', key: null, time: null }));
    await drop(record({ id: 'c' }), '{"id": "torn', '{"id": "d"}');
    expect(await watch.takePredictions()).toEqual<TakenPredictions>({ files: 2, rows: 3, bad: 2 });
    expect(await ids()).toEqual(['a', 'b', 'c']);
    expect(await waiting()).toEqual([]);
    expect(await watch.takePredictions()).toEqual<TakenPredictions>({ files: 0, rows: 0, bad: 0 });
  });

  it('that could not be emptied after the commit is taken in once all the same', async () => {
    await drop(record({ id: 'a' }));
    const remove = lab.store.delete.bind(lab.store);
    lab.store.delete = () => Promise.reject(new Error('the worker died'));
    await expect(watch.takePredictions()).rejects.toThrow();
    expect(await waiting()).toHaveLength(1);
    lab.store.delete = remove;
    await drop(record({ id: 'b' }));
    expect(await watch.takePredictions()).toMatchObject({ rows: 1 });
    expect(await ids()).toEqual(['a', 'b']);
    expect(await waiting()).toEqual([]);
  });

  it('that two attempts empty at once is taken in once', async () => {
    for (let file = 0; file < 8; file += 1) await drop(record({ id: `f${file}` }));
    const done = await Promise.all([watch.takePredictions(), watch.takePredictions()]);
    expect(done.reduce((sum, { rows }) => sum + rows, 0)).toBe(8);
    expect(await ids()).toEqual(Array.from({ length: 8 }, (_, file) => `f${file}`));
    expect(await waiting()).toEqual([]);
  });

  it('is read on after the table was tidied and its batches are far back', async () => {
    await drop(record({ id: 'a' }));
    await watch.takePredictions();
    const table = new DeltaTable(lab.store.at('meta/predictions'), { engine: lab.engine });
    for (let round = 0; round < 3; round += 1) await table.update({ set: { prediction: String(round) } });
    await drop(record({ id: 'b' }));
    expect(await watch.takePredictions()).toMatchObject({ rows: 1 });
    expect(await ids()).toEqual(['a', 'b']);
  });
});

describe('a champion in use', () => {
  const day = (index: number): string => new Date(Date.UTC(2024, 0, 1 + index)).toISOString();
  const priceOf = (index: number): number => (index * 7) % 11;

  /** Forty days of prices: the truth of a day is the price of the next. */
  beforeEach(async () => {
    await lab.gold(
      Array.from({ length: 41 }, (_, index) => ({
        symbol: 'A',
        date: day(index).slice(0, 10),
        price: priceOf(index),
      })),
    );
    await lab.promote(await lab.version(0));
    const [version] = await lab.mlflow.versions('demand');
    const run = await lab.mlflow.ensureRun(await lab.mlflow.experiment('e'), {
      key: 'k',
      name: 'n',
      startMs: 0,
      tags: {},
    });
    // The lab's versions belong to the run 'run'; its figures and its feature file are what training leaves.
    expect(version?.runId).toBe('run');
    lab.mlflow.metrics = () => Promise.resolve({ holdout_rmse: 2 });
    const rows = 40;
    await lab.mlflow.putArtifact(
      (version?.source ?? '').replace(/\/model$/, ''),
      'features.arrow',
      encodeRows({
        ...{
          names: ['price', 'price_lag_1'],
          rows,
          y: new Float64Array(rows),
          keys: Array<string>(rows).fill('["A"]'),
        },
        x: Float32Array.from(
          { length: rows * 2 },
          (_, at) => priceOf(Math.floor(at / 2) + 1 - (at % 2)) / 10,
        ),
        time: Float64Array.from({ length: rows }, (_, index) => Date.parse(day(index))),
        targetTime: Float64Array.from({ length: rows }, (_, index) => Date.parse(day(index + 1))),
        baselines: {},
      }),
    );
    expect(run.status).toBe('RUNNING');
  });
  afterEach(() => expect(lab.mlflow.artifacts.size).toBeGreaterThan(3));

  const predictAll = (error: number, more: Partial<PredictionRecord> = {}): Promise<string> =>
    drop(
      ...Array.from({ length: 40 }, (_, index) =>
        record({
          time: day(index),
          prediction: priceOf(index + 1) + (index % 2 === 0 ? error : -error),
          ...more,
        }),
      ),
    );
  async function measured(): Promise<LiveModel> {
    await watch.takePredictions();
    const [one] = await watch.measureModels(AT);
    if (!one) throw new Error('no model was measured');
    return one;
  }

  it('is measured on the rows whose truth is known, each once, its own version alone', async () => {
    await predictAll(9, { at: '2024-05-30T00:00:00.000Z' });
    // Asked again later: the last answer counts.
    await predictAll(3);
    await predictAll(50, { version: '7' });
    await drop(
      record({ time: day(40), prediction: 1 }),
      record({ key: '["Z"]' }),
      record({ key: null, time: null }),
    );
    const one = await measured();
    expect(one).toMatchObject({
      model: 'demand',
      version: '1',
      metric: 'rmse',
      judged: 40,
      holdout: 2,
      problem: null,
    });
    expect(one.live).toBeCloseTo(3, 10);
    expect(one.degradation).toBeCloseTo(0.5, 10);
    expect(one.predictions).toBe(83);
  });

  it('raises an alert when it errs more than on its holdout, and none while it does not', async () => {
    await predictAll(2.2);
    await measured();
    const alerts = async (): Promise<string[]> => {
      const sample = await measureLive(lab.store, Date.parse(AT));
      return judge(
        DEFAULT_RULES.filter(({ name }) => name.startsWith('model_') && name !== 'model_drift'),
        sample.map((one) => ({ ...one, source: 'lake' })),
      ).findings.map(({ summary }) => summary);
    };
    expect(await alerts()).toEqual([]);
    await predictAll(4, { at: '2024-05-31T13:00:00.000Z' });
    await measured();
    expect(await alerts()).toEqual([
      'demand version 1 is worse in use than it was at training: rmse 4.000 over 40 predictions, 2.000 on the holdout',
    ]);
  });

  it('says how far its predictions moved from those on its holdout', async () => {
    await predictAll(100);
    expect((await measured()).drift).toBeGreaterThan(0.25);
  });

  it('says nothing of few predictions, of old ones, and why where it cannot be measured', async () => {
    await drop(record());
    await predictAll(3, { at: '2024-01-01T00:00:00.000Z' });
    expect(await measured()).toMatchObject({
      live: null,
      degradation: null,
      drift: null,
      predictions: 1,
      problem: null,
    });
    lab.mlflow.metrics = () => Promise.reject(new RangeError('no such run'));
    const one = await measured();
    expect(one.problem).toBe('no such run');
    const figures = await measureLive(lab.store, Date.parse(AT));
    expect(figures).toContainEqual({
      ...{
        metric: 'model.measurable',
        labels: { model: 'demand', version: '1' },
        value: 0,
        detail: 'no such run',
      },
    });
  });
});

describe('a champion that says classes', () => {
  const day = (index: number): string => new Date(Date.UTC(2024, 0, 1 + index)).toISOString();
  const priceOf = (index: number): number => (index * 7) % 11;
  /** Places of `up`, `2` and `1`. */
  const truthOf = (index: number): number => (priceOf(index) > 5 ? 0 : priceOf(index) > 2 ? 1 : 2);

  beforeEach(async () => {
    declared = classesDefinition();
    await lab.gold(
      Array.from({ length: 41 }, (_, index) => ({
        symbol: 'A',
        date: day(index).slice(0, 10),
        price: priceOf(index),
      })),
    );
    await lab.promote(await lab.classesVersion());
    lab.mlflow.metrics = () => Promise.resolve({ holdout_accuracy: 0.9, holdout_log_loss: 0.4 });
    const [version] = await lab.mlflow.versions('demand');
    const rows = 40;
    await lab.mlflow.putArtifact(
      (version?.source ?? '').replace(/\/model$/, ''),
      'features.arrow',
      encodeRows({
        ...{ names: ['price', 'price_lag_1'], rows, y: new Float64Array(rows), baselines: {} },
        ...{ keys: Array<string>(rows).fill('["A"]'), x: new Float32Array(rows * 2).fill(1) },
        time: Float64Array.from({ length: rows }, (_, index) => Date.parse(day(index))),
        targetTime: Float64Array.from({ length: rows }, (_, index) => Date.parse(day(index + 1))),
      }),
    );
  });

  /** Every fourth day the class of the day after is missed. */
  const said = Array.from({ length: 40 }, (_, index) => {
    const right = truthOf(index + 1);
    const place = index % 4 === 0 ? (right + 1) % 3 : right;
    return [0, 1, 2].map((at) => (at === place ? 0.7 : at === (place + 2) % 3 ? 0.2 : 0.1));
  });
  const dropAll = (): Promise<string> =>
    drop(
      ...said.map((probabilities, index) =>
        record({ time: day(index), prediction: probabilities.indexOf(0.7), probabilities }),
      ),
    );

  it('is judged by the probabilities that it gave, also in a table from before there were any', async () => {
    const table = new DeltaTable(lab.store.at('meta/predictions'), { engine: lab.engine });
    await table.append({
      sql: `SELECT TIMESTAMPTZ '2024-05-01T00:00:00Z' AS predicted_at, 'old' AS id, 'demand' AS model, '1' AS version,
            '["A"]' AS key, TIMESTAMPTZ '2023-01-01T00:00:00Z' AS feature_time, 1.0::DOUBLE AS prediction`,
    });
    expect((await watch.measureModels(AT))[0]).toMatchObject({ problem: null, judged: 0 });
    await dropAll();
    await watch.takePredictions();
    const [one] = await watch.measureModels(AT);
    expect(one).toMatchObject({ metric: 'accuracy', judged: 40, holdout: 0.9, problem: null });
    expect(one?.live).toBeCloseTo(0.75, 12);
    expect(one?.degradation).toBeCloseTo(0.15, 12);

    declared = { ...declared, metric: 'log_loss' };
    const loss = said.reduce((sum, list, index) => sum - Math.log(list[truthOf(index + 1)] ?? 0) / 40, 0);
    expect((await watch.measureModels(AT))[0]?.live).toBeCloseTo(loss, 12);
  });

  it('drifts by the classes that it says', async () => {
    await dropAll();
    await watch.takePredictions();
    // On its holdout it said `up` of every row.
    expect(chancesAt(1).indexOf(Math.max(...chancesAt(1)))).toBe(0);
    expect((await watch.measureModels(AT))[0]?.drift).toBeGreaterThan(0.25);
  });
});

it('no model and no prediction is no trouble', async () => {
  expect(await watch.takePredictions()).toEqual({ files: 0, rows: 0, bad: 0 });
  expect(await watch.measureModels(AT)).toEqual([]);
  expect(await measureLive(lab.store, Date.parse(AT))).toEqual([
    { metric: 'models.watched_seconds', labels: {}, value: 0 },
  ]);
});

it('says once of a time of its schedule that it was done, and nothing of one that was not expected', async () => {
  const scheduled = { scheduleId: 'model-watch', logicalTime: DUE };
  await watch.measureModels(AT);
  await watch.measureModels(AT, { ...scheduled, logicalTime: '2024-05-31T23:47:11.000Z' });
  const times = new DeltaTable(lab.store.at('meta/expected_runs'));
  expect(await times.snapshotIfExists()).toBeNull();
  await watch.measureModels(AT, scheduled);
  await watch.measureModels(AT, scheduled);
  const { rows } = await queryLake(
    { store: lab.store, engine: lab.engine },
    'SELECT schedule_id, logical_time::VARCHAR, outcome, workflow_id FROM meta.expected_runs',
    { limit: 10 },
  );
  expect(rows).toEqual([['model-watch', '2024-05-31 23:45:00+00', 'ok', 'test']]);
});
