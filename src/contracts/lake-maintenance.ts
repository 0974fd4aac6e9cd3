/** Maintenance of the whole lake: what `lakeMaintenance` is asked for, measures, plans, does and answers. */
import type { AuditBrief, TableAudit } from './audit.js';
import type { BackupFigures } from './backup.js';
import type { StepPolicy } from './activities.js';

/** What may be done to a table, in the order in which it is done. */
export const MAINTENANCE_TASKS = [
  'repair',
  'retention',
  'optimize',
  'vacuum',
  'checkpoint',
  'clean-log',
  'audit',
] as const;
export type MaintenanceTask = (typeof MAINTENANCE_TASKS)[number];

/** Input of the workflow type `lakeMaintenance`. */
export interface LakeMaintenanceInput {
  /** Assesses and says what would be done; changes nothing. */
  readonly dryRun?: boolean;
  /** Only these, as in `silver.stocks`. */
  readonly tables?: readonly string[];
  /** Only the tables of these datasets. */
  readonly datasets?: readonly string[];
  /** `audit`: audits the tables, due or not, and does nothing else. `fsck`: compares their logs with what is there. */
  readonly only?: MaintenanceScope;
  /** Takes files that are missing or cut short out of their tables, in a commit that says so. */
  readonly repair?: boolean;
}

export type MaintenanceScope = 'audit' | 'fsck';

/** One run of maintenance, as its activities know it. */
export interface MaintenanceRun {
  readonly runId: string;
  readonly workflowId: string;
  /** ISO instant that every age is counted from: the schedule's nominal time, or the start of the run. */
  readonly at: string;
  /** The schedule that `at` is a time of; absent where the run was started by hand. */
  readonly scheduleId?: string;
  readonly dryRun: boolean;
  /** Null: all tables of the lake. */
  readonly tables: readonly string[] | null;
  readonly datasets?: readonly string[];
  readonly only?: MaintenanceScope;
  readonly repair?: boolean;
}

/** A number of files and their bytes. */
export interface Amount {
  readonly files: number;
  readonly bytes: number;
}

/** What was measured of one table, from its log and one listing of its folder. */
export interface TableFacts {
  /** As in `silver.stocks`. */
  readonly table: string;
  readonly version: number;
  /** Null where the log does not say. */
  readonly rows: number | null;
  readonly files: number;
  readonly bytes: number;
  /** Small or worn files that OPTIMIZE would pack. */
  readonly packable: Amount;
  /** Rows that are marked as deleted and still lie in the files. */
  readonly deletedRows: number;
  /** Commits since the newest checkpoint, and how many the table wants at most. */
  readonly commitsSinceCheckpoint: number;
  readonly checkpointInterval: number;
  /** Bytes of those commits. */
  readonly commitBytesSinceCheckpoint: number;
  /** Commits past the log's retention that a checkpoint stands in for, and their bytes. */
  readonly oldCommits: number;
  readonly oldCommitBytes: number;
  /** Files that no version within the retention needs. */
  readonly reclaimable: Amount;
  /** The policy that rows of this table go by; null where rows stay for ever. */
  readonly retention: RetentionFacts | null;
  /** Everything in the table's folder, its log included. */
  readonly folder: Amount;
  readonly fsck: FsckFacts;
  /** Of a declared dataset's tables: when the data was audited last. */
  readonly audit: AuditFacts | null;
}

/** The log held against what is there. */
export interface FsckFacts {
  /** Files and deletion vectors that the log names and that are missing or of another size; the first of them. */
  readonly damaged: number;
  /** Bytes of those files, as the log has them. */
  readonly damagedBytes: number;
  readonly findings: ReadonlyArray<{
    readonly path: string;
    readonly problem: string;
    readonly detail: string;
  }>;
  /** Nothing of what the log names is there. */
  readonly hollow: boolean;
  /** Old files that nothing refers to: what crashed writers left. VACUUM deletes them. */
  readonly orphans: Amount;
}

export interface AuditFacts {
  readonly dataset: string;
  /** Days since the last audit; null where there was none. */
  readonly days: number | null;
  /** Days after which another one is due. */
  readonly everyDays: number;
}

export interface RetentionFacts {
  readonly column: string;
  readonly days: number;
  /** ISO instant: rows with an earlier value are past the retention. */
  readonly before: string;
  /** Files with nothing but such rows, and files that may hold some. */
  readonly whole: Amount;
  readonly some: Amount;
}

/** Why one task is needed, and what it would touch at most. */
export interface PlannedTask extends Amount {
  readonly task: MaintenanceTask;
  readonly reason: string;
}

/** What is to be done to a table that needs it. */
export interface TablePlan {
  readonly table: string;
  /** How much it is needed; the greatest goes first. From 1 on. */
  readonly score: number;
  readonly tasks: readonly PlannedTask[];
  readonly facts: TableFacts;
}

/**
 * What became of one task. `aside`: a writer was at work, next time it is done. `kept`: a reason not to. `left`: the time
 * of the table was over before it began.
 */
export interface TaskDone {
  readonly task: MaintenanceTask;
  readonly outcome: 'done' | 'nothing' | 'planned' | 'aside' | 'kept' | 'left' | 'failed';
  readonly detail: string;
  readonly files: number;
  readonly bytes: number;
  /** Rows that retention took out. */
  readonly rows: number;
  /** Files that are still to be done, since the time of the table was over: the next run goes on there. */
  readonly left?: number;
}

