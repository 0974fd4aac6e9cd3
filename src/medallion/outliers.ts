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
  const same = (names: readonly string[], a: string, b: string): string =>
    names
      .map((name) => `${a}.${identifier(name)} IS NOT DISTINCT FROM ${b}.${identifier(name)}`)
      .join(' AND ');
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
