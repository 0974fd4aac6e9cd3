/**
 * Silver → one Gold table by slices: only those that changed Silver rows belong to are computed, from their Silver rows
 * alone, and put in the place of the published ones. What comes out is what computing the table whole would give, as far
 * as the dataset declares its slices truly.
 */
import type { GoldDefinition, SliceDefinition } from '../contracts/dataset.js';
import { DatalabError } from '../contracts/errors.js';
import { identifier, identifiers, literalList } from '../contracts/sql-text.js';
import type { EngineSession, ScanPlan, WrittenFile } from '../delta/ports.js';
import type { StructType } from '../delta/schema.js';
import type { AggregateInput } from './aggregate.js';
import { count } from './count.js';
import { schemaOf } from './schema.js';
import { publishedRows, PUBLISHED_FILE } from './silver-sql.js';

export interface SlicesInput extends AggregateInput {
  /** The table as it is published. */
  readonly published: ScanPlan;
  /** Local Parquet files with the Silver rows that changed since, as `Upserted.changes` has them. */
  readonly changes: readonly string[];
}

export interface Sliced {
  /** Local paths, from the plan, of the published files whose rows are all in the new files. */
  readonly replaced: readonly string[];
  readonly gold: readonly WrittenFile[];
  /** Rows of the slices that were computed. */
  readonly rows: number;
  /** By how many rows the table grows: those rows, less the published ones in whose place they come. */
  readonly grown: number;
  readonly schema: StructType;
}

/** Computes the slices that changed. Throws DATASET_INVALID where a slice column is not in the table, and the engine's errors. */
export async function computeSlices(
  input: SlicesInput & { gold: { slices: SliceDefinition } },
): Promise<Sliced> {
  const { engine, silver, published, changes, outputDirectory } = input;
  const session = await engine.open({
    inputs: [...[...silver.files, ...published.files].map((file) => file.localPath), ...changes],
    outputDirectory,
    ...(input.signal ? { signal: input.signal } : {}),
  });
  try {
    return await computeIn(session, input);
  } finally {
    await session.close();
  }
}

async function computeIn(
  session: EngineSession,
  input: SlicesInput & { gold: { slices: SliceDefinition } },
): Promise<Sliced> {
  const { engine, dataset, gold, silver, published, changes } = input;
  const { slices } = gold;
  const moved = readsLineage(gold.sql) ? '' : 'WHERE NOT _moved';
  await session.run(
    `CREATE SCHEMA silver; CREATE VIEW all_silver AS SELECT *, ${sliceColumns(slices)} FROM ${engine.relation(silver)}; ` +
      `CREATE VIEW changed AS SELECT *, ${sliceColumns(slices)} FROM ` +
      `(SELECT * FROM read_parquet(${literalList(changes)}, union_by_name = true, hive_partitioning = false) ${moved}); ` +
      `CREATE VIEW published AS ${publishedRows(engine, published)}`,
  );
  await session.run(
    slices.window ? await windowedSlices(session, slices, slices.window) : wholeSlices(slices),
  );
  const nulls = await count(session, `SELECT count(*) AS n FROM affected WHERE ${anyNull(slices)}`);
  const names = Object.keys(slices.by);
  const matches = (rows: string, columns: readonly string[]): string =>
    columns
      .map(
        (name, index) =>
          `${rows}.${identifier(name)} ${nulls > 0 ? 'IS NOT DISTINCT FROM' : '='} a._slice_${index}`,
      )
      .join(' AND ');
  const columnsOfSlices = sliceNames(slices);
  // The bound of all slices is a constant, by which the engine leaves out what lies before: row groups, or files.
  const since = slices.window
    ? ` AND s.${identifier(slices.window.order)} >= a._reach WHERE s.${identifier(slices.window.order)} >= getvariable('reach')`
    : nulls > 0
      ? ''
      : await fromEarliest(session, slices);
  await session.run(
    `CREATE VIEW silver.${identifier(dataset.name)} AS SELECT * EXCLUDE (${identifiers(columnsOfSlices)}) ` +
      `FROM all_silver s SEMI JOIN affected a ON ${matches('s', columnsOfSlices)}${since}`,
  );
  const columns = await session.describe(gold.sql);
  requireSlices(
    input,
    columns.map(({ name }) => name),
  );
  const from = slices.window ? ` AND g.${identifier(slices.window.order)} >= a._since` : '';
  const affected = `affected a ON ${matches('g', names)}${from}`;
  await session.run(`CREATE TABLE computed AS SELECT g.* FROM (\n${gold.sql}\n) g SEMI JOIN ${affected}`);
  const touched = await session.rows<{ file: string; n: bigint }>(
    `SELECT g.${PUBLISHED_FILE} AS file, count(*) AS n FROM published g SEMI JOIN ${affected} GROUP BY ALL ORDER BY file`,
  );
  const replaced = touched.map(({ file }) => file);
  const files = published.files.filter(({ localPath }) => replaced.includes(localPath));
  const staying = `SELECT g.* FROM ${engine.relation({ ...published, files })} g ANTI JOIN ${affected}`;
  const order = identifiers([...(slices.window ? [slices.window.order] : []), ...names]);
  const written = await session.writeParquetFiles(
    `SELECT * FROM (${staying} UNION ALL BY NAME SELECT * FROM computed) ORDER BY ${order}`,
    `gold-${gold.table}`,
  );
  const rows = await count(session, 'SELECT count(*) AS n FROM computed');
  const grown = rows - touched.reduce((sum, { n }) => sum + Number(n), 0);
  return { replaced, gold: written, rows, grown, schema: schemaOf(columns) };
}

