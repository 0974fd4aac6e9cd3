/** Rows from outside, for the operations that write: as SQL over local files, or as values. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { quoteName, quoteText } from './checkpoint-parquet.js';
import { requireExact } from './exact-value.js';
import { isAssignable, schemaOfColumns } from './engine-type.js';
import { DeltaError } from './errors.js';
import type { Engine, EngineSession } from './ports.js';
import type { StructField, StructType } from './schema.js';

/** A value of a row; dates and timestamps as ISO text (a zone-less one is UTC) or Date. */
export type DataValue =
  | string
  | number
  | bigint
  | boolean
  | Date
  | Uint8Array
  | null
  | undefined
  | readonly DataValue[]
  | { readonly [name: string]: DataValue };

export type DataRow = Readonly<Record<string, DataValue>>;

/**
 * Rows to write: one SELECT that reads nothing but the local files it names, or values. The schema of values is the
 * table's where none is given.
 */
export type DataSource = { readonly sql: string; readonly inputs?: readonly string[] } | RowSource;

export interface RowSource {
  readonly rows: readonly DataRow[];
  readonly schema?: StructType;
}

/** A source as SQL, and the files that the session must be allowed to read. */
export interface PreparedSource {
  readonly sql: string;
  readonly inputs: readonly string[];
}

/**
 * Values go to a file in the folder first. Throws DELTA_SCHEMA_INVALID (no schema, or a column that it lacks),
 * DELTA_VALUE_UNSUPPORTED (a number that the column's type would round).
 */
export async function prepareSource(
  source: DataSource,
  engine: Engine,
  folder: string,
  tableSchema: StructType | undefined,
): Promise<PreparedSource> {
  if ('sql' in source) return { sql: source.sql, inputs: source.inputs ?? [] };
  const fields = columnsOf(source, tableSchema);
  const path = join(folder, 'source.json');
  await writeFile(path, source.rows.map((row) => `${lineOf(row, fields)}\n`).join(''));
  return { sql: readJson(path, fields, engine), inputs: [path] };
}

/** The columns that values are given for. Throws DELTA_SCHEMA_INVALID (no schema, or a column that it lacks). */
export function columnsOf(source: RowSource, tableSchema: StructType | undefined): readonly StructField[] {
  const schema = source.schema ?? tableSchema;
  if (!schema) {
    throw new DeltaError('DELTA_SCHEMA_INVALID', 'rows for a table that does not exist need a schema');
  }
  const known = new Set(schema.fields.map(({ name }) => name));
  const given = new Set(source.rows.flatMap((row) => Object.keys(row)));
  for (const name of given) {
    if (!known.has(name))
      throw new DeltaError('DELTA_SCHEMA_INVALID', `rows have '${name}', which the schema lacks`);
  }
  // Columns that no row has are left to the table, so that a source with some columns only stays one.
  const fields = schema.fields.filter(({ name }) => source.schema !== undefined || given.has(name));
  if (fields.length === 0) throw new DeltaError('DELTA_SCHEMA_INVALID', 'the rows have no columns');
  return fields;
}

function lineOf(row: DataRow, fields: readonly StructField[]): string {
  for (const { name, type } of fields) requireExact(row[name], type, name);
  return JSON.stringify(
    Object.fromEntries(fields.map(({ name }, index) => [`c${index}`, jsonValue(row[name])])),
  );
}

/** Numbers go as text, so that none loses a digit on the way. */
function jsonValue(value: DataValue): unknown {
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint' || typeof value === 'number') return String(value);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(jsonValue);
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value as DataRow).map(([name, item]) => [name, jsonValue(item)]));
}

function readJson(path: string, fields: readonly StructField[], engine: Engine): string {
  const columns = fields.map(({ type }, index) => {
    const nested = typeof type === 'string' ? 'VARCHAR' : engine.sqlType(type);
    return `c${index}: ${quoteText(nested)}`;
  });
  const values = fields.map(({ name, type }, index) => {
    const value = type === 'binary' ? `unhex(c${index})` : `CAST(c${index} AS ${engine.sqlType(type)})`;
    return `${value} AS ${quoteName(name)}`;
  });
  return (
    `SELECT ${values.join(', ')} FROM read_json(${quoteText(path)}, format = 'newline_delimited', ` +
    `columns = {${columns.join(', ')}})`
  );
}

/** How a source's columns become the table's. */
export interface Alignment {
  /** The table's schema, with the source's new columns where they were welcome. */
  readonly schema: StructType;
  /** SELECT list over the source, in the order of the schema. */
  readonly columns: readonly string[];
}

/**
 * Matches a source's columns to the table's by name, ignoring case; columns that the source lacks are NULL. Throws
 * DELTA_SCHEMA_INVALID for a column that the table lacks (unless `evolve`), and for a type that would change values.
 */
export async function align(
  session: EngineSession,
  engine: Engine,
  sql: string,
  table: StructType,
  options: { readonly evolve: boolean; readonly where: string },
): Promise<Alignment> {
  const columns = await session.describe(sql);
  const byName = new Map(columns.map((column) => [column.name.toLowerCase(), column]));
  const known = new Set(table.fields.map(({ name }) => name.toLowerCase()));
  const extra = columns.filter(({ name }) => !known.has(name.toLowerCase()));
  requireWelcome(extra, options);
  const schema: StructType =
    extra.length === 0 ? table : { ...table, fields: [...table.fields, ...schemaOfColumns(extra).fields] };
  const list = schema.fields.map(({ name, type }) => {
    const column = byName.get(name.toLowerCase());
    if (!column) return `NULL::${engine.sqlType(type)} AS ${quoteName(name)}`;
    requireAssignable(column, name, type, options.where);
    return `CAST(${quoteName(column.name)} AS ${engine.sqlType(type)}) AS ${quoteName(name)}`;
  });
  return { schema, columns: list };
}

/** Columns of a source that the table lacks. Throws DELTA_SCHEMA_INVALID unless it may grow. */
export function requireWelcome(
  extra: ReadonlyArray<{ readonly name: string }>,
  { evolve, where }: { readonly evolve: boolean; readonly where: string },
): void {
  if (extra.length === 0 || evolve) return;
  const names = extra.map(({ name }) => `'${name}'`).join(', ');
  throw new DeltaError('DELTA_SCHEMA_INVALID', `${where} lacks the columns ${names} of the source`);
}

/** Throws DELTA_SCHEMA_INVALID where storing the expression in the column would change its value. */
export function requireAssignable(
  from: { readonly name: string; readonly type: string },
  column: string,
  type: StructField['type'],
  where: string,
): void {
  // The engine takes a bare NULL for an integer.
  if (/^\s*null\s*$/i.test(from.name) || isAssignable(from.type, type)) return;
  const wanted = typeof type === 'string' ? type : JSON.stringify(type);
  throw new DeltaError(
    'DELTA_SCHEMA_INVALID',
    `'${from.name}' is ${from.type} and cannot be stored in column '${column}' of ${where}, which is ${wanted}: cast it`,
  );
}
