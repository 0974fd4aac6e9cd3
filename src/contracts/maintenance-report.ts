/** The report of a run of maintenance as data: what its page shows, and what lies beside the page as JSON. */
import type { TableAudit } from './audit.js';
import type {
  Amount,
  MaintenanceEnding,
  MaintenanceRun,
  TableFacts,
  TableTended,
} from './lake-maintenance.js';

export const MAINTENANCE_REPORT_SCHEMA = 'datalab.maintenance/1';

/** `attention`: something failed, is damaged or should have blocked; the recommendations say what to do. */
export type MaintenanceOutcome = 'ok' | 'attention';

export interface MaintenanceReport {
  readonly schema: typeof MAINTENANCE_REPORT_SCHEMA;
  readonly run: MaintenanceRun;
  readonly outcome: MaintenanceOutcome;
  readonly lake: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly ending: MaintenanceEnding;
  readonly totals: LakeTotals;
  /** Every table that was measured, as it was before. */
  readonly facts: readonly TableFacts[];
  readonly unreadable: ReadonlyArray<{ readonly table: string; readonly reason: string }>;
  /** Every table that was worked on: sizes before and after, each task with its outcome. */
  readonly tended: readonly TableTended[];
  /** Tables that the time budgets left for next time, those that were begun first; absent in older reports. */
  readonly left?: readonly string[];
  readonly audits: readonly TableAudit[];
  readonly usage: LakeUsage;
  readonly backup: BackupStanding;
  readonly recommendations: readonly Recommendation[];
  /** The report before this one of the same scope, to compare with. */
  readonly previous: {
    readonly report: string;
    readonly at: string;
    readonly totals: LakeTotals;
  } | null;
}

/** Sums over the tables, after the work. */
export interface LakeTotals {
  readonly tables: number;
  readonly rows: number;
  readonly files: number;
  /** Of the live files, and of everything in the tables' folders. */
  readonly bytes: number;
  readonly folderBytes: number;
  readonly freedBytes: number;
  readonly rowsExpired: number;
  readonly damaged: number;
  readonly orphans: Amount;
  /** Checks of this run's audits, and those that failed. */
  readonly checks: number;
  readonly failedChecks: number;
  /** Mean of the audits' scores; null where there was none. */
  readonly score: number | null;
}

/** How the lake is used. Growth is counted from the measurement before; null where there is none. */
export interface LakeUsage {
  readonly tables: readonly TableUsage[];
  readonly layers: ReadonlyArray<Omit<TableUsage, 'table' | 'version'> & { readonly tables: number }>;
  /** Rows that runs took into Bronze, by dataset and day (UTC), of the last 30 days. */
  readonly ingestion: ReadonlyArray<{
    readonly dataset: string;
    readonly day: string;
    readonly rows: number;
    readonly runs: number;
  }>;
  /** Bytes of live files by layer, at this and earlier measurements, oldest first. */
  readonly history: ReadonlyArray<{ readonly at: string; readonly layer: string; readonly bytes: number }>;
  /** SQL of the last 30 days, by the query log; most asked first. */
  readonly queries: ReadonlyArray<{
    readonly table: string;
    readonly queries: number;
    readonly seconds: number;
    readonly lastAt: string;
  }>;
}

export interface TableUsage {
  readonly table: string;
  readonly layer: string;
  readonly version: number;
  readonly rows: number;
  readonly files: number;
  readonly bytes: number;
  readonly folderBytes: number;
  readonly rowsPerDay: number | null;
  readonly bytesPerDay: number | null;
}

/** Backups as they stand at the end. */
export interface BackupStanding {
  readonly configured: boolean;
  readonly newest: {
    readonly id: string;
    readonly at: string;
    readonly tables: number;
    readonly bytes: number;
  } | null;
}

export interface Recommendation {
  /** `act`: something is wrong; `consider`: it could be better. */
  readonly weight: 'act' | 'consider';
  /** A table, or a part of the platform. */
  readonly subject: string;
  readonly reason: string;
  /** What to set before, in which file; absent where the command alone does it. */
  readonly setting?: string;
  /** The command line that acts on it, as it can be typed. */
  readonly command: string;
}

/** What the event and the record say of a run of maintenance. */
export interface MaintenanceFinished {
  readonly runId: string;
  readonly workflowId: string;
  readonly at: string;
  readonly outcome: MaintenanceOutcome;
  readonly message: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly totals: LakeTotals;
  readonly recommendations: number;
  /** Keys in the lake. */
  readonly report: { readonly json: string; readonly html: string };
}
