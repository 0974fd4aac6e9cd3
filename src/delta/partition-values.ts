/** Partition values as the log spells them. */
import { textOfBytes } from './binary-text.js';
import { DeltaError } from './errors.js';
import type { RowValue } from './ports.js';
import { decimalOf } from './schema-json.js';
import type { DataType } from './schema.js';
import { isoMicros, parseMicros } from './timestamp.js';

/**
 * The text of a value, or null for NULL. An empty string is refused: readers disagree on whether it is NULL. So are bytes
 * that are no UTF-8 text: Spark itself makes others of them. Timestamps are written in UTC with a `Z`. Throws
 * DELTA_VALUE_UNSUPPORTED.
 */
export function partitionValue(type: DataType, value: RowValue | Uint8Array): string | null {
  if (value === null || value === undefined) return null;
  const text = textOf(type, value);
  if (text === undefined || text === '') {
    throw new DeltaError(
      'DELTA_VALUE_UNSUPPORTED',
      `${shown(value)} cannot be a partition value of type ${String(type)}: not every reader would take its text for it`,
    );
  }
  return text;
}

function shown(value: NonNullable<RowValue> | Uint8Array): string {
  return value instanceof Uint8Array
    ? `x'${Buffer.from(value).toString('hex')}'`
    : JSON.stringify(String(value));
}

const WIDTHS: Readonly<Record<string, bigint>> = { byte: 7n, short: 15n, integer: 31n, long: 63n };

/**
 * The same for a value as somebody gave it, of which nobody has made one of the type: undefined where it is not plainly
 * that already, so that the engine has to say what it is.
 */
export function plainPartitionValue(type: DataType, value: unknown): string | null | undefined {
  if (value === null || value === undefined) return null;
  const width = typeof type === 'string' ? WIDTHS[type] : undefined;
  if (width !== undefined) return isInteger(value, width) ? partitionValue(type, value) : undefined;
  switch (type) {
    case 'string':
      return typeof value === 'string' && isWellFormed(value) ? partitionValue(type, value) : undefined;
    case 'boolean':
      return typeof value === 'boolean' ? String(value) : undefined;
    case 'double':
      return typeof value === 'number' && Number.isFinite(value) ? partitionValue(type, value) : undefined;
    case 'date':
      return isDay(value) ? partitionValue(type, value) : undefined;
    case 'binary':
      return value instanceof Uint8Array ? partitionValue(type, value) : undefined;
    default:
      return undefined;
  }
}

function isInteger(value: unknown, width: bigint): value is number | bigint {
  if (typeof value === 'number' ? !Number.isSafeInteger(value) : typeof value !== 'bigint') return false;
  const whole = BigInt(value as number | bigint);
  return whole >= -(2n ** width) && whole < 2n ** width;
}

/** A day that there is: 30 February comes back as another. */
function isDay(value: unknown): value is string {
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return false;
  const day = new Date(`${value}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(value);
}

/** Half of a surrogate pair has no bytes of its own. */
function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

function textOf(type: DataType, value: NonNullable<RowValue> | Uint8Array): string | undefined {
  if (value instanceof Uint8Array) return type === 'binary' ? textOfBytes(value) : undefined;
  switch (type) {
    case 'string':
      return String(value);
    case 'long':
    case 'integer':
    case 'short':
    case 'byte':
      return /^-?\d+$/.test(String(value)) ? String(value) : undefined;
    case 'float':
    case 'double':
      return Number.isNaN(Number(value)) ? undefined : String(Number(value));
    case 'boolean':
      return typeof value === 'boolean' ? String(value) : undefined;
    case 'date':
      return dateText(value);
    case 'timestamp':
    case 'timestamp_ntz': {
      const micros = parseMicros(value instanceof Date ? value.toISOString() : String(value));
      const iso = micros === undefined ? undefined : isoMicros(micros);
      return type === 'timestamp' ? iso : iso?.slice(0, -1).replace('T', ' ');
    }
    default:
      return decimalText(type, value);
  }
}

function dateText(value: NonNullable<RowValue>): string | undefined {
  const text = value instanceof Date ? value.toISOString().slice(0, 10) : String(value);
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? text : undefined;
}

/** With exactly the scale of the type: readers compare the texts. */
function decimalText(type: DataType, value: NonNullable<RowValue>): string | undefined {
  const decimal = decimalOf(type);
  const match = /^(-?\d+)(?:\.(\d+))?$/.exec(String(value));
  if (!decimal || !match) return undefined;
  const fraction = (match[2] ?? '').padEnd(decimal.scale, '0');
  if (fraction.length > decimal.scale) return undefined;
  return decimal.scale === 0 ? match[1] : `${match[1]}.${fraction}`;
}
