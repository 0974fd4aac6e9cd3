/** The engine's type names, as `EngineSession.describe` gives them, as Delta types. */
import { DeltaError } from './errors.js';
import type { DataType, StructField, StructType } from './schema.js';

const PRIMITIVES: Readonly<Record<string, DataType>> = {
  BOOLEAN: 'boolean',
  TINYINT: 'byte',
  SMALLINT: 'short',
  INTEGER: 'integer',
  BIGINT: 'long',
  FLOAT: 'float',
  DOUBLE: 'double',
  VARCHAR: 'string',
  BLOB: 'binary',
  DATE: 'date',
  TIMESTAMP: 'timestamp_ntz',
  'TIMESTAMP WITH TIME ZONE': 'timestamp',
  TIMESTAMPTZ: 'timestamp',
};

/** Columns of a SELECT as a schema of nullable columns. Throws DELTA_SCHEMA_INVALID for a type that Delta lacks. */
export function schemaOfColumns(columns: ReadonlyArray<{ name: string; type: string }>): StructType {
  return { type: 'struct', fields: columns.map(({ name, type }) => nullable(name, deltaTypeOf(type))) };
}

/** `DECIMAL(9,2)`, `STRUCT(a INTEGER)[]`, `MAP(VARCHAR, DOUBLE)`, … Throws DELTA_SCHEMA_INVALID. */
export function deltaTypeOf(engineType: string): DataType {
  const text = engineType.trim();
  if (text.endsWith('[]')) {
    return { type: 'array', elementType: deltaTypeOf(text.slice(0, -2)), containsNull: true };
  }
  const primitive = PRIMITIVES[text];
  if (primitive !== undefined) return primitive;
  const decimal = /^DECIMAL\((\d+), ?(\d+)\)$/.exec(text);
  if (decimal) return `decimal(${Number(decimal[1])},${Number(decimal[2])})`;
  const nested = /^(STRUCT|MAP)\((.*)\)$/s.exec(text);
  const parts = nested ? splitTopLevel(nested[2] ?? '') : [];
  if (nested?.[1] === 'STRUCT') return { type: 'struct', fields: parts.map(member) };
  const [key, value] = parts;
  if (nested?.[1] === 'MAP' && key !== undefined && value !== undefined) {
    return {
      type: 'map',
      keyType: deltaTypeOf(key),
      valueType: deltaTypeOf(value),
      valueContainsNull: true,
    };
  }
  throw new DeltaError('DELTA_SCHEMA_INVALID', `Delta has no type for the engine's ${text}`);
}

function member(text: string): StructField {
  const match = /^\s*(?:"((?:[^"]|"")*)"|(\S+))\s+(.*)$/s.exec(text);
  if (!match) throw new DeltaError('DELTA_SCHEMA_INVALID', `cannot read the struct member ${text}`);
  return nullable(match[1]?.replaceAll('""', '"') ?? match[2] ?? '', deltaTypeOf(match[3] ?? ''));
}

/** Splits at commas outside parentheses and quotes. */
function splitTopLevel(text: string): string[] {
  const parts = [''];
  let depth = 0;
  let quoted = false;
  for (const char of text) {
    if (char === '"') quoted = !quoted;
    if (!quoted && char === '(') depth += 1;
    if (!quoted && char === ')') depth -= 1;
    if (!quoted && depth === 0 && char === ',') parts.push('');
    else parts[parts.length - 1] += char;
  }
  return parts;
}

function nullable(name: string, type: DataType): StructField {
  return { name, type, nullable: true, metadata: {} };
}

/** Whether the engine's value can be stored as the Delta type without becoming another value unnoticed. */
export function isAssignable(engineType: string, to: DataType): boolean {
  if (/^"?NULL"?$/.test(engineType)) return true;
  // Sums are of this type. The engine refuses one that does not fit.
  if (engineType === 'HUGEINT') return typeof to === 'string' && WIDTHS[to] !== undefined;
  const from = deltaTypeOf(engineType);
  if (sameType(from, to)) return true;
  if (typeof from !== 'string' || typeof to !== 'string') return false;
  const toDecimal = decimalParts(to);
  const fromDecimal = decimalParts(from);
  // The engine refuses a value that does not fit; what it would round, we refuse.
  const width = WIDTHS[from];
  if (width !== undefined) {
    if (to === 'double') return width <= 4;
    return WIDTHS[to] !== undefined || toDecimal !== undefined || (to === 'float' && width <= 2);
  }
  if (fromDecimal)
    return toDecimal ? toDecimal.scale >= fromDecimal.scale : to === 'double' || to === 'float';
  return from === 'float' && to === 'double';
}

const WIDTHS: Readonly<Record<string, number>> = { byte: 1, short: 2, integer: 4, long: 8 };

function decimalParts(type: string): { scale: number } | undefined {
  const match = /^decimal\(\d+,(\d+)\)$/.exec(type);
  return match ? { scale: Number(match[1]) } : undefined;
}

/** Equal but for nullability and metadata. */
export function sameType(a: DataType, b: DataType): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b;
  if (a.type === 'array' && b.type === 'array') return sameType(a.elementType, b.elementType);
  if (a.type === 'map' && b.type === 'map') {
    return sameType(a.keyType, b.keyType) && sameType(a.valueType, b.valueType);
  }
  if (a.type !== 'struct' || b.type !== 'struct') return false;
  return (
    a.fields.length === b.fields.length &&
    a.fields.every((field, index) => {
      const other = b.fields[index];
      return other !== undefined && field.name === other.name && sameType(field.type, other.type);
    })
  );
}
