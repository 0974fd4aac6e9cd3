/** What is kept of a query that somebody ran over the lake: which tables it read, never its text. */

/** Kept below this prefix of the lake until a cycle of monitoring, or maintenance, takes it into `meta.queries`. */
export const QUERY_LOG_PREFIX = '_queries/';

export interface QueryRecord {
  readonly id: string;
  /** ISO instant of its start. */
  readonly at: string;
  readonly by: 'cli' | 'dashboard';
  /** As in `silver.stocks`. */
  readonly tables: readonly string[];
  readonly ms: number;
  readonly rows: number;
}
