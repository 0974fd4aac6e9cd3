/** The probe of the schedules: expected runs against what happened, kept in `meta.expected_runs`. */
import {
  CIRCUIT_NOTE,
  type ScheduleState,
  type Slot,
  type SlotOutcome,
} from '../../contracts/expected-runs.js';
import type { Cycle, Measurement, ProbeAnswer } from '../../contracts/monitoring.js';
import { recordedByFlow, recordSlots } from '../expected-runs.js';
import type { LakeTables } from '../tables.js';
import type { MonitoringDeps, WatchedSchedule } from './deps.js';
import { handOver, recall, remember } from './memory.js';

/** The flow that looks is not in its own list: that it does not run is said by the age of its newest sample. */
const NOT_WATCHED = 'platformMonitoring';

/** Slots that are final or known to be missing, by `schedule time`; and since when failures of a schedule count. */
interface SlotMemory {
  readonly slots: Readonly<Record<string, SlotOutcome>>;
  readonly countFrom: Readonly<Record<string, number>>;
  /** How long the last good runs of a schedule took: logical time and seconds, the oldest first. */
  readonly took?: Readonly<Record<string, ReadonlyArray<readonly [string, number]>>>;
}

/** Runs that say what is usual, and how many of them it takes. */
const USUAL_MAX = 20;
const USUAL_MIN = 5;
/** Below this a run is short enough for its neighbours on the machine to matter more than itself. */
const SLOW_SECONDS_MIN = 60;

export async function probeSchedules(
  deps: MonitoringDeps,
  tables: LakeTables,
  cycle: Cycle,
): Promise<ProbeAnswer> {
  const started = performance.now();
  const memory = (await recall<SlotMemory>(deps.lake, 'slots')) ?? { slots: {}, countFrom: {} };
  const states = await Promise.all(
    deps.schedules.map(async (schedule) => ({
      schedule,
      state: rememberPauses(await stateOf(deps, schedule), memory),
    })),
  );
  const watched = states.filter(({ schedule: { workflowType } }) => workflowType !== NOT_WATCHED);
  const recorded = await recordChanges(
    deps,
    tables,
    watched.flatMap(({ state }) => state?.slots ?? []),
    memory,
  );
  const nowMs = deps.clock.nowMs();
  const measurements = [
    ...watched.flatMap(({ schedule, state }) => measureSchedule(schedule, state, nowMs, memory)),
    // By hand any of them may be changed, also that of the flow that looks.
    ...states.flatMap(({ schedule: { id }, state }) => measureChange(id, state)),
  ];
  const detail = `${states.length} schedules, ${recorded} slots recorded`;
  return handOver(deps.lake, 'schedules', cycle.id, { started, detail, measurements });
}

/** None where there is no such schedule, which is said by `schedule.present`. */
function measureChange(schedule: string, state: ScheduleState | null): Measurement[] {
  if (!state) return [];
  const { differences = [] } = state;
  const detail = differences.join('; ').slice(0, 200);
  return [figureOf(schedule)('schedule.changed', differences.length, detail)];
}

/**
 * Temporal does not say when a schedule was paused. A time that was seen to pass during a pause was left out by intention,
 * and stays so when the schedule goes on.
 */
function rememberPauses(state: ScheduleState | null, { slots }: SlotMemory): ScheduleState | null {
  return (
    state && {
      ...state,
      slots: state.slots.map((slot) =>
        slot.outcome === 'never_started' && slots[keyOf(slot)] === 'skipped'
          ? { ...slot, outcome: 'skipped', detail: 'the schedule was paused then, or busy' }
          : slot,
      ),
    }
  );
}

const keyOf = ({ scheduleId, logicalTime }: Slot): string => `${scheduleId} ${logicalTime}`;

/** With its times, but for the flow that looks: it has hundreds of them, and they are not watched. */
function stateOf(deps: MonitoringDeps, { id, workflowType }: WatchedSchedule): Promise<ScheduleState | null> {
  const nowMs = deps.clock.nowMs();
  const { expectedRunsDays, lateAfterMinutes } = deps.config.monitoring;
  return deps.slots(id, {
    fromMs: workflowType === NOT_WATCHED ? nowMs : nowMs - expectedRunsDays * 24 * 3600_000,
    toMs: nowMs,
    nowMs,
    lateAfterMs: lateAfterMinutes * 60_000,
  });
}

