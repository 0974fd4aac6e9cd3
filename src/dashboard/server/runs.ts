/** Runs as Temporal's visibility lists them, page by page, and the newest of them for everybody who looks. */
import type { Connection } from '@temporalio/client';
import { decodeSearchAttributes } from '@temporalio/common/lib/converter/payload-search-attributes.js';
import { SEARCH_ATTRIBUTES, WORKFLOW_TYPES, type WorkflowType } from '../../contracts/flows.js';
import { DatalabError } from '../../contracts/errors.js';
import { literal } from '../../contracts/sql-text.js';
import type { DashboardDeps } from './deps.js';

export const RUN_STATUSES = [
  'running',
  'completed',
  'failed',
  'canceled',
  'terminated',
  'timed_out',
] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

/** One run in a list. Times are ISO instants. */
export interface RunRow {
  readonly workflowId: string;
  readonly runId: string;
  readonly flow: string;
  readonly dataset: string | null;
  readonly logicalTime: string | null;
  readonly status: RunStatus;
  readonly outcome: string | null;
  readonly phase: string | null;
  readonly startedAt: string;
  readonly finishedAt: string | null;
}

export interface RunFilter {
  /** A flow; `-` before it: every other one. */
  readonly flow?: string | undefined;
  readonly dataset?: string | undefined;
  /** Any of them. */
  readonly status?: readonly RunStatus[] | undefined;
  readonly outcome?: string | undefined;
  /** Part of a workflow id from its beginning. */
  readonly search?: string | undefined;
  /** ISO instant. */
  readonly since?: string | undefined;
}

export interface RunPage {
  readonly rows: readonly RunRow[];
  /** For the next page; null: this was the last. */
  readonly next: string | null;
  readonly total: number;
  /** Workflow types that can be asked for. */
  readonly flows: readonly string[];
}

/** The alert manager goes on for ever: it is a service, not a run. */
export const RUN_FLOWS: readonly WorkflowType[] = WORKFLOW_TYPES.filter((type) => type !== 'alertManager');
const WITHIN_MS = 10_000;
const STATUS_NAMES: Readonly<Record<RunStatus, string>> = {
  running: 'Running',
  completed: 'Completed',
  failed: 'Failed',
  canceled: 'Canceled',
  terminated: 'Terminated',
  timed_out: 'TimedOut',
};
/** temporal.api.enums.v1.WorkflowExecutionStatus; a run that continued as new is one whose newest part still runs. */
const STATUS_BY_NUMBER: Readonly<Record<number, RunStatus>> = {
  1: 'running',
  2: 'completed',
  3: 'failed',
  4: 'canceled',
  5: 'terminated',
  6: 'running',
  7: 'timed_out',
};

/** The query in Temporal's language. Values are quoted, so that a filter can only filter. */
export function visibilityQuery(filter: RunFilter): string {
  const named = filter.flow?.replace(/^-/, '');
  if (named !== undefined && !RUN_FLOWS.some((flow) => flow === named))
    throw new DatalabError('INPUT_INVALID', `there is no flow '${named}'`);
  const isLeftOut = filter.flow?.startsWith('-') ?? false;
  const flows = RUN_FLOWS.filter((flow) => named === undefined || (flow === named) !== isLeftOut);
  const is = (name: string, value: string | undefined): string[] =>
    value === undefined ? [] : [`${name} = ${literal(value)}`];
  return [
    `WorkflowType IN (${flows.map((flow) => literal(flow)).join(', ')})`,
    `ExecutionStatus != 'ContinuedAsNew'`,
    ...is(SEARCH_ATTRIBUTES.dataset.name, filter.dataset),
    ...is(SEARCH_ATTRIBUTES.outcome.name, filter.outcome),
    ...(filter.status?.length
      ? [`ExecutionStatus IN (${filter.status.map((one) => literal(STATUS_NAMES[one])).join(', ')})`]
      : []),
    ...(filter.search ? [`WorkflowId STARTS_WITH ${literal(filter.search)}`] : []),
    ...(filter.since ? [`StartTime >= ${literal(filter.since)}`] : []),
  ].join(' AND ');
}

