/**
 * The end of a run of maintenance: the usage of the lake, the report as page and data, and the records in `meta`. The record
 * of the run comes last, and its commit carries the message that Kafka is told.
 */
import { Context } from '@temporalio/activity';
import type { TableAudit } from '../../contracts/audit.js';
import type {
  MaintenanceClosed,
  MaintenanceEnding,
  MaintenanceRun,
  TablePlan,
  TableTended,
} from '../../contracts/lake-maintenance.js';
import { isUnfinished } from '../../contracts/lake-maintenance.js';
import {
  MAINTENANCE_REPORT_SCHEMA,
  type BackupStanding,
  type MaintenanceReport,
} from '../../contracts/maintenance-report.js';
import { ObjectNotFoundError } from '../../delta/index.js';
import { adviceOn } from '../../maintenance/index.js';
import { renderMaintenance } from '../../report/index.js';
import { BackupStore } from '../../lake/backup-store.js';
import { recordOwnEnd } from '../expected-runs.js';
import { runStep } from '../step.js';
import type { LakeTables } from '../tables.js';
import { takeLogs } from '../take-logs.js';
import type { AssessedBatch } from './assess.js';
import type { MaintenanceDeps } from './deps.js';
import { MaintenanceFiles } from './files.js';
import { recordAudits, recordMaintenance } from './record.js';
import { totalsOf } from './totals.js';
import { recordUsage, usageOf } from './usage.js';

const FOLDER = 'reports/maintenance/';

export async function closeMaintenance(
  deps: MaintenanceDeps,
  tables: LakeTables,
  run: MaintenanceRun,
  ending: MaintenanceEnding,
): Promise<MaintenanceClosed> {
  const { value } = await runStep('close', deps.scratchDirectory, async ({ signal }) => {
    const files = new MaintenanceFiles(deps.lake, run);
    const keys = reportKeys(run);
    // A repetition writes the report that the first attempt wrote: what it has recorded must not count as before.
    const report = await files.read<MaintenanceReport>('report').catch(async (error: unknown) => {
      if (!(error instanceof ObjectNotFoundError)) throw error;
      if (!run.dryRun) await takeLogs(deps, tables, signal);
      const made = await gather(deps, tables, run, ending, signal);
      await files.write('report', made);
      return made;
    });
    const page = new TextEncoder().encode(renderMaintenance(report));
    await deps.lake.put(keys.html, page);
    await deps.lake.put(keys.json, new TextEncoder().encode(JSON.stringify(report)));
    if (!run.dryRun) {
      await Promise.all([
        recordAudits(deps, tables, report),
        recordUsage(deps, tables, run, report.usage, report.finishedAt),
      ]);
      await recordMaintenance(deps, tables, report, keys);
      await recordEnd(deps, tables, report);
    }
    const value: MaintenanceClosed = { report: keys.json, page: keys.html };
    return { rows: report.tended.length, bytes: page.length, detail: keys.html, value };
  });
  return value;
}

/** What monitoring would otherwise find out later. */
async function recordEnd(
  deps: MaintenanceDeps,
  tables: LakeTables,
  { run, startedAt, finishedAt }: MaintenanceReport,
): Promise<void> {
  // The execution that ends: a long run is several.
  await recordOwnEnd(deps, tables, {
    ...{ scheduleId: run.scheduleId, logicalTime: run.at, startedAt, finishedAt },
    ...{ outcome: 'ok', rows: null, detail: '', execution: Context.current().info.workflowExecution },
  });
}

/** By time, so that the newest sorts last. */
function reportKeys({ at, runId }: MaintenanceRun): { readonly html: string; readonly json: string } {
  const stem = `${FOLDER}${at.replace(/\.\d+Z$/, 'Z').replaceAll(':', '')}-${runId}`;
  return { html: `${stem}.html`, json: `${stem}.json` };
}

