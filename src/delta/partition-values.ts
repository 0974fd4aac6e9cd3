/** Partition values as the log spells them. */
import { DeltaError } from './errors.js';
import type { RowValue } from './ports.js';
import { decimalOf } from './schema-json.js';
import type { DataType } from './schema.js';
import { isoMicros, parseMicros } from './timestamp.js';

/**
 * The text of a value, or null for NULL. An empty string is refused: readers disagree on whether it is NULL. Timestamps
 * are written in UTC with a `Z`. Throws DELTA_VALUE_UNSUPPORTED.
 */
export function partitionValue(type: DataType, value: RowValue): string | null {
  if (value === null || value === undefined) return null;
  const text = textOf(type, value);
  if (text === undefined || text === '') {
    throw new DeltaError(
      'DELTA_VALUE_UNSUPPORTED',
      `${JSON.stringify(String(value))} cannot be a partition value of type ${String(type)}`,
    );
  }
  return text;
}

function textOf(type: DataType, value: NonNullable<RowValue>): string | undefined {
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
