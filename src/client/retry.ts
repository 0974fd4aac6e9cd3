/**
 * Trying a run again that has ended: from before one of its steps, which Temporal calls a reset, or from the beginning with
 * the same input.
 *
 * From a step: what the steps before it found out is taken as it was; that step and all after it are done again, in a new
 * execution that carries the same run id in records and commits. What was published stays, and is not published twice (the
 * commit knows its sources and its staging). That holds for the flows that fill a dataset; the others clean up behind
 * themselves when they end, so that a step of theirs has nothing to go on with. For them, and where the definition of the
 * dataset was changed since (the run's plan is older than that), there is the fresh run.
 */
import { randomUUID } from 'node:crypto';
import { WorkflowNotFoundError, type Client, type Connection, type WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter, fromPayloadsAtIndex } from '@temporalio/common';
import { DatalabError } from '../contracts/errors.js';
import { SEARCH_ATTRIBUTES } from '../contracts/flows.js';
import { RunHandle } from './run-handle.js';
import { startFlow } from './start-flow.js';

type Event = NonNullable<Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']>[number];

/** Activities that one decision of the workflow started: they are tried again together. */
export interface RetryStep {
  /** Of the decision, in the history. */
  readonly eventId: number;
  readonly activities: readonly string[];
  /** ISO instant. */
  readonly at: string;
  readonly outcome: 'ok' | 'failed' | 'open';
}

/** Flows whose steps leave what the next one needs. */
const FROM_A_STEP: ReadonlySet<string> = new Set(['medallionEtl', 'quarantineReplay']);

/** The steps of a run that it can be tried again from, in their order; none where its flow does not allow it. */
export async function retrySteps(client: Client, workflowId: string, runId?: string): Promise<RetryStep[]> {
  const run = await described(client, workflowId, runId);
  if (run.status === 'RUNNING' || !FROM_A_STEP.has(run.type)) return [];
  const { events } = await client.workflow.getHandle(workflowId, run.runId).fetchHistory();
  return stepsIn(events ?? []);
}

/** The pure part: decisions that started activities. */
export function stepsIn(events: readonly Event[]): RetryStep[] {
  const steps = new Map<number, { names: string[]; at: string; failed: boolean; open: number }>();
  const owners = new Map<string, number>();
  const ended = (scheduled: unknown, failed: boolean): void => {
    const step = steps.get(owners.get(String(scheduled)) ?? -1);
    if (!step) return;
    step.open -= 1;
    step.failed ||= failed;
  };
  for (const event of events) {
    const begun = event.activityTaskScheduledEventAttributes;
    if (begun) {
      const decision = Number(begun.workflowTaskCompletedEventId);
      const at = new Date(Number(event.eventTime?.seconds ?? 0) * 1000).toISOString();
      const step = steps.get(decision) ?? { names: [], at, failed: false, open: 0 };
      step.names.push(begun.activityType?.name ?? '?');
      step.open += 1;
      steps.set(decision, step);
      owners.set(String(event.eventId), decision);
    }
    const { activityTaskCompletedEventAttributes: done, activityTaskFailedEventAttributes: failed } = event;
    const { activityTaskTimedOutEventAttributes: late, activityTaskCanceledEventAttributes: cancelled } =
      event;
    if (done) ended(done.scheduledEventId, false);
    for (const bad of [failed, late, cancelled]) if (bad) ended(bad.scheduledEventId, true);
  }
  return [...steps].map(([eventId, { names, at, failed, open }]) => ({
    ...{ eventId, at, activities: [...new Set(names)] },
    outcome: failed ? ('failed' as const) : open > 0 ? ('open' as const) : ('ok' as const),
  }));
}

