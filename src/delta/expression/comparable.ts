/** Values of partition values, statistics and literals, made comparable by the type of their column. */
import { decimalOf } from '../schema-json.js';
import type { DataType } from '../schema.js';
import { parseMicros } from '../timestamp.js';
import type { Literal } from './parse.js';

/** A value in the order of its column's type; only values of one column are compared. */
export type Comparable =
  | { readonly kind: 'exact'; readonly digits: bigint; readonly scale: number }
  | { readonly kind: 'double'; readonly value: number }
  | { readonly kind: 'text'; readonly bytes: Buffer }
  | { readonly kind: 'micros'; readonly value: bigint };

const WHOLE = new Set<unknown>(['long', 'integer', 'short', 'byte']);
const NUMBER = /^([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

/**
 * The value that a text of the log stands for; undefined where the text or the type gives no sure order. Floats are left
 * out: engines compare them in single or in double precision.
 */
export function comparable(type: DataType, text: string): Comparable | undefined {
  if (typeof type !== 'string') return undefined;
  if (WHOLE.has(type) || decimalOf(type)) return exact(text);
  switch (type) {
    case 'double': {
      const value = Number(text);
      return text.trim() !== '' && Number.isFinite(value) ? { kind: 'double', value } : undefined;
    }
    case 'string':
      return { kind: 'text', bytes: Buffer.from(text, 'utf8') };
    case 'boolean':
      return text === 'true' || text === 'false'
        ? { kind: 'exact', digits: text === 'true' ? 1n : 0n, scale: 0 }
        : undefined;
    case 'date':
      return DATE.test(text) ? { kind: 'text', bytes: Buffer.from(text) } : undefined;
    case 'timestamp':
    case 'timestamp_ntz': {
      const value = parseMicros(DATE.test(text) ? `${text} 00:00:00` : text);
      return value === undefined ? undefined : { kind: 'micros', value };
    }
    default:
      return undefined;
  }
}

/** Bytes are in order as texts are, which compare by theirs. */
export function comparableBytes(bytes: Buffer): Comparable {
  return { kind: 'text', bytes };
}

/** The value of a literal beside such a column; undefined where the engine would convert in ways of its own. */
export function comparableLiteral(type: DataType, literal: Literal): Comparable | undefined {
  if (typeof type !== 'string') return undefined;
  const { kind, text } = literal;
  switch (kind) {
    case 'number':
      if (type === 'double') return comparable(type, text);
      // With an exponent it is a double, and the comparison one of doubles.
      return (WHOLE.has(type) || decimalOf(type)) && !/e/i.test(text) ? exact(text) : undefined;
    case 'string':
      // A text beyond ASCII is none of bytes to the engine.
      if (type === 'binary') return /^[ -~]*$/.test(text) ? comparableBytes(Buffer.from(text)) : undefined;
      return ['string', 'date', 'timestamp', 'timestamp_ntz'].includes(type)
        ? comparable(type, text)
        : undefined;
    case 'bytes':
      return type === 'binary' ? comparableBytes(Buffer.from(text, 'hex')) : undefined;
    case 'boolean':
      return type === 'boolean' ? comparable(type, text) : undefined;
    case 'date':
      return type === 'date' ? comparable(type, text) : undefined;
    case 'timestamp':
      return type === 'timestamp' || type === 'timestamp_ntz' ? comparable(type, text) : undefined;
  }
}

/** Negative, zero, positive; undefined for values of different kinds. */
export function compareValues(a: Comparable, b: Comparable): number | undefined {
  if (a.kind === 'exact' && b.kind === 'exact') {
    const scale = Math.max(a.scale, b.scale);
    return order(a.digits * 10n ** BigInt(scale - a.scale), b.digits * 10n ** BigInt(scale - b.scale));
  }
  if (a.kind === 'double' && b.kind === 'double') return order(a.value, b.value);
  if (a.kind === 'text' && b.kind === 'text') return Buffer.compare(a.bytes, b.bytes);
  return a.kind === 'micros' && b.kind === 'micros' ? order(a.value, b.value) : undefined;
}

function order<Value extends number | bigint>(a: Value, b: Value): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A decimal number with all its digits. Some writers give decimals with an exponent. */
function exact(text: string): Comparable | undefined {
  const match = NUMBER.exec(text.trim());
  if (!match) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const digits = BigInt(`${sign === '-' ? '-' : ''}${whole}${fraction}`);
  const scale = fraction.length - Number(exponent);
  return scale >= 0
    ? { kind: 'exact', digits, scale }
    : { kind: 'exact', digits: digits * 10n ** BigInt(-scale), scale: 0 };
}
