/**
 * Training when things go wrong at the worst moment: a worker killed with SIGKILL while it trains, registers or deploys, MLflow
 * that goes away, a person who cancels. Each time there is one version, no run left open in MLflow, and the right champion.
 * The moments are found by a proxy in front of the real MLflow.
 */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DatalabClient, type RunHandle } from '../../src/client/index.js';
import { openMlflow, type MlflowClient } from '../../src/connectors/mlflow/index.js';
import type { TrainingSummary } from '../../src/contracts/ml-flows.js';
import { MLFLOW_MISSING } from '../support/mlflow.js';
import { ownNamespace } from '../support/namespace.js';
import { S3Proxy as HttpProxy } from '../support/s3-proxy.js';
import { testStack, type TestStack } from '../support/stack.js';
import { ownLake, PROJECT, WorkerProcess, type OwnLake } from '../support/worker-process.js';

/** A model of the sample, small enough to be trained in a moment, or large enough never to be done. */
const modelFile = (name: string, candidates: string): string => `
name: ${name}
table: stocks_daily_features
keys: [symbol]
time: date
target: { expression: 'ln(greatest(parkinson_volatility, 0.0001))', kind: regression }
features:
  - { name: v, expression: 'ln(greatest(parkinson_volatility, 0.0001))', lags: [0, 1], windows: [{ rows: [5, 20, 60] }] }
splits: { folds: 2 }
candidates: [${candidates}]
baselines: [{ kind: last_value }, { kind: rolling_mean, rows: 20 }]
metric: rmse
`;
const QUICK = '{ kind: linear }';
const SLOW = '{ kind: linear }, { kind: boosting, parameters: { rounds: 1500, max_depth: 6 } }';
const ENDLESS = '{ kind: boosting, parameters: { rounds: 1000000, max_depth: 6 } }';

/** Processes whose parent this is. */
async function childrenOf(pid: number): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    const stat = /^\d+$/.test(name) ? await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '') : '';
    if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid) found.push(Number(name));
  }
  return found;
}

async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !/\) Z /.test(stat);
}

