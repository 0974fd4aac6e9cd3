/** `datalab tables …`: looks at the lake's tables. What changes one goes through a workflow (table-tasks.ts). */
import { Option, type Command } from 'commander';
import { diffVersions, type VersionDiff } from '../../lake/diff.js';
import { queryLake } from '../../lake/query.js';
import { profileTable } from '../../lake/profile.js';
import { keepQuery } from '../../lake/query-log.js';
import { describeTable, describeTables, parseTableName, tableHistory } from '../../lake/tables.js';
import { withLake } from '../lake.js';
import { positiveInteger, positiveOrZero } from '../options.js';
import { rowsAsCsv, rowsAsObjects, rowsAsText } from '../rows.js';
import { print } from '../session.js';
import { bytes, count, plural, table } from '../text.js';
import { addTableTasks } from './table-tasks.js';

interface QueryFlags {
  readonly limit: number;
  readonly json?: boolean;
  readonly csv?: boolean;
}

export function addTables(program: Command): void {
  const tables = program.command('tables').description('The Delta tables of the lake');

  tables
    .command('list')
    .description('every table with its version, rows and size')
    .option('--json', 'print JSON')
    .action(({ json }: { json?: boolean }) => list(json));

  tables
    .command('show')
    .argument('<table>', 'as in silver.stocks')
    .description('one table: columns, properties, size')
    .option('--json', 'print JSON')
    .action((name: string, { json }: { json?: boolean }) => show(name, json));

  tables
    .command('history')
    .argument('<table>', 'as in silver.stocks')
    .description('the versions of one table, newest first')
    .option('--limit <n>', 'how many', positiveInteger, 20)
    .option('--json', 'print JSON')
    .action((name: string, options: { limit: number; json?: boolean }) => history(name, options));

  tables
    .command('profile')
    .argument('<table>', 'as in silver.stocks')
    .description('per column: nulls, distinct values, range (of the first 512 MB)')
    .option('--json', 'print JSON, with histograms')
    .action((name: string, { json }: { json?: boolean }) => profile(name, json));

  tables
    .command('query')
    .argument('<sql>', 'as in "SELECT symbol, max(close) FROM silver.stocks GROUP BY 1"')
    .description('one SELECT over tables named layer.table, each at its newest version')
    .option('--limit <n>', 'most rows that are printed', positiveInteger, 100)
    .addOption(new Option('--csv', 'print CSV with a header').conflicts('json'))
    .option('--json', 'print JSON: an array of objects')
    .action((sql: string, flags: QueryFlags) => query(sql, flags));

  tables
    .command('diff')
    .argument('<table>', 'as in silver.stocks')
    .requiredOption('--from <n>', 'the earlier version', positiveOrZero)
    .option('--to <n>', 'the later version; default: the newest', positiveOrZero)
    .option('--limit <n>', 'most rows of each side that are shown', positiveInteger, 20)
    .option('--json', 'print JSON')
    .description('rows that a table lost and gained between two versions')
    .action((name: string, flags: DiffFlags) => diff(name, flags));
  addTableTasks(tables);
}

interface DiffFlags {
  readonly from: number;
  readonly to?: number;
  readonly limit: number;
  readonly json?: boolean;
}

async function diff(name: string, { from, to, limit, json }: DiffFlags): Promise<void> {
  const found = await withLake((lake) => diffVersions(lake, parseTableName(name), { from, to, limit }));
  const side = (title: string, { total, sample }: VersionDiff['gained']): string =>
    sample.rows.length === 0
      ? `${title}: no row`
      : `${title}: ${plural(total, 'row')}${total > sample.rows.length ? `, the first ${sample.rows.length}` : ''}\n${rowsAsText(sample)}`;
  const text = `${found.table}, version ${found.from} to ${found.to}\n\n${side('lost', found.lost)}\n\n${side('gained', found.gained)}`;
  const data = {
    ...found,
    lost: { total: found.lost.total, rows: rowsAsObjects(found.lost.sample) },
    gained: { total: found.gained.total, rows: rowsAsObjects(found.gained.sample) },
  };
  print(json, data, text);
}

