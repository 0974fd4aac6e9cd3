/** What a schedule was expected to start, against what happened. */

/**
 * `due`: its time has come, but not yet the moment at which it counts as late. `skipped`: the schedule was paused, or its
 * previous run was still going on and its overlap policy passes over such times.
 */
export type SlotOutcome =
  'due' | 'running' | 'late' | 'ok' | 'partial' | 'empty' | 'failed' | 'skipped' | 'never_started';

/** A time of a schedule. */
export interface ScheduledTime {
  readonly scheduleId: string;
  /** ISO instant. */
  readonly logicalTime: string;
}

/** What a run by a schedule knows of its own time when it ends; absent `scheduleId`: it was started by hand. */
export interface OwnEnd {
  readonly scheduleId?: string | undefined;
  readonly logicalTime: string;
  readonly outcome: SlotOutcome;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly rows: number | null;
  readonly detail: string;
  /** In Temporal. */
  readonly execution: { readonly workflowId: string; readonly runId: string } | undefined;
}

/** One logical time of one schedule. Times are ISO instants. */
export interface Slot {
  readonly scheduleId: string;
  readonly logicalTime: string;
  readonly outcome: SlotOutcome;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  /** Rows that Bronze accepted; null where that is not known. */
  readonly rows: number | null;
  readonly runId: string | null;
  readonly workflowId: string | null;
  readonly detail: string;
}

export const GAPS: readonly SlotOutcome[] = ['never_started', 'failed', 'partial', 'skipped'];
export const MISSING: readonly SlotOutcome[] = ['never_started', 'skipped'];
export const FAILED: readonly SlotOutcome[] = ['failed', 'partial'];

/** Workflow ids of runs that fill one logical time of a schedule begin like this. */
export function backfillPrefix(scheduleId: string): string {
  return `${scheduleId}-backfill-`;
}

/** The schedule of which a run with this workflow id fills a time; undefined where it is no such id. */
export function backfilledBy(workflowId: string): string | undefined {
  return /^(.+)-backfill-\d{4}-\d\d-\d\dT[\d:.]+Z$/.exec(workflowId)?.[1];
}

/** Workflow id of the backfill of a schedule: one is going on at a time. */
export function backfillId(scheduleId: string): string {
  return `backfill-${scheduleId}`;
}

/** The state of one schedule in Temporal, with its slots. */
export interface ScheduleState {
  readonly scheduleId: string;
  readonly paused: boolean;
  readonly note: string;
  /** What is not as it is declared, in words; absent where nothing was given to hold it against. */
  readonly differences?: readonly string[];
  readonly slots: readonly Slot[];
}

/** Begins the note of a schedule that the circuit breaker paused. */
export const CIRCUIT_NOTE = 'circuit breaker:';