/** Of what a slot may still become, only the end is worth a row; a slot that was missing may be filled later. */
const WORTH_A_ROW: ReadonlySet<SlotOutcome> = new Set([
  'ok',
  'partial',
  'empty',
  'failed',
  'skipped',
  'never_started',
]);

/** Appends slots whose outcome is new. A lake that does not answer gets them with a later cycle. */
async function recordChanges(
  deps: MonitoringDeps,
  tables: LakeTables,
  slots: readonly Slot[],
  memory: SlotMemory,
): Promise<number> {
  const changed = slots.filter(
    (slot) => WORTH_A_ROW.has(slot.outcome) && memory.slots[keyOf(slot)] !== slot.outcome,
  );
  if (changed.length === 0) return 0;
  try {
    const isThere = await recordedByFlow(tables);
    const missing = changed.filter(({ runId }) => !isThere(runId));
    const whole = await Promise.all(
      missing.map(async (slot) => ({ ...slot, rows: await rowsOf(deps, slot) })),
    );
    if (whole.length > 0) await recordSlots(deps, tables, whole);
  } catch (error) {
    deps.log(
      { error: String(error).slice(0, 500) },
      'expected runs were not recorded; the next cycle does',
      'warn',
    );
    return 0;
  }
  const now = Object.fromEntries(slots.map((slot) => [keyOf(slot), slot.outcome]));
  await remember(deps.lake, 'slots', { ...memory, slots: now, took: withRuns(memory.took ?? {}, changed) });
  return changed.length;
}

function withRuns(
  took: NonNullable<SlotMemory['took']>,
  slots: readonly Slot[],
): NonNullable<SlotMemory['took']> {
  const next: Record<string, ReadonlyArray<readonly [string, number]>> = { ...took };
  for (const slot of slots) {
    if (!isFinished(slot) || slot.outcome === 'failed') continue;
    const run = [slot.logicalTime, secondsOf(slot, 0)] as const;
    next[slot.scheduleId] = [...(next[slot.scheduleId] ?? []), run].slice(-USUAL_MAX);
  }
  return next;
}

function secondsOf({ startedAt, finishedAt }: Slot, nowMs: number): number {
  return ((Date.parse(finishedAt ?? '') || nowMs) - Date.parse(startedAt ?? '')) / 1000;
}

/** The median of earlier runs; undefined where they are too few. */
function usualSeconds(
  runs: ReadonlyArray<readonly [string, number]>,
  logicalTime: string,
): number | undefined {
  const earlier = runs.filter(([at]) => at !== logicalTime).map(([, seconds]) => seconds);
  return earlier.length < USUAL_MIN
    ? undefined
    : earlier.sort((a, b) => a - b)[Math.floor(earlier.length / 2)];
}

async function rowsOf(deps: MonitoringDeps, { outcome, workflowId, runId }: Slot): Promise<number | null> {
  if (outcome !== 'ok' && outcome !== 'partial' && outcome !== 'empty') return null;
  return workflowId === null || runId === null ? null : deps.rowsOfRun(workflowId, runId).catch(() => null);
}

function measureSchedule(
  watched: WatchedSchedule,
  state: ScheduleState | null,
  nowMs: number,
  memory: SlotMemory,
): Measurement[] {
  const { id, createPaused } = watched;
  const figure = figureOf(id);
  if (!state) return [figure('schedule.present', 0)];
  const { slots, paused, note } = state;
  const circuit = paused && note.startsWith(CIRCUIT_NOTE);
  const missing = slots.filter(({ outcome }) => outcome === 'never_started');
  const late = slots.filter(({ outcome }) => outcome === 'late');
  const finished = slots.filter(isFinished);
  return [
    figure('schedule.present', 1),
    // A schedule that is made paused rests by intention.
    figure('schedule.paused', paused && !createPaused ? 1 : 0, note.slice(0, 200)),
    figure('schedule.circuit_open', circuit ? 1 : 0, note.slice(0, 200)),
    figure(
      'schedule.never_started',
      missing.length,
      missing
        .slice(-3)
        .map(({ logicalTime }) => logicalTime)
        .join(', '),
    ),
    figure('schedule.late', late.length, late.at(-1)?.detail ?? ''),
    figure('schedule.consecutive_failures', inARow(finished, 'failed')),
    figure('schedule.consecutive_partial', inARow(finished, 'partial')),
    figure('schedule.consecutive_empty', inARow(finished, 'empty')),
    figure('schedule.recent_failures', countFailures(finished, memory.countFrom[id] ?? 0)),
    ...runTimes(watched, slots, nowMs, memory),
  ];
}

