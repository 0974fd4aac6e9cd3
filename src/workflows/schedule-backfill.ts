/**
 * Starts the runs that a schedule did not, or not to a good end, for their own logical times: one after the other unless
 * told otherwise, behind the daily work in priority, and without a message for each.
 *
 * Guarantees: repeating it starts what is still owed and nothing else; a run that fails is counted and does not stop the
 * others; cancelling it cancels the run that goes on and leaves what is done; its end is recorded and told once, also when
 * it was cancelled: what was filled, failed and left out. It continues as new after every page of the plan, so a range of
 * years keeps its history small.
 */
import {
  ActivityFailure,
  CancellationScope,
  ChildWorkflowFailure,
  ApplicationFailure,
  continueAsNew,
  defineQuery,
  executeChild,
  isCancellation,
  patched,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type {
  BackfillActivities,
  BackfillInput,
  BackfillOutcome,
  BackfillPage,
  BackfillSummary,
  PlannedTime,
} from '../contracts/backfill.js';
import { backfillPrefix } from '../contracts/expected-runs.js';
import { PROGRESS_QUERY, TASK_QUEUES } from '../contracts/flows.js';
import type { EtlSummary } from '../contracts/run.js';
import { parseBackfill } from './backfill-input.js';
import { activityOptions, LIGHT } from './policies.js';

export const backfillQuery = defineQuery<BackfillSummary>(PROGRESS_QUERY);

/** 3 is what everything has that says nothing; higher numbers wait. */
const BEHIND = { priorityKey: 5 };
const FAILURES_MAX = 20;
const TIMES_MAX = 200;

export async function scheduleBackfill(given: BackfillInput): Promise<BackfillSummary> {
  const input = parseBackfill(given);
  const { planBackfill } = proxyActivities<BackfillActivities>(activityOptions('flows', LIGHT));
  const startedAt = input.carried?.startedAt ?? workflowInfo().startTime.toISOString();
  let summary = input.carried?.summary ?? startOf(input);
  setHandler(backfillQuery, () => summary);

  const page = await planBackfill(input, input.carried?.after ?? null);
  summary = { ...summary, planned: summary.done + page.total, note: noteOf(page) };
  if (input.dryRun) return { ...summary, times: page.times.slice(0, TIMES_MAX) };

  const waiting = new Set(page.times.map(({ logicalTime }) => logicalTime));
  const ended: Ended = (logicalTime, outcome, failure) => {
    waiting.delete(logicalTime);
    summary = withEnd(summary, logicalTime, outcome, failure);
  };
  try {
    await inParallel(page.times, input.parallel ?? 1, (time) => fill(input, page, time, ended));
  } catch (error) {
    const cancelled = isCancellation(error);
    for (const time of waiting) summary = leftOut(summary, time, cancelled ? 'cancelled' : 'not begun');
    const problem = cancelled ? null : reasonOf(error).message;
    await CancellationScope.nonCancellable(() =>
      tell(page, startedAt, cancelled ? 'cancelled' : 'failed', summary, problem),
    );
    throw error;
  }

  const last = page.times.at(-1);
  if (last === undefined || page.times.length === page.total) {
    const whole = summary.failures.length === 0 && (summary.leftOut ?? []).length === 0;
    await CancellationScope.nonCancellable(() =>
      tell(page, startedAt, whole ? 'ok' : 'partial', summary, null),
    );
    return summary;
  }
  return continueAsNew<typeof scheduleBackfill>({
    ...input,
    carried: { after: last.logicalTime, startedAt, summary },
  });
}

type Failure = BackfillSummary['failures'][number];
type Ended = (logicalTime: string, outcome: string, failure?: Failure) => void;

function withEnd(
  summary: BackfillSummary,
  logicalTime: string,
  outcome: string,
  failure: Failure | undefined,
): BackfillSummary {
  const { done, outcomes, failures } = summary;
  const next: BackfillSummary = {
    ...summary,
    done: done + 1,
    outcomes: { ...outcomes, [outcome]: (outcomes[outcome] ?? 0) + 1 },
    failures: failure && failures.length < FAILURES_MAX ? [...failures, failure] : failures,
  };
  return outcome === 'elsewhere' ? leftOut(next, logicalTime, 'another run of this time goes on') : next;
}

function leftOut(summary: BackfillSummary, logicalTime: string, reason: string): BackfillSummary {
  const known = summary.leftOut ?? [];
  return known.length >= FAILURES_MAX
    ? summary
    : { ...summary, leftOut: [...known, { logicalTime, reason }] };
}

/** The record and the message. A backfill that cannot be told of is still what it was. */
async function tell(
  { input: { dataset } }: BackfillPage,
  startedAt: string,
  outcome: BackfillOutcome,
  summary: BackfillSummary,
  problem: string | null,
): Promise<void> {
  if (!patched('backfill-message')) return;
  const { recordBackfill } = proxyActivities<BackfillActivities>(activityOptions('flows', LIGHT));
  const { firstExecutionRunId: runId, workflowId } = workflowInfo();
  const finishedAt = new Date().toISOString();
  await recordBackfill({
    ...{ runId, workflowId, dataset, outcome, startedAt, finishedAt, problem },
    summary,
  }).catch(() => undefined);
}

function startOf({ scheduleId, from, to, mode = 'missing', dryRun = false }: BackfillInput): BackfillSummary {
  return {
    ...{ scheduleId, from, to, mode, dryRun, planned: 0, done: 0 },
    ...{ outcomes: {}, failures: [], times: [], note: '' },
  };
}

function noteOf({ selects, input }: BackfillPage): string {
  if (selects) return '';
  return `the source of ${input.dataset} does not depend on the time: the first run takes whatever is new, and the others find nothing`;
}

async function fill(
  { scheduleId }: BackfillInput,
  { input }: BackfillPage,
  { logicalTime }: PlannedTime,
  ended: Ended,
): Promise<void> {
  try {
    const { outcome }: EtlSummary = await executeChild('medallionEtl', {
      workflowId: `${backfillPrefix(scheduleId)}${logicalTime}`,
      taskQueue: TASK_QUEUES.flows,
      args: [{ ...input, logicalTime, options: { ...input.options, quiet: true } }],
      priority: BEHIND,
      cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    });
    ended(logicalTime, outcome);
  } catch (error) {
    if (isCancellation(error) && CancellationScope.current().consideredCancelled) throw error;
    if (error instanceof WorkflowExecutionAlreadyStartedError) return ended(logicalTime, 'elsewhere');
    ended(logicalTime, 'failed', { logicalTime, ...reasonOf(error) });
  }
}

function reasonOf(error: unknown): { code: string; message: string } {
  let cause: unknown = error;
  while (cause instanceof ChildWorkflowFailure || cause instanceof ActivityFailure)
    cause = cause.cause ?? cause.message;
  const code = cause instanceof ApplicationFailure && cause.type ? cause.type : 'UNEXPECTED';
  return { code, message: (cause instanceof Error ? cause.message : String(cause)).slice(0, 300) };
}

/** The oldest first, so many at once. The first that is cancelled ends it. */
async function inParallel<Item>(
  items: readonly Item[],
  width: number,
  body: (item: Item) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  const lane = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await body(item);
  };
  await Promise.all(Array.from({ length: Math.min(width, waiting.length) }, lane));
}
