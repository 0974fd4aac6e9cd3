/**
 * Two models of one table in use: one says a number, one a class. They are trained, loaded by Python, asked by the command line and
 * the model server; the truth comes later, as new rows of the source; what they err in use is what it is by hand; and monitoring
 * alerts when the world has changed.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openMlflow } from '../../src/connectors/mlflow/index.js';
import type { TrainingSummary } from '../../src/contracts/ml-flows.js';
import type { LiveModel, WatchSummary } from '../../src/contracts/model-watch.js';
import type { MonitoringSummary } from '../../src/contracts/monitoring.js';
import type { Prediction } from '../../src/contracts/serving.js';
import type { Evaluation } from '../../src/contracts/training.js';
import { seeded } from '../../src/ml/random.js';
import { freePorts } from '../../src/platform/ports.js';
import { readSettings } from '../../src/platform/settings.js';
import { locateMlflow } from '../../src/platform/tools.js';
import { MLFLOW_MISSING } from '../support/mlflow.js';
import { ModelServerProcess } from '../support/model-server-process.js';
import { ownNamespace } from '../support/namespace.js';
import { testStack, type TestStack } from '../support/stack.js';
import { datalab, ownLake, runCommand, WorkerProcess, type OwnLake } from '../support/worker-process.js';

const PLANTS = Array.from({ length: 40 }, (_, index) => `p${String(index).padStart(2, '0')}`);
const DAYS = 90;
const CLASSES = ['low', 'middle', 'high'];

const DATASET = `
name: plants
source: { location: 'in/*.csv', format: csv }
columns:
  - { name: plant, type: string }
  - { name: day, type: date }
  - { name: level, type: double }
  - { name: push, type: double }
key: [plant, day]
freshness: none
silver: { sql: silver.sql }
gold: [{ table: plants_daily, sql: daily.sql }]
`;

/** What a plant is tomorrow is told by what it is today, and by the push that is known today. */
const model = (name: string, target: string, metric: string, baselines: string): string => `
name: ${name}
table: plants_daily
keys: [plant]
time: day
target: ${target}
features: [{ name: level, lags: [0, 1] }, { name: push }]
splits: { folds: 2 }
candidates: [{ kind: linear }, { kind: boosting, parameters: { rounds: 40, max_depth: 3, eta: 0.2 } }]
baselines: ${baselines}
metric: ${metric}
`;
const STATE = `CASE WHEN level < -0.5 THEN 'low' WHEN level > 0.5 THEN 'high' ELSE 'middle' END`;

const PYTHON = `
import json, sys, mlflow, numpy, pandas
mlflow.set_tracking_uri(sys.argv[1])
rows = json.load(open(sys.argv[3]))
frame = pandas.DataFrame([row["features"] for row in rows]).astype("float64")
print(json.dumps(numpy.asarray(mlflow.pyfunc.load_model(sys.argv[2]).predict(frame), dtype="float64").tolist()))
`;

const stateOf = (level: number): number => (level < -0.5 ? 0 : level > 0.5 ? 2 : 1);
const dayOf = (index: number): string => new Date(Date.UTC(2026, 0, 1 + index)).toISOString().slice(0, 10);

/** The plants, day after day. */
class World {
  private readonly random = seeded(20261129);
  readonly levels = PLANTS.map(() => 0);
  private pushes = PLANTS.map(() => 0);

  private normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.random())) * Math.cos(2 * Math.PI * this.random());
  }

  /** Lines of the next day. `broken`: every plant is then in a state in which nobody expects it. */
  day(index: number, broken = false): string[] {
    return PLANTS.map((plant, at) => {
      const usual = 0.8 * (this.levels[at] ?? 0) + (this.pushes[at] ?? 0) + 0.1 * this.normal();
      const level = broken ? ([0, 3, -3][stateOf(usual)] ?? 0) : usual;
      this.levels[at] = level;
      this.pushes[at] = 0.7 * this.normal();
      return `${plant},${dayOf(index)},${level},${this.pushes[at]}`;
    });
  }
}

