/** `datalab tables optimize | vacuum | clean-log | checkpoint | fsck | restore`: maintenance, always through a workflow. */
import { Option, type Command } from 'commander';
import type { TableTask } from '../../contracts/table-maintenance.js';
import { EXIT } from '../exit.js';
import { positiveOrZero } from '../options.js';
import { print, withSession } from '../session.js';

interface Flags {
  readonly json?: boolean;
  readonly dryRun?: boolean;
  readonly retentionHours?: number;
  readonly repair?: boolean;
  readonly statistics?: boolean;
  readonly version?: number;
  readonly time?: string;
}

export function addTableTasks(tables: Command): void {
  task(tables, 'optimize', 'pack small files into larger ones; no row changes', () => ({
    operation: 'optimize',
  }));
  task(
    tables,
    'vacuum',
    'delete files that no version within the retention needs',
    ({ dryRun, retentionHours }) => ({
      operation: 'vacuum',
      ...(retentionHours !== undefined && { retentionHours }),
      ...(dryRun && { dryRun }),
    }),
  )
    .option(
      '--retention-hours <n>',
      "how long files stay; not below the table's own retention",
      positiveOrZero,
    )
    .option('--dry-run', 'delete nothing, tell what would go');
  task(tables, 'clean-log', 'delete old commits that a checkpoint stands in for', ({ dryRun }) => ({
    operation: 'clean-log',
    ...(dryRun && { dryRun }),
  })).option('--dry-run', 'delete nothing, tell what would go');
  task(tables, 'checkpoint', 'write a checkpoint of the newest version', () => ({ operation: 'checkpoint' }));
  task(tables, 'fsck', 'compare the log with what is there', ({ repair, statistics }) => ({
    operation: 'fsck',
    ...(repair && { repair }),
    ...(statistics && { statistics }),
  }))
    .option('--statistics', 'read every file and compare its statistics too')
    .option('--repair', 'take missing files out of the table and correct statistics');
  task(tables, 'restore', 'take a table back to an earlier version or time', ({ version, time }) => ({
    operation: 'restore',
    ...(version !== undefined && { version }),
    ...(time !== undefined && { time }),
  }))
    .addOption(new Option('--version <n>', 'the version').argParser(positiveOrZero).conflicts('time'))
    .option('--time <iso>', 'the newest version of that time, as in 2026-11-24T06:00:00Z');
}

function task(
  tables: Command,
  name: string,
  description: string,
  taskOf: (flags: Flags) => TableTask,
): Command {
  return tables
    .command(name)
    .argument('<table>', 'as in silver.stocks')
    .description(description)
    .option('--json', 'print JSON')
    .action((table: string, flags: Flags) => run(table, taskOf(flags), flags.json));
}

async function run(table: string, task: TableTask, json: boolean | undefined): Promise<void> {
  const ending = await withSession(({ datalab }) => datalab.maintainTable({ table, task }));
  if (ending.status !== 'completed') {
    const said = ending.status === 'failed' ? `${ending.code}: ${ending.message}` : 'cancelled';
    print(json, ending, `${task.operation} ${table} did not succeed: ${said}`);
    process.exitCode = EXIT.failed;
    return;
  }
  const { result } = ending;
  const facts = Object.entries(result.figures).map(([key, value]) => [key, textOf(value)] as const);
  const width = Math.max(...facts.map(([key]) => key.length), 'version'.length);
  const version =
    result.versionAfter === result.versionBefore
      ? `${result.versionAfter}, unchanged`
      : `${result.versionBefore} → ${result.versionAfter}`;
  const lines = [['version', version] as const, ...facts.filter(([key]) => key !== 'version')];
  print(
    json,
    result,
    [`${task.operation} ${table}`, ...lines.map(([k, v]) => `  ${k.padEnd(width)}  ${v}`)].join('\n'),
  );
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(textOf).join('\n    ');
  if (typeof value === 'object' && value !== null) return Object.values(value).map(String).join(': ');
  return typeof value === 'number' ? value.toLocaleString('en') : String(value);
}
