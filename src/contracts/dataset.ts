/** A declared pipeline: `datasets/<name>/dataset.yaml`, validated by `src/config/dataset.ts` into this shape. */
import type { CheckDefinition } from './quality.js';

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
  /** A required column that the source lacks blocks the run. Default true. */
  readonly required: boolean;
  readonly description?: string;
}

/** Files on this machine (glob) or below an S3 prefix. */
export interface FileSource {
  readonly kind: 'files';
  /** `data/samples/*.csv.gz` (relative to the project), `file:///…` or `s3://bucket/prefix/*.csv`. */
  readonly location: string;
  readonly format: 'csv' | 'jsonl';
  readonly csv: { readonly delimiter: string; readonly quote: string };
}

export interface SilverDefinition {
  /** One SELECT over `bronze.<dataset>`: cleans and casts; keeps the `_source_*` columns that it is given. */
  readonly sql: string;
}

export interface GoldDefinition {
  /** Table name in the gold layer. */
  readonly table: string;
  readonly description?: string;
  /** One SELECT over `silver.<dataset>`. */
  readonly sql: string;
}

export interface DatasetDefinition {
  readonly name: string;
  readonly description: string;
  readonly source: FileSource;
  readonly columns: readonly ColumnDefinition[];
  /** Columns that identify a row in Silver. */
  readonly key: readonly string[];
  readonly silver: SilverDefinition;
  readonly gold: readonly GoldDefinition[];
  readonly checks: readonly CheckDefinition[];
  /** sha256 over the definition and its SQL, in hex: goes into every commit that came from it. */
  readonly fingerprint: string;
}
