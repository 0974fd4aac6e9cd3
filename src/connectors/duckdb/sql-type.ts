/** Delta types as DuckDB types, and the engine types that Delta has no word for. */
import type { DataType, StructField } from '../../delta/schema.js';
import { identifier } from '../../contracts/sql-text.js';

const PRIMITIVES: Readonly<Record<string, string>> = {
  string: 'VARCHAR',
  long: 'BIGINT',
  integer: 'INTEGER',
  short: 'SMALLINT',
  byte: 'TINYINT',
  float: 'FLOAT',
  double: 'DOUBLE',
  boolean: 'BOOLEAN',
  binary: 'BLOB',
  date: 'DATE',
  timestamp: 'TIMESTAMPTZ',
  timestamp_ntz: 'TIMESTAMP',
  void: 'INTEGER',
};

/** What a struct field is called inside the SQL type. */
export type FieldName = (field: StructField) => string;

/** The DuckDB type of a Delta type, with another one for `variant` where that is given. Throws RangeError. */
export function sqlType(
  type: DataType,
  nameOf: FieldName = (field) => field.name,
  variant = 'VARIANT',
): string {
  if (typeof type === 'string') {
    if (type === 'variant') return variant;
    const decimal = /^decimal\((\d+),\s*(-?\d+)\)$/.exec(type);
    if (decimal) return `DECIMAL(${decimal[1]},${decimal[2]})`;
    const primitive = PRIMITIVES[type];
    if (primitive === undefined) throw new RangeError(`the engine has no type for Delta's '${type}'`);
    return primitive;
  }
  switch (type.type) {
    case 'struct':
      return `STRUCT(${type.fields.map((field) => `${identifier(nameOf(field))} ${sqlType(field.type, nameOf, variant)}`).join(', ')})`;
    case 'array':
      return `${sqlType(type.elementType, nameOf, variant)}[]`;
    case 'map':
      return `MAP(${sqlType(type.keyType, nameOf, variant)}, ${sqlType(type.valueType, nameOf, variant)})`;
  }
}

/** Engine types that would become something else, or nothing, in a Delta table: found anywhere in a type's text. */
const UNSUPPORTED =
  /\b(U?HUGEINT|UTINYINT|USMALLINT|UINTEGER|UBIGINT|TIME|TIMETZ|TIME WITH TIME ZONE|TIME_NS|INTERVAL|UUID|BIT|BIGNUM|ENUM|UNION|JSON|VARIANT|GEOMETRY|TIMESTAMP_S|TIMESTAMP_MS|TIMESTAMP_NS)\b/;

/** Name of the part of an engine type that Delta lacks, or undefined where all of it can be stored. */
export function unsupportedPart(engineType: string): string | undefined {
  // An enumeration of its own, not inside another type, is written as the text that it stands for.
  if (/^ENUM\(.*\)$/s.test(engineType)) return undefined;
  const bare = engineType
    .replace(/"(?:[^"]|"")*"/g, '""')
    .replaceAll('TIMESTAMP WITH TIME ZONE', 'TIMESTAMPTZ');
  const found = UNSUPPORTED.exec(bare)?.[1];
  return found ?? (/\[\d+\]/.test(bare) ? 'a fixed-size array' : undefined);
}
