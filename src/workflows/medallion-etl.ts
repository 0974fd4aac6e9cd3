/**
 * Source → Bronze → quality → Silver → Gold → record → events, for one dataset and logical time.
 *
 * Guarantees: a row of a source reaches Bronze once, however often the run is repeated, killed or doubled; a failed
 * `block` check leaves every table as it was; every run that starts is recorded, also when it fails or is cancelled;
 * events never fail a run. History is bounded by the number of Gold tables, so it never continues as new.
 */
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  defineQuery,
  isCancellation,
  proxyActivities,
  setHandler,
} from '@temporalio/workflow';
import type { EtlActivities } from '../contracts/activities.js';
import { PROGRESS_QUERY, type MedallionEtlInput } from '../contracts/flows.js';
import type { EtlSummary, RunOutcome } from '../contracts/run.js';
import { fillBronze, fillGold, fillSilver } from './medallion-steps.js';
import { activityOptions, FIRST_STEP } from './policies.js';
import { identifyRun, RunState } from './run-state.js';

export const progressQuery = defineQuery<EtlSummary>(PROGRESS_QUERY);

export async function medallionEtl(input: MedallionEtlInput): Promise<EtlSummary> {
  requireInput(input);
  const state = new RunState(identifyRun(input.dataset, input.logicalTime));
  setHandler(progressQuery, () => state.snapshot);
  const startedAt = new Date().toISOString();

  try {
    await process(state, input);
    const changed = state.snapshot.tables.some((table) => table.changed);
    await close(state, startedAt, changed ? 'ok' : 'empty', null);
    return state.snapshot;
  } catch (error) {
    const outcome: RunOutcome = isCancellation(error) ? 'cancelled' : isBlocked(error) ? 'blocked' : 'failed';
    // The record and the events are owed also by a run that is being cancelled.
    await CancellationScope.nonCancellable(() => close(state, startedAt, outcome, describe(error)));
    throw error;
  }
}

/** People start flows by hand, from the Web UI and the `temporal` command: the type says nothing there. */
function requireInput(input: MedallionEtlInput): void {
  const { dataset, logicalTime } = (input ?? {}) as Partial<Record<keyof MedallionEtlInput, unknown>>;
  const problem =
    typeof dataset !== 'string' || dataset === ''
      ? '"dataset" is the name of a folder in datasets/'
      : logicalTime !== undefined &&
          (typeof logicalTime !== 'string' || Number.isNaN(Date.parse(logicalTime)))
        ? '"logicalTime" is an ISO instant such as 2013-03-01T06:00:00Z'
        : undefined;
  if (problem === undefined) return;
  const got = JSON.stringify(input)?.slice(0, 200);
  throw ApplicationFailure.nonRetryable(
    `medallionEtl takes {"dataset": "…", "logicalTime"?: "…"}: ${problem}; got ${got}`,
    'INPUT_INVALID',
  );
}

async function process(state: RunState, input: MedallionEtlInput): Promise<void> {
  const options = input.options ?? {};
  const { planRun } = proxyActivities<EtlActivities>(activityOptions('flows', FIRST_STEP));
  const plan = await planRun(state.run);
  const etl = proxyActivities<EtlActivities>(activityOptions('etl', plan.heavy));

  state.enter('bronze');
  if (!(await fillBronze(etl, state))) {
    const failed = state.snapshot.failedChecks.filter((check) => check.severity === 'block');
    throw ApplicationFailure.nonRetryable(
      `quality blocked the batch, nothing was published: ${failed.map((check) => check.detail).join('; ')}`,
      BLOCKED,
    );
  }
  state.enter('silver');
  await fillSilver(etl, state, options);
  state.enter('gold');
  await fillGold(etl, state, plan, options);
}

/** Writes the run to `meta`, then sends what is unsent. Both are tried until they succeed. */
async function close(
  state: RunState,
  startedAt: string,
  outcome: RunOutcome,
  error: { code: string; message: string } | null,
): Promise<void> {
  const light = proxyActivities<EtlActivities>(activityOptions('flows', FIRST_STEP));
  state.enter('recording');
  state.finish(outcome);
  const finishedAt = new Date().toISOString();
  state.did(
    await light.recordRun({
      summary: state.snapshot,
      outcome,
      startedAt,
      finishedAt,
      verdict: state.verdict,
      error,
    }),
  );
  state.enter('relaying');
  const relayed = await light.relayEvents(state.run);
  state.did(relayed.step);
  state.relayed({ sent: relayed.sent, pending: relayed.pending, detail: relayed.detail });
  state.enter('done');
}

const BLOCKED = 'QUALITY_BLOCKED';

function isBlocked(error: unknown): boolean {
  return error instanceof ApplicationFailure && error.type === BLOCKED;
}

/** The innermost cause, cut: histories and records stay small. */
function describe(error: unknown): { code: string; message: string } {
  const cause = error instanceof ActivityFailure && error.cause ? error.cause : error;
  const code =
    cause instanceof ApplicationFailure && cause.type
      ? cause.type
      : isCancellation(error)
        ? 'CANCELLED'
        : 'UNEXPECTED';
  const message = cause instanceof Error ? cause.message : String(cause);
  return { code, message: message.slice(0, 2000) };
}
