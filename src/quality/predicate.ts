/** Checks of single rows as SQL conditions. */
import type { ColumnType, RowRule } from '../contracts/dataset.js';
import type { CheckDefinition, RangeCheck, RowCheck } from '../contracts/quality.js';
import { identifier, literal } from '../contracts/sql-text.js';

const ROW_KINDS: ReadonlySet<CheckDefinition['kind']> = new Set(['nulls', 'range', 'set', 'pattern']);

/** Whether the check judges each row by its own values. */
export function isRowCheck(check: CheckDefinition): check is RowCheck {
  return ROW_KINDS.has(check.kind);
}

/** A condition that is TRUE for bad rows and FALSE, never NULL, for all others. */
export function badRow(check: RowCheck): string {
  const column = identifier(check.column);
  switch (check.kind) {
    case 'nulls':
      return `${column} IS NULL`;
    case 'range':
      return `(${column} IS NOT NULL AND (${outside(check).join(' OR ')}))`;
    case 'set': {
      const values = check.values.map((value) => constant(value, check.type)).join(', ');
      return `(${column} IS NOT NULL AND ${column} NOT IN (${values}))`;
    }
    case 'pattern':
      return `(${column} IS NOT NULL AND NOT regexp_full_match(${column}, ${literal(check.pattern)}))`;
  }
}

/** The condition that limits a check to some rows, or undefined where it judges all. The line end closes comments. */
export function scopeOf(check: { readonly where?: string }): string | undefined {
  return check.where === undefined ? undefined : `((${check.where}\n) IS TRUE)`;
}

/** The check as a rule of Silver: a row for which it is not TRUE goes to quarantine. */
export function quarantineRule(check: RowCheck): RowRule {
  const scope = scopeOf(check);
  const bad = scope === undefined ? badRow(check) : `${badRow(check)} AND ${scope}`;
  return { name: check.name, must: `(${bad}) IS NOT TRUE`, reason: reasonOf(check) };
}

function outside({ column, type, from, to }: RangeCheck): string[] {
  const name = identifier(column);
  return [
    ...(from === undefined ? [] : [`${name} < ${constant(from, type)}`]),
    ...(to === undefined ? [] : [`${name} > ${constant(to, type)}`]),
    // NaN counts as larger than every number, so that a lower bound alone would let it pass.
    ...(type === 'double' ? [`isnan(${name})`] : []),
  ];
}

/** What a row that fails has, in words. */
export function reasonOf(check: RowCheck): string {
  switch (check.kind) {
    case 'nulls':
      return `${check.column} is missing`;
    case 'range': {
      const { column, from, to } = check;
      if (from === undefined) return `${column} is above ${to}`;
      return to === undefined ? `${column} is below ${from}` : `${column} lies outside ${from} to ${to}`;
    }
    case 'set':
      return `${check.column} is none of the listed values`;
    case 'pattern':
      return `${check.column} does not match ${check.pattern}`;
  }
}

const SQL_TYPES: Readonly<Record<Exclude<ColumnType, `decimal(${number},${number})`>, string>> = {
  string: 'VARCHAR',
  boolean: 'BOOLEAN',
  integer: 'INTEGER',
  long: 'BIGINT',
  double: 'DOUBLE',
  date: 'DATE',
  timestamp: 'TIMESTAMPTZ',
};

/** A declared value as SQL. Numbers stay as they are: cast to the column's type, 0.5 would become 1. */
function constant(value: string | number | boolean, type: ColumnType): string {
  if (typeof value !== 'string') return String(value);
  const sqlType = type.startsWith('decimal') ? type : SQL_TYPES[type as keyof typeof SQL_TYPES];
  return `CAST(${literal(value)} AS ${sqlType})`;
}
