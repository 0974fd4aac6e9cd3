/** One table, by its plan: every task is decided again on what is there now, and gives way to whoever writes. */
import type {
  MaintenanceRun,
  MaintenanceTask,
  TableFacts,
  TablePlan,
  TableSize,
  TableTended,
  TableTendedBrief,
  TaskDone,
} from '../../contracts/lake-maintenance.js';
import { isUnfinished, MAINTENANCE_TASKS } from '../../contracts/lake-maintenance.js';
import { DatalabError, ERRORS } from '../../contracts/errors.js';
import type { AuditBrief, TableAudit } from '../../contracts/audit.js';
import {
  DELTA_ERRORS,
  DeltaError,
  ObjectNotFoundError,
  packable,
  type DeltaTable,
} from '../../delta/index.js';
import { parseTableName, type TableName } from '../../lake/tables.js';
import { runStep, type StepContext } from '../step.js';
import type { LakeTables } from '../tables.js';
import { auditTable } from './audit/index.js';
import type { MaintenanceDeps } from './deps.js';
import { expireRows } from './expire.js';
import { MaintenanceFiles, placeKey } from './files.js';
import { declaredTables, fileRetentionMs, lastBackupMs, type DeclaredTables } from './policies.js';

type Done = Omit<TaskDone, 'task'> & { readonly audit?: TableAudit };

/** Everything that a task works with. */
interface Ground {
  readonly deps: MaintenanceDeps;
  readonly tables: LakeTables;
  readonly run: MaintenanceRun;
  readonly declared: DeclaredTables;
  readonly name: TableName;
  readonly table: DeltaTable;
  readonly context: StepContext;
  /** Whether the time of the table is over. */
  readonly isOver: () => boolean;
}

export async function tendTable(
  deps: MaintenanceDeps,
  tables: LakeTables,
  run: MaintenanceRun,
  place: number,
): Promise<TableTendedBrief> {
  const files = new MaintenanceFiles(deps.lake, run);
  const plan = await files.read<TablePlan>(`plan/${placeKey(place)}`);
  const name = parseTableName(plan.table);
  const { value: tended } = await runStep(`tend ${plan.table}`, deps.scratchDirectory, async (context) => {
    const declared = await declaredTables(deps);
    const table = tables.table(name.layer, name.table);
    const budgetMs = deps.config.maintenance.tableMinutes * 60_000;
    const endMs = deps.clock.nowMs() + budgetMs - context.earlierMs;
    const isOver = (): boolean => deps.clock.nowMs() >= endMs;
    const ground = { deps, tables, run, declared, name, table, context, isOver };
    const before = await sizeOf(table, context.signal);
    const { tasks, audit } = await doTasks(ground, plan);
    const reads = run.dryRun || tasks.every(({ task }) => task === 'audit');
    const after = reads ? before : await sizeOf(table, context.signal);
    const value: TableTended = {
      ...{ table: plan.table, outcome: outcomeOf(tasks), tasks, before, after },
      ...(audit && { audit }),
    };
    await files.write(`done/${placeKey(place)}`, value);
    const rows = tasks.reduce((sum, one) => sum + one.rows, 0);
    return { rows, bytes: 0, detail: value.outcome, value };
  });
  return {
    table: tended.table,
    outcome: tended.outcome,
    detail: tended.tasks
      .map(({ task, outcome, detail }) => `${task} ${outcome}: ${detail}`)
      .join('; ')
      .slice(0, 500),
    score: plan.score,
    tasks: tended.tasks.map(({ rows: _, ...task }) => ({ ...task, detail: task.detail.slice(0, 200) })),
    rowsExpired: tended.tasks.reduce((sum, { rows, outcome }) => sum + (outcome === 'done' ? rows : 0), 0),
    bytesFreed: Math.max(0, tended.before.folderBytes - tended.after.folderBytes),
    ...(isUnfinished(tended) && { unfinished: true }),
    ...(tended.audit && { audit: briefOf(tended.audit) }),
  };
}

function briefOf({ score, results }: TableAudit): AuditBrief {
  const failed = results.filter(({ outcome }) => outcome === 'failed');
  const blocking = failed.filter(({ severity }) => severity === 'block').length;
  return { score, checks: results.length, failed: failed.length, blocking };
}

/**
 * The tasks in their order. What one of them finds in its way ends the others: whoever is at work comes first. The audit
 * reads one version and is in nobody's way, so it is done all the same.
 */
