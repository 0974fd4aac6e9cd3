/** `datalab maintenance plan | run | show`: what the lake needs, doing it, and what was done. */
import type { Command } from 'commander';
import type { LakeMaintenanceInput, LakeMaintenanceSummary } from '../../contracts/lake-maintenance.js';
import { DatalabError } from '../../contracts/errors.js';
import { EXIT } from '../exit.js';
import { lakeOf } from '../run-files.js';
import { print, withSession, type Session } from '../session.js';
import { bytes, count, plural, table } from '../text.js';

interface Flags {
  readonly json?: boolean;
  readonly dryRun?: boolean;
  readonly wait?: boolean;
  readonly table?: readonly string[];
}

export function addMaintenance(program: Command): void {
  const maintenance = program
    .command('maintenance')
    .description('Retention, small files, unneeded files, checkpoints and logs of every table');

  withTables(
    maintenance.command('plan').description('measure every table and say what would be done'),
  ).action(({ table: tables, json }: Flags) =>
    withSession((session) => run(session, inputOf(tables, true), { json, wait: true })),
  );

  withTables(maintenance.command('run').description('do what the tables need; healthy ones are left alone'))
    .option('--dry-run', 'change nothing, say what would be done')
    .option('--wait', 'wait for the end; exit code 1 when a table failed')
    .action(({ table: tables, dryRun, ...flags }: Flags) =>
      withSession((session) => run(session, inputOf(tables, dryRun), flags)),
    );

  maintenance
    .command('show')
    .description('the report of the newest maintenance, from the lake')
    .option('--json', 'print JSON')
    .action(({ json }: Flags) => withSession((session) => show(session, json)));
}

function withTables(command: Command): Command {
  return command
    .option(
      '--table <name>',
      'only this table, as in silver.stocks; may be given again',
      (name: string, before: readonly string[] | undefined) => [...(before ?? []), name],
    )
    .option('--json', 'print JSON');
}

function inputOf(tables: readonly string[] | undefined, dryRun: boolean | undefined): LakeMaintenanceInput {
  return { ...(dryRun && { dryRun }), ...(tables && { tables }) };
}

async function run(
  { datalab }: Session,
  input: LakeMaintenanceInput,
  { json, wait }: Pick<Flags, 'json' | 'wait'>,
): Promise<void> {
  const started = await datalab.startMaintenance(input);
  const { workflowId, runId } = started;
  if (!wait) return print(json, { workflowId, runId }, `started ${workflowId}`);
  const ending = await started.result();
  if (ending.status !== 'completed') {
    const said = ending.status === 'failed' ? `${ending.code}: ${ending.message}` : 'cancelled';
    print(json, ending, `maintenance did not succeed: ${said}`);
    process.exitCode = EXIT.failed;
    return;
  }
  print(json, ending.result, picture(ending.result));
  process.exitCode = isGood(ending.result) ? EXIT.ok : EXIT.failed;
}

function isGood({ outcomes, unreadable }: LakeMaintenanceSummary): boolean {
  return outcomes.failed === 0 && unreadable === 0;
}

/** The summary for people. */
export function picture(summary: LakeMaintenanceSummary): string {
  const { run, tables, healthy, needy, unreadable, left, rowsExpired, bytesFreed, swept } = summary;
  const would = run.dryRun ? 'would be' : 'were';
  return [
    `${plural(tables, 'table')}: ${count(healthy)} healthy and left alone, ${count(needy)} in need, ${count(unreadable)} unreadable`,
    ...(summary.worked.length === 0
      ? []
      : [
          table(
            ['table', 'outcome', ''],
            summary.worked.map((one) => [one.table, one.outcome, one.detail]),
          ),
        ]),
    ...(left > 0 ? [`${plural(left, 'table')} left for next time: the time budget was over`] : []),
    ...(run.dryRun
      ? ['nothing was changed']
      : [`${count(rowsExpired)} rows past their retention, ${bytes(bytesFreed)} freed`]),
    `${plural(swept.files, 'object')} of old runs (${bytes(swept.bytes)}) ${would} deleted`,
    ...(summary.backup?.create
      ? [
          `backup made: ${plural(summary.backup.create.copiedObjects, 'object')} copied, ${bytes(summary.backup.create.copiedBytes)}`,
        ]
      : []),
    ...(summary.backup?.drill
      ? [`drill: ${plural(summary.backup.drill.tables, 'table')} restored and equal row by row`]
      : []),
    ...summary.problems.map((problem) => `problem: ${problem}`),
    ...(summary.report === null ? [] : [`report: ${summary.report}`]),
  ].join('\n');
}

/** The parts of the report that are shown. */
interface Shown {
  readonly run: { readonly at: string; readonly dryRun: boolean };
  readonly ending: { readonly healthy: number; readonly left: number };
  readonly tended: ReadonlyArray<{
    readonly table: string;
    readonly tasks: ReadonlyArray<{
      readonly task: string;
      readonly outcome: string;
      readonly detail: string;
      readonly files: number;
      readonly bytes: number;
    }>;
  }>;
}

async function show({ loaded }: Session, json: boolean | undefined): Promise<void> {
  const lake = lakeOf(loaded);
  let newest: string | undefined;
  for await (const { key } of lake.list('reports/maintenance/')) if (key.endsWith('.json')) newest = key;
  if (newest === undefined)
    throw new DatalabError(
      'REPORT_MISSING',
      'there was no maintenance yet: `datalab maintenance run --wait`',
    );
  const report = JSON.parse(new TextDecoder().decode(await lake.get(newest))) as Shown;
  const rows = report.tended.flatMap(({ table: name, tasks }) =>
    tasks.map((one) => [name, one.task, one.outcome, count(one.files), bytes(one.bytes), one.detail]),
  );
  const head = `maintenance of ${report.run.at}${report.run.dryRun ? ' (dry run)' : ''}: ${plural(report.ending.healthy, 'table')} healthy`;
  print(
    json,
    report,
    rows.length === 0 ? head : `${head}\n${table(['table', 'task', 'outcome', 'files', 'size', ''], rows)}`,
  );
}
