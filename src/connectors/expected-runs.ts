/** What Temporal's schedules were expected to start, against the runs that it knows: the slots of a schedule. */
import { setTimeout as wait } from 'node:timers/promises';
import {
  ScheduleNotFoundError,
  type Client,
  type Connection,
  type ScheduleDescription,
  type WorkflowExecutionInfo,
} from '@temporalio/client';
import {
  backfillPrefix,
  type ScheduleState,
  type Slot,
  type SlotOutcome,
} from '../contracts/expected-runs.js';
import { SEARCH_ATTRIBUTES } from '../contracts/flows.js';
import { differencesOf, type DeclaredSchedule } from './schedule-drift.js';

/** A minute-by-minute schedule over a week. */
const SLOTS_MAX = 10_080;

export interface SlotRange {
  readonly fromMs: number;
  readonly toMs: number;
  readonly nowMs: number;
  readonly lateAfterMs: number;
  /** Whether times before the schedule was made count too. */
  readonly beforeCreation?: boolean;
}

/** How often Temporal is asked one thing, where it is busy with other questions. */
const ATTEMPTS = 3;
const PAUSE_MS = 300;

/**
 * The slots of a schedule in a range (both ends included), oldest first; null where there is no such schedule. Times
 * before the schedule was made are not expected, unless they are asked for.
 */
export async function scheduleSlots(
  client: Client,
  scheduleId: string,
  range: SlotRange,
  declared?: DeclaredSchedule,
): Promise<ScheduleState | null> {
  const description = await patiently(() => describe(client, scheduleId));
  if (!description) return null;
  const { state, info, policies } = description;
  const differences = declared && differencesOf(declared, description);
  const fromMs = range.beforeCreation ? range.fromMs : Math.max(range.fromMs, info.createdAt.getTime());
  const toMs = Math.min(range.toMs, range.nowMs);
  const [times, runs] = await Promise.all([
    patiently(() => matchingTimes(client, scheduleId, fromMs, toMs)),
    patiently(() => runsOf(client, scheduleId, fromMs)),
  ]);
  // A backfill goes on from the oldest; whoever watches wants the newest.
  const kept = range.beforeCreation ? times.slice(0, SLOTS_MAX) : times.slice(-SLOTS_MAX);
  const slots = kept.map((time) =>
    slotOf(scheduleId, time, runs, {
      ...range,
      paused: state.paused,
      skips: String(policies?.overlap) === 'SKIP',
    }),
  );
  return {
    ...{ scheduleId, paused: state.paused, note: state.note ?? '', slots },
    ...(differences && { differences }),
  };
}

/** Asks again, a little later, what could not be answered. */
async function patiently<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await wait(attempt * PAUSE_MS);
    }
  }
}

async function describe(client: Client, scheduleId: string): Promise<ScheduleDescription | null> {
  try {
    return await client.schedule.getHandle(scheduleId).describe();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return null;
    throw error;
  }
}

async function matchingTimes(
  client: Client,
  scheduleId: string,
  fromMs: number,
  toMs: number,
): Promise<number[]> {
  if (toMs < fromMs) return [];
  const { workflowService } = client.connection as Connection;
  const answer = await workflowService.listScheduleMatchingTimes({
    namespace: client.options.namespace,
    scheduleId,
    // Temporal gives the times after this one.
    startTime: timestamp(fromMs - 1000),
    endTime: timestamp(toMs),
  });
  return (answer.startTime ?? [])
    .map(({ seconds }) => Number(seconds ?? 0) * 1000)
    .filter((ms) => ms >= fromMs);
}

/** Whether a schedule has this time; false where there is no such schedule, or Temporal does not answer. */
export async function isExpected(client: Client, scheduleId: string, logicalTime: string): Promise<boolean> {
  const ms = Math.floor(Date.parse(logicalTime) / 1000) * 1000;
  return matchingTimes(client, scheduleId, ms, ms).then(
    (times) => times.includes(ms),
    () => false,
  );
}

function timestamp(ms: number) {
  return { seconds: Math.floor(ms / 1000) as never, nanos: (ms % 1000) * 1_000_000 };
}

