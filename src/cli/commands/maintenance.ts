/** `datalab maintenance plan | run | audit | fsck | show`: what the lake needs, doing it, and what was done. */
import type { Command } from 'commander';
import type { LakeMaintenanceInput, LakeMaintenanceSummary } from '../../contracts/lake-maintenance.js';
import type { MaintenanceReport } from '../../contracts/maintenance-report.js';
import { DatalabError } from '../../contracts/errors.js';
import { EXIT } from '../exit.js';
import { lakeOf, saveReport } from '../run-files.js';
import { print, withSession, type Session } from '../session.js';
import { bytes, count, plural, table } from '../text.js';

interface Flags {
  readonly json?: boolean;
  readonly dryRun?: boolean;
  readonly wait?: boolean;
  readonly table?: readonly string[];
  readonly dataset?: readonly string[];
  readonly repair?: boolean;
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
    .option('--repair', 'also take files that are missing or cut short out of their tables')
    .action(({ table: tables, dryRun, repair, ...flags }: Flags) =>
      withSession((session) =>
        run(session, { ...inputOf(tables, dryRun), ...(repair && { repair }) }, flags),
      ),
    );

  withDatasets(
    maintenance
      .command('audit')
      .description('hold the published data against what is declared, and do nothing else'),
  )
    .option('--dry-run', 'record nothing: the findings are in the report only')
    .option('--wait', 'wait for the end; exit code 1 when a check with severity block failed')
    .action(({ dryRun, ...flags }: Flags) =>
      withSession((session) =>
        run(session, { ...scopeOf(flags), only: 'audit', ...(dryRun && { dryRun }) }, flags),
      ),
    );

  withDatasets(
    maintenance.command('fsck').description('compare the log of every table with the files that are there'),
  )
    .option('--repair', 'take files that are missing or cut short out of their tables')
    .option('--wait', 'wait for the end; exit code 1 when a table is damaged')
    .action(({ repair, ...flags }: Flags) =>
      withSession((session) =>
        run(session, { ...scopeOf(flags), only: 'fsck', ...(repair && { repair }) }, flags),
      ),
    );

