/** Adding rows. */
import type { Action, AddFile } from '../actions.js';
import type { Snapshot, TableHandle } from '../api.js';
import { changeTableActions, createTableActions } from '../create.js';
import { schemaOfColumns } from '../engine-type.js';
import { DeltaError } from '../errors.js';
import {
  alignPlain,
  encodePlain,
  isRowUnsupported,
  plainWriter,
  stagePlain,
  type PlainFile,
} from '../plain-rows.js';
import type { EngineSession } from '../ports.js';
import type { StructType } from '../schema.js';
import { align, columnsOf, type Alignment, type DataSource, type RowSource } from '../source.js';
import { requireSettable, tableProperties } from '../table-properties.js';
import { writeRows } from '../write-files.js';
import {
  inWorkspace,
  requireWritable,
  runOperation,
  shapeOf,
  type Decision,
  type OperationOptions,
  type OperationReport,
} from './run.js';

/** How a table is made where there is none. */
export interface CreateOptions {
  readonly partitionBy?: readonly string[];
  /** Table properties, `delta.…` or own ones. */
  readonly properties?: Readonly<Record<string, string>>;
  readonly name?: string;
  readonly description?: string;
}

export interface AppendOptions extends OperationOptions {
  /** Columns of the source that the table lacks become nullable columns of it; otherwise they are refused. */
  readonly evolveSchema?: boolean;
  /** For a table that does not exist yet; ignored where it does. */
  readonly create?: CreateOptions;
}

/**
 * Appends the source's rows, making the table where there is none. Other appends at the same time do not disturb. Throws
 * DELTA_SCHEMA_INVALID, DELTA_CONSTRAINT_VIOLATED, DELTA_WRITE_UNSUPPORTED, DELTA_CONCURRENT_CHANGE.
 */
export function append(
  table: TableHandle,
  source: DataSource,
  options: AppendOptions = {},
): Promise<OperationReport> {
  return runOperation(table, options, async (base, uploads) => {
    if (base) requireWritable(base, table, 'append');
    const how = { evolve: options.evolveSchema === true, create: options.create };
    const plain = 'rows' in source ? await plainTarget(table, base, source, how) : undefined;
    if (plain) {
      const adds = await stagePlain(table, plain.files, plain.shape, uploads, options.signal);
      return appended(base, plain, adds);
    }
    const needs = { base, files: [], source, signal: options.signal };
    return inWorkspace(table, uploads, needs, async (workspace) => {
      const target = await targetOf(table, base, workspace.session, source, workspace.source, how);
      const select = `SELECT ${target.alignment.columns.join(', ')} FROM (\n${workspace.source}\n)`;
      // The source was proved to be one SELECT when its columns were matched; the rest of the text is ours.
      return appended(base, target, await writeRows({ ...workspace, isOwn: true }, target.shape, select));
    });
  });
}

function appended(
  base: Snapshot | null,
  { actions, shape }: Pick<WriteTarget, 'actions' | 'shape'>,
  adds: readonly AddFile[],
): Decision | undefined {
  if (adds.length === 0 && base && actions.length === 0) return undefined;
  return {
    actions: [...actions, ...adds.map((add): Action => ({ add }))],
    operation: base ? 'WRITE' : 'CREATE TABLE AS SELECT',
    parameters: { mode: 'Append', partitionBy: JSON.stringify(shape.partitionColumns) },
    read: 'nothing',
    rows: { rowsInserted: rowsOf(adds) },
  };
}

/**
 * The table that values can be written to without the engine, and their files in memory. Undefined where the engine has to
 * see them: to make them values of the columns' types, to hold them against a condition, or because they are many.
 */
async function plainTarget(
  table: TableHandle,
  base: Snapshot | null,
  source: RowSource,
  how: AppendTarget,
): Promise<(Pick<WriteTarget, 'actions' | 'shape'> & { readonly files: readonly PlainFile[] }) | undefined> {
  const where = table.store.uri;
  const columns = columnsOf(source, base?.schema);
  const port = plainWriter(table.deps, source.rows.length * columns.length);
  if (!port) return undefined;
  const fields = base?.schema ?? source.schema;
  const aligned = fields && alignPlain(columns, fields, { evolve: how.evolve, where });
  if (!aligned) return undefined;
  const { schema } = aligned;
  const actions = base ? changeTableActions(base, { schema }) : creationOf(table, schema, how.create);
  const shape = shapeOf(base ? { ...metaOf(base), schema } : madeBy(actions, schema), where);
  try {
    const files = await encodePlain(port, source.rows, aligned, shape, where);
    return files && { actions, shape, files };
  } catch (error) {
    if (isRowUnsupported(error) && table.deps.engine) return undefined;
    throw error;
  }
}

