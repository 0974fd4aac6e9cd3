/** Rows of a SELECT as data files of a table: held against its constraints, split by partition, with statistics. */
import { rm } from 'node:fs/promises';
import type { AddFile } from './actions.js';
import { bytesOfText } from './binary-text.js';
import { quoteName, quoteText } from './checkpoint-parquet.js';
import { requireConstraints, type Constraint } from './constraints.js';
import type { DeltaDeps } from './deps.js';
import { DeltaError } from './errors.js';
import { partitionValue } from './partition-values.js';
import type { Engine, EngineSession, ObjectStore, RowValue, WrittenFile } from './ports.js';
import type { StructField, StructType } from './schema.js';
import { stageFile } from './stage.js';
import type { StatsColumns } from './stats.js';

/** The table as it will be, for those who write rows of it. */
export interface TableShape {
  readonly schema: StructType;
  readonly partitionColumns: readonly string[];
  readonly constraints: readonly Constraint[];
  readonly statistics: Partial<StatsColumns>;
}

export interface WriteContext {
  readonly store: ObjectStore;
  readonly deps: DeltaDeps;
  readonly engine: Engine;
  readonly session: EngineSession;
  readonly signal?: AbortSignal | undefined;
  /** Files that were uploaded so far: nobody knows of them before the commit. */
  readonly uploads: AddFile[];
  /** The SELECT is our own over a table's columns: see `EngineSession.writeParquet`. */
  readonly isOwn?: boolean;
}

/**
 * Writes the rows of a SELECT that has exactly the table's columns, in order and by type. With `partitionValues` all rows
 * are of that partition and go to one file; otherwise each partition gets one. No rows, no file. Throws
 * DELTA_CONSTRAINT_VIOLATED, DELTA_VALUE_UNSUPPORTED (a value that cannot be a partition value).
 */
export async function writeRows(
  context: WriteContext,
  shape: TableShape,
  select: string,
  partitionValues?: AddFile['partitionValues'],
): Promise<AddFile[]> {
  const fixed = partitionValues ?? (shape.partitionColumns.length === 0 ? {} : undefined);
  if (fixed) {
    const written = await writeFile(context, storedColumns(shape), select);
    if (!written) return [];
    await requireHeld(context, shape, written, fixed);
    return [await upload(context, shape, written, fixed)];
  }
  const order = shape.partitionColumns.map(quoteName).join(', ');
  const staged = await writeFile(
    context,
    shape.schema.fields,
    `SELECT * FROM (\n${select}\n) ORDER BY ${order}`,
  );
  if (!staged) return [];
  try {
    await requireHeld(context, { ...shape, partitionColumns: [] }, staged, {});
    return await writePartitions(context, shape, relationOf(context, shape.schema, [], staged, {}));
  } finally {
    await rm(staged.localPath, { force: true });
  }
}

async function writePartitions(
  context: WriteContext,
  shape: TableShape,
  relation: string,
): Promise<AddFile[]> {
  const fields = shape.schema.fields.filter(({ name }) => shape.partitionColumns.includes(name));
  const names = fields.map(({ name }) => quoteName(name)).join(', ');
  const adds: AddFile[] = [];
  const partitions = await context.session.rows<Record<string, RowValue>>(
    `SELECT DISTINCT ${names} FROM ${relation} ORDER BY ALL`,
  );
  for (const values of partitions) {
    const texts = Object.fromEntries(
      fields.map(({ name, type }) => [name, partitionValue(type, values[name])]),
    );
    const select = `SELECT * FROM ${relation} WHERE ${isPartition(context.engine, fields, texts)}`;
    const written = await writeFile(context, storedColumns(shape), select);
    if (written) adds.push(await upload(context, shape, written, texts));
  }
  return adds;
}

/** SQL that is TRUE for the rows of one partition, given by the texts of the log. */
export function isPartition(
  engine: Engine,
  fields: readonly StructField[],
  values: Readonly<Record<string, string | null>>,
): string {
  const parts = fields.map(({ name, type }) => {
    const value = valueSql(type, values[name] ?? null);
    return `${quoteName(name)} IS NOT DISTINCT FROM CAST(${value} AS ${engine.sqlType(type)})`;
  });
  return parts.length === 0 ? 'true' : parts.join(' AND ');
}

function valueSql(type: StructField['type'], text: string | null): string {
  if (text === null) return 'NULL';
  if (type === 'binary') return `unhex('${bytesOfText(text).toString('hex')}')`;
  // A SQL text has no NUL character in it.
  return text.includes('\0') ? `decode(unhex('${Buffer.from(text).toString('hex')}'))` : quoteText(text);
}

/** Throws DELTA_SCHEMA_INVALID where a file would have no column. */
export function requireStored(fields: readonly StructField[]): void {
  if (fields.length > 0) return;
  throw new DeltaError('DELTA_SCHEMA_INVALID', 'a table needs a column that does not partition it');
}

export function storedColumns({
  schema,
  partitionColumns,
}: Pick<TableShape, 'schema' | 'partitionColumns'>): readonly StructField[] {
  return schema.fields.filter(({ name }) => !partitionColumns.includes(name));
}

async function writeFile(
  { session, deps, signal, isOwn = false }: WriteContext,
  fields: readonly StructField[],
  select: string,
): Promise<WrittenFile | undefined> {
  signal?.throwIfAborted();
  requireStored(fields);
  const columns = fields.map(({ name }) => quoteName(name)).join(', ');
  return session.writeParquet(`SELECT ${columns} FROM (\n${select}\n)`, `${deps.newId()}.parquet`, { isOwn });
}

function requireHeld(
  context: WriteContext,
  { schema, partitionColumns, constraints }: TableShape,
  written: WrittenFile,
  partitionValues: AddFile['partitionValues'],
): Promise<void> {
  const relation = relationOf(context, schema, partitionColumns, written, partitionValues);
  return requireConstraints(context.session, relation, constraints, context.store.uri);
}

function relationOf(
  { engine }: WriteContext,
  schema: StructType,
  partitionColumns: readonly string[],
  { localPath }: WrittenFile,
  partitionValues: AddFile['partitionValues'],
): string {
  const files = [{ localPath, partitionValues }];
  return engine.relation({ schema, partitionColumns, files, columnMapping: 'none' });
}

async function upload(
  { store, deps, signal, uploads }: WriteContext,
  { schema, statistics }: TableShape,
  written: WrittenFile,
  partitionValues: AddFile['partitionValues'],
): Promise<AddFile> {
  const { clock, newId } = deps;
  const how = { schema, partitionValues, statistics, clock, newId, ...(signal ? { signal } : {}) };
  const add = await stageFile(store, written, how);
  uploads.push(add);
  await rm(written.localPath, { force: true });
  return add;
}
