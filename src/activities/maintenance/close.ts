/** The end of a run of maintenance: its report in the lake, and one record per table that was worked on. */
import type {
  Amount,
  MaintenanceEnding,
  MaintenanceRun,
  TableFacts,
  TableTended,
} from '../../contracts/lake-maintenance.js';
import { appendRows, type Row } from '../../delta/index.js';
import { checkpointIfDue } from '../checkpoint.js';
import { recordSchema } from '../record-schema.js';
import { runStep } from '../step.js';
import type { LakeTables } from '../tables.js';
import type { AssessedBatch, Unreadable } from './assess.js';
import type { MaintenanceDeps } from './deps.js';
import { MaintenanceFiles } from './files.js';

/** The report as data. */
export interface MaintenanceReport {
  readonly run: MaintenanceRun;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly ending: MaintenanceEnding;
  readonly facts: readonly TableFacts[];
  readonly unreadable: readonly Unreadable[];
  readonly tended: readonly TableTended[];
}

export async function closeMaintenance(
  deps: MaintenanceDeps,
  tables: LakeTables,
  run: MaintenanceRun,
  ending: MaintenanceEnding,
): Promise<{ readonly report: string }> {
  const { value } = await runStep('close', deps.scratchDirectory, async () => {
    const files = new MaintenanceFiles(deps.lake, run);
    const [batches, tended] = await Promise.all([
      files.readAll<AssessedBatch>('assessed'),
      files.readAll<TableTended>('done'),
    ]);
    const report: MaintenanceReport = {
      ...{ run, startedAt: ending.startedAt, finishedAt: new Date(deps.clock.nowMs()).toISOString() },
      ending,
      facts: batches.flatMap(({ facts }) => facts),
      unreadable: batches.flatMap(({ unreadable }) => unreadable),
      tended,
    };
    const key = `reports/maintenance/${run.at.replace(/\.\d+Z$/, 'Z').replaceAll(':', '')}-${run.runId}.json`;
    await deps.lake.put(key, new TextEncoder().encode(JSON.stringify(report)));
    if (!run.dryRun) await record(deps, tables, report);
    return { rows: tended.length, bytes: 0, detail: key, value: { report: key } };
  });
  return value;
}

async function record(deps: MaintenanceDeps, tables: LakeTables, report: MaintenanceReport): Promise<void> {
  const table = tables.table('meta', 'maintenance');
  const transaction = { appId: `datalab:maintenance:${report.run.runId}`, version: 1 };
  await appendRows(table, deps.rowParquet, rowsOf(report), { schema: SCHEMA, transaction });
  await checkpointIfDue(deps, table);
}

/** One row per task of every table that was worked on, and one per table that was healthy or could not be read. */
function rowsOf({ run, finishedAt, facts, unreadable, tended }: MaintenanceReport): Row[] {
  const worked = new Set(tended.map(({ table }) => table));
  const own = { run_id: run.runId, at: run.at, finished_at: finishedAt };
  const sizes = (before: { files: number; bytes: number }, after: { files: number; bytes: number }): Row => ({
    files_before: before.files,
    files_after: after.files,
    bytes_before: before.bytes,
    bytes_after: after.bytes,
  });
  return [
    ...tended.flatMap(({ table, tasks, before, after }) =>
      tasks.map(({ task, outcome, detail, files, bytes, rows }): Row => ({
        ...{ ...own, table_name: table, task, outcome, detail, files, bytes, rows },
        ...sizes(before, after),
      })),
    ),
    ...facts
      .filter(({ table }) => !worked.has(table))
      .map((one): Row => ({
        ...{ ...own, table_name: one.table, task: 'assess', outcome: 'healthy', detail: '' },
        ...{ ...NOTHING, rows: one.rows },
        ...sizes(one, one),
      })),
    ...unreadable.map(({ table, reason }): Row => ({
      ...{ ...own, table_name: table, task: 'assess', outcome: 'unreadable', detail: reason, rows: 0 },
      ...NOTHING,
    })),
  ];
}

const NOTHING: Amount = { files: 0, bytes: 0 };

const SCHEMA = recordSchema({
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
