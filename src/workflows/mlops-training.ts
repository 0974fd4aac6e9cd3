/**
 * Trains one model on a pinned version of its Gold table, judges it, registers it, and makes it the champion if it has earned
 * that.
 *
 * Guarantees: equal rows and an equal definition register nothing twice; candidates are chosen by walking forward and judged
 * once, on rows that none of them saw; the champion changes only through `modelDeployment`. A refusal is a success with
 * reasons. However it ends, no run in MLflow stays open and the run is recorded.
 */
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowFailure,
  condition,
  defineUpdate,
  executeChild,
  isCancellation,
  patched,
  proxyActivities,
  setHandler,
  sleep,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { EtlActivities, RunReport } from '../contracts/activities.js';
import { TASK_QUEUES } from '../contracts/flows.js';
import {
  APPROVAL_UPDATE,
  deploymentId,
  type Approval,
  type Deployed,
  type DeploymentInput,
  type EvaluatedStep,
  type PlannedTraining,
  type TrainingActivities,
  type TrainingInput,
  type TrainingOptions,
  type TrainingRun,
  type TrainingSummary,
} from '../contracts/ml-flows.js';
import type { RunOutcome } from '../contracts/run.js';
import { progressQuery } from './medallion-run.js';
import { activityOptions, LIGHT, REGISTER, RELAY } from './policies.js';
import { identifyRun, RunState } from './run-state.js';
import { parseTraining } from './training-input.js';

export const decideUpdate = defineUpdate<string, [Approval]>(APPROVAL_UPDATE);

/** Training writes to no table of the dataset, so its record stands under the model's name. */
export async function mlopsTraining(given: TrainingInput): Promise<TrainingSummary> {
  const { model, logicalTime, options = {} } = parseTraining(given);
  const run: TrainingRun = { ...identifyRun(model, logicalTime), model };
  const state = new RunState(run, 'mlopsTraining');
  setHandler(progressQuery, () => state.snapshot);
  const startedAt = new Date().toISOString();
  const ending: Ending = await train(state, run, options).then(
    (outcome) => ({ outcome }),
    (error: unknown) => ({
      outcome: isCancellation(error) ? ('cancelled' as const) : ('failed' as const),
      error,
    }),
  );
  const unrecorded = await CancellationScope.nonCancellable(() => close(state, run, startedAt, ending));
  if ('error' in ending) throw ending.error;
  if (unrecorded !== undefined) throw unrecorded;
  return state.snapshot;
}

type Ending = { readonly outcome: RunOutcome; readonly error?: unknown };

async function train(state: RunState, run: TrainingRun, options: TrainingOptions): Promise<RunOutcome> {
  const light = proxyActivities<TrainingActivities>(activityOptions('ml', LIGHT));
  const plan = await light.planTraining(run, options);
  const planned: PlannedTraining = { ...run, plan };
  const heavy = proxyActivities<TrainingActivities>(activityOptions('ml', plan.heavy));
  const { heartbeatSeconds } = plan.heavy;
  const registry = proxyActivities<TrainingActivities>(
    activityOptions('ml', { ...REGISTER, heartbeatSeconds }),
  );
  state.plans(plan);

  state.enter('features');
  const features = await heavy.buildFeatures(planned);
  state.did(features.step);
  state.trained({ rows: features.rows });
  const known = options.force ? null : await registry.findIdentical(planned, features.identity);
  if (known) {
    const standing = known.isChampion ? 'the champion' : `a version whose gate is ${known.gate}`;
    const message = `${run.model}: nothing new; the same rows and definition made version ${known.version}, ${standing}`;
    state.trained({ version: known.version, decision: 'unchanged', message });
    return 'empty';
  }
  state.enter('training');
  const trained = await Promise.all(
    plan.candidates.map(async (name) => {
      const done = await heavy.trainCandidate(planned, features, name);
      state.did(done.step);
      return done;
    }),
  );
  state.trained({ candidates: trained.map(({ trained: { name, validation } }) => ({ name, validation })) });
  state.enter('evaluating');
  const evaluated = await heavy.evaluateModel(planned, features, trained);
  state.did(evaluated.step);
  state.trained({ winner: evaluated.winner, metrics: evaluated.metrics, reasons: evaluated.gate.reasons });
  state.enter('registering');
  const registered = await registry.registerModel(planned, features, trained, evaluated);
  state.reported({ step: registered.step, report: registered.report });
  state.trained({ version: registered.version, mlflowRun: registered.mlflowRun });
  await decide(state, planned, registered.version, evaluated);
  const { decision, reasons } = state.training;
  await registry.tagDecision(run, registered.version, decision ?? 'registered', reasons);
  return 'ok';
}

