/** Training and deployment on Temporal's time-skipping server: decisions, approval with its time-out, and putting back. */
import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addSearchAttributes } from '../../src/connectors/temporal.js';
import { SEARCH_ATTRIBUTES, TASK_QUEUES } from '../../src/contracts/flows.js';
import {
  APPROVAL_UPDATE,
  type AliasState,
  type Approval,
  type Deployed,
  type DeploymentActivities,
  type TrainingActivities,
  type TrainingPlan,
  type TrainingSummary,
} from '../../src/contracts/ml-flows.js';
import type { RunReport } from '../../src/contracts/activities.js';
import type { StepRecord } from '../../src/contracts/run.js';
import { hasTestServer, timeSkippingEnvironment } from '../support/time-skipping.js';
import { withWorkers } from '../support/workers.js';

const step = (name: string): StepRecord => ({
  ...{ step: name, outcome: 'ok', attempt: 1, rows: 1, bytes: 1, detail: '' },
  ...{ startedAt: '2026-01-01T00:00:00.000Z', finishedAt: '2026-01-01T00:00:01.000Z' },
});

/** A model registry in memory; every step can be told to fail. */
function scripted(
  change: { approval?: boolean; gate?: string[]; known?: boolean; verify?: () => void } = {},
) {
  const state = { aliases: { champion: '1', previous: null } as AliasState, ended: '', decision: '' };
  const records: RunReport[] = [];
  const plan: TrainingPlan = {
    ...{ fingerprint: 'f', model: 'm', table: 't', tableId: 'i', goldVersion: 3, metric: 'rmse' },
    ...{ candidates: ['linear', 'boosting'], leftOut: [], deploy: true },
    approval: { required: change.approval ?? false, timeoutHours: 48 },
    heavy: { startToCloseSeconds: 60, heartbeatSeconds: 5, maximumAttempts: 2, initialIntervalSeconds: 1 },
  };
  const gate = { passed: change.gate === undefined, reasons: change.gate ?? [], rules: [] };
  const activities: TrainingActivities & DeploymentActivities = {
    planTraining: async () => plan,
    buildFeatures: async () => ({
      step: step('features'),
      key: 'k',
      sha256: 's',
      rows: 9,
      leaks: [],
      identity: 'x',
    }),
    findIdentical: async () => (change.known ? { version: '1', gate: 'passed', isChampion: true } : null),
    trainCandidate: async (_run, _features, name) => ({
      ...{ step: step(`train ${name}`), folder: name },
      trained: {
        ...{ name, kind: 'linear', parameters: {}, validation: { rmse: 1 }, folds: [] },
        ...{ tried: 1, leftOut: 0, engine: 'e' },
      },
    }),
    evaluateModel: async () => ({
      ...{ step: step('evaluate'), key: 'e', winner: 'linear', metrics: { rmse: 0.5 }, gate, champion: '1' },
    }),
    registerModel: async () => ({
      step: step('register'),
      version: '2',
      mlflowRun: 'r',
      report: { html: 'h', json: 'j' },
    }),
    tagDecision: async (_run, _version, decision) => void (state.decision = decision),
    endTraining: async (_run, status) => void (state.ended = status),
    readAliases: async ({ version }) => ({
      ...state.aliases,
      version: version === 'previous' ? (state.aliases.previous ?? '?') : version,
    }),
    smokeTest: async () => undefined,
    switchAlias: async (_model, _from, to) => void (state.aliases = to),
    verifyChampion: async () => change.verify?.(),
  };
  const records_ = {
    recordRun: async (report: RunReport) => {
      records.push(report);
      return step('record');
    },
    relayEvents: async () => ({ step: step('relay'), sent: 1, pending: 0, detail: '' }),
  };
  return { state, records, ml: activities, flows: records_ };
}

