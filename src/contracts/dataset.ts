/** A declared pipeline: `datasets/<name>/dataset.yaml`, validated by `src/config/dataset.ts` into this shape. */
import type { CheckDefinition, ScorePolicy } from './quality.js';
import type { ChartDefinition } from './report.js';

/** Types a dataset may declare for its columns. `timestamp` is an instant in UTC. */
export type ColumnType =
  | 'string'
  | 'boolean'
  | 'integer'
  | 'long'
  | 'double'
  | 'date'
  | 'timestamp'
  | `decimal(${number},${number})`;

export interface ColumnDefinition {
  readonly name: string;
  readonly type: ColumnType;
  /** Other names that sources give the column, as after a rename; its own name wins where both are there. */
  readonly aliases?: readonly string[];
  /** A required column that the source lacks blocks the run. Default true. */
  readonly required: boolean;
  /** IANA zone of `timestamp` values that carry none. Without it such values are refused. */
  readonly zone?: string;
  readonly description?: string;
}

/** Files on this machine (glob) or below an S3 prefix, or the messages of a Kafka topic. */
export interface FileSource {
  readonly kind: 'files';
  /**
   * `data/samples/*.csv.gz` (relative to the project), `file:///…`, `s3://bucket/prefix/*.csv` or `kafka://topic`;
   * the logical time fills in `{date}`, `{year}`, `{month}`, `{day}`, `{hour}`.
   */
  readonly location: string;
  readonly format: 'csv' | 'jsonl' | 'parquet';
  readonly csv: { readonly delimiter: string; readonly quote: string };
}

/** A condition that every Silver row must meet; a row for which it is not TRUE (NULL included) is quarantined. */
export interface RowRule {
  readonly name: string;
  /** SQL over the columns of the Silver row. */
  readonly must: string;
  /** One sentence for people: what is wrong with a row that fails. */
  readonly reason: string;
}

/**
 * Flags rows whose log return is far from those of the same group in the closed calendar months before: columns
 * `is_outlier` and `outlier_score` (robust z, from the median absolute deviation). No row is removed.
 */
export interface OutlierDefinition {
  /** Columns that name a group, as in `[symbol]`. */
  readonly group: readonly string[];
  /** Date or timestamp column that orders the rows of a group. */
  readonly order: string;
  /** Positive number whose log return is judged. */
  readonly value: string;
  /** Closed calendar months before the row's own that make its reference. */
  readonly months: number;
  /** Returns that the reference must have; rows with fewer are not judged. */
  readonly minimum: number;
  /** Robust z from which a row is flagged. */
  readonly threshold: number;
}

export interface SilverDefinition {
  /** One SELECT over `bronze.<dataset>`: cleans and casts; keeps the `_` columns that it is given, and every row. */
  readonly sql: string;
  /**
   * Columns of the Silver row that tell which of two rows with one key is newer, the most telling first. After them, or
   * where none are declared: the modified time of the source, its path, the line.
   */
  readonly sequenceBy: readonly string[];
  readonly rules: readonly RowRule[];
  readonly outliers?: OutlierDefinition;
}

/**
 * How a Gold table may be brought up to date without computing it whole. Its rows fall into slices, and a slice follows
 * from the Silver rows of that slice alone.
 */
export interface SliceDefinition {
  /** Column of the Gold table → the same value as SQL over one Silver row. Together they name a slice. */
  readonly by: Readonly<Record<string, string>>;
  /**
   * For tables with windows over the rows of a slice: the column (of Gold and of Silver) that orders them. A row then
   * follows from the Silver row of its place and from `lookback` rows before it, and from none after it.
   */
  readonly window?: { readonly order: string; readonly lookback: number };
}

export interface GoldDefinition {
  /** Table name in the gold layer. */
  readonly table: string;
  readonly description?: string;
  /** One SELECT over `silver.<dataset>`. */
  readonly sql: string;
  /** Without it the table is computed whole whenever Silver changes. */
  readonly slices?: SliceDefinition;
}

/** Rows whose column is older than so many days may go. */
export interface DateRetention {
  readonly column: string;
  readonly days: number;
}

/** How long rows stay, by layer. What is not said goes by the configuration. */
export interface DatasetRetention {
  readonly hold?: boolean;
  readonly bronze?: { readonly days: number };
  readonly quarantine?: { readonly days: number };
  readonly silver?: DateRetention;
  readonly gold?: Readonly<Record<string, DateRetention>>;
}

export interface DatasetDefinition {
  readonly name: string;
  readonly description: string;
  readonly source: FileSource;
  readonly columns: readonly ColumnDefinition[];
  /** Columns that identify a row in Silver; of a dataset without a key they are the row's place in its source. */
  readonly key: readonly string[];
  /** Whether a file that changed takes the place of what it held before. Default false. */
  readonly replaces?: boolean;
  readonly silver: SilverDefinition;
  readonly gold: readonly GoldDefinition[];
  /** How old the newest data may be; null: of any age. Without it the configuration says it. */
  readonly freshnessSeconds?: number | null;
  readonly retention?: DatasetRetention;
  readonly checks: readonly CheckDefinition[];
  readonly score: ScorePolicy;
  /** What the report of a run shows of the data. */
  readonly report: { readonly charts: readonly ChartDefinition[] };
  /** sha256 over the definition and its SQL, in hex: goes into every commit that came from it. */
  readonly fingerprint: string;
}
