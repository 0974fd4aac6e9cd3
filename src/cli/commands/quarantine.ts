/** `datalab quarantine …`: the rows that were refused, with the reason of each, and the run that tries them again. */
import type { Command } from 'commander';
import { literal } from '../../contracts/sql-text.js';
import { queryLake, type QueryResult } from '../../lake/query.js';
import { listTables, nameOf, parseTableName } from '../../lake/tables.js';
import { withLake } from '../lake.js';
import { positiveInteger } from '../options.js';
import { rowsAsCsv, rowsAsObjects, rowsAsText } from '../rows.js';
import { report } from '../finish.js';
import { lakeUriOf } from '../run-files.js';
import { print, withSession } from '../session.js';

interface ShowFlags {
  readonly rule?: string;
  readonly layer?: string;
  readonly source?: string;
  readonly run?: string;
  readonly limit: number;
  readonly json?: boolean;
  readonly csv?: boolean;
}

const GROUPS_MAX = 10_000;

export function addQuarantine(program: Command): void {
  const quarantine = program.command('quarantine').description('Rows that were refused, and why');

  quarantine
    .command('list')
    .argument('[dataset]', 'only this one')
    .description('how many rows each rule has refused, by dataset and layer')
    .option('--json', 'print JSON')
    .action((dataset: string | undefined, { json }: { json?: boolean }) => list(dataset, json));

  quarantine
    .command('show')
    .argument('<dataset>', 'as in `datalab datasets list`')
    .description('the refused rows of one dataset: rule, reason, source, line and the row as it came')
    .option('--rule <code>', 'only rows that this rule refused')
    .option('--layer <layer>', 'only rows refused by this layer: bronze or silver')
    .option('--source <text>', 'only sources whose path contains this')
    .option('--run <id>', 'only rows that this run refused')
    .option('--limit <n>', 'most rows that are printed', positiveInteger, 100)
    .option('--csv', 'print CSV with a header')
    .option('--json', 'print JSON: an array of objects')
    .action((dataset: string, flags: ShowFlags) => show(dataset, flags));

  quarantine
    .command('replay')
    .argument('<dataset>', 'as in `datalab datasets list`')
    .description(
      'try the rows that Bronze refused again, after the dataset was mended; takes what passes through to Gold',
    )
    .option('--rule <code>', 'only rows that this rule refused')
    .option('--source <text>', 'only sources whose path contains this')
    .option('--wait', 'follow the run to its end; exit code 1 when it fails')
    .option('--json', 'print JSON')
    .action((dataset: string, { rule, source, ...options }: ReplayFlags) =>
      withSession(async ({ datalab, loaded }) => {
        const run = await datalab.startReplay({
          dataset,
          ...(rule !== undefined && { rule }),
          ...(source !== undefined && { source }),
        });
        await report(run, { ...options, lakeUri: lakeUriOf(loaded) });
      }),
    );
}

interface ReplayFlags {
  readonly rule?: string;
  readonly source?: string;
  readonly wait?: boolean;
  readonly json?: boolean;
}

async function list(dataset: string | undefined, json: boolean | undefined): Promise<void> {
  const result = await withLake(async (lake) => {
    const tables = (await listTables(lake)).filter(
      ({ layer, table }) => layer === 'quarantine' && (dataset === undefined || table === dataset),
    );
    const selects = tables.map(
      (name) =>
        `SELECT ${literal(name.table)} AS dataset, layer, rule, count(*) AS "rows", ` +
        `count(DISTINCT _source_file) AS sources, max(_ingested_at) AS newest, min(reason) AS reason ` +
        `FROM ${nameOf(name)} GROUP BY ALL`,
    );
    if (selects.length === 0) return undefined;
    const sql = `SELECT * FROM (${selects.join(' UNION ALL ')}) ORDER BY dataset, "rows" DESC, layer, rule`;
    return queryLake(lake, sql, { limit: GROUPS_MAX, signal: lake.signal });
  });
  const empty = result === undefined || result.rows.length === 0;
  const nothing = dataset === undefined ? 'no row is in quarantine' : `no row of ${dataset} is in quarantine`;
  print(json, empty ? [] : rowsAsObjects(result), empty ? nothing : rowsAsText(result));
}

async function show(dataset: string, flags: ShowFlags): Promise<void> {
  const name = parseTableName(`quarantine.${dataset}`);
  const result = await withLake(async (lake): Promise<QueryResult | undefined> => {
    const there = await listTables(lake);
    if (!there.some((each) => nameOf(each) === nameOf(name))) return undefined;
    return queryLake(lake, selectRows(nameOf(name), flags), { limit: flags.limit, signal: lake.signal });
  });
  if (result === undefined || result.rows.length === 0)
    return flags.csv ? undefined : print(flags.json, [], `no such row of ${dataset} is in quarantine`);
  if (flags.csv) process.stdout.write(`${rowsAsCsv(result)}\n`);
  else print(flags.json, rowsAsObjects(result), rowsAsText(result));
  if (result.truncated) process.stderr.write(`the first ${flags.limit} rows; --limit shows more\n`);
}

function selectRows(table: string, { rule, layer, source, run }: ShowFlags): string {
  const conditions = [
    rule === undefined ? [] : `rule = ${literal(rule)}`,
    layer === undefined ? [] : `layer = ${literal(layer)}`,
    source === undefined ? [] : `contains(_source_file, ${literal(source)})`,
    run === undefined ? [] : `_run_id = ${literal(run)}`,
  ].flat();
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  return (
    `SELECT layer, rule, reason, _source_file AS source, _source_line AS line, raw, _ingested_at AS refused_at, ` +
    `_run_id AS run FROM ${table}${where} ORDER BY _ingested_at DESC, _source_file, _source_line, rule`
  );
}