/** A slice by the day, month or the like that a time falls into: it begins no later than any of its rows. */
const PERIOD = /^\s*date_trunc\(\s*'\w+'\s*,\s*"?(\w+)"?\s*\)(\s*::\s*\w+)?\s*$/i;

/** A condition on the Silver rows `s` that every row of the affected slices meets; the engine leaves out files by it. */
async function fromEarliest(session: EngineSession, { by }: SliceDefinition): Promise<string> {
  const conditions: string[] = [];
  for (const [index, expression] of Object.values(by).entries()) {
    const column = PERIOD.exec(expression)?.[1];
    if (column === undefined) continue;
    const [{ type } = { type: '' }] = await session.describe(`SELECT ${identifier(column)} FROM changed`);
    if (!/^(DATE|TIMESTAMP.*)$/.test(type)) continue;
    await session.run(
      `SET VARIABLE earliest_${index} = (SELECT min(_slice_${index}) FROM affected)::${type}`,
    );
    conditions.push(`s.${identifier(column)} >= getvariable('earliest_${index}')`);
  }
  return conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
}

function sliceColumns({ by }: SliceDefinition): string {
  return Object.values(by)
    .map((expression, index) => `(${expression}\n) AS _slice_${index}`)
    .join(', ');
}

function anyNull({ by }: SliceDefinition): string {
  return Object.keys(by)
    .map((_, index) => `_slice_${index} IS NULL`)
    .join(' OR ');
}

function sliceNames({ by }: SliceDefinition): string[] {
  return Object.keys(by).map((_, index) => `_slice_${index}`);
}

/** Makes the table `affected`: the slices that changed. */
function wholeSlices(slices: SliceDefinition): string {
  return `CREATE TABLE affected AS SELECT DISTINCT ${identifiers(sliceNames(slices))} FROM changed`;
}

/** Days that are looked at for each row that a window reaches back: more than a week of five days takes. */
const DAYS_PER_ROW = 2;

/**
 * Makes the table `affected` of a table with windows: the slices that changed, from which row on (`_since`), and how far
 * back the rows before it reach (`_reach`): more rows than the windows look at would do no harm, fewer would. The variable
 * `reach` has the least of them. Where the order is by time, a slice's rows are first looked for a while back, and
 * through all of its past only where that does not fill its windows.
 */
async function windowedSlices(
  session: EngineSession,
  slices: SliceDefinition,
  { order: name, lookback }: NonNullable<SliceDefinition['window']>,
): Promise<string> {
  const names = sliceNames(slices);
  const order = identifier(name);
  const [{ type } = { type: '' }] = await session.describe(`SELECT ${order} FROM changed`);
  const same = (left: string, right: string): string =>
    names.map((slice) => `${left}.${slice} IS NOT DISTINCT FROM ${right}.${slice}`).join(' AND ');
  const columns = names.map((slice) => `c.${slice}`).join(', ');
  const reached = (changes: string, from = 'true'): string =>
    `SELECT ${columns}, list_min(max(s.${order}, ${lookback})) AS _reach, count(*) AS _rows ` +
    `FROM all_silver s JOIN ${changes} c ON ${same('s', 'c')} AND s.${order} < c._since WHERE ${from} GROUP BY ALL`;
  const first = `CREATE TABLE first_changes AS SELECT ${names.join(', ')}, min(${order}) AS _since FROM changed GROUP BY ALL`;
  const affected = [
    `CREATE TABLE affected AS SELECT c.*, coalesce(r._reach, c._since) AS _reach FROM first_changes c LEFT JOIN reached r ON ${same('r', 'c')}`,
    `SET VARIABLE reach = (SELECT min(_reach) FROM affected)`,
  ];
  if (lookback === 0) {
    const nothing = `CREATE TABLE reached AS SELECT ${names.join(', ')}, _since AS _reach FROM first_changes WHERE false`;
    return [first, nothing, ...affected].join('; ');
  }
  if (!/^(DATE|TIMESTAMP.*)$/.test(type)) {
    return [first, `CREATE TABLE reached AS ${reached('first_changes')}`, ...affected].join('; ');
  }
  return [
    first,
    `SET VARIABLE near = (SELECT min(_since) - to_days(${DAYS_PER_ROW * lookback}) FROM first_changes)::${type}`,
    `CREATE TABLE reached AS ${reached('first_changes', `s.${order} >= getvariable('near')`)}`,
    `DELETE FROM reached WHERE _rows < ${lookback}`,
    `INSERT INTO reached ${reached(`(SELECT * FROM first_changes c ANTI JOIN reached r ON ${same('c', 'r')})`)}`,
    ...affected,
  ].join('; ');
}

/** Whether the SQL may depend on where a row came from, and not on its values alone. */
function readsLineage(sql: string): boolean {
  const text = sql.replace(/count\s*\(\s*\*\s*\)/gi, '');
  return /\b_(source_\w+|ingested_at|run_id)\b|\bcolumns\s*\(|(\bselect|,|\.)\s*\*/i.test(text);
}

function requireSlices(
  { dataset, gold }: { dataset: { name: string }; gold: GoldDefinition },
  columns: readonly string[],
): void {
  const window = gold.slices?.window ? [gold.slices.window.order] : [];
  const missing = [...Object.keys(gold.slices?.by ?? {}), ...window].filter(
    (name) => !columns.includes(name),
  );
  if (missing.length === 0) return;
  throw new DatalabError(
    'DATASET_INVALID',
    `gold.${gold.table} of '${dataset.name}' declares the slice column(s) ${missing.join(', ')}, which its SQL does not select`,
  );
}
