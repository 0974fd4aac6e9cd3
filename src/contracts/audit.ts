/** The audit of published tables: what was held against what, and how it came out. Kept in `meta.audits`, a row each. */
import type { CheckDefinition, CheckResult } from './quality.js';

/**
 * What is checked. The first are the dataset's own checks, measured on all that is published; `rule`: the row rules of
 * Silver; `table_schema`: columns against the declaration; `rows`: the log's count against the rows; `statistics`: the
 * log's bounds against a sample of the files; `key`: unique, and no part missing; `reference`: rows of a layer against the
 * layer that they were made from; `ledger`: what the commits since the last audit added against what is there.
 */
export type AuditKind =
  | CheckDefinition['kind']
  | 'rule'
  | 'table_schema'
  | 'rows'
  | 'statistics'
  | 'key'
  | 'reference'
  | 'ledger'
  | 'score';

/**
 * Against the last audit of the table. `first`: there was none, or it did not have the check; `new`: it held then;
 * `resolved`: it failed then; `worse`, `better`: it fails as it did, with more or fewer bad rows; `same` otherwise.
 */
export type AuditTrend = 'first' | 'new' | 'worse' | 'same' | 'better' | 'resolved';

/** One finding: as a check of a run has it, `rows` counting files, columns or combinations where it judges those. */
export interface AuditResult extends Omit<CheckResult, 'kind' | 'examples'> {
  readonly kind: AuditKind;
  /** The first bad rows: what tells them, and for rows with a source their file, line and text. */
  readonly examples: ReadonlyArray<Readonly<Record<string, string | number | boolean | null>>>;
  readonly trend: AuditTrend;
  readonly before: AuditBefore | null;
}

/** The same check in the last audit of the table. */
export interface AuditBefore {
  readonly at: string;
  readonly outcome: AuditResult['outcome'];
  readonly badRows: number;
  readonly observed: number | null;
}

/** The audit of one table at one version. */
export interface TableAudit {
  /** As in `silver.stocks`. */
  readonly table: string;
  readonly dataset: string;
  readonly version: number;
  readonly rows: number;
  /** ISO instant at which it was read. */
  readonly auditedAt: string;
  /** As the score of a run (docs/reference/quality.md), over these results; null where all were skipped. */
  readonly score: number | null;
  readonly scoreBefore: number | null;
  readonly results: readonly AuditResult[];
}

/** What one audit came to, for histories. */
export interface AuditBrief {
  readonly score: number | null;
  readonly checks: number;
  readonly failed: number;
  /** Failed ones with severity `block`: nothing of the kind should ever be published. */
  readonly blocking: number;
}
