/** From what was measured of a table to what it needs: a score and, for every task, the reason in words. Pure. */
import type { MaintenanceScope, PlannedTask, TableFacts, TablePlan } from '../contracts/lake-maintenance.js';

/** What is worth the work. Below, a table is healthy: rewriting it would cost more than it gives. */
export const THRESHOLDS = {
  /** Files that OPTIMIZE would pack. */
  packableFiles: 8,
  /** Share of the rows that are deleted and still read over. */
  deletedShare: 0.05,
  /** Bytes that VACUUM would give back, or their share of the table, or so many files. */
  reclaimableBytes: 64 * 2 ** 20,
  reclaimableShare: 0.1,
  reclaimableFiles: 100,
  /** Commits past the log's retention. */
  oldCommits: 20,
} as const;

/** What a run is asked to do; by default everything, and no repair. */
export interface PlanOptions {
  readonly only?: MaintenanceScope;
  readonly repair?: boolean;
}

/**
 * The plan of a table, or null where it is healthy. A table with missing files gets nothing but a repair, and that only
 * where it is asked for: what rewrites its files would fail, and what deletes files must not make it worse.
 */
export function planTable(facts: TableFacts, { only, repair = false }: PlanOptions = {}): TablePlan | null {
  const whole = facts.fsck.damaged === 0;
  const needs = [
    repair && only !== 'audit' ? mend(facts) : null,
    ...(whole && only === undefined
      ? [retention(facts), optimize(facts), vacuum(facts), checkpoint(facts), cleanLog(facts)]
      : []),
    whole && only !== 'fsck' ? audit(facts, only === 'audit') : null,
  ].flatMap((need) => (need === null ? [] : [need]));
  if (needs.length === 0) return null;
  const score = needs.reduce((sum, { weight }) => sum + weight, 0);
  return {
    table: facts.table,
    score: Math.round(score * 100) / 100,
    tasks: needs.map(({ task }) => task),
    facts,
  };
}

interface Need {
  /** From 1, the threshold, on. */
  readonly weight: number;
  readonly task: PlannedTask;
}

/** A table that cannot be read whole comes before all others. */
const DAMAGE_WEIGHT = 100;

function mend({ fsck }: TableFacts): Need | null {
  if (fsck.damaged === 0) return null;
  return {
    weight: DAMAGE_WEIGHT,
    task: {
      task: 'repair',
      reason: `${fsck.damaged} files that the log names are missing or cut short`,
      ...{ files: fsck.damaged, bytes: fsck.damagedBytes },
    },
  };
}

function audit({ audit: facts, files, bytes }: TableFacts, asked: boolean): Need | null {
  if (facts === null || (!asked && facts.days !== null && facts.days < facts.everyDays)) return null;
  const { days, everyDays } = facts;
  const reason = days === null ? 'was never audited' : `was audited ${Math.round(days * 10) / 10} days ago`;
  return {
    // A day late is not much; months without a look are.
    weight: days === null ? 1 : Math.max(1, Math.log2(1 + days / everyDays)),
    task: { task: 'audit', reason, files, bytes },
  };
}

function retention({ retention: policy }: TableFacts): Need | null {
  if (policy === null) return null;
  const { whole, some, column, days, before } = policy;
  const files = whole.files + some.files;
  if (files === 0) return null;
  const exactly = some.files === 0 ? '' : `, and ${some.files} more may hold some`;
  return {
    weight: 1 + Math.log2(files),
    task: {
      task: 'retention',
      reason: `${whole.files} files hold only rows with ${column} before ${before} (${days} days)${exactly}`,
      files,
      bytes: whole.bytes + some.bytes,
    },
  };
}

function optimize({ packable, deletedRows, rows }: TableFacts): Need | null {
  const share = deletedRows === 0 ? 0 : deletedRows / (deletedRows + (rows ?? 0));
  const many = packable.files / THRESHOLDS.packableFiles;
  const worn = share / THRESHOLDS.deletedShare;
  if (packable.files === 0 || Math.max(many, worn) < 1) return null;
  const reasons = [
    ...(many >= 1 ? [`${packable.files} small files make every read slower`] : []),
    ...(worn >= 1 ? [`${deletedRows} deleted rows are still read over`] : []),
  ];
  return {
    weight: 1 + Math.log2(Math.max(many, worn)),
    task: { task: 'optimize', reason: reasons.join('; '), ...packable },
  };
}

function vacuum({ reclaimable, bytes }: TableFacts): Need | null {
  const { files, bytes: freed } = reclaimable;
  if (files === 0) return null;
  const need = Math.max(
    freed / THRESHOLDS.reclaimableBytes,
    bytes === 0 ? 1 : freed / bytes / THRESHOLDS.reclaimableShare,
    files / THRESHOLDS.reclaimableFiles,
  );
  if (need < 1) return null;
  return {
    weight: 1 + Math.log2(need),
    task: {
      task: 'vacuum',
      reason: `${files} files that no kept version needs take ${freed} bytes`,
      ...reclaimable,
    },
  };
}

function checkpoint(facts: TableFacts): Need | null {
  const { commitsSinceCheckpoint: commits, checkpointInterval, commitBytesSinceCheckpoint: bytes } = facts;
  if (commits < 2 * checkpointInterval) return null;
  return {
    weight: commits / checkpointInterval,
    task: {
      task: 'checkpoint',
      reason: `readers go through ${commits} commits since the last checkpoint`,
      ...{ files: commits, bytes },
    },
  };
}

function cleanLog({ oldCommits, oldCommitBytes }: TableFacts): Need | null {
  if (oldCommits < THRESHOLDS.oldCommits) return null;
  return {
    weight: 1,
    task: {
      task: 'clean-log',
      reason: `${oldCommits} commits are past the log's retention`,
      ...{ files: oldCommits, bytes: oldCommitBytes },
    },
  };
}
