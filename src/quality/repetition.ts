/** How often combinations of values come again in a relation. */
import type { DuplicatesCheck, UniqueCheck } from '../contracts/quality.js';
import { identifier, identifiers } from '../contracts/sql-text.js';
import { scopeOf } from './predicate.js';

/** The one thing that counting needs of an engine session. */
export interface RowQueries {
  rows<Row extends object>(sql: string): Promise<Row[]>;
}

export interface Repeated {
  /** Rows beyond the first of each combination. */
  readonly surplus: number;
  /** Rows of combinations that are there more than once. */
  readonly members: number;
}

/** Memory for one bit per combination that could be. More, and counting them by hashes is cheaper. */
const BITMAP_BYTES = 64_000_000;
/** What an estimate of distinct values may be off by, with much to spare. */
const ESTIMATE_FACTOR = 2;

/** Types whose values are whole numbers, and SQL of the number; NULL where a value has none. */
const NUMBERED = new Map<string, (column: string) => string>([
  ['DATE', (column) => `CASE WHEN isfinite(${column}) THEN ${column} - DATE '1970-01-01' END`],
  ...['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT'].map((type): [string, (column: string) => string] => [
    type,
    (column) => column,
  ]),
]);

/** Rows that `check` judges, as a WHERE clause, or nothing. */
export function judgedOnly(check: DuplicatesCheck | UniqueCheck): string {
  const scope = scopeOf(check);
  const conditions = [
    ...(check.kind === 'unique' ? [keysPresent(check)] : []),
    ...(scope === undefined ? [] : [scope]),
  ];
  return conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
}

/** SQL that every column of the check has a value. */
export function keysPresent({ columns }: UniqueCheck): string {
  return columns.map((column) => `${identifier(column)} IS NOT NULL`).join(' AND ');
}

/**
 * Counts repetitions; NULL counts like any value. Most often there are none, and that is proved with a bit for each
 * number of each group, which is several times cheaper than a hash of every row.
 */
export async function repetitions(
  queries: RowQueries,
  check: DuplicatesCheck | UniqueCheck,
  relation: string,
): Promise<Repeated> {
  const judged = `${relation}${judgedOnly(check)}`;
  if (await isDistinct(queries, check.columns, judged)) return { surplus: 0, members: 0 };
  const [row] = await queries.rows<{ surplus: bigint; members: bigint }>(
    `SELECT coalesce(sum(n - 1), 0)::BIGINT AS surplus, coalesce(sum(n) FILTER (WHERE n > 1), 0)::BIGINT AS members ` +
      `FROM (SELECT count(*) AS n FROM ${judged} GROUP BY ${identifiers(check.columns)})`,
  );
  return { surplus: Number(row?.surplus), members: Number(row?.members) };
}

/** True where it is sure that no combination comes twice; false also where it was not worth finding out. */
async function isDistinct(queries: RowQueries, columns: readonly string[], judged: string): Promise<boolean> {
  const numbered = await numberedColumn(queries, columns, judged);
  if (numbered === undefined) return false;
  const { name, number } = numbered;
  const group = columns.filter((column) => column !== name).map(identifier);
  const groups = group.length === 0 ? '1' : `approx_count_distinct((${group.join(', ')}))`;
  const [range] = await queries.rows<{ low: bigint | null; high: bigint | null; groups: bigint }>(
    `SELECT min(${number})::BIGINT AS low, max(${number})::BIGINT AS high, ${groups}::BIGINT AS groups FROM ${judged}`,
  );
  if (!range || range.low === null || range.high === null) return false;
  const bits = (Number(range.high) - Number(range.low) + 1) * Number(range.groups) * ESTIMATE_FACTOR;
  if (bits / 8 > BITMAP_BYTES) return false;
  const seen = `bit_count(bitstring_agg((${number})::BIGINT, ${range.low}::BIGINT, ${range.high}::BIGINT))`;
  const [same] = await queries.rows<{ distinct: boolean | null }>(
    `SELECT sum(n) = sum(seen) AS "distinct" FROM (SELECT count(*) AS n, coalesce(${seen}, 0) AS seen ` +
      `FROM ${judged}${group.length === 0 ? '' : ` GROUP BY ${group.join(', ')}`})`,
  );
  return same?.distinct === true;
}

/** The column that is best told by a number: the first date, or else the first whole number. */
async function numberedColumn(
  queries: RowQueries,
  columns: readonly string[],
  judged: string,
): Promise<{ name: string; number: string } | undefined> {
  const types = columns.map((column, index) => `typeof(${identifier(column)}) AS t${index}`).join(', ');
  const [row] = await queries.rows<Record<string, string>>(`SELECT ${types} FROM ${judged} LIMIT 1`);
  if (!row) return undefined;
  const typed = columns.map((name, index) => ({ name, type: row[`t${index}`] ?? '' }));
  const best = typed.find(({ type }) => type === 'DATE') ?? typed.find(({ type }) => NUMBERED.has(type));
  const number = best && NUMBERED.get(best.type);
  return best && number && { name: best.name, number: number(identifier(best.name)) };
}