describe.skipIf(MLFLOW_MISSING)(`models in use ${MLFLOW_MISSING ?? ''}`, () => {
  const project = mkdtempSync(path.join(tmpdir(), 'datalab-plants-'));
  const world = new World();
  /** What the models said of each plant, in the order of the days. */
  const said: Array<{ level: readonly Prediction[]; state: readonly Prediction[] }> = [];
  /** Levels of the days after those. */
  const truth: number[][] = [];
  let stack: TestStack;
  let lake: OwnLake;
  let worker: WorkerProcess;
  let server: ModelServerProcess;

  function put(file: string, text: string): void {
    mkdirSync(path.dirname(path.join(project, file)), { recursive: true });
    writeFileSync(path.join(project, file), text);
  }
  const putDays = (name: string, lines: readonly string[]): void =>
    put(`in/${name}.csv`, ['plant,day,level,push', ...lines, ''].join('\n'));

  async function ask<Answer>(...args: string[]): Promise<Answer> {
    const { code, stdout, stderr } = await datalab([...args, '--json'], lake.env, project);
    expect(code, `${args.join(' ')}: ${stderr}${stdout}`).toBe(0);
    return JSON.parse(stdout) as Answer;
  }

  beforeAll(async () => {
    stack = await testStack('s3', 'temporal', 'mlflow');
    const [port] = await freePorts(1);
    lake = await ownLake(
      { ...stack.env, DATALAB_KAFKA_ENABLED: 'false', DATALAB_MODEL_SERVER_PORT: String(port) },
      'plants',
      await ownNamespace(stack.temporal.address, 'plants'),
    );
    put('datasets/plants/dataset.yaml', DATASET);
    put('datasets/plants/silver.sql', 'SELECT * EXCLUDE (_extra) FROM bronze.plants');
    put('datasets/plants/daily.sql', 'SELECT plant, day, level, push FROM silver.plants');
    put(
      'datasets/plants/models/plant_level.yaml',
      model('plant_level', '{ expression: level, kind: regression }', 'rmse', '[{ kind: last_value }]'),
    );
    put(
      'datasets/plants/models/plant_state.yaml',
      model(
        'plant_state',
        `{ expression: "${STATE}", kind: multiclass, classes: [${CLASSES.join(', ')}] }`,
        'accuracy',
        '[{ kind: last_value }, { kind: majority }]',
      ),
    );
    putDays('first', Array.from({ length: DAYS }, (_, index) => world.day(index)).flat());
    worker = await WorkerProcess.start(lake.env, ['all'], project);
    server = await ModelServerProcess.start(lake.env);
    await ask('runs', 'start', 'plants', '--wait');
  }, 300_000);
  afterAll(async () => {
    await server?.stop();
    await worker?.stop();
    await lake?.remove();
    rmSync(project, { recursive: true, force: true });
  });

  it.each(['plant_level', 'plant_state'])(
    '%s is trained, promoted, and Python says the same',
    async (name) => {
      const { training, outcome } = await ask<TrainingSummary>('models', 'train', name, '--wait');
      expect({ outcome, ...training }).toMatchObject({ outcome: 'ok', decision: 'promoted', version: '1' });
      const mlflow = openMlflow(stack.mlflow);
      const [version] = await mlflow.versions(name);
      const smoke = (await mlflow.getArtifact(version?.source ?? '', 'smoke.json')).toString();
      put('smoke.json', smoke);
      put('load.py', PYTHON);
      const python = await runCommand(
        locateMlflow(readSettings(process.env)),
        ['load.py', stack.mlflow, `models:/${name}@champion`, 'smoke.json'].map((one) =>
          one.includes('.') && !one.includes(':') ? path.join(project, one) : one,
        ),
        { MLFLOW_DISABLE_TELEMETRY: 'true' },
      );
      expect(`${python.code} ${python.code === 0 ? '' : python.stderr}`).toBe('0 ');
      const theirs = JSON.parse(python.stdout.trim().split('\n').at(-1) ?? '[]') as Array<number | number[]>;
      const stored = JSON.parse(smoke) as Evaluation['smoke'];
      expect(theirs).toHaveLength(stored.length);
      expect(stored.length).toBeGreaterThan(10);
      for (const [row, one] of stored.entries()) {
        const numbers = [theirs[row] ?? []].flat();
        const ours = one.probabilities ?? [one.prediction];
        expect(numbers).toHaveLength(name === 'plant_state' ? 3 : 1);
        numbers.forEach((value, place) => expect(Math.abs(value - (ours[place] ?? NaN))).toBeLessThan(1e-6));
      }
    },
  );

  it.each(['plant_level', 'plant_state'])(
    '%s answers the same where MLflow itself serves it',
    async (name) => {
      const [port] = await freePorts(1);
      const mlflow = openMlflow(stack.mlflow);
      const [version] = await mlflow.versions(name);
      const smoke = JSON.parse(
        (await mlflow.getArtifact(version?.source ?? '', 'smoke.json')).toString(),
      ) as Evaluation['smoke'];
      const columns = Object.keys(smoke[0]?.features ?? {});
      const python = locateMlflow(readSettings(process.env));
      const serving = spawn(
        python,
        [
          ...['-m', 'mlflow', 'models', 'serve', '-m', `models:/${name}@champion`, '--env-manager', 'local'],
          ...['--host', '127.0.0.1', '--port', String(port), '--workers', '1'],
        ],
        {
          detached: true,
          stdio: ['ignore', 'ignore', 'pipe'],
          env: {
            ...process.env,
            ...{ MLFLOW_TRACKING_URI: stack.mlflow, MLFLOW_DISABLE_TELEMETRY: 'true' },
            // It starts the server that it finds there.
            PATH: `${path.dirname(python)}${path.delimiter}${process.env['PATH'] ?? ''}`,
          },
        },
      );
      let heard = '';
      serving.stderr.on('data', (bytes: Buffer) => (heard = `${heard}${bytes.toString()}`.slice(-2000)));
      try {
        while (!(await fetch(`http://127.0.0.1:${port}/ping`).catch(() => undefined))?.ok) {
          if (serving.exitCode !== null) throw new Error(`mlflow models serve ended: ${heard}`);
          await sleep(250);
        }
        const response = await fetch(`http://127.0.0.1:${port}/invocations`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({
            dataframe_split: {
              columns,
              data: smoke.map(({ features }) => columns.map((one) => features[one] ?? null)),
            },
          }),
        });
        expect(`${response.status} ${response.ok ? '' : await response.text()}`).toBe('200 ');
        const { predictions } = (await response.json()) as { predictions: Array<number | number[]> };
        expect(predictions).toHaveLength(smoke.length);
        for (const [row, { probabilities, prediction }] of smoke.entries())
          (probabilities ?? [prediction]).forEach((ours, place) =>
            expect(Math.abs(([predictions[row] ?? []].flat()[place] ?? NaN) - ours)).toBeLessThan(1e-6),
          );
      } finally {
        if (serving.exitCode === null && serving.pid) process.kill(-serving.pid, 'SIGKILL');
      }
    },
  );

  it('only a model that is not worse than the champion takes its place', async () => {
    const declare = (l2: number): void =>
      put(
        'datasets/plants/models/plant_rise.yaml',
        model(
          'plant_rise',
          '{ expression: level, kind: regression }',
          'rmse',
          '[{ kind: last_value }]',
        ).replace(/candidates: .*/, `candidates: [{ kind: linear, parameters: { l2: ${l2} } }]`),
      );
    const train = async (): Promise<TrainingSummary['training']> =>
      (await ask<TrainingSummary>('models', 'train', 'plant_rise', '--wait')).training;
    // A penalty of the size of the rows holds the weights down: still better than the naive rule.
    declare(1500);
    expect(await train()).toMatchObject({ decision: 'promoted', version: '1' });
    declare(1);
    expect(await train()).toMatchObject({ decision: 'promoted', version: '2' });
    declare(1501);
    const worse = await train();
    expect(worse).toMatchObject({ decision: 'refused', version: '3' });
    expect(worse?.reasons.join()).toMatch(/^champion: rmse .* the champion \(version 2\) has/);
    expect(await openMlflow(stack.mlflow).aliases('plant_rise')).toEqual({
      ...{ champion: '2', previous: '1', candidate: '3' },
    });
  });

  it('the command line and the model server say the class, and the probability of each', async () => {
    const row = { level: 2, level_lag_1: 2, push: 1 };
    const typed = await ask<Prediction & { version: string }>(
      'models',
      'predict',
      'plant_state',
      JSON.stringify(row),
    );
    expect(typed).toMatchObject({ version: '1', class: 'high', prediction: 2 });
    expect(Object.keys(typed.probabilities ?? {})).toEqual(CLASSES);
    const { body } = await server.predict({ model: 'plant_state', rows: [row] });
    const [answer] = body['predictions'] as Prediction[];
    expect(answer?.class).toBe('high');
    for (const name of CLASSES)
      expect(answer?.probabilities?.[name]).toBeCloseTo(typed.probabilities?.[name] ?? NaN, 9);
    const plain = await datalab(['models', 'predict', 'plant_state', JSON.stringify(row)], lake.env, project);
    expect(plain.stdout).toMatch(/^high\n[^]*low +0\.\d{4}\n/);
  });

  /** Asks both models for every plant's newest day; then that day's successor comes. */
  async function passDay(index: number, broken: boolean): Promise<void> {
    const keys = PLANTS.map((plant) => ({ plant }));
    const all = async (name: string): Promise<Prediction[]> => {
      const { status, body } = await server.predict({ model: name, keys });
      expect(`${status} ${status === 200 ? '' : JSON.stringify(body)}`).toBe('200 ');
      return body['predictions'] as Prediction[];
    };
    const answers = { level: await all('plant_level'), state: await all('plant_state') };
    for (const one of [...answers.level, ...answers.state])
      expect(one.time).toBe(`${dayOf(index - 1)}T00:00:00.000Z`);
    said.push(answers);
    // What is predicted is in the lake a moment later.
    await expect
      .poll(async () => (await fetch(`${server.url}/metrics`)).text(), { timeout: 60_000 })
      .toMatch(/log_rows_pending 0\n/);
    putDays(`day-${index}`, world.day(index, broken));
    truth.push([...world.levels]);
    await ask('runs', 'start', 'plants', '--wait');
  }

  async function watched(name: string): Promise<LiveModel> {
    const { summary } = await ask<{ summary: WatchSummary }>('flows', 'start', 'modelWatch', '--wait');
    const { models } = summary;
    const one = models.find(({ model: of }) => of === name);
    if (!one) throw new Error(`${name} is not among ${models.map(({ model: of }) => of).join(', ')}`);
    return one;
  }

  /** By hand, from what the server answered and what the source said a day later. */
  function byHand(): { rmse: number; accuracy: number } {
    const rows = truth.flatMap((levels, day) =>
      levels.map((level, at) => {
        const [number, state] = [said[day]?.level[at], said[day]?.state[at]];
        return {
          error: (number?.prediction ?? NaN) - level,
          right: state?.class === CLASSES[stateOf(level)],
        };
      }),
    );
    return {
      rmse: Math.sqrt(rows.reduce((sum, { error }) => sum + error * error, 0) / rows.length),
      accuracy: rows.filter(({ right }) => right).length / rows.length,
    };
  }

  /** Other findings are of a platform that has a few of its services only. */
  const alerts = async (): Promise<string[]> =>
    (
      JSON.parse(
        (await datalab(['monitoring', 'run', '--json'], lake.env, project)).stdout,
      ) as MonitoringSummary
    ).findings
      .map(({ fingerprint }) => fingerprint)
      .filter((fingerprint) => fingerprint.startsWith('model_degraded') && fingerprint.includes('plant'))
      .sort();

  async function expectLive(judged: number): Promise<LiveModel[]> {
    const found = [await watched('plant_level'), await watched('plant_state')];
    const hand = byHand();
    expect(found.map(({ metric, problem, judged: rows }) => [metric, problem, rows])).toEqual([
      ['rmse', null, judged],
      ['accuracy', null, judged],
    ]);
    expect(found[0]?.live).toBeCloseTo(hand.rmse, 6);
    expect(found[1]?.live).toBeCloseTo(hand.accuracy, 12);
    const mlflow = openMlflow(stack.mlflow);
    for (const one of found) {
      const [version] = await mlflow.versions(one.model);
      expect(one.holdout).toBe((await mlflow.metrics(version?.runId ?? ''))[`holdout_${one.metric}`]);
    }
    return found;
  }

  it('is judged by what comes later, and nothing is wrong while the world is as it was', async () => {
    await passDay(DAYS, false);
    await expectLive(PLANTS.length);
    expect(await alerts()).toEqual([]);
  });

  it('is told to be worse when the world has changed', async () => {
    await passDay(DAYS + 1, true);
    const [level, state] = await expectLive(2 * PLANTS.length);
    expect(level?.degradation).toBeCloseTo((level?.live ?? NaN) / (level?.holdout ?? NaN) - 1, 10);
    expect(state?.degradation).toBeCloseTo((state?.holdout ?? NaN) - (state?.live ?? NaN), 10);
    expect(await alerts()).toEqual([
      'model_degraded{model=plant_level,version=1}',
      'model_degraded{model=plant_state,version=1}',
    ]);
    const shown = await datalab(['models', 'live'], lake.env, project);
    expect(shown.stdout).toMatch(/plant_state +1 +\d+ +80 +accuracy/);
  });
});
