/** Backups of the lake: what `lakeBackup` is asked for, what it keeps, and what it answers. */
import type { MaintenanceRun } from './lake-maintenance.js';

/** Input of the workflow type `lakeBackup`. */
export type BackupInput =
  | {
      readonly task: 'create';
      readonly tables?: readonly string[];
      /** Says what would be copied. Nothing is copied, sealed or cleaned away. */
      readonly dryRun?: boolean;
    }
  /** Reads everything that the newest backup, or the one named, consists of. */
  | { readonly task: 'verify'; readonly backup?: string }
  /** Puts tables where they are not: into the lake, or into another one. */
  | {
      readonly task: 'restore';
      readonly backup?: string;
      readonly table?: string;
      /** The newest backup that holds this version of the table, or the newest of that time (ISO). */
      readonly version?: number;
      readonly time?: string;
      /** Another lake, as `file:///folder` or `s3://bucket/prefix`. */
      readonly into?: string;
    }
  /** Restores into a scratch prefix and compares the rows with the lake's. */
  | { readonly task: 'drill'; readonly backup?: string };

export const BACKUP_TASKS = ['create', 'verify', 'restore', 'drill'] as const satisfies ReadonlyArray<
  BackupInput['task']
>;

/** One backup at a time: its clean-up must not meet another one's copying. */
export const BACKUP_WORKFLOW_ID = 'datalab-backup';

/** One object of a backup. Objects are kept by their sha256, so that equal bytes are kept once. */
export interface BackupObject {
  /** Key below the table, or path below the project. */
  readonly key: string;
  readonly sizeBytes: number;
  /** In hex. */
  readonly sha256: string;
}

/** One table in a backup: a version of it, whole. */
export interface BackupTable {
  readonly table: string;
  readonly tableId: string;
  readonly version: number;
  readonly rows: number | null;
  readonly data: readonly BackupObject[];
  /** In the order in which they are to be written. */
  readonly log: readonly BackupObject[];
}

/** Where the part of one table is, and what it holds. */
export interface BackupPart {
  readonly table: string;
  readonly version: number;
  readonly files: number;
  readonly bytes: number;
  /** Of the part's own object. */
  readonly key: string;
  readonly sha256: string;
}

/** A backup: there once this object is. */
export interface BackupManifest {
  readonly id: string;
  /** ISO instant that it began at. */
  readonly at: string;
  readonly lake: string;
  readonly tables: readonly BackupPart[];
  /** Configuration, datasets, and the stores of other services. */
  readonly extras: readonly BackupObject[];
}

export interface BackupFigures {
  readonly tables: number;
  readonly objects: number;
  readonly bytes: number;
  /**
   * What had to be copied: everything else was there. Of a dry run what would be, at most: equal bytes under another key are
   * found when they are read.
   */
  readonly copiedObjects: number;
  readonly copiedBytes: number;
}

/** What `lakeBackup` returns. */
export interface BackupSummary {
  readonly run: MaintenanceRun;
  readonly task: BackupInput['task'];
  /** Null of a dry run. */
  readonly backup: string | null;
  readonly figures: BackupFigures;
  /** Of `create`: backups and objects that went, since no retained backup names them. */
  readonly pruned: { readonly backups: number; readonly objects: number; readonly bytes: number };
  /** What is not as it should be; a verify or a drill that found something has failed. */
  readonly problems: readonly string[];
}

/** Which tables of which backup are worked on. */
export interface BackupChoice {
  readonly backup: string;
  readonly tables: readonly string[];
}

export interface BackupActivities {
  /** Lists the tables to back up into the lake. Throws BACKUP_NOT_CONFIGURED. */
  beginBackup(run: MaintenanceRun): Promise<number>;
  /** Copies what one table's newest version needs and the backup does not hold; a dry run counts it. */
  backUpTable(run: MaintenanceRun, place: number): Promise<BackupFigures>;
  /** Adds configuration and datasets, and makes the backup visible. */
  sealBackup(run: MaintenanceRun): Promise<BackupFigures & { readonly problems: readonly string[] }>;
  /** Deletes backups past their time, then objects that no other names. */
  pruneBackups(run: MaintenanceRun): Promise<BackupSummary['pruned']>;
  /** The backup that is meant. Throws BACKUP_UNKNOWN. */
  chooseBackup(run: MaintenanceRun, input: BackupInput): Promise<BackupChoice>;
  verifyTable(run: MaintenanceRun, backup: string, table: string): Promise<Checked>;
  /** Configuration, datasets, and what belongs to no table. */
  verifyExtras(run: MaintenanceRun, backup: string): Promise<Checked>;
  /** Throws BACKUP_DAMAGED, RESTORE_TARGET_EXISTS. */
  restoreTable(
    run: MaintenanceRun,
    backup: string,
    table: string,
    into: string | null,
  ): Promise<BackupFigures>;
  drillTable(run: MaintenanceRun, backup: string, table: string): Promise<Checked>;
}

export interface Checked extends BackupFigures {
  readonly problems: readonly string[];
}