async function doTasks(
  ground: Ground,
  plan: TablePlan,
): Promise<{ readonly tasks: TaskDone[]; readonly audit?: TableAudit }> {
  const planned = new Set(plan.tasks.map(({ task }) => task));
  const tasks: TaskDone[] = [];
  let found: TableAudit | undefined;
  let stopped = false;
  for (const task of MAINTENANCE_TASKS.filter((one) => planned.has(one))) {
    if (stopped && task !== 'audit') continue;
    ground.context.signal.throwIfAborted();
    // The first is always begun, so that every run gets on, however short the time.
    const { audit, ...one } =
      tasks.length > 0 && ground.isOver()
        ? { ...without('left', 'the time of the table was over: the next run does it'), audit: undefined }
        : await doTask(ground, task, plan.facts);
    tasks.push({ task, ...one });
    found = audit ?? found;
    stopped ||= one.outcome === 'aside' || one.outcome === 'failed';
  }
  return { tasks, ...(found && { audit: found }) };
}

async function doTask(ground: Ground, task: MaintenanceTask, facts: TableFacts): Promise<Done> {
  try {
    const dataset = ground.declared.datasetOf(ground.name);
    if (task !== 'audit' && dataset !== undefined && (await ground.deps.runningDatasets()).has(dataset))
      return without('aside', `a run of ${dataset} is in progress`);
    const done = await TASKS[task](ground, facts);
    const where = `${ground.name.layer}.${ground.name.table}`;
    const { audit: _, ...figures } = done;
    ground.deps.log({ run: ground.run.runId, table: where, ...figures }, `maintenance ${task} ${where}`);
    return done;
  } catch (error) {
    // Cancelled or stopping: another attempt goes on.
    if (ground.context.signal.aborted) throw error;
    const code = error instanceof DeltaError || error instanceof DatalabError ? error.code : undefined;
    if (code !== undefined && OVERTAKEN.has(code)) return without('aside', messageOf(error));
    if (error instanceof ObjectNotFoundError)
      return without('failed', `${error.message}: a file that the log names is missing`);
    if (code === undefined || isWorthATry(code)) throw error;
    return without('failed', `${code}: ${messageOf(error)}`);
  }
}

const OVERTAKEN: ReadonlySet<string> = new Set([
  'DELTA_CONCURRENT_CHANGE',
  'DELTA_COMMIT_CONTENDED',
  'PUBLISH_CONTENDED',
]);

function isWorthATry(code: string): boolean {
  const entries: Readonly<Record<string, { readonly retry: boolean }>> = { ...ERRORS, ...DELTA_ERRORS };
  return entries[code]?.retry ?? false;
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 300);
}

function without(outcome: Done['outcome'], detail: string): Done {
  return { outcome, detail, files: 0, bytes: 0, rows: 0 };
}

