/** Text → declared type. The engine's own casts are too forgiving: 1.5 becomes 2 as BIGINT, `infinity` is a DATE. */
import type { ColumnDefinition } from '../contracts/dataset.js';
import { literal } from '../contracts/sql-text.js';

/** SQL for one column: its value, and whether the text can be taken as one (TRUE for NULL, never NULL). */
export interface TypedColumn {
  readonly value: string;
  readonly ok: string;
  /** A cheaper condition that is TRUE only where `ok` is; where it is not, `ok` decides. */
  readonly sure: string;
}

/** What is known of all texts of a file beforehand. */
export interface TextFacts {
  /** Whether an underscore may be among them. */
  readonly underscores: boolean;
}

const DAY = String.raw`\s*\d{4}-\d{1,2}-\d{1,2}\s*`;
const INTEGER = String.raw`\s*[+-]?\d+\s*`;
const TIMESTAMP = String.raw`\s*\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?`;
const OFFSET = String.raw`\s*([Zz]|[+-]\d{2}(:?\d{2})?)\s*`;

/** A type that the CSV reader parses itself, which spares a text for each value. */
export interface NativeColumn {
  readonly type: 'DOUBLE' | 'DATE';
  /** Condition on the value, which is SQL of `type`: TRUE only where its text could be taken as one. */
  readonly sure: (value: string) => string;
}

/** How the reader is told to parse dates; without it, it would take a time or any other tail as the end of one. */
export const NATIVE_DATE_FORMAT = '%Y-%m-%d';

/** How the CSV reader may read the column, or undefined where it would be too forgiving. */
export function nativeColumn(column: ColumnDefinition, { underscores }: TextFacts): NativeColumn | undefined {
  if (column.type === 'double') return underscores ? undefined : { type: 'DOUBLE', sure: () => 'true' };
  if (column.type !== 'date') return undefined;
  // It reads `infinity` and `epoch` as 1900-01-01, and 20-01-02 as a year of the first century.
  const sure = (value: string): string =>
    `(${value} IS NULL OR (${value} BETWEEN DATE '1000-01-01' AND DATE '9999-12-31' AND ${value} <> DATE '1900-01-01'))`;
  return { type: 'DATE', sure };
}

/** Reads `text` (SQL of type VARCHAR) as the column's declared type. */
export function typedColumn(
  column: ColumnDefinition,
  text: string,
  facts: TextFacts = { underscores: true },
): TypedColumn {
  const { value, ok, sure = ok } = typed(column, text, facts);
  return { value, ok, sure };
}

function typed(
  column: ColumnDefinition,
  text: string,
  { underscores }: TextFacts,
): Omit<TypedColumn, 'sure'> & { sure?: string } {
  const cast = (type: string): string => `TRY_CAST(${text} AS ${type})`;
  const full = (pattern: string): string => `regexp_full_match(${text}, ${literal(pattern)})`;
  switch (column.type) {
    case 'string':
      return { value: text, ok: 'true' };
    case 'boolean': {
      const known = ['true', 'false', 't', 'f', '1', '0'].map(literal).join(', ');
      return { value: cast('BOOLEAN'), ok: accepts(text, `lower(trim(${text})) IN (${known})`) };
    }
    case 'integer':
      return exact(text, cast('INTEGER'), full(INTEGER));
    case 'long':
      return exact(text, cast('BIGINT'), full(INTEGER));
    case 'double':
      // DuckDB reads 1_000 as a thousand.
      return {
        value: cast('DOUBLE'),
        ok: accepts(text, `${cast('DOUBLE')} IS NOT NULL AND NOT contains(${text}, '_')`),
        ...(underscores ? {} : { sure: `(${text} IS NULL OR ${cast('DOUBLE')} IS NOT NULL)` }),
      };
    case 'date':
      // Only what reads back as it was written, but for a zero that is left out: not infinity, not a time cut off, not a
      // year before Christ.
      return {
        value: cast('DATE'),
        ok: accepts(
          text,
          `isfinite(${cast('DATE')}) AND (CAST(${cast('DATE')} AS VARCHAR) = trim(${text}) OR ${full(DAY)})`,
        ),
        sure: `(${text} IS NULL OR (CAST(${cast('DATE')} AS VARCHAR) = ${text} AND isfinite(${cast('DATE')})))`,
      };
    case 'timestamp':
      return timestamp(column, text, full);
    default:
      return decimal(column.type, text, cast, full);
  }
}

function accepts(text: string, condition: string): string {
  return `(${text} IS NULL OR coalesce(${condition}, false))`;
}

/** Mostly the text reads back as it was written; the pattern is tried on the rest only. */
function exact(text: string, cast: string, pattern: string): TypedColumn {
  return {
    value: cast,
    sure: `(${text} IS NULL OR CAST(${cast} AS VARCHAR) = ${text})`,
    ok: accepts(text, `CAST(${cast} AS VARCHAR) = ${text} OR (${cast} IS NOT NULL AND ${pattern})`),
  };
}

/** An instant needs an offset, in the text or declared: a guess would shift every row. */
function timestamp(
  column: ColumnDefinition,
  text: string,
  full: (pattern: string) => string,
): Omit<TypedColumn, 'sure'> {
  const instant = `TRY_CAST(${text} AS TIMESTAMPTZ)`;
  if (column.zone === undefined) {
    return { value: instant, ok: accepts(text, `${instant} IS NOT NULL AND ${full(TIMESTAMP + OFFSET)}`) };
  }
  const local = `timezone(${literal(column.zone)}, TRY_CAST(${text} AS TIMESTAMP))`;
  const zoned = full(TIMESTAMP + OFFSET);
  const value = `CASE WHEN ${zoned} THEN ${instant} ELSE ${local} END`;
  return {
    value,
    ok: accepts(text, `(${zoned} OR ${full(String.raw`${TIMESTAMP}\s*`)}) AND ${value} IS NOT NULL`),
  };
}

/** Digits past the scale are refused unless they are zero: rounding would change what was received. */
function decimal(
  type: string,
  text: string,
  cast: (type: string) => string,
  full: (pattern: string) => string,
): Omit<TypedColumn, 'sure'> {
  const [precision, scale] = /\((\d+),(\d+)\)/.exec(type)?.slice(1) ?? [];
  const value = cast(`DECIMAL(${precision},${scale})`);
  const pattern = String.raw`\s*[+-]?(\d+(\.\d{0,${scale}}0*)?|\.\d{1,${scale === '0' ? 1 : scale}}0*)\s*`;
  return { value, ok: accepts(text, `${value} IS NOT NULL AND ${full(pattern)}`) };
}
