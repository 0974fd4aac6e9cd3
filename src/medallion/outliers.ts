/** Outlier flags from closed calendar months before a row: the same for a row however its history arrived. */
import type { OutlierDefinition } from '../contracts/dataset.js';
import { identifier, identifiers } from '../contracts/sql-text.js';

/** Scales the median absolute deviation to the standard deviation of a normal distribution. */
const MAD_SCALE = 1.4826;

/**
 * SQL for the log return since `previous`, or NULL where one of the two is no positive number. Beyond these bounds the ratio
 * of two may be more or less than a number can tell, and the engine takes no logarithm of zero.
 */
export function returnSql(value: string, previous: string): string {
  const judged = [value, previous].map((each) => `${each} BETWEEN 1e-150 AND 1e150`).join(' AND ');
  return `CASE WHEN ${judged} THEN ln(${value} / ${previous}) END`;
}

/**
 * The window in which rows of one group follow each other, and those with the same place in the order by their key. Columns
 * that say nothing new there are left out: each would be one more to compare in the sort.
 */
export function groupWindow({ group, order }: OutlierDefinition, key: readonly string[]): string {
  const rest = key.filter((name) => name !== order && !group.includes(name));
  return `(PARTITION BY ${identifiers(group)} ORDER BY ${identifiers([order, ...rest])})`;
}

/**
 * A statement that makes the table `returns` of a relation: the key of each row, its group and month, and the log return
 * since the row before it in the group. `again` tells whether that row has the same place in the order.
 */
export function returnsTable(
  definition: OutlierDefinition,
  key: readonly string[],
  relation: string,
): string {
  const order = identifier(definition.order);
  const value = identifier(definition.value);
  const names = identifiers([...new Set([...key, ...definition.group])]);
  const before = (column: string): string => `lag(${column}) OVER ${groupWindow(definition, key)}`;
  return `CREATE TABLE returns AS SELECT ${names}, month, again, ${returnSql(value, 'previous')} AS log_return
FROM (
  SELECT ${names}, ${value}, date_trunc('month', ${order})::DATE AS month,
    ${before(value)} AS previous, ${before(order)} IS NOT DISTINCT FROM ${order} AS again
  FROM ${relation}
)`;
}

/**
 * A statement that makes the table `scored` of `returns` and `touched`, in a session with `medians`: key and `score` (robust z
 * of the log return, NULL where the reference does not vary) of every row that can be judged.
 */
function scoredTable(definition: OutlierDefinition, key: readonly string[]): string {
  const group = identifiers(definition.group);
  // A return belongs to the reference of each of the next months: `month` there is the month that is judged by it.
  return `CREATE TABLE scored AS WITH reference AS (
  SELECT ${group}, month, judged.center AS center, judged.spread AS spread
  FROM (
    SELECT ${group}, month, median_and_mad(list(log_return)) AS judged
    FROM (
      SELECT ${group}, (month + to_months(later))::DATE AS month, log_return
      FROM returns, (SELECT unnest(range(1, ${definition.months + 1}))::INTEGER AS later)
      WHERE log_return IS NOT NULL
    )
    WHERE month BETWEEN (SELECT min(since) FROM touched) AND (SELECT max(month) FROM returns)
    GROUP BY ALL
    HAVING count(*) >= ${definition.minimum}
  )
)
${scoreSelect(definition, key)}`;
}

/** SQL for key and `score` of each row of `returns` that can be judged by its month's row of `reference`. */
export function scoreSelect({ group }: OutlierDefinition, key: readonly string[]): string {
  return `SELECT ${key.map((name) => `r.${identifier(name)}`).join(', ')},
  (r.log_return - b.center) / nullif(${MAD_SCALE} * b.spread, 0) AS score
FROM returns r JOIN reference b ON ${sameGroup(group, 'r', 'b')} AND r.month = b.month
WHERE r.log_return IS NOT NULL`;
}

/** The flags of a row, where `s` is its row of `scored` or nothing. A row that cannot be judged is no outlier. */
export function flagColumns({ threshold }: OutlierDefinition): string {
  return `coalesce(abs(s.score) >= ${threshold}, false) AS is_outlier, s.score AS outlier_score`;
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
  const mine = sameGroup(definition.group, 'a', 't');
  const lastBefore = (touched: string, from: string): string =>
    `SELECT ${definition.group.map((name) => `a.${identifier(name)}`).join(', ')}, max(a.${order}) AS last
FROM after a JOIN ${touched} t ON ${mine} AND a.${order} < t.reach WHERE ${from} GROUP BY ALL`;
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
    // Bounds of all groups, as constants: by them the engine leaves out what lies before, row groups or files.
    `SET VARIABLE reach = (SELECT min(reach) FROM touched)`,
    `SET VARIABLE near = (SELECT min(reach) - to_months(1) FROM touched)::DATE`,
    // A group's last row is mostly near; only where it is not is it looked for through all of the past.
    `CREATE TABLE last_before AS ${lastBefore('touched', `a.${order} >= getvariable('near')`)}`,
    `INSERT INTO last_before ${lastBefore(`(SELECT * FROM touched t ANTI JOIN last_before b ON ${sameGroup(definition.group, 't', 'b')})`, 'true')}`,
    `SET VARIABLE earliest = (SELECT min(last) FROM last_before)`,
    `CREATE TABLE context AS SELECT a.*, a.${order} >= t.since AS judged
FROM after a JOIN touched t ON ${mine} AND a.${order} >= t.reach WHERE a.${order} >= getvariable('reach')
UNION ALL SELECT a.*, false AS judged FROM after a JOIN last_before t ON ${mine} AND a.${order} = t.last WHERE a.${order} >= getvariable('earliest')`,
    returnsTable(definition, key, 'context'),
    scoredTable(definition, key),
    `CREATE TABLE flagged AS SELECT ${key.map((name) => `k.${identifier(name)}`).join(', ')}, k._published_file, k.was, k.was_score, ${flagColumns(definition)}
FROM context k LEFT JOIN scored s USING (${keys}) WHERE k.judged`,
    `CREATE TABLE differs AS SELECT * FROM flagged WHERE is_outlier IS DISTINCT FROM was OR outlier_score IS DISTINCT FROM was_score`,
    `UPDATE winners SET kind = 'reflagged' FROM differs d WHERE kind = 'moved' AND ${sameGroup(key, 'winners', 'd')}`,
    `CREATE TABLE reflagged AS SELECT * FROM differs ANTI JOIN winners USING (${keys})`,
  ].join('; ');
}

/** SQL that two rows have the same values, NULLs included. */
function sameGroup(names: readonly string[], a: string, b: string): string {
  return names
    .map((name) => `${a}.${identifier(name)} IS NOT DISTINCT FROM ${b}.${identifier(name)}`)
    .join(' AND ');
}