const TASKS: Readonly<Record<MaintenanceTask, (ground: Ground, facts: TableFacts) => Promise<Done>>> = {
  repair: async ({ run, table, context }, { fsck: { damaged, damagedBytes, hollow } }) => {
    const detail = `${damaged} files that the log names are missing or cut short`;
    // A folder that is not mounted looks like this too: nothing is to be repaired there.
    if (hollow) return without('kept', `${detail}, which is all of them: restore the table from a backup`);
    if (run.dryRun)
      return {
        ...without('planned', `${detail}: they would leave the table`),
        ...{ files: damaged, bytes: damagedBytes },
      };
    const report = await table.fsck({ repair: true, signal: context.signal, progress: context.progress });
    if (report.repairedVersion === null) return without('nothing', 'everything is there again');
    const files = report.findings.length;
    return {
      ...without('done', `${files} files left the table in version ${report.repairedVersion}`),
      files,
    };
  },

  audit: async ({ deps, tables, run, declared, name, context }, { files, bytes }) => {
    if (run.dryRun && run.only !== 'audit')
      return { ...without('planned', 'would be read and held against its declaration'), files, bytes };
    const dataset = declared.definitionOf(name);
    if (!dataset) return without('nothing', 'no dataset declares the table any more');
    const audit = await auditTable(deps, tables, run, dataset, name, context);
    const failed = audit.results.filter(({ outcome }) => outcome === 'failed');
    const said = failed.length === 0 ? '' : `: ${failed.map(({ name: check }) => check).join(', ')}`;
    const detail = `version ${audit.version}, ${failed.length} of ${audit.results.length} checks failed${said}`;
    return { ...without('done', detail.slice(0, 500)), files, bytes, audit };
  },

  retention: ({ deps, tables, run, declared, name, context }) =>
    expireRows(deps, tables, run, declared, name, context.signal),

  optimize: async ({ run, table, context, isOver }) => {
    const { files, bytes } = await packable(await table.snapshot());
    if (files === 0) return without('nothing', 'no file is small any more');
    if (run.dryRun) {
      return { outcome: 'planned', detail: `${files} files would be packed`, files, bytes, rows: 0 };
    }
    const report = await table.optimize({
      ...{ signal: context.signal, progress: context.progress, isOver },
      info: { datalab: { kind: 'maintenance', runId: run.runId } },
    });
    if (report.commits === 0 && report.filesSkipped > 0)
      return without('aside', `${report.filesSkipped} files were taken by a writer`);
    const skipped = report.filesSkipped > 0 ? `, ${report.filesSkipped} left to a writer` : '';
    return {
      outcome: report.commits > 0 ? 'done' : 'nothing',
      detail: `${report.filesRemoved} files became ${report.filesAdded}${skipped}${leftSaid(report.filesLeft)}`,
      ...{ files: report.filesRemoved, bytes: report.bytesRemoved, rows: 0, ...leftOf(report.filesLeft) },
    };
  },

  vacuum: async ({ deps, run, table, context, isOver }) => {
    const backedUpMs = await lastBackupMs(deps).catch((error: unknown) => {
      if (error instanceof DatalabError && error.code === 'BACKUP_UNKNOWN') return undefined;
      throw error;
    });
    if (backedUpMs === undefined) return without('kept', 'there is no backup yet: `datalab backup create`');
    const retentionMs = fileRetentionMs(deps, await table.snapshot(), backedUpMs);
    const { deleted, deletedBytes, left } = await table.vacuum({
      ...{ retentionMs, dryRun: run.dryRun },
      ...{ signal: context.signal, progress: context.progress, isOver },
    });
    if (deleted === 0) return without('nothing', 'every file is needed');
    const outcome = run.dryRun ? 'planned' : 'done';
    const detail = `${deleted} files with ${deletedBytes} bytes ${run.dryRun ? 'would go' : 'went'}${leftSaid(left)}`;
    return { outcome, detail, files: deleted, bytes: deletedBytes, rows: 0, ...leftOf(left) };
  },

  checkpoint: async ({ run, table, context }, facts) => {
    const { version } = await table.snapshot();
    const { commitsSinceCheckpoint: files, commitBytesSinceCheckpoint } = facts;
    if (run.dryRun)
      return {
        ...without('planned', `version ${version} would get a checkpoint in place of ${files} commits`),
        ...{ files, bytes: commitBytesSinceCheckpoint },
      };
    const { bytes } = await table.checkpoint({ signal: context.signal });
    return { outcome: 'done', detail: `of version ${version}`, files: 1, bytes, rows: 0 };
  },

  'clean-log': async ({ run, table, context, isOver }) => {
    const { deleted, deletedBytes, left, oldestVersion } = await table.cleanLog({
      ...{ dryRun: run.dryRun, signal: context.signal, progress: context.progress, isOver },
    });
    if (deleted === 0) return without('nothing', 'no commit is old enough with a checkpoint in its place');
    const detail = `${deleted} objects below version ${oldestVersion ?? 0}${leftSaid(left)}`;
    const outcome = run.dryRun ? 'planned' : 'done';
    return { outcome, detail, files: deleted, bytes: deletedBytes, rows: 0, ...leftOf(left) };
  },
};

function leftSaid(left: number): string {
  return left > 0 ? `, ${left} left for the next run: the time of the table was over` : '';
}

function leftOf(left: number): { readonly left?: number } {
  return left > 0 ? { left } : {};
}

function outcomeOf(tasks: readonly TaskDone[]): TableTended['outcome'] {
  const has = (outcome: TaskDone['outcome']): boolean => tasks.some((one) => one.outcome === outcome);
  if (has('failed')) return 'failed';
  if (has('aside')) return 'aside';
  return has('planned') ? 'planned' : 'done';
}

async function sizeOf(table: DeltaTable, signal: AbortSignal): Promise<TableSize> {
  const { version, files } = await table.snapshot();
  let folderFiles = 0;
  let folderBytes = 0;
  for await (const { sizeBytes } of table.store.list('', { signal })) {
    folderFiles += 1;
    folderBytes += sizeBytes;
  }
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  return { version, files: files.length, bytes, folderFiles, folderBytes };
}
