/** Declared quality rules and what measuring them gave. */
import type { ColumnType } from './dataset.js';

/** `block`: nothing is published. `quarantine`: the row goes aside. `warn`: recorded and told. */
export type Severity = 'block' | 'quarantine' | 'warn';

/** How many bad rows a check allows: a count of rows, or a share (0 to 1) of the rows that it judges. */
export interface Limit {
  readonly unit: 'rows' | 'ratio';
  readonly value: number;
}

interface CheckBase {
  /** Unique in the dataset; default `<kind>` or `<kind>_<column>`. */
  readonly name: string;
  readonly severity: Severity;
}

interface RowsCheckBase extends CheckBase {
  /** SQL condition over the columns of a Bronze row; rows for which it is not TRUE are not judged. */
  readonly where?: string;
  /** Bad rows that are allowed. */
  readonly max: Limit;
}

interface ColumnCheckBase extends RowsCheckBase {
  readonly column: string;
  readonly type: ColumnType;
}

/** Columns that the sources have and the dataset does not declare, or the other way round. */
export interface SchemaCheck extends CheckBase {
  readonly kind: 'schema';
  readonly columns: readonly string[];
  /** Differences that are allowed. */
  readonly maxDifferences: number;
}

/** Published plus written rows must reach `min` and not pass `max`. Skipped when the run has nothing new. */
export interface RowCountCheck extends CheckBase {
  readonly kind: 'row_count';
  readonly min: number;
  readonly max?: number;
}

/** Rows without a value in the column. */
export interface NullsCheck extends ColumnCheckBase {
  readonly kind: 'nulls';
}

/** Values outside `from` to `to`, both included; NaN is outside of every range. Rows without a value are not bad. */
export interface RangeCheck extends ColumnCheckBase {
  readonly kind: 'range';
  readonly from?: number | string;
  readonly to?: number | string;
}

/** Values that are not in the list. Rows without a value are not bad. */
export interface SetCheck extends ColumnCheckBase {
  readonly kind: 'set';
  readonly values: ReadonlyArray<string | number | boolean>;
}

/** Texts that the regular expression (RE2) does not match as a whole. Rows without a value are not bad. */
export interface PatternCheck extends ColumnCheckBase {
  readonly kind: 'pattern';
  readonly pattern: string;
}

/** Rows beyond the first of each combination of values in the batch; NULL equals NULL. */
export interface DuplicatesCheck extends RowsCheckBase {
  readonly kind: 'duplicates';
  readonly columns: readonly string[];
}

/** Rows whose combination of values is there more than once in the batch; rows with a NULL among them are not judged. */
export interface UniqueCheck extends RowsCheckBase {
  readonly kind: 'unique';
  readonly columns: readonly string[];
}

/** Rows that a SELECT over `bronze.<dataset>` (the rows of the run) returns. */
export interface SqlCheck extends CheckBase {
  readonly kind: 'sql';
  readonly sql: string;
  readonly max: Limit;
}

/** Days from the newest value in batch and table to the logical time of the run. */
export interface FreshnessCheck extends CheckBase {
  readonly kind: 'freshness';
  readonly column: string;
  readonly where?: string;
  readonly maxAgeDays: number;
}

interface HistoryCheckBase extends CheckBase {
  /** Largest allowed distance from the median of the dataset's own history, as a share of that median. */
  readonly maxShift: number;
  /** Runs that the history must have; with fewer the check is skipped, and remembered for those to come. */
  readonly minHistory: number;
  /** The newest runs that make the history. */
  readonly history: number;
}

/** Rows of the batch against those of the runs before. */
export interface VolumeCheck extends HistoryCheckBase {
  readonly kind: 'volume';
}

/** A figure of a column against the same figure of the runs before. `null_ratio` is compared in absolute terms. */
export interface DistributionCheck extends HistoryCheckBase {
  readonly kind: 'distribution';
  readonly column: string;
  readonly type: ColumnType;
  readonly where?: string;
  readonly statistic: 'mean' | 'stddev' | 'null_ratio' | 'quantile';
  /** 0 to 1; for the statistic `quantile`. */
  readonly quantile?: number;
}

/** Checks that judge one row by its own values: they alone may send a row to quarantine. */
export type RowCheck = NullsCheck | RangeCheck | SetCheck | PatternCheck;

export type CheckDefinition =
  | RowCheck
  | SchemaCheck
  | RowCountCheck
  | DuplicatesCheck
  | UniqueCheck
  | SqlCheck
  | FreshnessCheck
  | VolumeCheck
  | DistributionCheck;

/** What the score of a batch must reach, and what becomes of one that does not. */
export interface ScorePolicy {
  readonly min: number;
  readonly severity: 'block' | 'warn';
}

/** What measured value and threshold count. */
export type CheckUnit = 'rows' | 'ratio' | 'days' | 'columns' | 'score';

/** Where a bad row is in its source. */
export interface BadRow {
  readonly file: string;
  readonly line: number;
}

/** One measured check. The result named `score` holds the score itself against its minimum. */
export interface CheckResult {
  readonly name: string;
  readonly kind: CheckDefinition['kind'] | 'score';
  readonly severity: Severity;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** The measured value and the limit it was held against, in `unit`. */
  readonly measured: number | null;
  readonly threshold: number | null;
  readonly unit: CheckUnit;
  /** Rows judged, and how many of them were bad. */
  readonly rows: number;
  readonly badRows: number;
  /** 0 to 1: how much of what was promised is there. Goes into the score. */
  readonly share: number;
  /** The bare figure of a check that has a history, for the runs to come. */
  readonly observed: number | null;
  /** The first bad rows by file and line. */
  readonly examples: readonly BadRow[];
  /** One sentence for people. */
  readonly detail: string;
}

/** All checks of one batch with their score (formula: docs/reference/quality.md). */
export interface QualityVerdict {
  /** 0 to 1; null when every check was skipped. */
  readonly score: number | null;
  readonly blocked: boolean;
  readonly results: readonly CheckResult[];
}