async function gather(
  deps: MaintenanceDeps,
  tables: LakeTables,
  run: MaintenanceRun,
  ending: MaintenanceEnding,
  signal: AbortSignal,
): Promise<MaintenanceReport> {
  const files = new MaintenanceFiles(deps.lake, run);
  const [batches, done] = await Promise.all([
    files.readAll<AssessedBatch>('assessed'),
    files.readAll<TableTended>('done'),
  ]);
  const facts = batches.flatMap((batch) => batch.facts);
  const unreadable = batches.flatMap((batch) => batch.unreadable);
  const audits = done.flatMap(({ audit }): TableAudit[] => (audit ? [audit] : []));
  // Once is enough: the audits have a place of their own.
  const tended = done.map(({ audit: _, ...one }): TableTended => one);
  const usage = await usageOf(deps, tables, facts, tended, signal);
  const backup = await backupStanding(deps);
  const left = await leftOver(files, tended, ending);
  const known = { run, facts, unreadable, tended, left, audits, usage, backup, ending };
  const recommendations = adviceOn(known);
  return {
    schema: MAINTENANCE_REPORT_SCHEMA,
    ...known,
    outcome: recommendations.some(({ weight }) => weight === 'act') ? 'attention' : 'ok',
    lake: deps.lake.uri,
    startedAt: ending.startedAt,
    finishedAt: new Date(deps.clock.nowMs()).toISOString(),
    totals: totalsOf(known),
    recommendations,
    previous: await previousReport(deps, run),
  };
}

/** What the time budgets left: tables that were begun and not done, then those that nobody came to. */
async function leftOver(
  files: MaintenanceFiles,
  tended: readonly TableTended[],
  ending: MaintenanceEnding,
): Promise<readonly string[]> {
  if (ending.left === 0) return [];
  const begun = tended.filter(isUnfinished).map(({ table }) => table);
  const plans = await files.readAll<TablePlan>('plan');
  const untouched = plans.slice(plans.length - Math.max(0, ending.left - begun.length));
  return [...begun, ...untouched.map(({ table }) => table)];
}

async function backupStanding({ backup }: MaintenanceDeps): Promise<BackupStanding> {
  if (!backup) return { configured: false, newest: null };
  // What is wrong with a backup is said by the run's backup itself.
  const newest = await new BackupStore(backup).newest().catch(() => undefined);
  return {
    configured: true,
    newest: newest
      ? {
          ...{ id: newest.id, at: newest.at, tables: newest.tables.length },
          bytes: newest.tables.reduce((sum, { bytes }) => sum + bytes, 0),
        }
      : null,
  };
}

/** Reports of one scope are compared: a run over two tables says nothing of the growth of the lake. */
const scopeOf = ({ run }: Pick<MaintenanceReport, 'run'>): string =>
  JSON.stringify([run.tables, run.datasets ?? null, run.only ?? null]);

const LOOKED_AT_MAX = 20;

async function previousReport(
  { lake }: MaintenanceDeps,
  run: MaintenanceRun,
): Promise<MaintenanceReport['previous']> {
  const own = reportKeys(run).json;
  const keys: string[] = [];
  for await (const { key } of lake.list(FOLDER)) if (key.endsWith('.json') && key < own) keys.push(key);
  for (const key of keys.reverse().slice(0, LOOKED_AT_MAX)) {
    const report = await readReport(lake, key);
    if (report && !report.run.dryRun && scopeOf(report) === scopeOf({ run }))
      return { report: key, at: report.run.at, totals: report.totals };
  }
  return null;
}

/** A report of an older form, or one that was swept meanwhile, is none. */
async function readReport(
  lake: MaintenanceDeps['lake'],
  key: string,
): Promise<MaintenanceReport | undefined> {
  try {
    const report = JSON.parse(new TextDecoder().decode(await lake.get(key))) as MaintenanceReport;
    return report.schema === MAINTENANCE_REPORT_SCHEMA ? report : undefined;
  } catch (error) {
    if (error instanceof ObjectNotFoundError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