function figureOf(schedule: string) {
  return (metric: string, value: number, detail?: string): Measurement => ({
    metric,
    labels: { schedule },
    value,
    ...(detail !== undefined && { detail }),
  });
}

/** How long the run that goes on takes, or the last one took: against its budget, and against what is usual. */
function runTimes(
  { id, budgetSeconds }: WatchedSchedule,
  slots: readonly Slot[],
  nowMs: number,
  { took = {} }: SlotMemory,
): Measurement[] {
  const figure = figureOf(id);
  const running = slots.filter(({ outcome }) => outcome === 'running').at(-1);
  const last = slots.filter(isFinished).at(-1);
  const newest = running ?? last;
  if (!newest) return [];
  const seconds = secondsOf(newest, nowMs);
  const usual = usualSeconds(took[id] ?? [], newest.logicalTime);
  const detail = `${Math.round(seconds)} s`;
  return [
    ...(running ? [figure('schedule.run_seconds', seconds)] : []),
    ...(running
      ? [
          figure(
            'schedule.budget_used',
            seconds / budgetSeconds,
            `${detail} of ${Math.round(budgetSeconds)} s`,
          ),
        ]
      : []),
    ...(last ? [figure('schedule.last_run_seconds', secondsOf(last, nowMs))] : []),
    ...(usual !== undefined && newest.outcome !== 'failed'
      ? [
          figure(
            'schedule.times_usual',
            seconds < SLOW_SECONDS_MIN ? 1 : seconds / Math.max(usual, 1),
            `${detail}; usual are ${Math.round(usual)} s`,
          ),
        ]
      : []),
  ];
}

function isFinished({ outcome }: Slot): boolean {
  return outcome === 'ok' || outcome === 'empty' || outcome === 'partial' || outcome === 'failed';
}

function inARow(finished: readonly Slot[], wanted: SlotOutcome): number {
  return finished.length - 1 - finished.findLastIndex(({ outcome }) => outcome !== wanted);
}

function countFailures(finished: readonly Slot[], countFrom: number): number {
  return finished.filter(
    ({ outcome, logicalTime }) => outcome === 'failed' && Date.parse(logicalTime) > countFrom,
  ).length;
}

/** Pauses schedules of which too many of the last runs failed. What failed before a pause does not count after it. */
export async function breakCircuits(deps: MonitoringDeps, _cycle: Cycle): Promise<readonly string[]> {
  const { failures, runs } = deps.config.monitoring.circuitBreaker;
  const memory = (await recall<SlotMemory>(deps.lake, 'slots')) ?? { slots: {}, countFrom: {} };
  const tripped: string[] = [];
  for (const schedule of deps.schedules) {
    const { id, workflowType } = schedule;
    if (workflowType === NOT_WATCHED) continue;
    const state = await stateOf(deps, schedule);
    if (!state || state.paused) continue;
    const countFrom = memory.countFrom[id] ?? 0;
    const recent = state.slots.filter(isFinished).slice(-runs);
    const failed = countFailures(recent, countFrom);
    if (failed < failures) continue;
    await deps.pauseSchedule(
      id,
      `${CIRCUIT_NOTE} ${failed} of the last ${recent.length} runs failed. When the cause is gone: datalab schedules resume ${id}`,
    );
    tripped.push(id);
  }
  if (tripped.length > 0) {
    const nowMs = deps.clock.nowMs();
    const countFrom = { ...memory.countFrom, ...Object.fromEntries(tripped.map((id) => [id, nowMs])) };
    await remember(deps.lake, 'slots', { ...memory, countFrom });
  }
  return tripped;
}
