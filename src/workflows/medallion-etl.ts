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
import type { EtlActivities, PlannedRun, RunReport } from '../contracts/activities.js';
import { PROGRESS_QUERY, type EtlOptions, type MedallionEtlInput } from '../contracts/flows.js';
import type { EtlSummary, RunOutcome } from '../contracts/run.js';
import { parseInput } from './input.js';
import { fillBronze, fillGold, fillSilver } from './medallion-steps.js';
import { activityOptions, LIGHT, RELAY, REPORT } from './policies.js';
import { identifyRun, RunState } from './run-state.js';

export const progressQuery = defineQuery<EtlSummary>(PROGRESS_QUERY);

export async function medallionEtl(input: MedallionEtlInput): Promise<EtlSummary> {
  const { dataset, logicalTime, options = {} } = parseInput(input);
  const state = new RunState(identifyRun(dataset, logicalTime));
  setHandler(progressQuery, () => state.snapshot);
  const startedAt = new Date().toISOString();

  const ending = await process(state, options).then(
    () => ({
      outcome: state.snapshot.tables.some((table) => table.changed) ? ('ok' as const) : ('empty' as const),
    }),
    (error: unknown) => ({ outcome: outcomeOf(error), error }),
  );
  // One record and its events are owed by every run, also by one that is being cancelled; what it was told in the
  // record it stays, so nothing after this changes the outcome.
  const unrecorded = await CancellationScope.nonCancellable(() => close(state, startedAt, ending));
  if ('error' in ending) throw ending.error;
  if (unrecorded !== undefined) throw unrecorded;
  return state.snapshot;
}

type Ending = { readonly outcome: RunOutcome; readonly error?: unknown };

function outcomeOf(error: unknown): RunOutcome {
  if (isCancellation(error)) return 'cancelled';
  return error instanceof ApplicationFailure && error.type === BLOCKED ? 'blocked' : 'failed';
}

async function process(state: RunState, options: EtlOptions): Promise<void> {
  const { planRun } = proxyActivities<EtlActivities>(activityOptions('flows', LIGHT));
  const plan = await planRun(state.run);
  const run: PlannedRun = { ...state.run, fingerprint: plan.fingerprint };
  const etl = proxyActivities<EtlActivities>(activityOptions('etl', plan.heavy));

  state.enter('bronze');
  if (!(await fillBronze(etl, state, run))) {
    const failed = state.snapshot.failedChecks.filter((check) => check.severity === 'block');
    throw ApplicationFailure.nonRetryable(
      `quality blocked the batch, nothing was published: ${failed.map((check) => check.detail).join('; ')}`,
      BLOCKED,
    );
  }
  state.enter('silver');
  await fillSilver(etl, state, run, options);
  state.enter('gold');
  await fillGold(etl, state, run, plan.gold, options);
}

/**
 * Writes the report, then the run to `meta`, then sends what is unsent. A run that cannot be told of is still what it was; the reason why
 * one could not be recorded is returned, so that it never hides how the run itself ended.
 */
async function close(state: RunState, startedAt: string, { outcome, error }: Ending): Promise<unknown> {
  const ended = (): RunReport => ({
    summary: state.snapshot,
    outcome,
    startedAt,
    finishedAt: new Date().toISOString(),
    verdict: state.verdict,
    error: error === undefined ? null : describe(error),
  });
  state.enter('reporting');
  const { writeReport } = proxyActivities<EtlActivities>(activityOptions('etl', REPORT));
  // A run without a report is still the run that it was.
  await writeReport(ended()).then(
    (written) => state.reported(written),
    () => undefined,
  );
  const { recordRun } = proxyActivities<EtlActivities>(activityOptions('flows', LIGHT));
  const { relayEvents } = proxyActivities<EtlActivities>(activityOptions('flows', RELAY));
  state.enter('recording');
  state.finish(outcome);
  const unrecorded = await recordRun(ended()).then(
    (step) => state.did(step),
    (reason: unknown) => reason,
  );
  state.enter('relaying');
  try {
    const { step, sent, pending, detail } = await relayEvents(state.run);
    state.did(step);
    state.relayed({ sent, pending, detail });
  } catch (problem) {
    state.relayed({
      sent: 0,
      pending: 0,
      detail: `not told yet, the next run tells: ${describe(problem).message}`,
    });
  }
  state.enter('done');
  return unrecorded;
}

const BLOCKED = 'QUALITY_BLOCKED';

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