  maintenance
    .command('show')
    .description(
      'the report of the newest maintenance, from the lake; its page is saved to open in a browser',
    )
    .option('--output <file>', 'where its page is saved; default: below the state folder')
    .option('--json', 'print JSON')
    .action(({ json, output }: Flags & { output?: string }) =>
      withSession((session) => show(session, json, output)),
    );
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

function withDatasets(command: Command): Command {
  return withTables(command).option(
    '--dataset <name>',
    'only the tables of this dataset; may be given again',
    (name: string, before: readonly string[] | undefined) => [...(before ?? []), name],
  );
}

function scopeOf({ table: tables, dataset: datasets }: Flags): LakeMaintenanceInput {
  return { ...(tables && { tables }), ...(datasets && { datasets }) };
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

function isGood({ run, outcomes, unreadable, damaged, audited }: LakeMaintenanceSummary): boolean {
  const mended = run.repair && !run.dryRun;
  return (
    outcomes.failed === 0 && unreadable === 0 && (damaged === 0 || mended === true) && audited.blocking === 0
  );
}

/** The summary for people. */
export function picture(summary: LakeMaintenanceSummary): string {
  const { run, tables, healthy, needy, unreadable, left, rowsExpired, bytesFreed, swept } = summary;
  const would = run.dryRun ? 'would be' : 'were';
  return [
    `${plural(tables, 'table')}: ${count(healthy)} healthy and left alone, ${count(needy)} in need, ${count(unreadable)} unreadable`,
    ...workedLines(summary),
    ...(left > 0 ? [`${plural(left, 'table')} left for next time: the time budget was over`] : []),
    ...(summary.damaged > 0
      ? [`${plural(summary.damaged, 'table')} with files that are missing or cut short`]
      : []),
    ...(summary.audited.tables > 0
      ? [
          `${plural(summary.audited.tables, 'table')} audited: ${plural(summary.audited.failed, 'check')} failed, ${count(summary.audited.blocking)} of severity block`,
        ]
      : []),
    ...(run.dryRun
      ? ['nothing was changed']
      : [`${count(rowsExpired)} rows past their retention, ${bytes(bytesFreed)} freed`]),
    ...(run.only === undefined
      ? [`${plural(swept.files, 'object')} of old runs (${bytes(swept.bytes)}) ${would} deleted`]
      : []),
    ...(summary.backup?.plan
      ? [
          `a backup would copy at most ${plural(summary.backup.plan.copiedObjects, 'object')}, ${bytes(summary.backup.plan.copiedBytes)}`,
        ]
      : []),
    ...(summary.backup?.create
      ? [
          `backup made: ${plural(summary.backup.create.copiedObjects, 'object')} copied, ${bytes(summary.backup.create.copiedBytes)}`,
        ]
      : []),
    ...(summary.backup?.drill
      ? [`drill: ${plural(summary.backup.drill.tables, 'table')} restored and equal row by row`]
      : []),
    ...summary.problems.map((problem) => `problem: ${problem}`),
    ...(summary.report === null ? [] : [`report: ${summary.page ?? summary.report}`]),
  ].join('\n');
}

/** A line for each task, with what it touched or would touch, and their sum where nothing was done yet. */
function workedLines({ run, worked, needy, left }: LakeMaintenanceSummary): string[] {
  if (worked.length === 0) return [];
  const rows = worked.flatMap(({ table: name, score, tasks, outcome, detail }) =>
    tasks
      ? tasks.map((one, index) => [
          ...(index === 0 ? [name, score?.toFixed(1) ?? ''] : ['', '']),
          ...[one.task, one.outcome, count(one.files), bytes(one.bytes), one.detail],
        ])
      : [[name, '', '', outcome, '', '', detail]],
  );
  const planned = worked.flatMap(({ tasks = [] }) => tasks.filter((one) => one.outcome === 'planned'));
  const sum = (of: 'files' | 'bytes'): number => planned.reduce((total, one) => total + one[of], 0);
  const more = needy - left - worked.length;
  return [
    table(['table', 'need', 'task', 'outcome', 'files', 'size', ''], rows),
    ...(more > 0 ? [`${plural(more, 'more table')}: all of them are in the report`] : []),
    ...(run.dryRun && planned.length > 0
      ? [
          `${plural(planned.length, 'task')} would touch ${plural(sum('files'), 'file')} with ${bytes(sum('bytes'))}`,
        ]
      : []),
  ];
}

async function show({ loaded }: Session, json: boolean | undefined, save: string | undefined): Promise<void> {
  const lake = lakeOf(loaded);
  let newest: string | undefined;
  for await (const { key } of lake.list('reports/maintenance/')) if (key.endsWith('.json')) newest = key;
  if (newest === undefined)
    throw new DatalabError(
      'REPORT_MISSING',
      'there was no maintenance yet: `datalab maintenance run --wait`',
    );
  const report = JSON.parse(new TextDecoder().decode(await lake.get(newest))) as MaintenanceReport;
  const page = newest.replace(/json$/, 'html');
  const saved = await saveReport(loaded, { html: page, json: newest }, save);
  print(json, report, reportText(report, saved));
}

/** The report for people. */
export function reportText(report: MaintenanceReport, page: string): string {
  const { run, ending, tended, audits, recommendations, usage } = report;
  const tasks = tended.flatMap(({ table: name, tasks: some }) =>
    some.map((one) => [name, one.task, one.outcome, count(one.files), bytes(one.bytes), one.detail]),
  );
  const failed = audits.flatMap(({ table: name, results }) =>
    results
      .filter(({ outcome }) => outcome === 'failed')
      .map((one) => [name, one.name, one.severity, count(one.badRows), one.trend, one.detail]),
  );
  const layers = usage.layers.map((one) => [
    ...[one.layer, count(one.tables), count(one.rows), count(one.files), bytes(one.bytes)],
    one.bytesPerDay === null
      ? ''
      : `${one.bytesPerDay < 0 ? '-' : '+'}${bytes(Math.abs(one.bytesPerDay))}/day`,
  ]);
  return [
    `maintenance of ${run.at}${run.dryRun ? ' (dry run)' : ''}: ${plural(ending.healthy, 'table')} healthy`,
    ...(layers.length > 0 ? [table(['layer', 'tables', 'rows', 'files', 'size', 'growth'], layers)] : []),
    ...(tasks.length > 0 ? [table(['table', 'task', 'outcome', 'files', 'size', ''], tasks)] : []),
    ...(failed.length > 0 ? [table(['table', 'check', 'severity', 'bad', 'trend', ''], failed)] : []),
    ...recommendations.map(
      ({ weight, subject, reason, setting, command }) =>
        `${weight}: ${subject}: ${reason}${setting === undefined ? '' : `\n  ${setting}`}\n  ${command}`,
    ),
    `page: ${page}`,
  ].join('\n\n');
}
