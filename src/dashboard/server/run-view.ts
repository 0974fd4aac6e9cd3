/** One run, whole: what it was given, how far it is or how it ended, what runs and fails in it now. */
import { WorkflowNotFoundError, type Connection } from '@temporalio/client';
import {
  defaultFailureConverter,
  defaultPayloadConverter,
  fromPayloadsAtIndex,
  ApplicationFailure,
} from '@temporalio/common';
import { DatalabError } from '../../contracts/errors.js';
import { PROGRESS_QUERY, SEARCH_ATTRIBUTES, type Progress } from '../../contracts/flows.js';
import type { DashboardDeps } from './deps.js';
import { reasonOf } from './measured.js';
import { isoOf, type RunStatus } from './runs.js';

export interface PendingActivity {
  readonly activity: string;
  readonly attempt: number;
  readonly state: 'waiting' | 'running' | 'cancelling';
  readonly since: string | null;
  readonly progress: Progress | null;
  readonly heartbeatAt: string | null;
  readonly lastFailure: string | null;
}

export interface RunView {
  readonly workflowId: string;
  readonly runId: string;
  /** By which records and files name it. */
  readonly firstRunId: string;
  readonly flow: string;
  readonly dataset: string | null;
  readonly logicalTime: string | null;
  readonly status: RunStatus;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly scheduleId: string | null;
  readonly historyEvents: number;
  readonly input: unknown;
  /** The flow's own summary, also while it runs: an `EtlSummary` where the flow moves data. */
  readonly summary: unknown;
  /** Why there is no summary. */
  readonly summaryProblem: string | null;
  readonly failure: { readonly code: string; readonly message: string } | null;
  readonly pending: readonly PendingActivity[];
  readonly temporalUrl: string;
}

const WITHIN_MS = 8000;
const PENDING_STATES: Readonly<Record<number, PendingActivity['state']>> = {
  1: 'waiting',
  2: 'running',
  3: 'cancelling',
};

/** Throws DatalabError RUN_UNKNOWN where Temporal does not know (any more) of it. */
export async function viewRun(deps: DashboardDeps, workflowId: string, runId: string): Promise<RunView> {
  const { temporal, config } = deps;
  const handle = temporal.workflow.getHandle(workflowId, runId);
  try {
    return await temporal.withDeadline(Date.now() + WITHIN_MS, async () => {
      const description = await handle.describe();
      const { raw } = description;
      const attribute = (name: string): string | null => {
        const value = (description.searchAttributes as Record<string, unknown[] | undefined>)[name]?.[0];
        return value instanceof Date ? value.toISOString() : value === undefined ? null : String(value);
      };
      const name = description.status.name;
      const [input, summary, failure] = await Promise.all([
        inputOf(deps, workflowId, runId),
        summaryOf(deps, workflowId, runId, name),
        name === 'FAILED' ? failureOf(deps, workflowId, runId) : null,
      ]);
      const at = encodeURIComponent;
      return {
        ...{ workflowId, runId, input, failure },
        firstRunId: raw.workflowExecutionInfo?.firstRunId || runId,
        flow: description.type,
        dataset: attribute(SEARCH_ATTRIBUTES.dataset.name),
        logicalTime: attribute(SEARCH_ATTRIBUTES.logicalTime.name),
        status: statusOf(name),
        startedAt: description.startTime.toISOString(),
        finishedAt: description.closeTime?.toISOString() ?? null,
        scheduleId: attribute('TemporalScheduledById'),
        historyEvents: description.historyLength,
        summary: summary.value,
        summaryProblem: summary.problem,
        pending: (raw.pendingActivities ?? []).map(pendingOf),
        temporalUrl: `${config.dashboard.temporalUiUrl.replace(/\/$/, '')}/namespaces/${at(config.temporal.namespace)}/workflows/${at(workflowId)}/${at(runId)}/history`,
      };
    });
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new DatalabError('RUN_UNKNOWN', `Temporal knows of no run '${workflowId}' (${runId})`, {
      cause: error,
    });
  }
}

/** As lists of runs have it: the client's names are not those of visibility. */
function statusOf(name: string): RunStatus {
  if (name === 'CONTINUED_AS_NEW') return 'running';
  return name === 'CANCELLED' ? 'canceled' : (name.toLowerCase() as RunStatus);
}

type Described = Awaited<
  ReturnType<ReturnType<DashboardDeps['temporal']['workflow']['getHandle']>['describe']>
>;
type RawPending = NonNullable<Described['raw']['pendingActivities']>[number];

function pendingOf(raw: RawPending): PendingActivity {
  return {
    activity: raw.activityType?.name ?? '?',
    attempt: raw.attempt ?? 1,
    state: PENDING_STATES[Number(raw.state)] ?? 'waiting',
    since: isoOf(raw.lastStartedTime) ?? isoOf(raw.scheduledTime),
    progress: raw.heartbeatDetails?.payloads?.length
      ? fromPayloadsAtIndex<Progress>(defaultPayloadConverter, 0, raw.heartbeatDetails.payloads)
      : null,
    heartbeatAt: isoOf(raw.lastHeartbeatTime),
    lastFailure: raw.lastFailure?.message?.slice(0, 1000) ?? null,
  };
}

export async function inputOf(
  { temporal }: DashboardDeps,
  workflowId: string,
  runId: string,
): Promise<unknown> {
  const { workflowService } = temporal.connection as Connection;
  const { history } = await workflowService.getWorkflowExecutionHistory({
    namespace: temporal.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
  });
  const payloads = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads;
  return payloads?.length ? fromPayloadsAtIndex<unknown>(defaultPayloadConverter, 0, payloads) : null;
}

/** A run that ended well returns it; every other one is asked, which a worker has to answer. */
async function summaryOf({ temporal }: DashboardDeps, workflowId: string, runId: string, status: string) {
  const handle = temporal.workflow.getHandle(workflowId, runId, { followRuns: false });
  try {
    const value: unknown =
      status === 'COMPLETED' ? await handle.result() : await handle.query(PROGRESS_QUERY);
    return { value, problem: null };
  } catch (error) {
    return { value: null, problem: reasonOf(error) };
  }
}

async function failureOf({ temporal }: DashboardDeps, workflowId: string, runId: string) {
  const { workflowService } = temporal.connection as Connection;
  const { history } = await workflowService.getWorkflowExecutionHistory({
    namespace: temporal.options.namespace,
    execution: { workflowId, runId },
    // Only the event that closed it.
    historyEventFilterType: 2,
  });
  const raw = history?.events?.at(-1)?.workflowExecutionFailedEventAttributes?.failure;
  if (!raw) return null;
  let error: Error | undefined = defaultFailureConverter.failureToError(raw, defaultPayloadConverter);
  let code = 'UNEXPECTED';
  let message = error.message;
  for (; error; error = error.cause instanceof Error ? error.cause : undefined) {
    if (error instanceof ApplicationFailure && error.type) code = error.type;
    message = error.message || message;
  }
  return { code, message: message.slice(0, 2000) };
}