/** The gate, a person where one is asked for, then the deployment; every outcome is one sentence. */
async function decide(
  state: RunState,
  { plan, model }: PlannedTraining,
  version: string,
  evaluated: EvaluatedStep,
) {
  const figure = `${plan.metric} ${(evaluated.metrics[plan.metric] ?? NaN).toFixed(4)}`;
  const say = (
    decision: NonNullable<RunState['training']['decision']>,
    text: string,
    reasons: readonly string[] = [],
  ): void =>
    state.trained({ decision, reasons, message: `${model} version ${version} (${figure}): ${text}` });
  if (!evaluated.gate.passed) {
    const { reasons } = evaluated.gate;
    return say('refused', `refused by the gate: ${reasons.join('; ')}`, reasons);
  }
  if (!plan.deploy) return say('registered', 'registered; the model file does not deploy by itself');
  if (plan.approval.required) {
    state.enter('approval');
    const refusal = await askPerson(plan.approval.timeoutHours);
    if (refusal !== undefined) return say('refused', refusal, [refusal]);
  }
  state.enter('deploying');
  const deployed = await deploy({ model, version, expect: evaluated.champion });
  if ('problem' in deployed) return say('not_deployed', deployed.problem, [deployed.problem]);
  say(
    'promoted',
    deployed.from === null ? 'the first champion' : `champion in place of version ${deployed.from}`,
  );
}

/** Undefined where a person approves; else why not. */
async function askPerson(timeoutHours: number): Promise<string | undefined> {
  let decision: Approval | undefined;
  setHandler(
    decideUpdate,
    (given) => {
      decision = given;
      return given.approve ? 'approved' : 'refused';
    },
    {
      validator: (given) => {
        if (typeof given?.approve !== 'boolean' || typeof given.by !== 'string' || given.by === '')
          throw ApplicationFailure.nonRetryable(
            'a decision is {"approve": true, "by": "name"}',
            'INPUT_INVALID',
          );
        if (decision) throw ApplicationFailure.nonRetryable('it was decided already', 'INPUT_INVALID');
      },
    },
  );
  await condition(() => decision !== undefined, timeoutHours * 3_600_000);
  if (!decision) return `nobody approved it within ${timeoutHours} hours`;
  const why = decision.reason ? `: ${decision.reason}` : '';
  return decision.approve ? undefined : `refused by ${decision.by}${why}`;
}

/** A deployment of its own, after any that is under way. One that fails has put everything back. */
async function deploy(input: DeploymentInput): Promise<Deployed | { readonly problem: string }> {
  for (;;) {
    try {
      return await executeChild<(input: DeploymentInput) => Promise<Deployed>>('modelDeployment', {
        workflowId: deploymentId(input.model),
        taskQueue: TASK_QUEUES.flows,
        args: [input],
      });
    } catch (error) {
      if (isCancellation(error)) throw error;
      if (error instanceof WorkflowExecutionAlreadyStartedError) await sleep(5000);
      else if (error instanceof ChildWorkflowFailure) return { problem: describe(error).message };
      else throw error;
    }
  }
}

/** Closes what is open in MLflow, records the run, tells of it. The reason why it could not be recorded is returned. */
async function close(
  state: RunState,
  run: TrainingRun,
  startedAt: string,
  { outcome, error }: Ending,
): Promise<unknown> {
  const { endTraining } = proxyActivities<TrainingActivities>(activityOptions('ml', RELAY));
  const status = outcome === 'cancelled' ? 'KILLED' : outcome === 'failed' ? 'FAILED' : 'FINISHED';
  // What MLflow cannot be told now does not change what the run came to.
  const closed = await endTraining(run, status).then(
    () => true,
    () => false,
  );
  state.enter('recording');
  state.finish(outcome);
  const report: RunReport = {
    ...{ summary: state.snapshot, outcome, startedAt, finishedAt: new Date().toISOString(), verdict: null },
    error: error === undefined ? null : describe(error),
  };
  const { recordRun } = proxyActivities<EtlActivities>(activityOptions('flows', LIGHT));
  const { relayEvents } = proxyActivities<EtlActivities>(activityOptions('flows', RELAY));
  const unrecorded = await recordRun(report).then(
    (step) => state.did(step),
    (reason: unknown) => reason,
  );
  state.enter('relaying');
  await relayEvents(run).then(
    ({ step, sent, pending, detail }) => {
      state.did(step);
      state.relayed({ sent, pending, detail });
    },
    (problem: unknown) =>
      state.relayed({ sent: 0, pending: 0, detail: `not told yet: ${describe(problem).message}` }),
  );
  if (!closed && state.snapshot.training?.winner && patched('close-when-mlflow-is-back'))
    await closeLater(run, status);
  state.enter('done');
  return unrecorded;
}

/** A registration was begun and MLflow went away: for a day it is asked again, so that nothing stays open in it. */
async function closeLater(run: TrainingRun, status: 'FINISHED' | 'FAILED' | 'KILLED'): Promise<void> {
  const { endTraining } = proxyActivities<TrainingActivities>(activityOptions('ml', LIGHT));
  await endTraining(run, status).catch(() => undefined);
}

function describe(error: unknown): { code: string; message: string } {
  let cause = error;
  while ((cause instanceof ActivityFailure || cause instanceof ChildWorkflowFailure) && cause.cause)
    cause = cause.cause;
  const typed = cause instanceof ApplicationFailure && cause.type ? cause.type : undefined;
  const code = typed ?? (isCancellation(error) ? 'CANCELLED' : 'UNEXPECTED');
  return { code, message: (cause instanceof Error ? cause.message : String(cause)).slice(0, 2000) };
}
