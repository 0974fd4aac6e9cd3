/** Whether a number keeps its digits in a column: what the engine would round is refused before it sees it. */
import { DeltaError } from './errors.js';
import { decimalOf } from './schema-json.js';
import type { DataType } from './schema.js';
import type { DataRow, DataValue } from './source.js';

const WHOLE = new Set<unknown>(['long', 'integer', 'short', 'byte']);
const NUMBER = /^\s*[+-]?(?:\d+(?:\.(\d*))?|\.(\d+))(?:e([+-]?\d+))?\s*$/i;

/** Throws DELTA_VALUE_UNSUPPORTED for a number, or a text of one, that has more digits after the point than the type. */
export function requireExact(value: DataValue, type: DataType, path: string): void {
  if (value === null || value === undefined) return;
  if (typeof type === 'string') {
    const scale = WHOLE.has(type) ? 0 : decimalOf(type)?.scale;
    if (scale === undefined || (typeof value !== 'number' && typeof value !== 'string')) return;
    if (fractionDigits(String(value)) <= scale) return;
    throw new DeltaError(
      'DELTA_VALUE_UNSUPPORTED',
      `${JSON.stringify(value)} has more digits after the point than column '${path}' (${type}) keeps: round it first`,
    );
  }
  // What is no object or list of its type is the engine's to refuse.
  if (typeof value !== 'object' || value instanceof Date || value instanceof Uint8Array) return;
  if (type.type === 'array') {
    if (Array.isArray(value))
      for (const item of value) requireExact(item as DataValue, type.elementType, path);
    return;
  }
  const members = value as DataRow;
  if (type.type === 'map') {
    for (const item of Object.values(members)) requireExact(item, type.valueType, path);
    return;
  }
  for (const { name, type: own } of type.fields) requireExact(members[name], own, `${path}.${name}`);
}

/** Digits after the point that are not zeros at the end; of a text that is no number, none. */
function fractionDigits(text: string): number {
  const match = NUMBER.exec(text);
  if (!match) return 0;
  const [, after, alone, exponent = '0'] = match;
  const digits = text.trim().replace(/e.*$/i, '').replaceAll(/[+.-]/g, '');
  if (!/[1-9]/.test(digits)) return 0;
  const zeros = digits.length - digits.replace(/0+$/, '').length;
  return (after ?? alone ?? '').length - Number(exponent) - zeros;
}
