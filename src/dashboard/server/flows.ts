/** The flows as their schedules: state, next times, expected runs against what happened, durations. */
import { ScheduleNotFoundError, type ScheduleHandle } from '@temporalio/client';
import { scheduleSlots } from '../../connectors/expected-runs.js';
import type { Slot } from '../../contracts/expected-runs.js';
import { DatalabError } from '../../contracts/errors.js';
import { declaredSchedules } from '../../schedules.js';
import type { DashboardDeps } from './deps.js';

export interface FlowRow {
  readonly scheduleId: string;
  readonly flow: string;
  readonly input: unknown;
  readonly note: string;
  readonly paused: boolean;
  readonly pauseNote: string;
  readonly cron: string;
  readonly timezone: string;
  readonly overlap: string;
  readonly next: readonly string[];
  readonly running: number;
  /** Newest last; at most SLOTS_SHOWN. */
  readonly slots: readonly Slot[];
  /** Of expected runs that came to an end; null where none did. */
  readonly successRate: number | null;
  /** Seconds of the runs that ended well. */
  readonly duration: { readonly last: number; readonly p50: number; readonly p95: number } | null;
}

const SLOTS_SHOWN = 60;
const WITHIN_MS = 15_000;
const DAY_MS = 24 * 3600_000;

/** Every schedule that there is in Temporal, those of the configuration first. */
export async function listFlows(deps: DashboardDeps): Promise<FlowRow[]> {
  const { temporal, config } = deps;
  const declared = declaredSchedules(config);
  return temporal.withDeadline(Date.now() + WITHIN_MS, async () => {
    const ids: string[] = [];
    for await (const { scheduleId } of temporal.schedule.list()) ids.push(scheduleId);
    const order = new Map(declared.map(({ id }, index) => [id, index]));
    ids.sort((a, b) => (order.get(a) ?? 99) - (order.get(b) ?? 99) || a.localeCompare(b));
    return Promise.all(ids.map((id) => flowOf(deps, id)));
  });
}

async function flowOf(deps: DashboardDeps, scheduleId: string): Promise<FlowRow> {
  const { temporal, config } = deps;
  const declared = declaredSchedules(config).find(({ id }) => id === scheduleId);
  const { spec, action, policies, state, info } = await temporal.schedule.getHandle(scheduleId).describe();
  const nowMs = Date.now();
  // Monitoring owes three hundred runs a day: a shorter stretch says as much.
  const stretch = declared?.workflowType === 'platformMonitoring' ? DAY_MS / 4 : 14 * DAY_MS;
  const slots =
    (
      await scheduleSlots(temporal, scheduleId, {
        fromMs: nowMs - stretch,
        toMs: nowMs,
        nowMs,
        lateAfterMs: config.monitoring.lateAfterMinutes * 60_000,
      })
    )?.slots ?? [];
  const ended = slots.filter(({ outcome }) =>
    ['ok', 'empty', 'partial', 'failed', 'never_started'].includes(outcome),
  );
  const good = ended.filter(({ outcome }) => outcome === 'ok' || outcome === 'empty');
  return {
    scheduleId,
    flow: action.workflowType,
    input: action.args?.[0] ?? null,
    note: declared?.note ?? '',
    paused: state.paused,
    pauseNote: state.note ?? '',
    cron: declared?.cron ?? '',
    timezone: spec.timezone ?? 'UTC',
    overlap: String(policies.overlap),
    next: info.nextActionTimes.slice(0, 3).map((time) => time.toISOString()),
    running: info.runningActions.length,
    slots: slots.slice(-SLOTS_SHOWN),
    successRate: ended.length === 0 ? null : good.length / ended.length,
    duration: durationOf(good),
  };
}

/** Percentiles by the nearest rank. */
export function durationOf(slots: readonly Slot[]): FlowRow['duration'] {
  const seconds = slots.flatMap(({ startedAt, finishedAt }) =>
    startedAt && finishedAt ? [(Date.parse(finishedAt) - Date.parse(startedAt)) / 1000] : [],
  );
  const last = seconds.at(-1);
  if (last === undefined) return null;
  const sorted = [...seconds].sort((a, b) => a - b);
  const rank = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? last;
  return { last, p50: rank(0.5), p95: rank(0.95) };
}

/** Throws DatalabError SCHEDULE_UNKNOWN. */
export async function withSchedule<Value>(
  { temporal }: DashboardDeps,
  id: string,
  body: (handle: ScheduleHandle) => Promise<Value>,
): Promise<Value> {
  try {
    return await body(temporal.schedule.getHandle(id));
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    throw new DatalabError('SCHEDULE_UNKNOWN', `there is no schedule '${id}'`, { cause: error });
  }
}
