/** Rules as one SELECT: every number that the checks need, from one scan. */
import type { CheckDefinition } from '../contracts/quality.js';
import { identifier } from '../contracts/sql-text.js';

/** The columns of the measuring SELECT: `rows`, and `bad_<n>` for the check at position n. */
export type Measured = Readonly<Record<string, unknown>>;

/** Name of a check's count in {@link Measured}. */
export function badColumn(index: number): string {
  return `bad_${index}`;
}

/**
 * One SELECT with one row over `relation` (anything that may follow FROM). Checks that need no more than the number of
 * rows add nothing to it.
 */
export function checkSql(checks: readonly CheckDefinition[], relation: string): string {
  const counts = checks.flatMap((check, index) => {
    switch (check.kind) {
      case 'row_count':
        return [];
      case 'nulls':
        return [`count(*) FILTER (WHERE ${identifier(check.column)} IS NULL) AS ${badColumn(index)}`];
    }
  });
  return `SELECT ${['count(*) AS rows', ...counts].join(', ')} FROM ${relation}`;
}