/** Rows that these files were measured to have. */
export function rowsOf(adds: ReadonlyArray<{ readonly stats?: string }>): number {
  return adds.reduce((sum, { stats = '{}' }) => sum + Number(/"numRecords":(\d+)/.exec(stats)?.[1] ?? 0), 0);
}

/** What may become of the table's schema. */
interface AppendTarget {
  readonly evolve: boolean;
  readonly create?: CreateOptions | undefined;
}

export interface WriteTarget {
  /** Actions that make the table, or change its schema. */
  readonly actions: readonly Action[];
  readonly shape: ReturnType<typeof shapeOf>;
  readonly alignment: Alignment;
}

/** The table that rows of the source can be written to: as it is, with the source's new columns, or a new one. */
export async function targetOf(
  table: TableHandle,
  base: Snapshot | null,
  session: EngineSession,
  source: DataSource,
  sql: string,
  how: AppendTarget,
): Promise<WriteTarget> {
  const where = table.store.uri;
  const engine = table.deps.engine;
  if (!engine) throw new DeltaError('DELTA_ENGINE_REQUIRED', `${where} was opened without an engine`);
  if (!base) {
    const schema =
      'rows' in source && source.schema ? source.schema : schemaOfColumns(await session.describe(sql));
    const actions = creationOf(table, schema, how.create);
    const alignment = await align(session, engine, sql, schema, { evolve: false, where });
    return { actions, alignment, shape: shapeOf(madeBy(actions, schema), where) };
  }
  const alignment = await align(session, engine, sql, base.schema, { evolve: how.evolve, where });
  const actions = changeTableActions(base, { schema: alignment.schema });
  return { actions, alignment, shape: shapeOf({ ...metaOf(base), schema: alignment.schema }, where) };
}

function metaOf({ metadata, partitionColumns }: Snapshot): Pick<Snapshot, 'metadata' | 'partitionColumns'> {
  return { metadata, partitionColumns };
}

function madeBy(
  actions: readonly Action[],
  schema: StructType,
): Pick<Snapshot, 'schema' | 'partitionColumns' | 'metadata'> {
  for (const action of actions) {
    if (!('metaData' in action)) continue;
    return { schema, partitionColumns: action.metaData.partitionColumns, metadata: action.metaData };
  }
  throw new Error('a creation has metadata');
}

/** Protocol and metadata of a new table. Throws DELTA_PROPERTY_INVALID, DELTA_SCHEMA_INVALID. */
export function creationOf(table: TableHandle, schema: StructType, create: CreateOptions = {}): Action[] {
  const { clock, newId } = table.deps;
  const { properties = {} } = create;
  requireSettable(Object.keys(properties));
  tableProperties(properties);
  return createTableActions({
    schema,
    partitionColumns: create.partitionBy ?? [],
    configuration: properties,
    clock,
    newId,
    ...(create.name === undefined ? {} : { name: create.name }),
    ...(create.description === undefined ? {} : { description: create.description }),
  });
}

/** Makes an empty table. Throws DELTA_CONCURRENT_CHANGE where there is one. */
export async function create(
  table: TableHandle,
  schema: StructType,
  options: CreateOptions & Pick<OperationOptions, 'info'> = {},
): Promise<void> {
  const result = await table.commit({
    base: null,
    actions: creationOf(table, schema, options),
    operation: 'CREATE TABLE',
    // There are none.
    rowsAreChecked: true,
    operationParameters: { partitionBy: JSON.stringify(options.partitionBy ?? []) },
    read: 'nothing',
    ...(options.info ? { info: options.info } : {}),
  });
  if (result.status === 'committed') return;
  throw new DeltaError('DELTA_CONCURRENT_CHANGE', `${table.store.uri}: ${result.detail}`);
}
