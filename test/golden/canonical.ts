/** Rows in the canonical JSON of the golden folder, so that two readers' rows compare as text. */
import type { DataType, StructType } from '../../src/delta/index.js';
import { decimalOf } from '../../src/delta/index.js';
import { variantOf } from './variant.js';

/** One row as the engine gives it → canonical text: keys sorted, times in microseconds, binary in hex, maps as pairs. */
export function canonicalRow(row: Readonly<Record<string, unknown>>, schema: StructType): string {
  return sortedJson(structValue(row, schema));
}

/** A line of an expected_rows file → the same text. Python writes small decimals with an exponent: it is resolved. */
export function canonicalLine(line: string): string {
  const row = JSON.parse(line, (_, value: unknown) =>
    typeof value === 'string' ? plainDecimal(value) : decodedVariant(value),
  ) as unknown;
  return sortedJson(row);
}

/** The answers have a variant as its two binaries. */
function decodedVariant(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.keys(value).sort().join() !== 'metadata,value')
    return value;
  const [metadata, bytes] = [(value as Pair).metadata, (value as Pair).value].map((text) =>
    Buffer.from(String(text).slice(1), 'hex'),
  );
  return metadata && bytes ? variantOf(metadata, bytes) : value;
}
interface Pair {
  readonly metadata: unknown;
  readonly value: unknown;
}

function plainDecimal(text: string): string {
  const match = /^(-?)(\d)(?:\.(\d+))?E-(\d+)$/.exec(text);
  if (!match) return text;
  const [, sign = '', whole = '', fraction = '', exponent] = match;
  return `${sign}0.${'0'.repeat(Number(exponent) - 1)}${whole}${fraction}`;
}

function structValue(row: Readonly<Record<string, unknown>>, schema: StructType): Record<string, unknown> {
  return Object.fromEntries(schema.fields.map(({ name, type }) => [name, plain(row[name], type)]));
}

function plain(value: unknown, type: DataType): unknown {
  if (value === null || value === undefined) return null;
  if (typeof type === 'string') return primitive(value, type);
  switch (type.type) {
    case 'struct':
      return structValue(value as Record<string, unknown>, type);
    case 'array':
      return (value as unknown[]).map((item) => plain(item, type.elementType));
    case 'map':
      return (value as Array<{ key: unknown; value: unknown }>)
        .map(({ key, value: item }) => [plain(key, type.keyType), plain(item, type.valueType)])
        .sort((a, b) => (sortedJson(a) < sortedJson(b) ? -1 : 1));
  }
}

function primitive(value: unknown, type: DataType): unknown {
  if (typeof value === 'bigint') {
    return value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER
      ? Number(value)
      : String(value);
  }
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (type === 'timestamp' || type === 'timestamp_ntz') return micros(String(value));
  if (value instanceof Uint8Array) return `x${Buffer.from(value).toString('hex')}`;
  return decimalOf(type) ? String(value) : value;
}

/** The engine leaves out zero microseconds. */
function micros(text: string): string {
  return text.replace(/\.(\d{3})(Z?)$/, '.$1000$2');
}

/** JSON with the keys of every object in order. */
export function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
