/** Values as data files without the engine: the files of an append, where nothing about the rows asks for SQL. */
import type { AddFile } from './actions.js';
import type { Constraint } from './constraints.js';
import { requireNone } from './constraints.js';
import type { DeltaDeps } from './deps.js';
import { sameType } from './engine-type.js';
import { plainPartitionValue } from './partition-values.js';
import type { EncodedRows, ObjectStore, RowParquet, RowValue } from './ports.js';
import type { StructField, StructType } from './schema.js';
import { requireWelcome, type DataRow } from './source.js';
import { stageBytes } from './stage.js';
import { requireStored, storedColumns, type TableShape } from './write-files.js';

/** So many values are the engine's where there is one: it writes many of them faster. */
const ENGINE_FROM_VALUES = 10_000;

/** Columns of values, matched to a table's. */
export interface PlainColumns {
  /** The table's schema, with the new columns where they were welcome. */
  readonly schema: StructType;
  /** The columns that there are values for, as the table has them, and what the rows call them. */
  readonly given: ReadonlyArray<readonly [field: StructField, name: string]>;
}

/** One file in memory and the partition that it is of. */
export interface PlainFile {
  readonly encoded: EncodedRows;
  readonly partitionValues: AddFile['partitionValues'];
}

/** Who writes so many values without the engine; undefined where that is the engine's work. */
export function plainWriter({ rowParquet, engine }: DeltaDeps, values: number): RowParquet | undefined {
  return engine && values >= ENGINE_FROM_VALUES ? undefined : rowParquet;
}

/**
 * Matches columns by name, ignoring case. Undefined where a value would have to become one of another type, which is the
 * engine's to judge. Throws DELTA_SCHEMA_INVALID for a column that the table lacks (unless `evolve`).
 */
export function alignPlain(
  columns: readonly StructField[],
  table: StructType,
  options: { readonly evolve: boolean; readonly where: string },
): PlainColumns | undefined {
  const known = new Map(table.fields.map((field) => [field.name.toLowerCase(), field]));
  const names = new Set(columns.map(({ name }) => name.toLowerCase()));
  if (names.size < columns.length) return undefined;
  const extra = columns.filter(({ name }) => !known.has(name.toLowerCase()));
  requireWelcome(extra, options);
  if (!columns.every(({ name, type }) => sameType(type, known.get(name.toLowerCase())?.type ?? type)))
    return undefined;
  const added = extra.map((field): StructField => ({ ...field, nullable: true, metadata: {} }));
  const schema = added.length === 0 ? table : { ...table, fields: [...table.fields, ...added] };
  const fieldOf = new Map(schema.fields.map((field) => [field.name.toLowerCase(), field]));
  return {
    schema,
    given: columns.flatMap(({ name }) => {
      const field = fieldOf.get(name.toLowerCase());
      return field ? [[field, name] as const] : [];
    }),
  };
}

/**
 * The rows as files in memory, one for each partition. Undefined where only the engine can hold them against the table's
 * constraints, or can say what a value of a partition is. Throws DELTA_CONSTRAINT_VIOLATED, DELTA_VALUE_UNSUPPORTED,
 * DELTA_SCHEMA_INVALID, and what the writer throws for what it does not write.
 */
export async function encodePlain(
  port: RowParquet,
  rows: readonly DataRow[],
  { given }: PlainColumns,
  shape: TableShape,
  where: string,
): Promise<PlainFile[] | undefined> {
  if (shape.constraints.some(({ filled }) => filled === undefined)) return undefined;
  const stored = storedColumns(shape);
  requireStored(stored);
  const named = rows.map((row) => Object.fromEntries(given.map(([{ name }, own]) => [name, row[own]])));
  const partitions = partitionsOf(named, shape);
  if (!partitions) return undefined;
  const written = stored.filter((field) => given.some(([one]) => one.name === field.name));
  // A file needs a column: of rows that have values for partitions only, all are written, and are NULL.
  const fields = written.length > 0 ? written : stored;
  const files: PlainFile[] = [];
  for (const { partitionValues, rows: some } of partitions) {
    const encoded = await port.write({ type: 'struct', fields }, some);
    files.push({ encoded: withAbsent(encoded, stored), partitionValues });
  }
  requireFilled(named, shape.constraints, where);
  return files;
}

type PlainRow = Readonly<Record<string, RowValue>>;

function partitionsOf(
  rows: ReadonlyArray<DataRow>,
  { schema, partitionColumns }: TableShape,
): Array<{ partitionValues: AddFile['partitionValues']; rows: PlainRow[] }> | undefined {
  const fields = schema.fields.filter(({ name }) => partitionColumns.includes(name));
  const partitions = new Map<string, { partitionValues: AddFile['partitionValues']; rows: PlainRow[] }>();
  for (const row of rows) {
    const texts = fields.map(({ name, type }) => plainPartitionValue(type, row[name]));
    if (texts.includes(undefined)) return undefined;
    const key = JSON.stringify(texts);
    const known = partitions.get(key);
    // The writer refuses what is no value of its own kind.
    if (known) known.rows.push(row as PlainRow);
    else {
      const values = fields.map(({ name }, index) => [name, texts[index] ?? null] as const);
      partitions.set(key, { partitionValues: Object.fromEntries(values), rows: [row as PlainRow] });
    }
  }
  return [...partitions.values()];
}

/** Columns that the file lacks are NULL in all of its rows. */
function withAbsent(encoded: EncodedRows, stored: readonly StructField[]): EncodedRows {
  const absent = stored.filter(({ name }) => !(name in encoded.columns));
  const columns = absent.map(({ name }) => [name, { nullCount: encoded.rows }] as const);
  return { ...encoded, columns: { ...encoded.columns, ...Object.fromEntries(columns) } };
}

function requireFilled(
  rows: ReadonlyArray<DataRow>,
  constraints: readonly Constraint[],
  where: string,
): void {
  const counts = constraints.map(({ name, filled = '' }) => {
    const empty = rows.filter((row) => row[filled] === null || row[filled] === undefined);
    return [name, empty.length] as const;
  });
  requireNone(counts, where);
}

/** Whether the row writer said that it does not write this. */
export function isRowUnsupported(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ROW_UNSUPPORTED';
}

/** Uploads the files; each is in `uploads` as soon as it may be there. */
export async function stagePlain(
  { store, deps }: { readonly store: ObjectStore; readonly deps: DeltaDeps },
  files: readonly PlainFile[],
  { schema, statistics }: TableShape,
  uploads: AddFile[],
  signal: AbortSignal | undefined,
): Promise<AddFile[]> {
  const { clock, newId } = deps;
  const adds: AddFile[] = [];
  for (const { encoded, partitionValues } of files) {
    signal?.throwIfAborted();
    const add = await stageBytes(store, encoded, { schema, partitionValues, statistics, clock, newId });
    uploads.push(add);
    adds.push(add);
  }
  return adds;
}
