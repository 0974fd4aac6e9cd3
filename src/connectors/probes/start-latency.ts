/**
 * How long tasks wait for a worker, of tasks that were really done: the histories of the newest executions say when each
 * task was scheduled and when it was started, both by Temporal's own clock.
 */
import type { Client, Connection } from '@temporalio/client';
import type { Measurement } from '../../contracts/monitoring.js';

/** Tasks that were scheduled longer ago than this are not looked at: two cycles. */
const WINDOW_MS = 10 * 60_000;
/** The newest executions, and the newest events of each: a sample is enough, and a cycle has two seconds for everything. */
const EXECUTIONS_MAX = 12;
const EVENTS_MAX = 150;
const PERCENTILE = 0.95;

/** Of each queue that did something: the 95th percentile of the waits, and how many tasks it is of. */
export async function measureStartLatency(
  client: Client,
  pools: Readonly<Record<string, string>>,
  nowMs: number,
): Promise<Measurement[]> {
  const { workflowService } = client.connection as Connection;
  const { namespace } = client.options;
  const sinceMs = nowMs - WINDOW_MS;
  const since = new Date(sinceMs).toISOString();
  const { executions } = await workflowService.listWorkflowExecutions({
    ...{ namespace, pageSize: EXECUTIONS_MAX },
    query: `StartTime >= '${since}' OR CloseTime >= '${since}' OR ExecutionStatus = 'Running'`,
  });
  const histories = await Promise.all(
    (executions ?? []).map(async ({ execution }) => {
      const { history } = await workflowService.getWorkflowExecutionHistoryReverse({
        ...{ namespace, execution: execution ?? null, maximumPageSize: EVENTS_MAX },
      });
      return waitsOf(history?.events ?? [], sinceMs);
    }),
  );
  const waits = histories.flat();
  return Object.entries(pools).flatMap(([pool, taskQueue]) =>
    figuresOf(
      { pool, task_queue: taskQueue },
      waits.filter((wait) => wait.taskQueue === taskQueue),
    ),
  );
}

/** One task: on which queue it waited, and for how long. */
export interface Wait {
  readonly taskQueue: string;
  readonly seconds: number;
}

type Events = NonNullable<
  NonNullable<
    Awaited<ReturnType<Connection['workflowService']['getWorkflowExecutionHistory']>>['history']
  >['events']
>;

/** The waits in a stretch of a history, whatever its order. An activity that was tried again has waited for its backoff, too. */
export function waitsOf(events: Events, sinceMs: number): Wait[] {
  const scheduled = new Map<string, { readonly taskQueue: string; readonly ms: number }>();
  for (const { eventId, eventTime, ...event } of events) {
    const queue =
      event.activityTaskScheduledEventAttributes?.taskQueue ??
      event.workflowTaskScheduledEventAttributes?.taskQueue;
    // A worker that keeps a workflow in memory has a queue of its own for it, which names the common one.
    const taskQueue = queue?.normalName || queue?.name;
    if (taskQueue) scheduled.set(String(eventId), { taskQueue, ms: msOf(eventTime) });
  }
  return events.flatMap(({ eventTime, ...event }): Wait[] => {
    const activity = event.activityTaskStartedEventAttributes;
    if ((activity?.attempt ?? 1) > 1) return [];
    const begun = scheduled.get(
      String(activity?.scheduledEventId ?? event.workflowTaskStartedEventAttributes?.scheduledEventId),
    );
    if (!begun || begun.ms < sinceMs) return [];
    return [{ taskQueue: begun.taskQueue, seconds: Math.max(0, (msOf(eventTime) - begun.ms) / 1000) }];
  });
}

function msOf(time: Events[number]['eventTime']): number {
  return Number(time?.seconds ?? 0) * 1000 + Number(time?.nanos ?? 0) / 1e6;
}

function figuresOf(labels: Measurement['labels'], waits: readonly Wait[]): Measurement[] {
  const sorted = waits.map(({ seconds }) => seconds).sort((a, b) => a - b);
  const longest = sorted.at(-1);
  if (longest === undefined) return [];
  const value = sorted[Math.ceil(sorted.length * PERCENTILE) - 1] ?? longest;
  const detail = `of ${sorted.length} tasks in ${WINDOW_MS / 60_000} min; the longest waited ${longest.toFixed(1)} s`;
  return [
    { metric: 'pool.schedule_to_start_seconds', labels, value, detail },
    { metric: 'pool.started_tasks', labels, value: sorted.length },
  ];
}
