/** Taking refused rows in again, once the dataset's definition (or DataLab) is better than when they were refused. */
import type { PlannedRun, Staged } from './activities.js';
import type { StepRecord } from './run.js';

/** Input of the workflow type `quarantineReplay`. */
export interface QuarantineReplayInput extends ReplayFilter {
  /** Name of a folder in `datasets/`. */
  readonly dataset: string;
  /** ISO instant; default: the start of the run. */
  readonly logicalTime?: string;
}

/** Which of the refused rows; without either, all that Bronze refused. */
export interface ReplayFilter {
  /** Only rows that this rule refused. */
  readonly rule?: string;
  /** Only sources whose path contains this. */
  readonly source?: string;
}

/** What became of the refused rows. A file that was refused whole counts as one until it is read. */
export interface ReplayFigures {
  /** Rows that were read again. */
  readonly tried: number;
  /** Rows that are in Bronze now. */
  readonly accepted: number;
  /** Rows that are refused still. */
  readonly refused: number;
  /** Rows whose source cannot be read again; they stay where they are. */
  readonly unreachable: number;
  /** Why, by source: the first twenty. */
  readonly problems: ReadonlyArray<{ readonly path: string; readonly problem: string }>;
}

export interface StagedReplay extends Staged {
  readonly replay: ReplayFigures;
}

export interface ReplayActivities {
  /** Reads the sources of refused rows again and stages those rows that are accepted now. */
  writeReplay(run: PlannedRun, filter: ReplayFilter): Promise<StagedReplay>;
  /** Takes the rows that Bronze holds out of the quarantine. Repeating it finds nothing. */
  releaseReplayed(run: PlannedRun): Promise<{ readonly step: StepRecord; readonly released: number }>;
}