/** Which step is meant: by its number, or the last that started this activity; without either, the first that failed. */
export function chooseStep(steps: readonly RetryStep[], from: string | undefined): RetryStep {
  const found =
    from === undefined
      ? steps.find(({ outcome }) => outcome !== 'ok')
      : /^\d+$/.test(from)
        ? steps.find(({ eventId }) => eventId === Number(from))
        : steps.findLast(({ activities }) => activities.includes(from));
  if (found) return found;
  const names = [...new Set(steps.flatMap(({ activities }) => activities))].join(', ');
  throw new DatalabError(
    'RETRY_UNSUITED',
    steps.length === 0
      ? 'the flow of this run is not tried again from a step'
      : from === undefined
        ? `no step of it failed; name one of ${names}`
        : `the run has no step '${from}'; it has ${names}`,
  );
}

export interface RetryOptions {
  readonly runId?: string | undefined;
  /** Number of a step, or the name of an activity; default: the first step that failed. */
  readonly from?: string | undefined;
  /** A run of its own with the same input and logical time. */
  readonly fresh?: boolean | undefined;
  /** For the history: who asked. */
  readonly by: string;
}

/**
 * Tries a run again. Throws DatalabError RUN_UNKNOWN, RETRY_UNSUITED (it has not ended, or its flow does not allow it), and
 * FLOW_BUSY where another run of its name goes on, which a reset would end.
 */
export async function retryRun(
  client: Client,
  workflowId: string,
  { runId, from, fresh = false, by }: RetryOptions,
): Promise<RunHandle> {
  const run = await described(client, workflowId, runId);
  if (run.status === 'RUNNING')
    throw new DatalabError('RETRY_UNSUITED', `${workflowId} is still going on: cancel it first`);
  if (fresh) return startFlow(client, run.type, await inputOf(client, workflowId, run));
  if (!FROM_A_STEP.has(run.type))
    throw new DatalabError('RETRY_UNSUITED', `runs of ${run.type} are not tried again from a step`);
  const newest = await described(client, workflowId);
  if (newest.status === 'RUNNING')
    throw new DatalabError('FLOW_BUSY', `a newer run of ${workflowId} goes on, which this would end`);
  const { events } = await client.workflow.getHandle(workflowId, run.runId).fetchHistory();
  const step = chooseStep(stepsIn(events ?? []), from);
  const { workflowService } = client.connection as Connection;
  const reset = await workflowService.resetWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId, runId: run.runId },
    reason: `tried again from ${step.activities.join(', ')} by ${by}`,
    workflowTaskFinishEventId: step.eventId as never,
    requestId: randomUUID(),
  });
  return new RunHandle(client, workflowId, reset.runId ?? undefined);
}

interface Described {
  readonly type: string;
  readonly status: string;
  readonly runId: string;
  readonly logicalTime: string | null;
}

async function described(client: Client, workflowId: string, runId?: string): Promise<Described> {
  try {
    const found = await client.workflow.getHandle(workflowId, runId).describe();
    const [at] =
      (found.searchAttributes as Record<string, unknown[] | undefined>)[SEARCH_ATTRIBUTES.logicalTime.name] ??
      [];
    return {
      ...{ type: found.type, status: found.status.name, runId: found.runId },
      logicalTime: at instanceof Date ? at.toISOString() : null,
    };
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new DatalabError('RUN_UNKNOWN', `Temporal knows of no run '${workflowId}'`, { cause: error });
  }
}

/** What the run was given, with the logical time that it went by: a schedule's run is not given one. */
async function inputOf(client: Client, workflowId: string, run: Described): Promise<unknown> {
  const { workflowService } = client.connection as Connection;
  const { history } = await workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId, runId: run.runId },
    maximumPageSize: 1,
  });
  const payloads = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads;
  const input: unknown = payloads?.length
    ? fromPayloadsAtIndex(defaultPayloadConverter, 0, payloads)
    : undefined;
  const timed = run.logicalTime !== null && ['medallionEtl', 'mlopsTraining'].includes(run.type);
  return timed ? { logicalTime: run.logicalTime, ...(input as object) } : (input ?? {});
}
