/** Parts of many rows, by the value of one expression: so that no step has to hold, or sort, all of them at once. */
import { literal } from '../contracts/sql-text.js';
import type { EngineSession } from '../delta/ports.js';

/** Rows that tell where the parts meet: more would not make them more equal. */
const SAMPLE_ROWS = 50_000;

/** Types whose values print as text that reads back as the same value. */
const PARTED =
  /^(VARCHAR|DATE|TIMESTAMP|TIMESTAMP WITH TIME ZONE|BOOLEAN|TINYINT|SMALLINT|INTEGER|BIGINT|DECIMAL\(.*\))$/;

/**
 * Conditions on a row of `relation` that part its rows into about `parts` of about equal size, in the order of
 * `expression`; every row meets exactly one of them, one without a value the first. One that is always true where there
 * is nothing to part by. Rows with the same value are never parted.
 */
export async function partsBy(
  session: EngineSession,
  relation: string,
  expression: string,
  parts: number,
): Promise<string[]> {
  const values = `SELECT (${expression}\n) AS value FROM ${relation}`;
  const [{ type } = { type: '' }] = parts < 2 ? [] : await session.describe(values);
  if (!PARTED.test(type)) return ['true'];
  const shares = Array.from({ length: parts - 1 }, (_, index) => (index + 1) / parts).join(', ');
  const found = await session.rows<{ bound: string }>(
    `SELECT unnest(list_sort(list_distinct(quantile_disc(value, [${shares}]))))::VARCHAR AS bound ` +
      `FROM (${values} USING SAMPLE reservoir(${SAMPLE_ROWS} ROWS) REPEATABLE (1))`,
  );
  const bounds = found.map(({ bound }) => `${literal(bound)}::${type}`);
  const value = `(${expression}\n)`;
  return Array.from({ length: bounds.length + 1 }, (_, index) => {
    const [from, to] = [bounds[index - 1], bounds[index]];
    if (from === undefined) return to === undefined ? 'true' : `(${value} < ${to} OR ${value} IS NULL)`;
    return to === undefined ? `${value} >= ${from}` : `(${value} >= ${from} AND ${value} < ${to})`;
  });
}
