/** Filling the logical times of a schedule that have no run, or none that ended well. */
import type { MedallionEtlInput } from './flows.js';
import type { SlotOutcome } from './expected-runs.js';

/**
 * `missing`: times without a run, also those before the schedule was made, or while it was paused. `failed`: times whose
 * runs failed or did a part. `all`: every time, but those whose run is going on.
 */
export const BACKFILL_MODES = ['missing', 'failed', 'all'] as const;
export type BackfillMode = (typeof BACKFILL_MODES)[number];

/** The most runs of a backfill at once. */
export const BACKFILL_PARALLEL_MAX = 10;

/** Input of the workflow type `scheduleBackfill`. */
export interface BackfillInput {
  readonly scheduleId: string;
  /** ISO instants, both included. */
  readonly from: string;
  readonly to: string;
  /** Default `missing`. */
  readonly mode?: BackfillMode;
  /** Only says what it would start. */
  readonly dryRun?: boolean;
  /** Runs at once; default 1. */
  readonly parallel?: number;
  /** Of a backfill that goes on in a new execution. */
  readonly carried?: Carried;
}

/** What an execution hands to the next one. */
export interface Carried {
  /** When the first execution started. Absent in what an earlier version of the program hands over. */
  readonly startedAt?: string;
  /** The last time that is dealt with. */
  readonly after: string;
  readonly summary: BackfillSummary;
}

/** A stretch of the plan, small enough for a history. */
export interface BackfillPage {
  readonly input: MedallionEtlInput;
  readonly times: readonly PlannedTime[];
  /** Times in the range that are to be filled, from the beginning of the page to the end of the range. */
  readonly total: number;
  /** Whether the dataset's source depends on the time: if it does not, each run takes whatever is new. */
  readonly selects: boolean;
}

export interface PlannedTime {
  readonly logicalTime: string;
  /** What became of it so far. */
  readonly outcome: SlotOutcome;
}

export interface BackfillSummary {
  readonly scheduleId: string;
  readonly from: string;
  readonly to: string;
  readonly mode: BackfillMode;
  readonly dryRun: boolean;
  readonly planned: number;
  readonly done: number;
  /** Runs by how they ended: ok, empty, failed; `elsewhere` where another backfill was at it. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** The first twenty. */
  readonly failures: ReadonlyArray<{
    readonly logicalTime: string;
    readonly code: string;
    readonly message: string;
  }>;
  /** Times that were to be filled and are not, without having failed: the first twenty. Absent in older answers. */
  readonly leftOut?: ReadonlyArray<{ readonly logicalTime: string; readonly reason: string }>;
  /** Of a dry run: the first two hundred. */
  readonly times: readonly PlannedTime[];
  readonly note: string;
}

/** `ok`: all that was to be filled is. `partial`: some of it failed or was left out. `failed`: it could not go on. */
export type BackfillOutcome = 'ok' | 'partial' | 'failed' | 'cancelled';

/** How a backfill ended, for the record and the message. */
export interface BackfillReport {
  /** Of its first execution: names the backfill. */
  readonly runId: string;
  readonly workflowId: string;
  readonly dataset: string;
  readonly outcome: BackfillOutcome;
  /** ISO instants; the start is that of the first execution where it is known, else of the last one. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly summary: BackfillSummary;
  /** Why it could not go on; null otherwise. */
  readonly problem: string | null;
}

/** `io.datalab.backfill.<outcome>`: one per backfill, on the notifications topic. */
export interface BackfillFinished {
  readonly runId: string;
  readonly workflowId: string;
  readonly scheduleId: string;
  readonly dataset: string;
  readonly mode: BackfillMode;
  readonly from: string;
  readonly to: string;
  readonly outcome: BackfillOutcome;
  readonly message: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly planned: number;
  readonly filled: number;
  readonly failed: number;
  readonly leftOut: number;
  /** The first of both, with their reasons. */
  readonly failures: BackfillSummary['failures'];
  readonly notFilled: NonNullable<BackfillSummary['leftOut']>;
}

export interface BackfillActivities {
  /** The times of the range that are to be filled, from `after` on. Fails for good with SCHEDULE_UNKNOWN, BACKFILL_UNSUITED. */
  planBackfill(input: BackfillInput, after: string | null): Promise<BackfillPage>;
  /** Appends it to `meta.backfills` and sends the message; what cannot be sent now goes with the next run or cycle. */
  recordBackfill(report: BackfillReport): Promise<void>;
}