/** One page, newest first. `cursor` is the `next` of the page before. */
export async function listRuns(
  { temporal }: DashboardDeps,
  filter: RunFilter,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<RunPage> {
  const query = visibilityQuery(filter);
  const { namespace } = temporal.options;
  const { workflowService } = temporal.connection as Connection;
  const [page, count] = await temporal.withDeadline(Date.now() + WITHIN_MS, () =>
    Promise.all([
      workflowService.listWorkflowExecutions({
        namespace,
        query,
        pageSize: limit,
        ...(cursor && { nextPageToken: Buffer.from(cursor, 'base64url') }),
      }),
      temporal.workflow.count(query),
    ]),
  );
  const token = page.nextPageToken ?? new Uint8Array();
  return {
    rows: (page.executions ?? []).map(rowOf),
    next: token.length === 0 ? null : Buffer.from(token).toString('base64url'),
    total: count.count,
    flows: RUN_FLOWS,
  };
}

type RawExecution = NonNullable<
  Awaited<ReturnType<Connection['workflowService']['listWorkflowExecutions']>>['executions']
>[number];

function rowOf(raw: RawExecution): RunRow {
  const attributes = decodeSearchAttributes(raw.searchAttributes?.indexedFields) as Readonly<
    Record<string, readonly unknown[] | undefined>
  >;
  const text = (name: string): string | null => {
    const value = attributes[name]?.[0];
    return value instanceof Date ? value.toISOString() : value === undefined ? null : String(value);
  };
  return {
    workflowId: raw.execution?.workflowId ?? '',
    runId: raw.execution?.runId ?? '',
    flow: raw.type?.name ?? '',
    dataset: text(SEARCH_ATTRIBUTES.dataset.name),
    logicalTime: text(SEARCH_ATTRIBUTES.logicalTime.name),
    status: STATUS_BY_NUMBER[Number(raw.status)] ?? 'running',
    outcome: text(SEARCH_ATTRIBUTES.outcome.name),
    phase: text(SEARCH_ATTRIBUTES.phase.name),
    startedAt: isoOf(raw.startTime) ?? '',
    finishedAt: isoOf(raw.closeTime),
  };
}

/** Of a protobuf timestamp. */
export function isoOf(time: { seconds?: unknown; nanos?: number | null } | null | undefined): string | null {
  if (!time) return null;
  return new Date(Number(time.seconds ?? 0) * 1000 + (time.nanos ?? 0) / 1e6).toISOString();
}

/** What the overview shows of runs: the newest, those that go on, and the counts of the last day. */
export interface RunsNow {
  readonly newest: readonly RunRow[];
  readonly running: readonly RunRow[];
  readonly lastDay: { readonly total: number; readonly failed: number; readonly running: number };
}

/** The flows that move data: a cycle of monitoring every five minutes would hide them. */
const DATA_FLOWS = '-platformMonitoring';

export async function runsNow(deps: DashboardDeps): Promise<RunsNow> {
  const since = new Date(Date.now() - 24 * 3600_000).toISOString();
  const types = visibilityQuery({ flow: DATA_FLOWS });
  const { temporal } = deps;
  const { workflowService } = temporal.connection as Connection;
  const list = async (query: string, pageSize: number): Promise<RunRow[]> => {
    const page = await workflowService.listWorkflowExecutions({
      namespace: temporal.options.namespace,
      query,
      pageSize,
    });
    return (page.executions ?? []).map(rowOf);
  };
  const count = async (more: string): Promise<number> =>
    (await temporal.workflow.count(`${types} AND StartTime >= '${since}'${more}`)).count;
  return temporal.withDeadline(Date.now() + WITHIN_MS, async () => {
    const [newest, running, total, failed, going] = await Promise.all([
      list(types, 12),
      list(`${types} AND ExecutionStatus = 'Running'`, 20),
      count(''),
      count(` AND ExecutionStatus IN ('Failed', 'TimedOut', 'Terminated')`),
      count(` AND ExecutionStatus = 'Running'`),
    ]);
    return { newest, running, lastDay: { total, failed, running: going } };
  });
}

/** What has started since an instant, such as midnight where the reader is. */
export interface RunsSince {
  readonly total: number;
  /** How many of each status; those that there are none of are left out. */
  readonly statuses: Readonly<Record<string, number>>;
  /** The newest of them. */
  readonly rows: readonly RunRow[];
}

const SINCE_SHOWN = 12;

/** Of the flows that move data. `since` is an ISO instant. */
export async function runsSince(deps: DashboardDeps, since: string): Promise<RunsSince> {
  const filter = { flow: DATA_FLOWS, since };
  const groups = `${visibilityQuery(filter)} GROUP BY ExecutionStatus`;
  const [page, count] = await Promise.all([
    listRuns(deps, filter, { limit: SINCE_SHOWN }),
    deps.temporal.withDeadline(Date.now() + WITHIN_MS, () => deps.temporal.workflow.count(groups)),
  ]);
  const statuses: Record<string, number> = {};
  for (const { groupValues, count: rows } of count.groups) {
    const name = Object.entries(STATUS_NAMES).find(([, said]) => said === String(groupValues[0]))?.[0];
    if (name !== undefined) statuses[name] = (statuses[name] ?? 0) + rows;
  }
  return { total: page.total, statuses, rows: page.rows };
}
