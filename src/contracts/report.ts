/** The report of a run as data: what the page shows, and what is kept beside it as JSON. */
import type { Ledger } from './ledger.js';
import type { CheckResult } from './quality.js';
import type { EtlSummary, RunOutcome, RunRef, StepRecord, TableState } from './run.js';

export const REPORT_SCHEMA = 'datalab.report/1';

export type ChartKind = 'line' | 'area' | 'bar' | 'scatter';

/** A chart that a dataset declares for its reports. */
export interface ChartDefinition {
  readonly title: string;
  readonly description?: string;
  readonly kind: ChartKind;
  /** One SELECT over the dataset's own tables in `silver` and `gold`. */
  readonly sql: string;
  /** Columns of the SELECT. `x` is a date, an instant, a number or a text; `y` a number. */
  readonly x: string;
  readonly y: string;
  /** Column whose values part the rows into series. */
  readonly series?: string;
  readonly logarithmic: boolean;
}

/** What `x` counts: milliseconds since 1970, numbers, or positions of texts in order of appearance. */
export type AxisKind = 'time' | 'number' | 'category';

export interface ChartSeries {
  readonly name: string;
  /** `[x, y]`, in order; for categories x is the position in `categories`. */
  readonly points: ReadonlyArray<readonly [number, number]>;
}

/** A chart with its points, thinned out to what a screen can show. */
export interface ChartData {
  readonly title: string;
  readonly description?: string;
  readonly kind: ChartKind;
  readonly xKind: AxisKind;
  readonly xName: string;
  readonly yName: string;
  readonly logarithmic: boolean;
  readonly categories: readonly string[];
  readonly series: readonly ChartSeries[];
  /** What a reader must know, as that series were left out; empty where there is nothing. */
  readonly notes: readonly string[];
}

/** A score of an earlier run, or of this one. */
export interface ScorePoint {
  readonly runId: string;
  readonly at: string;
  readonly score: number;
  readonly outcome: RunOutcome;
}

/** Rows that one rule refused in this run. */
export interface RefusedRows {
  readonly layer: string;
  readonly rule: string;
  readonly reason: string;
  readonly rows: number;
  readonly examples: ReadonlyArray<{
    readonly file: string | null;
    readonly line: number | null;
    readonly raw: string | null;
  }>;
}

export interface ReportDocument {
  readonly schema: typeof REPORT_SCHEMA;
  readonly dataset: { readonly name: string; readonly description: string };
  readonly run: RunRef;
  readonly outcome: RunOutcome;
  readonly startedAt: string;
  /** When the report was written: the run then still had to be recorded and told. */
  readonly reportedAt: string;
  readonly error: { readonly code: string; readonly message: string; readonly remedy: string | null } | null;
  readonly sources: EtlSummary['sources'];
  readonly bronze: Ledger;
  readonly silver: Ledger;
  readonly score: number | null;
  readonly checks: readonly CheckResult[];
  /** Oldest first; the last is this run's where it has a score. */
  readonly scores: readonly ScorePoint[];
  readonly charts: readonly ChartData[];
  readonly tables: readonly TableState[];
  readonly steps: readonly StepRecord[];
  readonly quarantine: readonly RefusedRows[];
  /** Parts that could not be made, and why. */
  readonly problems: readonly string[];
}
