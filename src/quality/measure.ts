/** Rules as SQL over the rows of one batch: as many as possible in one scan. */
import type { ColumnType } from '../contracts/dataset.js';
import type { CheckDefinition, DistributionCheck, FreshnessCheck } from '../contracts/quality.js';
import { identifier } from '../contracts/sql-text.js';
import { badRow, isRowCheck, scopeOf } from './predicate.js';
import { judgedOnly, keysPresent, repetitions, type Repeated, type RowQueries } from './repetition.js';

/** What measuring needs of an engine session. */
export interface Queries extends RowQueries {
  /** Refuses a text that is not one single SELECT. */
  describe(select: string): Promise<unknown>;
}

/** What the rows say about one check. */
export interface Measurement {
  /** Rows that the check judges. */
  readonly rows: number;
  readonly badRows: number;
  /** `freshness`: newest value in milliseconds since 1970; `distribution`: the figure. null where no row has a value. */
  readonly value: number | null;
}

/**
 * Measures every check over `relation` (anything that may follow FROM): one scan for all that one SELECT can tell, one
 * more for each distinct set of columns whose repetitions are counted, and one for each SQL check. In the order of
 * `checks`. Throws the engine's errors.
 */
export async function measure(
  queries: Queries,
  checks: readonly CheckDefinition[],
  relation: string,
): Promise<Measurement[]> {
  const [all = {}] = await queries.rows<Record<string, unknown>>(oneScan(checks, relation));
  const total = Number(all['rows']);
  const repeated = new Map<string, Promise<Repeated>>();
  const measurements: Measurement[] = [];
  for (const [index, check] of checks.entries()) {
    const rows = Number(all[`scope_${index}`] ?? total);
    if (check.kind === 'duplicates' || check.kind === 'unique') {
      const counted = `${check.columns.join('\n')}${judgedOnly(check)}`;
      const counting = repeated.get(counted) ?? repetitions(queries, check, relation);
      repeated.set(counted, counting);
      const { surplus, members } = await counting;
      measurements.push({ rows, badRows: check.kind === 'unique' ? members : surplus, value: null });
    } else if (check.kind === 'sql') {
      await queries.describe(check.sql);
      const [row] = await queries.rows<{ bad: bigint }>(`SELECT count(*) AS bad FROM (\n${check.sql}\n)`);
      measurements.push({ rows, badRows: Number(row?.bad), value: null });
    } else {
      const value = all[`value_${index}`];
      measurements.push({
        rows,
        badRows: Number(all[`bad_${index}`] ?? 0),
        value: value === null || value === undefined ? null : finite(Number(value)),
      });
    }
  }
  return measurements;
}

/** One SELECT with one row: `rows`, and by position of the check `scope_<n>`, `bad_<n>` and `value_<n>`. */
function oneScan(checks: readonly CheckDefinition[], relation: string): string {
  const columns = checks.flatMap((check, index): string[] => {
    const scope = 'where' in check ? scopeOf(check) : undefined;
    const scoped = scope === undefined ? [] : [`count(*) FILTER (WHERE ${scope}) AS scope_${index}`];
    if (isRowCheck(check)) {
      const bad = scope === undefined ? badRow(check) : `${badRow(check)} AND ${scope}`;
      return [...scoped, `count(*) FILTER (WHERE ${bad}) AS bad_${index}`];
    }
    switch (check.kind) {
      case 'unique': {
        const judged = [keysPresent(check), ...(scope === undefined ? [] : [scope])].join(' AND ');
        return [`count(*) FILTER (WHERE ${judged}) AS scope_${index}`];
      }
      case 'freshness':
        return [...scoped, `${newest(check)} AS value_${index}`];
      case 'distribution':
        return [...scoped, `${figure(check, scope)} AS value_${index}`];
      default:
        return scoped;
    }
  });
  return `SELECT ${['count(*) AS rows', ...columns].join(', ')} FROM ${relation}`;
}

/** Infinite dates are no dates: they would make everything look fresh. */
function newest(check: FreshnessCheck): string {
  const column = identifier(check.column);
  const scope = scopeOf(check);
  const judged = [`isfinite(${column})`, ...(scope === undefined ? [] : [scope])].join(' AND ');
  return `epoch_ms(max(${column}) FILTER (WHERE ${judged}))`;
}

function figure(check: DistributionCheck, scope: string | undefined): string {
  const column = identifier(check.column);
  const filter = (...conditions: ReadonlyArray<string | undefined>): string => {
    const all = conditions.filter((condition) => condition !== undefined);
    return all.length === 0 ? '' : ` FILTER (WHERE ${all.join(' AND ')})`;
  };
  const finiteOnly = isFloat(check.type) ? `isfinite(${column})` : undefined;
  switch (check.statistic) {
    case 'null_ratio':
      return `count(*)${filter(`${column} IS NULL`, scope)} / nullif(count(*)${filter(scope)}, 0)`;
    case 'mean':
      return `avg(${column})${filter(finiteOnly, scope)}`;
    case 'stddev':
      return `stddev_samp(${column})${filter(finiteOnly, scope)}`;
    case 'quantile':
      return `quantile_cont(${column}, ${check.quantile ?? 0.5})${filter(finiteOnly, scope)}::DOUBLE`;
  }
}

function isFloat(type: ColumnType): boolean {
  return type === 'double';
}

/** Records hold finite numbers only. */
function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
