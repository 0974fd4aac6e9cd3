/** Outlier flags from closed calendar months before a row: the same for a row however its history arrived. */
import type { OutlierDefinition } from '../contracts/dataset.js';
import { identifier, identifiers } from '../contracts/sql-text.js';

/** Scales the median absolute deviation to the standard deviation of a normal distribution. */
const MAD_SCALE = 1.4826;

/** Parts of a SELECT over a relation that flag its outliers. */
export interface OutlierSql {
  /** Common table expressions, parted by commas. */
  readonly ctes: string;
  readonly columns: string;
  readonly join: string;
}

/**
 * SQL that adds `is_outlier` (FALSE where a row cannot be judged) and `outlier_score` (robust z of the log return, NULL
 * where it cannot be judged) to `relation`, which has one row per `key` and stands as `alias` in the final SELECT.
 */
export function outlierSql(
  definition: OutlierDefinition,
  key: readonly string[],
  relation: string,
  alias: string,
): OutlierSql {
  const group = identifiers(definition.group);
  const order = identifier(definition.order);
  const value = identifier(definition.value);
  const kept = identifiers([...new Set([...definition.group, definition.order, definition.value, ...key])]);
  return {
    // A return belongs to the reference of each of the next months: `month` there is the month that is judged by it.
    ctes: `returns AS (
  SELECT *, CASE WHEN ${value} > 0 AND previous > 0 AND ${value} < 1e300 AND previous < 1e300
    THEN ln(${value} / previous) END AS log_return
  FROM (
    SELECT ${kept}, date_trunc('month', ${order})::DATE AS month,
      lag(${value}) OVER (PARTITION BY ${group} ORDER BY ${order}, ${identifiers(key)}) AS previous
    FROM ${relation}
  )
), reference AS (
  SELECT ${group}, (month + to_months(later))::DATE AS month, median(log_return) AS center,
    mad(log_return) AS spread, count(*) AS size
  FROM returns, (SELECT unnest(range(1, ${definition.months + 1}))::INTEGER AS later)
  WHERE log_return IS NOT NULL
  GROUP BY ALL
  HAVING count(*) >= ${definition.minimum}
), scored AS (
  SELECT ${key.map((name) => `r.${identifier(name)}`).join(', ')},
    (r.log_return - b.center) / nullif(${MAD_SCALE} * b.spread, 0) AS score
  FROM returns r JOIN reference b ON ${same(definition.group, 'r', 'b')} AND r.month = b.month
)`,
    columns: `coalesce(abs(s.score) >= ${definition.threshold}, false) AS is_outlier, s.score AS outlier_score`,
    join: `LEFT JOIN scored s ON ${same(key, alias, 's')}`,
  };
}

/**
 * Statements that judge again what an increment may have changed, in a session with `published` (Silver, with the column
 * `_published_file`), `old` and `winners` (see upsert.ts). They leave `flagged` (key, `_published_file` and flags of every judged
 * row) and `reflagged` (those that are published with other flags and did not change otherwise); a winner that only moved
 * but has other flags now becomes `reflagged` too.
 *
 * A changed row changes the return of the row after it and the reference of the next months, and nothing before its own
 * month. So a group is judged from its first changed month on; the months before are read as reference, and of what lies
 * further back the last rows only, for the first return.
 */
export function changedFlags(definition: OutlierDefinition, key: readonly string[]): string {
  const names = [...new Set([...definition.group, definition.order, definition.value, ...key])];
  const columns = identifiers(names);
  const keys = identifiers(key);
  const group = identifiers(definition.group);
  const order = identifier(definition.order);
  const month = `date_trunc('month', ${order})::DATE`;
  const flags = outlierSql(definition, key, 'context', 'k');
  const mine = same(definition.group, 'a', 't');
  return [
    `CREATE TABLE touched AS SELECT ${group}, min(month) AS since, (min(month) - to_months(${definition.months}))::DATE AS reach
FROM (
  SELECT ${group}, ${month} AS month FROM winners WHERE kind <> 'moved'
  UNION ALL SELECT ${group}, ${month} AS month FROM old SEMI JOIN (SELECT ${keys} FROM winners WHERE kind = 'updated') USING (${keys})
) GROUP BY ALL`,
    `CREATE VIEW after AS SELECT ${columns}, _published_file, is_outlier AS was, outlier_score AS was_score
FROM published ANTI JOIN winners USING (${keys})
UNION ALL SELECT ${names.map((name) => `w.${identifier(name)}`).join(', ')}, w._published_file, o.is_outlier AS was, o.outlier_score AS was_score
FROM winners w LEFT JOIN old o USING (${keys})`,
    `CREATE TABLE last_before AS SELECT ${names
      .filter((name) => definition.group.includes(name))
      .map((name) => `a.${identifier(name)}`)
      .join(', ')}, max(a.${order}) AS last
FROM after a JOIN touched t ON ${mine} AND a.${order} < t.reach GROUP BY ALL`,
    `CREATE TABLE context AS SELECT a.*, a.${order} >= t.since AS judged
FROM after a JOIN touched t ON ${mine} AND a.${order} >= t.reach
UNION ALL SELECT a.*, false AS judged FROM after a JOIN last_before t ON ${mine} AND a.${order} = t.last`,
    `CREATE TABLE flagged AS WITH ${flags.ctes} SELECT ${key.map((name) => `k.${identifier(name)}`).join(', ')}, k._published_file, k.was, k.was_score, ${flags.columns}
FROM context k ${flags.join} WHERE k.judged`,
    `CREATE TABLE differs AS SELECT * FROM flagged WHERE is_outlier IS DISTINCT FROM was OR outlier_score IS DISTINCT FROM was_score`,
    `UPDATE winners SET kind = 'reflagged' FROM differs d WHERE kind = 'moved' AND ${same(key, 'winners', 'd')}`,
    `CREATE TABLE reflagged AS SELECT * FROM differs ANTI JOIN winners USING (${keys})`,
  ].join('; ');
}

function same(names: readonly string[], a: string, b: string): string {
  return names
    .map((name) => `${a}.${identifier(name)} IS NOT DISTINCT FROM ${b}.${identifier(name)}`)
    .join(' AND ');
}
