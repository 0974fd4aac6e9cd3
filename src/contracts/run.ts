/** One execution of a flow for one dataset and logical time, and what it leaves behind. */
import type { Ledger } from './ledger.js';
import type { CheckResult } from './quality.js';
import type { ReplayFigures } from './replay.js';

export type Layer = 'bronze' | 'silver' | 'gold' | 'quarantine' | 'meta';

/** Names a run everywhere: in activities, commits, records and events. */
export interface RunRef {
  /** Temporal's first execution run id: a reset or a continue-as-new keeps it. */
  readonly runId: string;
  /** Temporal's current run id: a reset has another, so that what it comes to is recorded too. */
  readonly executionId: string;
  readonly workflowId: string;
  readonly dataset: string;
  /** ISO instant that the run is for: the schedule's nominal time, never the clock. */
  readonly logicalTime: string;
  /** The schedule that started it, or whose backfill did; absent where neither did. */
  readonly scheduleId?: string;
}

/**
 * `ok`: something was published. `empty`: nothing was new and every table was current. `blocked`: a check with severity
 * `block` failed and nothing of the batch was published.
 */
export type RunOutcome = 'ok' | 'empty' | 'blocked' | 'failed' | 'cancelled';

export type Phase =
  | 'starting'
  | 'bronze'
  | 'silver'
  | 'gold'
  | 'features'
  | 'training'
  | 'evaluating'
  | 'registering'
  | 'approval'
  | 'deploying'
  | 'reporting'
  | 'recording'
  | 'relaying'
  | 'done';

/** What one activity did, for `meta.steps` and the summary. Times are ISO instants of the worker's clock. */
export interface StepRecord {
  readonly step: string;
  readonly outcome: 'ok' | 'skipped' | 'conflict';
  readonly startedAt: string;
  readonly finishedAt: string;
  /** Temporal's attempt number of the attempt that succeeded, from 1. */
  readonly attempt: number;
  readonly rows: number;
  readonly bytes: number;
  readonly detail: string;
}

/** Where a table stands at the end of a run. */
export interface TableState {
  /** `layer.table`. */
  readonly table: string;
  readonly version: number;
  readonly rows: number;
  readonly files: number;
  /** Whether this run published the version. */
  readonly changed: boolean;
}

/** Keys in the lake of a run's report: the page, and the same as data. */
export interface ReportRef {
  readonly html: string;
  readonly json: string;
}

/** What `medallionEtl` and `quarantineReplay` return, and what the `progress` query shows while they run. */
export interface EtlSummary {
  readonly run: RunRef;
  /** Whether nobody is to be notified of it. */
  readonly quiet?: boolean;
  /** Absent in what runs returned before there was a second flow: `medallionEtl`. */
  readonly flow?: 'medallionEtl' | 'quarantineReplay' | 'mlopsTraining';
  readonly phase: Phase;
  readonly outcome: RunOutcome | 'running';
  readonly sources: { readonly listed: number; readonly ingested: number; readonly known: number };
  readonly bronze: Ledger;
  readonly silver: Ledger;
  /** Of a replay: what became of the refused rows. */
  readonly replay?: ReplayFigures;
  readonly score: number | null;
  /** Failed checks only; all of them are in `meta.quality_results`. */
  readonly failedChecks: readonly CheckResult[];
  readonly tables: readonly TableState[];
  readonly steps: readonly StepRecord[];
  /** Null where there is none (yet), or it could not be written. */
  readonly report: ReportRef | null;
  readonly events: { readonly sent: number; readonly pending: number; readonly detail: string };
}
