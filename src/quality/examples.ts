/** Which rows were bad: the first few of each check, by where they are in their sources. */
import type { BadRow, CheckDefinition, DuplicatesCheck, UniqueCheck } from '../contracts/quality.js';
import { identifier, identifiers } from '../contracts/sql-text.js';
import type { Measurement, Queries } from './measure.js';
import { judgedOnly } from './repetition.js';
import { badRow, isRowCheck, scopeOf } from './predicate.js';

/** Bad rows that a result names. */
export const EXAMPLES_MAX = 5;
const PATH_MAX = 300;

interface Found {
  readonly file: string | null;
  readonly line: bigint | number | null;
}

/**
 * Up to {@link EXAMPLES_MAX} bad rows of every check that found some, in the order of `checks`. One more scan for all row
 * checks together, and only where there is a bad row at all. `relation` has `_source_file` and `_source_line`.
 */
export async function badRowExamples(
  queries: Queries,
  checks: readonly CheckDefinition[],
  measurements: readonly Measurement[],
  relation: string,
): Promise<BadRow[][]> {
  const isBad = (index: number): boolean => (measurements[index]?.badRows ?? 0) > 0;
  const lists = checks.flatMap((check, index) => {
    if (!isRowCheck(check) || !isBad(index)) return [];
    const scope = scopeOf(check);
    const bad = scope === undefined ? badRow(check) : `${badRow(check)} AND ${scope}`;
    const place = `{file: _source_file, line: _source_line}`;
    return [`min(${place}, ${EXAMPLES_MAX}) FILTER (WHERE ${bad}) AS bad_${index}`];
  });
  const [row = {}] =
    lists.length === 0
      ? []
      : await queries.rows<Record<string, Found[]>>(`SELECT ${lists.join(', ')} FROM ${relation}`);
  const examples: BadRow[][] = [];
  for (const [index, check] of checks.entries()) {
    const found = !isBad(index)
      ? []
      : check.kind === 'sql'
        ? await fromSql(queries, check.sql)
        : check.kind === 'duplicates' || check.kind === 'unique'
          ? await queries.rows<Found>(repeatedRows(check, relation))
          : (row[`bad_${index}`] ?? []);
    examples.push(found.flatMap(toBadRow));
  }
  return examples;
}

/** A SQL check names its rows where its SELECT keeps the columns that say where a row came from. */
async function fromSql(queries: Queries, sql: string): Promise<Found[]> {
  const columns = (await queries.describe(sql)) as ReadonlyArray<{ name: string }>;
  const has = (name: string): boolean => columns.some((column) => column.name === name);
  if (!has('_source_file') || !has('_source_line')) return [];
  return queries.rows<Found>(
    `SELECT _source_file AS file, _source_line AS line FROM (\n${sql}\n) ORDER BY ALL LIMIT ${EXAMPLES_MAX}`,
  );
}

/** The rows of the first few combinations that come again. */
function repeatedRows(check: DuplicatesCheck | UniqueCheck, relation: string): string {
  const columns = identifiers(check.columns);
  const same = check.columns
    .map((column) => `r.${identifier(column)} IS NOT DISTINCT FROM d.${identifier(column)}`)
    .join(' AND ');
  return (
    `SELECT r._source_file AS file, r._source_line AS line FROM ${relation} r SEMI JOIN ` +
    `(SELECT ${columns} FROM ${relation}${judgedOnly(check)} GROUP BY ${columns} HAVING count(*) > 1 ` +
    `ORDER BY ALL LIMIT ${EXAMPLES_MAX}) d ON ${same} ORDER BY ALL LIMIT ${EXAMPLES_MAX}`
  );
}

function toBadRow({ file, line }: Found): BadRow[] {
  if (file === null || line === null) return [];
  const shown = file.length > PATH_MAX ? `…${file.slice(-PATH_MAX)}` : file;
  return [{ file: shown, line: Number(line) }];
}