/** What became of one table. `planned`: a dry run. */
export interface TableTended {
  readonly table: string;
  readonly outcome: 'done' | 'planned' | 'aside' | 'failed';
  readonly tasks: readonly TaskDone[];
  readonly before: TableSize;
  readonly after: TableSize;
  readonly audit?: TableAudit;
}

/** Whether the time of the table was over before all of its plan was done. */
export function isUnfinished({ tasks }: Pick<TableTended, 'tasks'>): boolean {
  return tasks.some(({ outcome, left = 0 }) => outcome === 'left' || left > 0);
}

export interface TableSize {
  readonly version: number;
  readonly files: number;
  readonly bytes: number;
  /** Everything in the table's folder, what VACUUM will take and the log included. */
  readonly folderFiles: number;
  readonly folderBytes: number;
}

/** The lake, listed. */
export interface LakeListed {
  readonly total: number;
  readonly policy: MaintenancePolicy;
}

/** What the workflow needs of the configuration. */
export interface MaintenancePolicy {
  readonly tend: StepPolicy;
  readonly parallelTables: number;
  readonly budgetMinutes: number;
  /** Whether backups are configured. */
  readonly backs: boolean;
  /** Whether the end is told on Kafka; absent in runs from before it was. */
  readonly tells?: boolean;
}

/** One batch of tables, assessed. A table that could not be read is named with the reason. */
export interface Assessed {
  readonly healthy: number;
  readonly needy: number;
  readonly unreadable: number;
  /** Tables whose log names files that are not there as it says. */
  readonly damaged?: number;
}

/** Counts by outcome. */
export type OutcomeCounts = Readonly<Record<TableTended['outcome'], number>>;

/** What the workflow hands to its last step. */
export interface MaintenanceEnding {
  readonly startedAt: string;
  readonly healthy: number;
  /** Tables that a time budget left for next time, wholly or in part. */
  readonly left: number;
  readonly unreadable: number;
  readonly problems: readonly string[];
  readonly swept?: Amount;
  readonly backup?: LakeMaintenanceSummary['backup'];
}

/** What `lakeMaintenance` returns and answers to the `progress` query. */
export interface LakeMaintenanceSummary {
  readonly run: MaintenanceRun;
  readonly phase:
    'listing' | 'assessing' | 'tending' | 'sweeping' | 'backing up' | 'closing' | 'telling' | 'done';
  readonly tables: number;
  readonly healthy: number;
  readonly unreadable: number;
  /** Tables whose log names files that are missing or cut short. */
  readonly damaged: number;
  readonly needy: number;
  /** Tables that were audited, their failed checks, and those of them that should have blocked. */
  readonly audited: { readonly tables: number; readonly failed: number; readonly blocking: number };
  readonly outcomes: OutcomeCounts;
  /** Tables that a time budget left for next time, wholly or in part. */
  readonly left: number;
  /** Rows that retention took out, and bytes that left the tables' folders. */
  readonly rowsExpired: number;
  readonly bytesFreed: number;
  /** The tables of greatest need with what became of them; all of them are in the report. */
  readonly worked: readonly TableWord[];
  readonly swept: Amount;
  /** Where backups are configured: what was kept, and what the drill restored and found equal; of a dry run what would be copied. */
  readonly backup?: {
    readonly create?: BackupFigures;
    readonly drill?: BackupFigures;
    readonly plan?: BackupFigures;
  };
  readonly problems: readonly string[];
  /** Keys in the lake: the report as data, and as a page. */
  readonly report: string | null;
  readonly page: string | null;
}

/** One table in a few words, for histories. */
export interface TableWord {
  readonly table: string;
  readonly outcome: TableTended['outcome'];
  readonly detail: string;
  /** How much it was needed, and each task with what it touched or would touch; absent where an older worker did it. */
  readonly score?: number;
  readonly tasks?: ReadonlyArray<Omit<TaskDone, 'rows'>>;
}

export interface MaintenanceActivities {
  /** Lists the tables into the lake. */
  listLake(run: MaintenanceRun): Promise<LakeListed>;
  /** Measures tables of the list, from one place on, and keeps a plan for each that needs work. Changes nothing. */
  assessTables(run: MaintenanceRun, from: number, count: number): Promise<Assessed>;
  /** Puts the plans in order, the greatest need first, and returns how many there are. */
  orderPlans(run: MaintenanceRun): Promise<number>;
  /** Does what the plan of that place says. A failure of the table is an answer. */
  tendTable(run: MaintenanceRun, place: number): Promise<TableTendedBrief>;
  /** Deletes old logs, reports, and what runs left behind. */
  sweepFolders(run: MaintenanceRun): Promise<Amount>;
  /** Writes the report and the record. Repeating it appends nothing. */
  closeMaintenance(run: MaintenanceRun, ending: MaintenanceEnding): Promise<MaintenanceClosed>;
  /** Sends the events of maintenance that Kafka has not seen. A broker that is down leaves them pending. */
  tellMaintenance(run: MaintenanceRun): Promise<{ readonly sent: number; readonly pending: number }>;
}

/** Keys in the lake. `page` is absent where an older worker wrote the report. */
export interface MaintenanceClosed {
  readonly report: string;
  readonly page?: string;
}

export interface TableTendedBrief extends TableWord {
  readonly rowsExpired: number;
  readonly bytesFreed: number;
  /** The time of the table was over before all of it was done. */
  readonly unfinished?: boolean;
  readonly audit?: AuditBrief;
}
