/** Work on one table that changes no row of it, or takes it back: what `tableMaintenance` is asked for and answers. */

/** What to do. Times in hours, instants in ISO with their zone. */
export type TableTask =
  /** Packs small files into larger ones. */
  | { readonly operation: 'optimize' }
  /** Deletes files that no version within the retention needs; the table's own retention is the least allowed. */
  | { readonly operation: 'vacuum'; readonly retentionHours?: number; readonly dryRun?: boolean }
  /** Deletes old commits that a checkpoint stands in for. */
  | { readonly operation: 'clean-log'; readonly dryRun?: boolean }
  | { readonly operation: 'checkpoint' }
  /** Compares the log with what is there; repairs only when asked. */
  | { readonly operation: 'fsck'; readonly repair?: boolean; readonly statistics?: boolean }
  /** The table holds again what it held then. Exactly one of the two. */
  | { readonly operation: 'restore'; readonly version?: number; readonly time?: string };

export const TABLE_OPERATIONS = [
  'optimize',
  'vacuum',
  'clean-log',
  'checkpoint',
  'fsck',
  'restore',
] as const satisfies ReadonlyArray<TableTask['operation']>;

/** Input of the workflow type `tableMaintenance`. */
export interface TableMaintenanceInput {
  /** As in `silver.stocks`. */
  readonly table: string;
  readonly task: TableTask;
}

/** What was done: the operation's own figures, lists cut to their first entries. */
export interface TableMaintained {
  readonly table: string;
  readonly operation: TableTask['operation'];
  /** Version before and after; equal where nothing was committed. */
  readonly versionBefore: number;
  readonly versionAfter: number;
  readonly figures: Readonly<Record<string, unknown>>;
}

export interface TableActivities {
  /** Does the task. Throws TABLE_UNKNOWN, and the Delta layer's errors. */
  maintainTable(request: TableMaintenanceInput & { readonly runId: string }): Promise<TableMaintained>;
}
