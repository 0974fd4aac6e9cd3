/**
 * What the flows that change a dataset's layers have in common: a plan, Bronze by their own ways, then Silver, Gold, and
 * the record of it all, which every run owes however it ends.
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
import { PROGRESS_QUERY, type EtlOptions } from '../contracts/flows.js';
import type { EtlSummary, RunOutcome } from '../contracts/run.js';
import { fillGold, fillSilver } from './medallion-steps.js';
import { activityOptions, LIGHT, RELAY, REPORT } from './policies.js';
import type { RunState } from './run-state.js';

export const progressQuery = defineQuery<EtlSummary>(PROGRESS_QUERY);

/** Fills Bronze. Returns false where a `block` check failed and nothing was published. */
export type FillBronze = (
  etl: EtlActivities,
  run: PlannedRun,
  policy: ReturnType<typeof activityOptions>,
) => Promise<boolean>;

export async function runMedallion(
  state: RunState,
  fill: FillBronze,
  options: EtlOptions,
): Promise<EtlSummary> {
  setHandler(progressQuery, () => state.snapshot);
  const startedAt = new Date().toISOString();

  const ending = await process(state, fill, options).then(
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

async function process(state: RunState, fill: FillBronze, options: EtlOptions): Promise<void> {
  const { planRun } = proxyActivities<EtlActivities>(activityOptions('flows', LIGHT));
  const plan = await planRun(state.run);
  const run: PlannedRun = { ...state.run, fingerprint: plan.fingerprint };
  const heavy = activityOptions('etl', plan.heavy);
  const etl = proxyActivities<EtlActivities>(heavy);

  state.enter('bronze');
  if (!(await fill(etl, run, heavy))) {
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