async function list(json: boolean | undefined): Promise<void> {
  const found = await withLake(describeTables);
  const text = table(
    ['table', 'version', 'rows', 'files', 'size', 'changed (UTC)'],
    found.map((info) => [
      info.name,
      String(info.version),
      info.rows === null ? '?' : count(info.rows),
      count(info.files),
      bytes(info.bytes),
      info.changedAt,
    ]),
  );
  print(json, found, found.length === 0 ? 'no tables yet; a run makes them' : text);
}

async function show(name: string, json: boolean | undefined): Promise<void> {
  const detail = await withLake((lake) => describeTable(lake, parseTableName(name)));
  const facts = [
    ['place', detail.uri],
    ['version', `${detail.version} of ${detail.changedAt}`],
    ['rows', detail.rows === null ? 'unknown: a file has no statistics' : count(detail.rows)],
    ['files', `${count(detail.files)}, ${bytes(detail.bytes)}`],
    ['partitioned by', detail.partitionColumns.join(', ') || 'nothing'],
    ['protocol', `reader ${detail.protocol.reader}, writer ${detail.protocol.writer}`],
    ...Object.entries(detail.properties).map(([key, value]) => [key, value]),
  ];
  const width = Math.max(...facts.map(([key = '']) => key.length));
  const columns = table(
    ['column', 'type', 'nulls', 'description'],
    detail.columns.map((column) => [
      column.name,
      column.type,
      column.nullable ? 'yes' : 'no',
      column.comment ?? '',
    ]),
  );
  const lines = facts.map(([key = '', value = '']) => `${key.padEnd(width)}  ${value}`);
  print(json, detail, [detail.name, ...lines, '', columns].join('\n'));
}

async function profile(name: string, json: boolean | undefined): Promise<void> {
  const found = await withLake((lake) => profileTable(lake, parseTableName(name), { signal: lake.signal }));
  const columns = table(
    ['column', 'type', 'nulls', 'distinct (about)', 'least', 'greatest'],
    found.columns.map(({ name: column, type, nulls, distinct, min, max }) => [
      ...[column, type, count(nulls), count(distinct), min ?? '', max ?? ''],
    ]),
  );
  const read = `${count(found.rows)} rows${found.complete ? '' : ', the first of them'}`;
  print(json, found, `${found.table}, version ${found.version}, ${read}\n\n${columns}`);
}

async function history(name: string, { limit, json }: { limit: number; json?: boolean }): Promise<void> {
  const versions = await withLake((lake) => tableHistory(lake, parseTableName(name), { limit }));
  const text = table(
    ['version', 'time (UTC)', 'operation', 'run', 'figures'],
    versions.map((each) => [
      String(each.version),
      each.at ?? '',
      each.operation,
      each.runId ?? '',
      Object.entries(each.metrics)
        .map(([key, value]) => `${key} ${value}`)
        .join(', '),
    ]),
  );
  print(json, versions, text);
}

async function query(sql: string, { limit, json, csv }: QueryFlags): Promise<void> {
  const result = await withLake(async (lake) => {
    const startedMs = Date.now();
    const found = await queryLake(lake, sql, { limit, signal: lake.signal });
    await keepQuery(lake, 'cli', { ...found, rows: found.rows.length }, startedMs);
    return found;
  });
  if (csv) process.stdout.write(`${rowsAsCsv(result)}\n`);
  else print(json, rowsAsObjects(result), rowsAsText(result));
  const more = result.truncated ? `the first ${plural(limit, 'row')}; --limit shows more` : '';
  // Beside the data and not in it, so that what a script reads is whole.
  if (more) process.stderr.write(`${more}\n`);
}
