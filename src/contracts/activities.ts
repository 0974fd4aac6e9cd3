/**
 * Signatures of the activities that the flows call. Everything that crosses is plain data: references, ids and counts,
 * never rows. Files and their statistics travel in a staging manifest in the lake; the workflow carries its key.
 */
import type { EtlOptions } from './flows.js';
import type { Ledger } from './ledger.js';
import type { QualityVerdict } from './quality.js';
import type { EtlSummary, ReportRef, RunOutcome, RunRef, StepRecord, TableState } from './run.js';

/** How long the steps of one class may take, and how often they are tried. Times in seconds. */
export interface StepPolicy {
  readonly startToCloseSeconds: number;
  /** All attempts together; without it there is no end but that of the attempts. */
  readonly scheduleToCloseSeconds?: number;
  readonly heartbeatSeconds: number;
  readonly maximumAttempts: number;
  readonly initialIntervalSeconds: number;
}

/** What a run needs to know before its first step. */
export interface RunPlan {
  readonly fingerprint: string;
  readonly gold: readonly string[];
  readonly heavy: StepPolicy;
}

/** A run with the definition that it was planned by: a step that finds another one refuses (DATASET_CHANGED). */
export interface PlannedRun extends RunRef {
  readonly fingerprint: string;
}

/** New sources of a run; the list itself is in the lake at `manifest`. */
export interface Discovery {
  readonly step: StepRecord;
  readonly listed: number;
  readonly known: number;
  readonly fresh: number;
  readonly bytes: number;
  readonly manifest: string | null;
  /** Where they are many: lists of parts of them, each for a worker to read. Together they are what is at `manifest`. */
  readonly shares?: readonly string[];
  /** Bronze as it stands, or null where there is none yet. */
  readonly current: TableState | null;
}

/** Which share of how many, counted from one. */
export interface ShareNumber {
  readonly number: number;
  readonly of: number;
}

/** Files written where no reader looks, ready to be judged and published. */
export interface Staged {
  readonly step: StepRecord;
  /** Key of the staging manifest, or null where there is nothing to publish. */
  readonly manifest: string | null;
  readonly ledger: Ledger;
  /** Sources whose rows are staged. */
  readonly sources: number;
  /** The table as it stands, where nothing is to be published. */
  readonly current: TableState | null;
}

export interface Audit {
  readonly step: StepRecord;
  readonly verdict: QualityVerdict;
}

/** `conflict`: somebody else published first; the caller starts over from what is there now. */
export interface Published {
  readonly step: StepRecord;
  readonly status: 'published' | 'conflict';
  readonly table: TableState | null;
  readonly ledger: Ledger;
  readonly detail: string;
}

export interface Relayed {
  readonly step: StepRecord;
  readonly sent: number;
  readonly pending: number;
  readonly detail: string;
}

export interface Reported {
  readonly step: StepRecord;
  readonly report: ReportRef;
}

/** How a run ended: what `writeReport` shows and `recordRun` writes to `meta`. */
export interface RunReport {
  readonly summary: EtlSummary;
  readonly outcome: RunOutcome;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly verdict: QualityVerdict | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

export interface EtlActivities {
  /** Reads the dataset and the policies of the run. Fails for good with DATASET_UNKNOWN or DATASET_INVALID. */
  planRun(run: RunRef): Promise<RunPlan>;
  /** Lists the sources and sets aside those that Bronze already holds. */
  discoverSources(run: PlannedRun): Promise<Discovery>;
  /** Reads the sources of a discovery's manifest, or of a share of it, into staged Bronze and quarantine files. */
  writeBronze(run: PlannedRun, sources: string, share?: ShareNumber): Promise<Staged>;
  /** Makes one staging manifest of those of the shares, for one commit to publish. */
  gatherBronze(run: PlannedRun, shares: readonly Staged[]): Promise<Staged>;
  /** Measures the dataset's checks on the staged Bronze rows. */
  auditBronze(run: PlannedRun, staged: Staged): Promise<Audit>;
  /** Cleans Bronze into staged Silver files where Silver is behind. */
  writeSilver(run: PlannedRun, options: EtlOptions): Promise<Staged>;
  /** Computes one Gold table where it is behind Silver. */
  writeGold(run: PlannedRun, table: string, options: EtlOptions): Promise<Staged>;
  /** Publishes a staging manifest in one commit per table. Repeating it finds the first commit. */
  publish(run: RunRef, manifest: string): Promise<Published>;
  /** Writes the report of a run into the lake, as a page and as data. Repeating it writes the same keys again. */
  writeReport(report: RunReport): Promise<Reported>;
  /** Appends the run, its steps and its check results to `meta`. Repeating it appends nothing. */
  recordRun(report: RunReport): Promise<StepRecord>;
  /** Sends the events that the tables hold and Kafka has not seen. A broker that is down leaves them pending. */
  relayEvents(run: RunRef): Promise<Relayed>;
}
