/** DuckDB's values as plain JavaScript values. */
import {
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBVariantValue,
} from '@duckdb/node-api';

/**
 * One value of a result: numbers as number (BIGINT and wider as bigint), DATE as `2020-01-31`, TIMESTAMP as
 * `2020-01-31T10:00:00.000` and TIMESTAMPTZ the same with a `Z` (six decimals where microseconds are there), BLOB as
 * Uint8Array, lists and structs as arrays and objects, maps as arrays of `{key, value}`, a variant as the value that it
 * holds, all else as DuckDB writes it.
 */
export function plainValue(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof DuckDBDateValue) return value.toString();
  if (value instanceof DuckDBTimestampValue) return isoTimestamp(value.micros, value.toString());
  if (value instanceof DuckDBTimestampTZValue) {
    const text = isoTimestamp(value.micros, value.toString());
    return /infinity/.test(text) ? text : `${text}Z`;
  }
  if (value instanceof DuckDBBlobValue) return Uint8Array.from(value.bytes);
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue)
    return value.items.map(plainValue);
  if (value instanceof DuckDBStructValue) return plainObject(value.entries);
  if (value instanceof DuckDBVariantValue) return plainValue(value.value);
  if (value instanceof DuckDBMapValue) {
    return value.entries.map(({ key, value: item }) => ({ key: plainValue(key), value: plainValue(item) }));
  }
  return String(value);
}

/** All members of a row or struct as plain values. */
export function plainObject(row: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plainValue(value)]));
}

/** One value as it is stored, for the batches of `EngineSession.stream`. */
export function storedValue(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof DuckDBDateValue) return value.days;
  if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue) return value.micros;
  if (value instanceof DuckDBDecimalValue) return value.value;
  if (value instanceof DuckDBBlobValue) return value.bytes;
  if (value instanceof DuckDBVariantValue) return variantJson(value.value);
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue)
    return value.items.map(storedValue);
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(Object.entries(value.entries).map(([name, item]) => [name, storedValue(item)]));
  }
  if (value instanceof DuckDBMapValue) {
    return value.entries.map(({ key, value: item }) => ({ key: storedValue(key), value: storedValue(item) }));
  }
  return String(value);
}

/** A variant's value as JSON text: whole numbers and decimals with all their digits, binary in base64, times as ISO text. */
function variantJson(value: unknown): string {
  if (value instanceof DuckDBDecimalValue || typeof value === 'bigint') return value.toString();
  if (typeof value === 'number')
    return Number.isFinite(value) ? String(value) : JSON.stringify(String(value));
  if (value instanceof DuckDBBlobValue) return JSON.stringify(Buffer.from(value.bytes).toString('base64'));
  if (value instanceof DuckDBVariantValue) return variantJson(value.value);
  if (value instanceof DuckDBListValue) return `[${value.items.map(variantJson).join(',')}]`;
  if (value instanceof DuckDBStructValue) {
    const members = Object.entries(value.entries).map(
      ([name, item]) => `${JSON.stringify(name)}:${variantJson(item)}`,
    );
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(plainValue(value) ?? null);
}

const MICROS_PER_MILLI = 1000n;
/** Largest instant that a JavaScript Date can hold, in microseconds; DuckDB's infinities lie beyond it. */
const DATE_MICROS_MAX = 8_640_000_000_000_000n * MICROS_PER_MILLI;

function isoTimestamp(micros: bigint, text: string): string {
  if (micros > DATE_MICROS_MAX || micros < -DATE_MICROS_MAX) return text;
  const rest = ((micros % MICROS_PER_MILLI) + MICROS_PER_MILLI) % MICROS_PER_MILLI;
  const iso = new Date(Number((micros - rest) / MICROS_PER_MILLI)).toISOString().slice(0, -1);
  return rest === 0n ? iso : `${iso}${String(rest).padStart(3, '0')}`;
}
