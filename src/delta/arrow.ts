/** Rows as Arrow record batches. The vectors are laid out here, since the library's builders lose microseconds. */
import type { DataType as ArrowType } from 'apache-arrow';
import {
  Binary,
  Bool,
  DateDay,
  Decimal,
  Field,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  Int8,
  List,
  makeData,
  Map_,
  Null,
  RecordBatch,
  Schema,
  Struct,
  TimestampMicrosecond,
  Utf8,
  type Data,
} from 'apache-arrow';
import { DeltaError } from './errors.js';
import type { ColumnBatch } from './ports.js';
import { decimalOf } from './schema-json.js';
import type { DataType, StructField, StructType } from './schema.js';

/** The Arrow schema of a table; variants are JSON text. Throws DELTA_READ_UNSUPPORTED for a type that Arrow lacks. */
export function arrowSchema(schema: StructType): Schema {
  return new Schema(schema.fields.map(arrowField));
}

function arrowField({ name, type, nullable }: StructField): Field {
  return new Field(name, arrowType(type), nullable);
}

const DECIMAL_BITS = 128;
const PRIMITIVES: Readonly<Record<string, () => ArrowType>> = {
  string: () => new Utf8(),
  variant: () => new Utf8(),
  long: () => new Int64(),
  integer: () => new Int32(),
  short: () => new Int16(),
  byte: () => new Int8(),
  float: () => new Float32(),
  double: () => new Float64(),
  boolean: () => new Bool(),
  binary: () => new Binary(),
  date: () => new DateDay(),
  timestamp: () => new TimestampMicrosecond('UTC'),
  timestamp_ntz: () => new TimestampMicrosecond(),
  void: () => new Null(),
};

function arrowType(type: DataType): ArrowType {
  if (typeof type === 'string') {
    const decimal = decimalOf(type);
    if (decimal) return new Decimal(decimal.scale, decimal.precision, DECIMAL_BITS);
    const make = PRIMITIVES[type];
    if (make) return make();
    throw new DeltaError('DELTA_READ_UNSUPPORTED', `Arrow has no type for '${type}'`);
  }
  switch (type.type) {
    case 'struct':
      return new Struct(type.fields.map(arrowField));
    case 'array':
      return new List(new Field('element', arrowType(type.elementType), type.containsNull));
    case 'map':
      return new Map_(
        new Field('entries', entriesType(type.keyType, type.valueType, type.valueContainsNull), false),
      );
  }
}

function entriesType(
  key: DataType,
  value: DataType,
  nullable: boolean,
): Struct<{ key: ArrowType; value: ArrowType }> {
  return new Struct([
    new Field('key', arrowType(key), false),
    new Field('value', arrowType(value), nullable),
  ]);
}

/** A batch of the engine's as Arrow's, with the schema of {@link arrowSchema}. */
export function recordBatch(arrow: Schema, schema: StructType, batch: ColumnBatch): RecordBatch {
  const children = schema.fields.map(({ type }, index) => dataOf(type, batch.columns[index] ?? []));
  const type = new Struct(arrow.fields);
  return new RecordBatch(arrow, makeData({ type, length: batch.rows, nullCount: 0, children }));
}

type Values = readonly unknown[];
const isNull = (value: unknown): boolean => value === null || value === undefined;

function dataOf(type: DataType, values: Values): Data {
  const arrow = arrowType(type);
  const { nullCount, nullBitmap } = nullsOf(values);
  const common = { type: arrow as never, length: values.length, nullCount, nullBitmap };
  if (typeof type === 'string') {
    if (type === 'void') return makeData({ type: new Null(), length: values.length });
    if (type === 'string' || type === 'variant' || type === 'binary')
      return makeData({ ...common, ...textBytes(values) } as never);
    return makeData({ ...common, data: fixedValues(type, values) } as never);
  }
  switch (type.type) {
    case 'struct': {
      const children = type.fields.map((field) =>
        dataOf(
          field.type,
          values.map((value) => member(value, field.name)),
        ),
      );
      return makeData({ ...common, children } as never);
    }
    case 'array': {
      const { valueOffsets, items } = flattened(values);
      return makeData({ ...common, valueOffsets, child: dataOf(type.elementType, items) } as never);
    }
    case 'map': {
      const { valueOffsets, items } = flattened(values);
      const children = [
        dataOf(
          type.keyType,
          items.map((item) => member(item, 'key')),
        ),
        dataOf(
          type.valueType,
          items.map((item) => member(item, 'value')),
        ),
      ];
      const entries = entriesType(type.keyType, type.valueType, type.valueContainsNull);
      const child = makeData({ type: entries, length: items.length, nullCount: 0, children });
      return makeData({ ...common, valueOffsets, child } as never);
    }
  }
}

function member(value: unknown, name: string): unknown {
  return isNull(value) ? null : (value as Readonly<Record<string, unknown>>)[name];
}

function nullsOf(values: Values): { nullCount: number; nullBitmap: Uint8Array } {
  const nullBitmap = new Uint8Array(Math.ceil(values.length / 8));
  let nullCount = 0;
  values.forEach((value, index) => {
    if (isNull(value)) nullCount += 1;
    else nullBitmap[index >> 3] = (nullBitmap[index >> 3] ?? 0) | (1 << (index & 7));
  });
  return { nullCount, nullBitmap };
}

function textBytes(values: Values): { valueOffsets: Int32Array; data: Uint8Array } {
  const parts = values.map((value) =>
    isNull(value) ? EMPTY : typeof value === 'string' ? Buffer.from(value, 'utf8') : (value as Uint8Array),
  );
  return { valueOffsets: offsetsOf(parts), data: Buffer.concat(parts) };
}
const EMPTY = new Uint8Array();

function flattened(values: Values): { valueOffsets: Int32Array; items: unknown[] } {
  const lists = values.map((value) => (isNull(value) ? [] : (value as unknown[])));
  return { valueOffsets: offsetsOf(lists), items: lists.flat() };
}

function offsetsOf(parts: ReadonlyArray<{ readonly length: number }>): Int32Array {
  const offsets = new Int32Array(parts.length + 1);
  parts.forEach((part, index) => (offsets[index + 1] = (offsets[index] ?? 0) + part.length));
  return offsets;
}

/** Values of fixed width; what stands in the place of NULL does not matter. */
function fixedValues(type: string, values: Values): ArrayBufferView {
  const numbers = (): number[] => values.map((value) => Number(value ?? 0));
  switch (type) {
    case 'long':
    case 'timestamp':
    case 'timestamp_ntz':
      return BigInt64Array.from(values, (value) => BigInt((value ?? 0) as bigint));
    case 'integer':
    case 'date':
      return Int32Array.from(numbers());
    case 'short':
      return Int16Array.from(numbers());
    case 'byte':
      return Int8Array.from(numbers());
    case 'float':
      return Float32Array.from(numbers());
    case 'double':
      return Float64Array.from(numbers());
    case 'boolean':
      return nullsOf(values.map((value) => (value === true ? true : null))).nullBitmap;
    default:
      return decimals(values);
  }
}

/** 128 bits each, least significant word first. */
function decimals(values: Values): Uint32Array {
  const words = new Uint32Array(values.length * 4);
  values.forEach((value, index) => {
    const bits = BigInt.asUintN(DECIMAL_BITS, (value ?? 0n) as bigint);
    for (let word = 0; word < 4; word += 1) {
      words[index * 4 + word] = Number((bits >> BigInt(32 * word)) & 0xffffffffn);
    }
  });
  return words;
}
