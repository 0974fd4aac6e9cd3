/** Statistics of a data file as Delta's JSON text. Bounds are bounds: a min may be lower, a max higher than any value. */
import { decimalOf } from './schema-json.js';
import type { DataType, StructField, StructType } from './schema.js';
import type { ColumnTextStats } from './ports.js';
import { floorDiv, isoMicros, parseMicros } from './timestamp.js';

/** Columns beyond these have no statistics, as with other writers, unless the table says otherwise. */
const INDEXED_COLUMNS = 32;
const STRING_PREFIX = 32;
const INTEGER = /^-?\d+$/;
const DECIMAL = /^-?\d+(\.\d+)?$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

/** What the engine or a row writer measured of one file. */
export interface MeasuredFile {
  readonly rows: number;
  readonly columns: Readonly<Record<string, ColumnTextStats>>;
}

/** Which columns have statistics, as the table's properties say. */
export interface StatsColumns {
  readonly indexedColumns: number;
  readonly statsColumns: readonly string[] | undefined;
}

/** The columns that get statistics: those that are named, else the first ones; partition columns have none. */
export function indexedFields(
  schema: StructType,
  partitionColumns: readonly string[],
  { indexedColumns = INDEXED_COLUMNS, statsColumns }: Partial<StatsColumns>,
): readonly StructField[] {
  const stored = schema.fields.filter((field) => !partitionColumns.includes(field.name));
  if (statsColumns) return stored.filter((field) => statsColumns.includes(field.name));
  return stored.slice(0, indexedColumns < 0 ? undefined : indexedColumns);
}

/**
 * The `stats` text of an add. Built as text, so that longs and decimals keep every digit. Nested columns, and bounds
 * that cannot be given safely (NaN, infinite, binary, boolean), are left out.
 */
export function statsJson(
  file: MeasuredFile,
  schema: StructType,
  options: { readonly partitionColumns?: readonly string[] } & Partial<StatsColumns> = {},
): string {
  const indexed = indexedFields(schema, options.partitionColumns ?? [], options);
  const members = (value: (field: StructField, stats: ColumnTextStats) => string | undefined): string => {
    const parts = indexed.flatMap((field) => {
      const stats = typeof field.type === 'string' ? file.columns[field.name] : undefined;
      const text = stats && value(field, stats);
      return text === undefined ? [] : [`${JSON.stringify(field.name)}:${text}`];
    });
    return `{${parts.join(',')}}`;
  };
  const minValues = members(({ type }, { min }) => (min === undefined ? undefined : minJson(type, min)));
  const maxValues = members(({ type }, { max, hasNan }) =>
    // NaN sorts above every number, so a max that leaves it out is none.
    max === undefined || hasNan ? undefined : maxJson(type, max),
  );
  const nullCount = members((_, { nullCount: count }) => (count === undefined ? undefined : String(count)));
  return `{"numRecords":${file.rows},"minValues":${minValues},"maxValues":${maxValues},"nullCount":${nullCount}}`;
}

function minJson(type: DataType, text: string): string | undefined {
  switch (type) {
    case 'string':
      return JSON.stringify(cutPrefix(text));
    case 'timestamp':
    case 'timestamp_ntz':
      return timestampJson(type, text, 'down');
    default:
      return exactJson(type, text);
  }
}

function maxJson(type: DataType, text: string): string | undefined {
  switch (type) {
    case 'string': {
      const bound = upperBound(text);
      return bound === undefined ? undefined : JSON.stringify(bound);
    }
    case 'timestamp':
    case 'timestamp_ntz':
      return timestampJson(type, text, 'up');
    default:
      return exactJson(type, text);
  }
}

function exactJson(type: DataType, text: string): string | undefined {
  switch (type) {
    case 'long':
    case 'integer':
    case 'short':
    case 'byte':
      return INTEGER.test(text) ? text.replace(/^-0+$/, '0') : undefined;
    case 'double':
      return finiteJson(Number(text));
    case 'float':
      // The text is the shortest one that a reader of floats takes back; as a double the exact value is another.
      return finiteJson(Math.fround(Number(text)));
    case 'date':
      return DATE.test(text) ? JSON.stringify(text) : undefined;
    default:
      return decimalOf(type) && DECIMAL.test(text) ? text : undefined;
  }
}

function finiteJson(value: number): string | undefined {
  return Number.isFinite(value) ? JSON.stringify(value) : undefined;
}

/** Readers know milliseconds only: the min is rounded down, the max up. */
function timestampJson(type: DataType, text: string, towards: 'down' | 'up'): string | undefined {
  const micros = parseMicros(text);
  if (micros === undefined) return undefined;
  const ms = floorDiv(towards === 'up' ? micros + 999n : micros, 1000n);
  const iso = isoMicros(ms * 1000n);
  return iso && JSON.stringify(`${iso.slice(0, 23)}${type === 'timestamp' ? 'Z' : ''}`);
}

/** The first characters, never half of a surrogate pair. A prefix is never greater than the whole. */
function cutPrefix(text: string, length = STRING_PREFIX): string {
  if (text.length <= length) return text;
  const cut = text.slice(0, length);
  return isHighSurrogate(cut.charCodeAt(length - 1)) ? cut.slice(0, -1) : cut;
}

/**
 * A short text that is not less than any that starts like the given one: the prefix with a tie-breaker that exceeds the
 * first character that was cut. Undefined where no such text is at hand.
 */
function upperBound(text: string): string | undefined {
  for (let length = STRING_PREFIX; length <= 2 * STRING_PREFIX; length += 1) {
    const prefix = cutPrefix(text, length);
    if (prefix.length === text.length) return text;
    const cut = text.codePointAt(prefix.length) ?? 0;
    if (cut < ASCII_LAST) return prefix + String.fromCodePoint(ASCII_LAST);
    if (cut < UNICODE_LAST) return prefix + String.fromCodePoint(UNICODE_LAST);
  }
  return undefined;
}
const ASCII_LAST = 0x7f;
const UNICODE_LAST = 0x10ffff;

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
