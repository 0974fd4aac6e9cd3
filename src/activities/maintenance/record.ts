/** What runs of maintenance leave in `meta`: a row per task and table in `maintenance`, a row per check in `audits`. */
import type { Amount } from '../../contracts/lake-maintenance.js';
import type { MaintenanceFinished, MaintenanceReport } from '../../contracts/maintenance-report.js';
import { appendRows, type Row } from '../../delta/index.js';
import type { MaintainedNote } from '../../medallion/commit-note.js';
import { checkpointIfDue } from '../checkpoint.js';
import { recordSchema } from '../record-schema.js';
import type { LakeTables } from '../tables.js';
import type { MaintenanceDeps } from './deps.js';

/** The run's row, and one per task or table. Its commit carries the message of the run. */
export async function recordMaintenance(
  deps: MaintenanceDeps,
  tables: LakeTables,
  report: MaintenanceReport,
  keys: MaintenanceFinished['report'],
): Promise<void> {
  const table = tables.table('meta', 'maintenance');
  const transaction = { appId: `datalab:maintenance:${report.run.runId}`, version: 1 };
  const note: MaintainedNote = { kind: 'maintained', finished: finishedOf(report, keys) };
  await appendRows(table, deps.rowParquet, rowsOf(report), {
    ...{ schema: MAINTENANCE, transaction },
    info: { datalab: note },
  });
  await checkpointIfDue(deps, table);
}

function finishedOf(report: MaintenanceReport, keys: MaintenanceFinished['report']): MaintenanceFinished {
  const { run, outcome, startedAt, finishedAt, totals, recommendations } = report;
  return {
    ...{ runId: run.runId, workflowId: run.workflowId, at: run.at, outcome },
    message: messageOf(report),
    ...{ startedAt, finishedAt, totals, recommendations: recommendations.length, report: keys },
  };
}

function messageOf({ totals, ending, tended, recommendations }: MaintenanceReport): string {
  const urgent = recommendations.filter(({ weight }) => weight === 'act').length;
  return (
    `maintenance: ${totals.tables} tables, ${ending.healthy} healthy, ${tended.length} worked on, ` +
    `${totals.freedBytes} bytes freed, ${totals.failedChecks} of ${totals.checks} checks failed` +
    (urgent > 0 ? `, ${urgent} things to act on` : '')
  );
}

function rowsOf(report: MaintenanceReport): Row[] {
  const { run, finishedAt, facts, unreadable, tended, outcome, totals } = report;
  const worked = new Set(tended.map(({ table }) => table));
  const own = { run_id: run.runId, at: run.at, finished_at: finishedAt };
  const sizes = (before: Amount, after: Amount): Row => ({
    files_before: before.files,
    files_after: after.files,
    bytes_before: before.bytes,
    bytes_after: after.bytes,
  });
  return [
    {
      ...{ ...own, table_name: '*', task: 'run', outcome, detail: messageOf(report), ...NOTHING },
      rows: totals.rowsExpired,
    },
    ...tended.flatMap(({ table, tasks, before, after }) =>
      tasks.map(({ task, outcome: came, detail, files, bytes, rows }): Row => ({
        ...{ ...own, table_name: table, task, outcome: came, detail, files, bytes, rows },
        ...sizes(before, after),
      })),
    ),
    ...facts
      .filter(({ table }) => !worked.has(table))
      .map((one): Row => ({
        ...{ ...own, table_name: one.table, task: 'assess', detail: one.fsck.findings[0]?.path ?? '' },
        ...{ outcome: one.fsck.damaged > 0 ? 'damaged' : 'healthy', ...NOTHING, rows: one.rows },
        ...sizes(one, one),
      })),
    ...unreadable.map(({ table, reason }): Row => ({
      ...{ ...own, table_name: table, task: 'assess', outcome: 'unreadable', detail: reason, rows: 0 },
      ...NOTHING,
    })),
  ];
}

const NOTHING: Amount = { files: 0, bytes: 0 };

const MAINTENANCE = recordSchema({
  run_id: 'string',
  at: 'timestamp',
  finished_at: 'timestamp',
  table_name: 'string',
  task: 'string',
  outcome: 'string',
  detail: 'string',
  files: 'long',
  bytes: 'long',
  rows: 'long',
  files_before: 'long',
  files_after: 'long',
  bytes_before: 'long',
  bytes_after: 'long',
});

/** A row per check of each table, and one of kind `score` with the score as `measured`. */
export async function recordAudits(
  deps: MaintenanceDeps,
  tables: LakeTables,
  { run, audits }: MaintenanceReport,
): Promise<void> {
  const table = tables.table('meta', 'audits');
  const rows = audits.flatMap((audit): Row[] => {
    const own = {
      ...{ run_id: run.runId, logical_time: run.at, audited_at: audit.auditedAt, dataset: audit.dataset },
      ...{ table_name: audit.table, version: audit.version, rows: audit.rows },
    };
    return [
      ...audit.results.map((result): Row => ({
        ...{ ...own, check_name: result.name, kind: result.kind, severity: result.severity },
        ...{ outcome: result.outcome, measured: result.measured, threshold: result.threshold },
        ...{ unit: result.unit, judged: result.rows, bad_rows: result.badRows, share: result.share },
        ...{ observed: result.observed, detail: result.detail, trend: result.trend },
        ...{ before_at: result.before?.at ?? null, before_bad_rows: result.before?.badRows ?? null },
        examples: result.examples.length === 0 ? null : JSON.stringify(result.examples),
      })),
      {
        ...{ ...own, check_name: 'score', kind: 'score', severity: 'warn', unit: 'score' },
        ...{ outcome: audit.score === null ? 'skipped' : 'passed', measured: audit.score },
        ...{ judged: audit.rows, bad_rows: 0, trend: audit.scoreBefore === null ? 'first' : 'same' },
      },
    ];
  });
  const transaction = { appId: `datalab:audits:${run.runId}`, version: 1 };
  await appendRows(table, deps.rowParquet, rows, { schema: AUDITS, transaction });
  await checkpointIfDue(deps, table);
}

const AUDITS = recordSchema({
  run_id: 'string',
  logical_time: 'timestamp',
  audited_at: 'timestamp',
  dataset: 'string',
  table_name: 'string',
  version: 'long',
  rows: 'long',
  check_name: 'string',
  kind: 'string',
  severity: 'string',
  outcome: 'string',
  measured: 'double',
  threshold: 'double',
  unit: 'string',
  judged: 'long',
  bad_rows: 'long',
  share: 'double',
  observed: 'double',
  detail: 'string',
  trend: 'string',
  before_at: 'timestamp',
  before_bad_rows: 'long',
  examples: 'string',
});
