/**
 * A backup of the lake, or what is done with one: create, verify, restore, drill.
 *
 * Guarantees: a backup is there whole or not at all, since its manifest is written last; restore never overwrites a
 * table; everything can be repeated. A verify or a drill that finds something fails with BACKUP_DAMAGED and names it. The
 * history has one activity per table, a bounded number at a time, and carries figures only.
 */
import { ApplicationFailure, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type {
  BackupActivities,
  BackupFigures,
  BackupInput,
  BackupSummary,
  Checked,
} from '../contracts/backup.js';
import type { MaintenanceRun } from '../contracts/lake-maintenance.js';
import { parseBackup } from './backup-input.js';
import { activityOptions, BACKUP, LIGHT, SWEEP } from './policies.js';
import { sideBySide } from './side-by-side.js';

const PARALLEL_TABLES = 4;
const PROBLEMS_MAX = 50;
const NO_FIGURES: BackupFigures = { tables: 0, objects: 0, bytes: 0, copiedObjects: 0, copiedBytes: 0 };

export async function lakeBackup(input: BackupInput): Promise<BackupSummary> {
  const parsed = parseBackup(input);
  const info = workflowInfo();
  const run: MaintenanceRun = {
    ...{ runId: info.firstExecutionRunId, workflowId: info.workflowId },
    dryRun: parsed.task === 'create' && parsed.dryRun === true,
    at: info.startTime.toISOString(),
    tables: parsed.task === 'create' ? (parsed.tables ?? null) : null,
  };
  const total = new Total();
  if (parsed.task === 'create') return create(run, total);
  const light = proxyActivities<BackupActivities>(activityOptions('maintenance', LIGHT));
  const { backup, tables } = await light.chooseBackup(run, parsed);
  const heavy = proxyActivities<BackupActivities>(activityOptions('maintenance', BACKUP));
  const into = parsed.task === 'restore' ? (parsed.into ?? null) : null;
  const one: Record<typeof parsed.task, (table: string) => Promise<BackupFigures | Checked>> = {
    verify: (table) => heavy.verifyTable(run, backup, table),
    drill: (table) => heavy.drillTable(run, backup, table),
    restore: (table) => heavy.restoreTable(run, backup, table, into),
  };
  await sideBySide(PARALLEL_TABLES, tables.length, async (index) => {
    total.add(await one[parsed.task](tables[index] ?? ''));
  });
  if (parsed.task === 'verify') total.add(await heavy.verifyExtras(run, backup));
  if (total.problems.length > 0)
    throw ApplicationFailure.nonRetryable(
      `backup ${backup}: ${total.problems.join('; ')}`.slice(0, 4000),
      'BACKUP_DAMAGED',
    );
  return summaryOf(run, parsed.task, backup, total);
}

async function create(run: MaintenanceRun, total: Total): Promise<BackupSummary> {
  const light = proxyActivities<BackupActivities>(activityOptions('maintenance', LIGHT));
  const heavy = proxyActivities<BackupActivities>(activityOptions('maintenance', BACKUP));
  const tables = await light.beginBackup(run);
  await sideBySide(PARALLEL_TABLES, tables, async (place) => total.add(await heavy.backUpTable(run, place)));
  if (run.dryRun) return summaryOf(run, 'create', null, total);
  total.add(await heavy.sealBackup(run));
  const { pruneBackups } = proxyActivities<BackupActivities>(activityOptions('maintenance', SWEEP));
  // The backup is made, whether or not old ones could be cleaned away.
  const pruned = await pruneBackups(run).catch((error: unknown) => {
    total.problems.push(`old backups stay: ${error instanceof Error ? error.message : String(error)}`);
    return { backups: 0, objects: 0, bytes: 0 };
  });
  const id = `${run.at.replace(/\.\d+Z$/, 'Z').replaceAll(':', '')}-${run.runId}`;
  return { ...summaryOf(run, 'create', id, total), pruned };
}

function summaryOf(
  run: MaintenanceRun,
  task: BackupInput['task'],
  backup: string | null,
  { figures, problems }: Total,
): BackupSummary {
  return { run, task, backup, figures, pruned: { backups: 0, objects: 0, bytes: 0 }, problems };
}

class Total {
  figures = NO_FIGURES;
  readonly problems: string[] = [];

  add(one: BackupFigures & { readonly problems?: readonly string[] }): void {
    const sum = (key: keyof BackupFigures): number => this.figures[key] + one[key];
    this.figures = {
      tables: sum('tables'),
      objects: sum('objects'),
      bytes: sum('bytes'),
      copiedObjects: sum('copiedObjects'),
      copiedBytes: sum('copiedBytes'),
    };
    this.problems.push(...(one.problems ?? []).slice(0, PROBLEMS_MAX - this.problems.length));
  }
}
