/** Declared quality rules and what measuring them gave. */

/** `block`: nothing is published. `quarantine`: the row goes aside. `warn`: recorded and told. */
export type Severity = 'block' | 'quarantine' | 'warn';

interface CheckBase {
  /** Unique in the dataset; default `<kind>` or `<kind>_<column>`. */
  readonly name: string;
  readonly severity: Severity;
}

/** Published plus written rows must reach `min`. Skipped when the run has nothing new. */
export interface RowCountCheck extends CheckBase {
  readonly kind: 'row_count';
  readonly min: number;
}

/** Share of NULLs in a column of the batch must not pass `maxRatio` (0 to 1). */
export interface NullsCheck extends CheckBase {
  readonly kind: 'nulls';
  readonly column: string;
  readonly maxRatio: number;
}

export type CheckDefinition = RowCountCheck | NullsCheck;

/** One measured check. */
export interface CheckResult {
  readonly name: string;
  readonly kind: CheckDefinition['kind'];
  readonly severity: Severity;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** The measured value and the limit it was held against, in the check's own unit. */
  readonly measured: number | null;
  readonly threshold: number | null;
  /** Rows judged, and how many of them were bad. */
  readonly rows: number;
  readonly badRows: number;
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
