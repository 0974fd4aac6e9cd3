/** What a Delta table offers to the rest of the house. `DeltaTable` (table.ts) implements it. */
import type { Action, AddFile, CommitInfo, Metadata, Protocol, Transaction } from './actions.js';
import type { LiveFiles } from './files/live-files.js';
import type { DeltaDeps } from './deps.js';
import type { ObjectStore } from './ports.js';
import type { StructType } from './schema.js';

/** One version of a table: immutable, complete for every question below. */
export interface Snapshot {
  readonly version: number;
  readonly protocol: Protocol;
  readonly metadata: Metadata;
  readonly schema: StructType;
  readonly partitionColumns: readonly string[];
  /** Time of the commit in milliseconds since the epoch, never decreasing from version to version. */
  readonly timestampMs: number;
  /** The checkpoint that the version was built from; undefined where it was built from commits alone. */
  readonly checkpointVersion?: number | undefined;
  /** Live files, one per path. Those of a large checkpoint tell their statistics after `files.readStatistics()` only. */
  readonly files: LiveFiles;
  /** The newest transaction of this application, or undefined. */
  transaction(appId: string): Transaction | undefined;
  /** All application transactions. */
  readonly transactions: ReadonlyMap<string, Transaction>;
}

/** The part of a table that a decision depends on. */
export interface ReadScope {
  /** Files that were read. */
  readonly files: readonly AddFile[];
  /** Whether the decision would have read this file too, had it been there. When in doubt, true. */
  readonly wouldRead: (file: AddFile) => boolean;
}

/** What a commit was decided on, so that a concurrent change can be judged. */
export interface CommitRequest {
  /** The snapshot that the actions were computed from; null creates the table. */
  readonly base: Snapshot | null;
  /** Everything but `commitInfo`, which is made here. */
  readonly actions: readonly Action[];
  /** `WRITE`, `MERGE`, `CREATE TABLE`, … as other writers name it. */
  readonly operation: string;
  readonly operationParameters?: Readonly<Record<string, unknown>>;
  readonly operationMetrics?: Readonly<Record<string, string>>;
  /**
   * What the decision read: nothing (a blind append), the whole table, or certain files of it. Application transactions
   * named in the actions always count as read.
   */
  readonly read: 'nothing' | 'table' | ReadScope;
  /** Every added row was held against the table's constraints and invariants. */
  readonly rowsAreChecked?: boolean;
  /** Own fields of `commitInfo` (the run's id, the ledger, …): found again by `commitInfo(version)`. */
  readonly info?: Readonly<Record<string, unknown>>;
}

/** A commit's outcome. A conflict is an answer: read again, decide again. */
export type CommitResult =
  | { readonly status: 'committed'; readonly version: number }
  | {
      readonly status: 'conflict';
      /** The check that failed, by name. */
      readonly check: string;
      /** The winner's version. */
      readonly version: number;
      readonly detail: string;
    };

/** What an operation needs of a table. */
export interface TableHandle {
  readonly store: ObjectStore;
  readonly deps: DeltaDeps;
  snapshot(at?: { version: number } | { timestampMs: number }): Promise<Snapshot>;
  snapshotIfExists(): Promise<Snapshot | null>;
  commit(request: CommitRequest): Promise<CommitResult>;
}

export interface DeltaTableApi {
  /** Newest version, or the one asked for. Throws DeltaError `DELTA_TABLE_NOT_FOUND`, `DELTA_VERSION_NOT_FOUND`. */
  snapshot(at?: { version: number } | { timestampMs: number }): Promise<Snapshot>;
  /** Newest version, or null where no table is yet. */
  snapshotIfExists(): Promise<Snapshot | null>;
  /** Commits the actions as the next version, rebasing over commits that do not conflict. */
  commit(request: CommitRequest): Promise<CommitResult>;
  /** commitInfo of one version. */
  commitInfo(version: number): Promise<CommitInfo>;
  /** Newest first. */
  history(options?: { limit?: number }): Promise<ReadonlyArray<{ version: number; info: CommitInfo }>>;
}
