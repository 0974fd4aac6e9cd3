/** Trainings on the real stack that are hurt on purpose: models of the sample, a worker that can be killed, a proxy before MLflow. */
import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'vitest';
import { DatalabClient, type RunHandle } from '../../src/client/index.js';
import { openMlflow, type MlflowClient } from '../../src/connectors/mlflow/index.js';
import type { TrainingSummary } from '../../src/contracts/ml-flows.js';
import { ownNamespace } from '../support/namespace.js';
import { S3Proxy as HttpProxy } from '../support/s3-proxy.js';
import type { TestStack } from '../support/stack.js';
import {
  ownLake,
  PROJECT,
  WorkerProcess,
  type Environment,
  type OwnLake,
} from '../support/worker-process.js';

/** Candidates that are trained in a moment, take a while, or are never done. */
export const QUICK = '{ kind: linear }';
export const SLOW = '{ kind: linear }, { kind: boosting, parameters: { rounds: 1500, max_depth: 6 } }';
/** Takes memory without end within the growing of its first trees. */
export const HUNGRY = '{ kind: forest, parameters: { trees: 20000, max_depth: 12 } }';
export const ENDLESS = '{ kind: boosting, parameters: { rounds: 1000000, max_depth: 6 } }';

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

/** Processes whose parent this is. */
export async function childrenOf(pid: number): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    const stat = /^\d+$/.test(name) ? await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '') : '';
    if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid) found.push(Number(name));
  }
  return found;
}

export async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !/\) Z /.test(stat);
}

export class TrainingLab {
  worker!: WorkerProcess;
  client!: DatalabClient;
  /** Asked directly, not through the proxy. */
  readonly mlflow: MlflowClient;
  /** Of the model that was declared last. */
  model = '';
  proxy!: HttpProxy;
  private lake!: OwnLake;
  private folder = '';

  constructor(
    private readonly stack: TestStack,
    private readonly mlflowUri: string,
  ) {
    this.mlflow = openMlflow(mlflowUri);
  }

  /** Fills the Gold table that the models learn from. */
  async start(name: string): Promise<void> {
    const { env, temporal } = this.stack;
    const namespace = await ownNamespace(temporal.address, name);
    this.lake = await ownLake(env, name, namespace);
    this.proxy = await HttpProxy.start(this.mlflowUri);
    this.client = await DatalabClient.connect({ address: temporal.address, namespace });
    this.folder = await mkdtemp(path.join(tmpdir(), 'datalab-models-'));
    await cp(path.join(PROJECT, 'datasets'), this.folder, { recursive: true });
    await this.startWorker();
    const filled = await (await this.client.startEtl({ dataset: 'stocks' })).result();
    expect(filled.status).toBe('completed');
  }

  async startWorker(more: Environment = {}): Promise<void> {
    this.worker = await WorkerProcess.start({
      ...this.lake.env,
      ...{ MLFLOW_TRACKING_URI: this.proxy.endpoint, DATALAB_DATASETS_DIRECTORY: this.folder },
      // So that the test does not wait half a minute for the dead worker to be missed.
      ...{ DATALAB_HEARTBEAT_SECONDS: '5', DATALAB_KAFKA_ENABLED: 'false' },
      ...more,
    });
  }

  async stop(): Promise<void> {
    await this.worker?.stop();
    await this.client?.close();
    await this.proxy?.stop();
    await this.lake?.remove();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Starts the training of a model of its own. */
  async train(candidates: string): Promise<RunHandle> {
    this.model = `m_${randomUUID().slice(0, 8)}`;
    const file = path.join(this.folder, 'stocks', 'models', `${this.model}.yaml`);
    await writeFile(file, modelFile(this.model, candidates));
    return this.client.startTraining({ model: this.model });
  }

  /** Waits until an activity of the run is at its n-th attempt, or later. */
  async reaches(run: RunHandle, activity: string, attempt: number): Promise<void> {
    const reached = async (): Promise<boolean> =>
      (await run.progress()).activities.some((one) => one.activity === activity && one.attempt >= attempt);
    await expect.poll(reached, { timeout: 120_000, interval: 100 }).toBe(true);
  }

  /** Waits until trees are grown for it. */
  async isTraining(run: RunHandle): Promise<void> {
    const training = async (): Promise<boolean> =>
      (await run.progress()).activities.some(({ progress }) => progress?.phase === 'boosting');
    await expect.poll(training, { timeout: 60_000, interval: 100 }).toBe(true);
  }

  async promoted(run: RunHandle): Promise<TrainingSummary> {
    const result = await run.result();
    const summary = (result.status === 'completed' ? result.summary : result) as TrainingSummary;
    expect(summary).toMatchObject({ outcome: 'ok', training: { decision: 'promoted', version: '1' } });
    return summary;
  }

  /** Status of every run that MLflow has of the model. */
  async runStates(): Promise<string[]> {
    const experiment = await this.mlflow.experiment(`datalab/${this.model}`);
    return (await this.mlflow.findRuns(experiment, '')).map(({ status }) => status);
  }

  /** Nothing is left open, nothing is there twice. */
  async expectOneVersion(): Promise<void> {
    const versions = await this.mlflow.versions(this.model);
    expect(versions.map(({ version, tags }) => [version, tags['datalab.decision']])).toEqual([
      ['1', 'promoted'],
    ]);
    expect(await this.mlflow.aliases(this.model)).toEqual({ candidate: '1', champion: '1' });
    const states = await this.runStates();
    expect(states.length).toBeGreaterThan(1);
    expect(states).toEqual(states.map(() => 'FINISHED'));
  }
}