/** Runs by the logical time that they are for; of several for one time the one that came furthest. */
async function runsOf(client: Client, scheduleId: string, fromMs: number): Promise<Map<number, Run[]>> {
  const since = new Date(fromMs).toISOString();
  const queries = [
    `TemporalScheduledById = '${scheduleId}' AND TemporalScheduledStartTime >= '${since}'`,
    `WorkflowId STARTS_WITH '${backfillPrefix(scheduleId)}' AND StartTime >= '${since}'`,
  ];
  const runs = new Map<number, Run[]>();
  for (const query of queries) {
    for await (const execution of client.workflow.list({ query })) {
      const run = runOf(execution);
      if (run) runs.set(run.logicalMs, [...(runs.get(run.logicalMs) ?? []), run]);
    }
  }
  return runs;
}

interface Run {
  readonly logicalMs: number;
  readonly outcome: SlotOutcome;
  readonly startedMs: number;
  readonly finishedMs: number | null;
  readonly runId: string;
  readonly workflowId: string;
}

function runOf(execution: WorkflowExecutionInfo): Run | undefined {
  const attributes = execution.searchAttributes as Readonly<Record<string, readonly unknown[] | undefined>>;
  const time =
    attributes[SEARCH_ATTRIBUTES.logicalTime.name]?.[0] ?? attributes['TemporalScheduledStartTime']?.[0];
  if (!(time instanceof Date)) return undefined;
  return {
    logicalMs: Math.floor(time.getTime() / 1000) * 1000,
    outcome: outcomeOf(execution.status.name, attributes[SEARCH_ATTRIBUTES.outcome.name]?.[0]),
    startedMs: execution.startTime.getTime(),
    finishedMs: execution.closeTime?.getTime() ?? null,
    runId: execution.runId,
    workflowId: execution.workflowId,
  };
}

function outcomeOf(status: string, said: unknown): SlotOutcome {
  if (status === 'RUNNING' || status === 'CONTINUED_AS_NEW') return 'running';
  if (status !== 'COMPLETED') return 'failed';
  return said === 'empty' || said === 'partial' ? said : 'ok';
}

/** The better a run, the further it came. */
const WORTH: Readonly<Partial<Record<SlotOutcome, number>>> = {
  ok: 5,
  empty: 4,
  running: 3,
  partial: 2,
  failed: 1,
};

interface Judging extends SlotRange {
  readonly paused: boolean;
  readonly skips: boolean;
}

function slotOf(
  scheduleId: string,
  timeMs: number,
  runs: ReadonlyMap<number, readonly Run[]>,
  judging: Judging,
): Slot {
  const base = { scheduleId, logicalTime: new Date(timeMs).toISOString(), rows: null };
  const best = [...(runs.get(timeMs) ?? [])].sort(
    (a, b) => (WORTH[b.outcome] ?? 0) - (WORTH[a.outcome] ?? 0),
  )[0];
  if (best) {
    const { outcome, startedMs, finishedMs, runId, workflowId } = best;
    return {
      ...base,
      outcome,
      startedAt: new Date(startedMs).toISOString(),
      finishedAt: finishedMs === null ? null : new Date(finishedMs).toISOString(),
      runId,
      workflowId,
      detail: startedMs - timeMs > judging.lateAfterMs ? 'it started late' : '',
    };
  }
  const nothing = { ...base, startedAt: null, finishedAt: null, runId: null, workflowId: null };
  const busy = [...runs.values()]
    .flat()
    .some(({ startedMs, finishedMs }) => startedMs <= timeMs && (finishedMs ?? judging.nowMs) >= timeMs);
  if (judging.paused) return { ...nothing, outcome: 'skipped', detail: 'the schedule is paused' };
  if (busy && judging.skips)
    return { ...nothing, outcome: 'skipped', detail: 'the previous run was still going on' };
  if (judging.nowMs - timeMs < judging.lateAfterMs) return { ...nothing, outcome: 'due', detail: '' };
  // What runs since a later time does not hold this one up: it would have had its turn before.
  const waits = [...runs.values()]
    .flat()
    .some(({ outcome, startedMs }) => outcome === 'running' && startedMs <= timeMs);
  if (waits) return { ...nothing, outcome: 'late', detail: 'it waits for the previous run to end' };
  return { ...nothing, outcome: 'never_started', detail: 'no run was started for this time' };
}
