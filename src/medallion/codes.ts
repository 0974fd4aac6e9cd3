/**
 * Texts of few values as enumerations. A sort moves whole rows and compares keys: codes of two bytes, which are in the order
 * of the texts, make both half as dear. Where they are written they are the texts again.
 */
import { identifier } from '../contracts/sql-text.js';
import type { EngineSession } from '../delta/ports.js';
import { count } from './count.js';

/** More values than this are no longer few. */
const CODES_MAX = 10_000;
/** Where there is nothing to code. */
export const ALL_AS_THEY_ARE = '*';

/**
 * Makes an enumeration of each of the columns that is a text and has few values in `relation`. Returns what to SELECT from
 * rows like those of the relation: all columns, with codes in place of such texts.
 */
export async function codeTexts(
  session: EngineSession,
  relation: string,
  columns: Iterable<string>,
): Promise<string> {
  const described = await session.describe(`SELECT * FROM ${relation}`);
  const types = new Map(described.map(({ name, type }) => [name, type]));
  const coded: string[] = [];
  for (const name of new Set(columns)) {
    if (types.get(name) !== 'VARCHAR') continue;
    const column = identifier(name);
    await session.run(
      `CREATE OR REPLACE TABLE code_values AS SELECT DISTINCT ${column} AS value FROM ${relation} ` +
        `WHERE ${column} IS NOT NULL LIMIT ${CODES_MAX + 1}`,
    );
    const distinct = await count(session, 'SELECT count(*) AS n FROM code_values');
    if (distinct === 0 || distinct > CODES_MAX) continue;
    const type = identifier(`${name}_code`);
    await session.run(`CREATE TYPE ${type} AS ENUM (SELECT value FROM code_values ORDER BY value)`);
    coded.push(`${column}::${type} AS ${column}`);
  }
  return coded.length === 0 ? ALL_AS_THEY_ARE : `* REPLACE (${coded.join(', ')})`;
}