describe.skipIf(MLFLOW_MISSING)(`a training ${MLFLOW_MISSING ?? ''}`, () => {
  let stack: TestStack;
  let proxy: HttpProxy;
  let client: DatalabClient;
  let lake: OwnLake;
  let mlflow: MlflowClient;
  let folder: string;
  let model: string;
  let worker: WorkerProcess;

  const startWorker = async (): Promise<WorkerProcess> =>
    (worker = await WorkerProcess.start({
      ...lake.env,
      ...{ MLFLOW_TRACKING_URI: proxy.endpoint, DATALAB_DATASETS_DIRECTORY: folder },
      // So that the test does not wait half a minute for the dead worker to be missed.
      ...{ DATALAB_HEARTBEAT_SECONDS: '5', DATALAB_KAFKA_ENABLED: 'false' },
    }));

  async function declare(candidates: string): Promise<void> {
    model = `m_${randomUUID().slice(0, 8)}`;
    await writeFile(path.join(folder, 'stocks', 'models', `${model}.yaml`), modelFile(model, candidates));
  }

  /** Nothing is left open, nothing is there twice. */
  async function expectOneVersion(): Promise<void> {
    const versions = await mlflow.versions(model);
    expect(versions.map(({ version, tags }) => [version, tags['datalab.decision']])).toEqual([
      ['1', 'promoted'],
    ]);
    expect(await mlflow.aliases(model)).toEqual({ candidate: '1', champion: '1' });
    const runs = await mlflow.findRuns(await mlflow.experiment(`datalab/${model}`), '');
    expect(runs.map(({ status }) => status)).toEqual(runs.map(() => 'FINISHED'));
  }

  async function promoted(run: RunHandle): Promise<TrainingSummary> {
    const result = await run.result();
    const summary = (result.status === 'completed' ? result.summary : result) as TrainingSummary;
    expect(summary).toMatchObject({ outcome: 'ok', training: { decision: 'promoted', version: '1' } });
    return summary;
  }

  beforeAll(async () => {
    stack = await testStack('s3', 'temporal', 'mlflow');
    const namespace = await ownNamespace(stack.temporal.address, 'training-faults');
    lake = await ownLake(stack.env, 'training-faults', namespace);
    mlflow = openMlflow(stack.mlflow);
    proxy = await HttpProxy.start(stack.mlflow);
    client = await DatalabClient.connect({ address: stack.temporal.address, namespace });
    folder = await mkdtemp(path.join(tmpdir(), 'datalab-models-'));
    await cp(path.join(PROJECT, 'datasets'), folder, { recursive: true });
    await startWorker();
    const filled = await (await client.startEtl({ dataset: 'stocks' })).result();
    expect(filled.status).toBe('completed');
  }, 300_000);
  afterEach(async () => {
    proxy.hook = () => undefined;
    if (!worker.running) await startWorker();
  });
  afterAll(async () => {
    await worker?.stop();
    await client?.close();
    await proxy?.stop();
    await lake?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  it('whose worker is killed while it trains is trained by another, and the orphan ends itself', async () => {
    await declare(SLOW);
    const run = await client.startTraining({ model });
    const isTraining = async (): Promise<boolean> =>
      (await run.progress()).activities.some(({ progress }) => progress?.phase === 'boosting');
    await expect.poll(isTraining, { timeout: 60_000, interval: 100 }).toBe(true);
    const trainers = await childrenOf(worker.pid);
    expect(trainers.length).toBeGreaterThan(0);
    await worker.kill();
    for (const pid of trainers) await expect.poll(() => isAlive(pid), { timeout: 60_000 }).toBe(false);
    await startWorker();
    const { training } = await promoted(run);
    expect(training?.candidates).toHaveLength(2);
    await expectOneVersion();
  });

  it.each([
    ['while it registers: MLflow has the version, nobody heard of it', '/model-versions/create', 1],
    ['between the switch of the alias and its verification', '/registered-models/alias', 2],
  ])('whose worker is killed %s', async (_what, request, nth) => {
    await declare(QUICK);
    let seen = 0;
    const victim = worker;
    proxy.hook = async ({ method, path: asked }, moment) => {
      if (method !== 'POST' || moment !== 'after' || !asked.endsWith(request)) return;
      if ((seen += 1) === nth) await victim.kill();
    };
    const run = await client.startTraining({ model });
    await expect.poll(() => victim.running, { timeout: 60_000 }).toBe(false);
    await startWorker();
    await promoted(run);
    await expectOneVersion();
  });

  it('that finds MLflow away waits for it', async () => {
    await declare(QUICK);
    let refused = 0;
    proxy.hook = ({ path: asked }) => {
      // Away from the middle of the registration on, for some tries.
      if (!asked.endsWith('/log-batch') || refused >= 3) return undefined;
      refused += 1;
      return 'drop';
    };
    await promoted(await client.startTraining({ model }));
    expect(refused).toBe(3);
    await expectOneVersion();
  });

  it('that is cancelled stops to train at once, and leaves nothing open', async () => {
    await declare(ENDLESS);
    const run = await client.startTraining({ model });
    const isTraining = async (): Promise<boolean> =>
      (await run.progress()).activities.some(({ progress }) => progress?.phase === 'boosting');
    await expect.poll(isTraining, { timeout: 60_000, interval: 100 }).toBe(true);
    const [trainer] = await childrenOf(worker.pid);
    expect(trainer && (await isAlive(trainer))).toBe(true);
    await run.cancel();
    // It would train for hours.
    await expect.poll(() => isAlive(trainer ?? 0), { timeout: 60_000, interval: 50 }).toBe(false);
    expect((await run.result()).status).toBe('cancelled');
    expect(worker.running).toBe(true);
    expect(await mlflow.versions(model)).toEqual([]);
    const runs = await mlflow.findRuns(
      await mlflow.experiment(`datalab/${model}`),
      "attributes.status = 'RUNNING'",
    );
    expect(runs).toEqual([]);
  });
});