describe.skipIf(!hasTestServer)('models', () => {
  let environment: TestWorkflowEnvironment;
  beforeAll(async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    environment = await timeSkippingEnvironment();
    await addSearchAttributes(environment.client, Object.values(SEARCH_ATTRIBUTES));
  }, 120_000);
  afterAll(() => environment?.teardown());

  function run<Result>(script: ReturnType<typeof scripted>, body: () => Promise<Result>): Promise<Result> {
    return withWorkers(environment, { flows: script.flows, ml: script.ml }, body);
  }
  const start = (input: object = { model: 'm' }) =>
    environment.client.workflow.start('mlopsTraining', {
      ...{ taskQueue: TASK_QUEUES.flows, workflowId: `training-${randomUUID()}`, args: [input] },
    });
  const train = async (): Promise<TrainingSummary> => (await start()).result() as Promise<TrainingSummary>;

  it('promotes a model that passes, and records the run', async () => {
    const script = scripted();
    const { training, outcome } = await run(script, train);
    expect(outcome).toBe('ok');
    expect(training).toMatchObject({ decision: 'promoted', version: '2', winner: 'linear' });
    expect(script.state).toEqual({
      aliases: { champion: '2', previous: '1' },
      ended: 'FINISHED',
      decision: 'promoted',
    });
    expect(script.records.map(({ outcome: recorded }) => recorded)).toEqual(['ok']);
  });

  it('refuses by the gate, as a success', async () => {
    const script = scripted({ gate: ['baseline: not better'] });
    const { training, outcome } = await run(script, train);
    expect(outcome).toBe('ok');
    expect(training).toMatchObject({ decision: 'refused', reasons: ['baseline: not better'] });
    expect(script.state.aliases).toEqual({ champion: '1', previous: null });
    // What the run's event says is in its record.
    expect(script.records).toMatchObject([
      {
        outcome: 'ok',
        error: null,
        summary: {
          training: {
            message: expect.stringMatching(/refused by the gate: baseline: not better/) as unknown,
          },
        },
      },
    ]);
  });

  it('registers nothing where the rows and the definition are known', async () => {
    const script = scripted({ known: true });
    const { training, outcome } = await run(script, train);
    expect(outcome).toBe('empty');
    expect(training).toMatchObject({ decision: 'unchanged', version: '1', winner: null });
  });

  it('waits for a person, and refuses when nobody comes', async () => {
    const script = scripted({ approval: true });
    const { training } = await run(script, train);
    expect(training).toMatchObject({ decision: 'refused', reasons: ['nobody approved it within 48 hours'] });
    expect(script.state.aliases.champion).toBe('1');
  });

  it('deploys when a person approves', async () => {
    const script = scripted({ approval: true });
    const { training } = await run(script, async () => {
      const handle = await start();
      for (;;) {
        const { phase } = await handle.query<TrainingSummary>('progress');
        if (phase === 'approval') break;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      await expect(handle.executeUpdate<string, [object]>(APPROVAL_UPDATE, { args: [{}] })).rejects.toThrow();
      const decision: Approval = { approve: true, by: 'ana' };
      expect(await handle.executeUpdate<string, [Approval]>(APPROVAL_UPDATE, { args: [decision] })).toBe(
        'approved',
      );
      return handle.result() as Promise<TrainingSummary>;
    });
    expect(training).toMatchObject({ decision: 'promoted' });
  });

  it('fails with the reason when MLflow stays away, is recorded, and is closed in it when it is back', async () => {
    const script = scripted();
    const away = (): never => {
      throw ApplicationFailure.retryable('nobody listens', 'MLFLOW_UNAVAILABLE');
    };
    script.ml.registerModel = async () => away();
    const { endTraining } = script.ml;
    let asked = 0;
    let recordedBefore = -1;
    script.ml.endTraining = async (...given) => {
      // It is back after some hours: a minute lies between two tries at most.
      if ((asked += 1) < 150) away();
      recordedBefore = script.records.length;
      await endTraining(...given);
    };
    const failure = await run(script, () => train().catch((error: unknown) => error));
    expect(failure).toBeInstanceOf(WorkflowFailedError);
    expect(script.records).toMatchObject([{ outcome: 'failed', error: { code: 'MLFLOW_UNAVAILABLE' } }]);
    expect(recordedBefore).toBe(1);
    expect(script.state).toMatchObject({ ended: 'FAILED', decision: '', aliases: { champion: '1' } });
  });

  it('that never reached MLflow does not wait for it', async () => {
    const script = scripted();
    script.ml.trainCandidate = async () => {
      throw ApplicationFailure.nonRetryable('no memory', 'MODEL_PROCESS_LOST');
    };
    let asked = 0;
    script.ml.endTraining = async () => {
      asked += 1;
      throw ApplicationFailure.retryable('nobody listens', 'MLFLOW_UNAVAILABLE');
    };
    expect(await run(script, () => train().catch((error: unknown) => error))).toBeInstanceOf(
      WorkflowFailedError,
    );
    expect(script.records).toMatchObject([{ error: { code: 'MODEL_PROCESS_LOST' } }]);
    expect(asked).toBe(3);
  });

  it('puts the champion back where it cannot be verified', async () => {
    const script = scripted({
      verify: () => {
        throw ApplicationFailure.nonRetryable('predicts otherwise', 'MODEL_PARITY');
      },
    });
    const { training, outcome } = await run(script, train);
    expect(outcome).toBe('ok');
    expect(training).toMatchObject({ decision: 'not_deployed', reasons: ['predicts otherwise'] });
    expect(script.state.aliases).toEqual({ champion: '1', previous: null });
  });

  it('refuses a deployment that saw another champion, and takes a model back to the one before', async () => {
    const script = scripted();
    script.state.aliases = { champion: '3', previous: '2' };
    const deploy = (input: object): Promise<Deployed> =>
      environment.client.workflow.execute('modelDeployment', {
        ...{ taskQueue: TASK_QUEUES.flows, workflowId: `deployment-${randomUUID()}`, args: [input] },
      }) as Promise<Deployed>;
    await run(script, async () => {
      const stale = deploy({ model: 'm', version: '4', expect: '1' });
      await expect(stale).rejects.toBeInstanceOf(WorkflowFailedError);
      expect(script.state.aliases.champion).toBe('3');
      expect(await deploy({ model: 'm', version: 'previous' })).toEqual({
        model: 'm',
        version: '2',
        from: '3',
      });
      expect(script.state.aliases).toEqual({ champion: '2', previous: '3' });
    });
  });

  it('refuses what it cannot read, before anything is touched', async () => {
    await run(scripted(), async () => {
      for (const bad of [{}, { model: 'm', gold: 1 }, { model: 'm', options: { goldVersion: -1 } }])
        await expect((await start(bad)).result()).rejects.toBeInstanceOf(WorkflowFailedError);
    });
  });
});
