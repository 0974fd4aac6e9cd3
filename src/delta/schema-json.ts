/** Reading and writing `metaData.schemaString`. */
import { DeltaError } from './errors.js';
import type { DataType, PrimitiveType, StructField, StructType } from './schema.js';

const PRIMITIVES = new Set<string>([
  'string',
  'long',
  'integer',
  'short',
  'byte',
  'float',
  'double',
  'boolean',
  'binary',
  'date',
  'timestamp',
  'timestamp_ntz',
  'variant',
  'void',
]);
const DECIMAL = /^decimal\(\s*(\d+)\s*,\s*(-?\d+)\s*\)$/;
const MAX_PRECISION = 38;

/** Schema of a `schemaString`. Throws DELTA_SCHEMA_INVALID; an unknown type is DELTA_READ_UNSUPPORTED by name. */
export function parseSchema(text: string): StructType {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new DeltaError('DELTA_SCHEMA_INVALID', 'the schemaString is not JSON', { cause });
  }
  const type = parseType(parsed, '');
  if (typeof type === 'string' || type.type !== 'struct') {
    throw new DeltaError('DELTA_SCHEMA_INVALID', 'the schemaString is not a struct');
  }
  return type;
}

/** Text of a schema, as other writers spell it. */
export function serialiseSchema(schema: StructType): string {
  return JSON.stringify(schema);
}

/** Throws DELTA_SCHEMA_INVALID where two fields of one struct differ only by case, or a name is empty. */
export function checkSchema(schema: StructType, where = ''): void {
  const seen = new Set<string>();
  for (const field of schema.fields) {
    const path = where === '' ? field.name : `${where}.${field.name}`;
    const key = field.name.toLowerCase();
    if (key === '') throw new DeltaError('DELTA_SCHEMA_INVALID', `a column of '${where}' has an empty name`);
    if (seen.has(key)) {
      throw new DeltaError('DELTA_SCHEMA_INVALID', `column '${path}' appears twice (names ignore case)`);
    }
    seen.add(key);
    for (const struct of structsOf(field.type)) checkSchema(struct, path);
  }
}

/** Whether a predicate holds for any type within the schema. */
export function someType(schema: StructType, test: (type: DataType, field: StructField) => boolean): boolean {
  return schema.fields.some((field) => typesOf(field.type).some((type) => test(type, field)));
}

function typesOf(type: DataType): DataType[] {
  if (typeof type === 'string') return [type];
  switch (type.type) {
    case 'struct':
      return [type, ...type.fields.flatMap((field) => typesOf(field.type))];
    case 'array':
      return [type, ...typesOf(type.elementType)];
    case 'map':
      return [type, ...typesOf(type.keyType), ...typesOf(type.valueType)];
  }
}

function structsOf(type: DataType): StructType[] {
  if (typeof type === 'string') return [];
  switch (type.type) {
    case 'struct':
      return [type];
    case 'array':
      return structsOf(type.elementType);
    case 'map':
      return [...structsOf(type.keyType), ...structsOf(type.valueType)];
  }
}

function parseType(value: unknown, where: string): DataType {
  if (typeof value === 'string') return parsePrimitive(value, where);
  if (typeof value !== 'object' || value === null) {
    throw new DeltaError('DELTA_SCHEMA_INVALID', `column '${where}' has no type`);
  }
  const node = value as Record<string, unknown>;
  switch (node['type']) {
    case 'struct':
      return parseStruct(node, where);
    case 'array':
      return {
        type: 'array',
        elementType: parseType(node['elementType'], `${where}.element`),
        containsNull: node['containsNull'] !== false,
      };
    case 'map':
      return {
        type: 'map',
        keyType: parseType(node['keyType'], `${where}.key`),
        valueType: parseType(node['valueType'], `${where}.value`),
        valueContainsNull: node['valueContainsNull'] !== false,
      };
    default:
      throw unknownType(String(node['type']), where);
  }
}

function parseStruct(node: Record<string, unknown>, where: string): StructType {
  const fields = node['fields'];
  if (!Array.isArray(fields)) {
    throw new DeltaError('DELTA_SCHEMA_INVALID', `struct '${where}' has no fields`);
  }
  return { type: 'struct', fields: fields.map((field: unknown) => parseField(field, where)) };
}

function parseField(value: unknown, where: string): StructField {
  const node = (value ?? {}) as Record<string, unknown>;
  const name = node['name'];
  if (typeof name !== 'string') {
    throw new DeltaError('DELTA_SCHEMA_INVALID', `a field of struct '${where}' has no name`);
  }
  const path = where === '' ? name : `${where}.${name}`;
  return {
    name,
    type: parseType(node['type'], path),
    nullable: node['nullable'] !== false,
    metadata: (node['metadata'] ?? {}) as Record<string, unknown>,
  };
}

function parsePrimitive(name: string, where: string): PrimitiveType {
  if (PRIMITIVES.has(name)) return name as PrimitiveType;
  if (name === 'decimal') return 'decimal(10,0)';
  const decimal = decimalOf(name);
  if (decimal) return `decimal(${decimal.precision},${decimal.scale})`;
  throw unknownType(name, where);
}

/** Precision and scale of a decimal type name, or undefined for any other. */
export function decimalOf(type: DataType | string): { precision: number; scale: number } | undefined {
  const match = typeof type === 'string' ? DECIMAL.exec(type) : null;
  if (!match) return undefined;
  const precision = Number(match[1]);
  const scale = Number(match[2]);
  return precision >= 1 && precision <= MAX_PRECISION && scale >= 0 && scale <= precision
    ? { precision, scale }
    : undefined;
}

function unknownType(name: string, where: string): DeltaError {
  return new DeltaError('DELTA_READ_UNSUPPORTED', `column '${where}' has the unknown type '${name}'`);
}
