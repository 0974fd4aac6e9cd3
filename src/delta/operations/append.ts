/** Adding rows. */
import type { Action } from '../actions.js';
import type { Snapshot, TableHandle } from '../api.js';
import { changeTableActions, createTableActions } from '../create.js';
import { schemaOfColumns } from '../engine-type.js';
import { DeltaError } from '../errors.js';
import type { EngineSession } from '../ports.js';
import type { StructType } from '../schema.js';
import { align, type Alignment, type DataSource } from '../source.js';
import { writeRows } from '../write-files.js';
import {
  inWorkspace,
  requireWritable,
  runOperation,
  shapeOf,
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
  return runOperation(table, options, (base, uploads) => {
    if (base) requireWritable(base, table, 'append');
    return inWorkspace(
      table,
      uploads,
      { base, files: [], source, signal: options.signal },
      async (workspace) => {
        const how = { evolve: options.evolveSchema === true, create: options.create };
        const target = await targetOf(table, base, workspace.session, source, workspace.source, how);
        const select = `SELECT ${target.alignment.columns.join(', ')} FROM (\n${workspace.source}\n)`;
        const adds = await writeRows(workspace, target.shape, select);
        if (adds.length === 0 && base && target.actions.length === 0) return undefined;
        return {
          actions: [...target.actions, ...adds.map((add): Action => ({ add }))],
          operation: base ? 'WRITE' : 'CREATE TABLE AS SELECT',
          parameters: { mode: 'Append', partitionBy: JSON.stringify(target.shape.partitionColumns) },
          read: 'nothing',
          rows: { rowsInserted: rowsOf(adds) },
        };
      },
    );
  });
}

/** Rows that these files were measured to have. */
export function rowsOf(adds: ReadonlyArray<{ readonly stats?: string }>): number {
  return adds.reduce((sum, { stats = '{}' }) => sum + Number(/"numRecords":(\d+)/.exec(stats)?.[1] ?? 0), 0);
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
  how: { readonly evolve: boolean; readonly create?: CreateOptions | undefined },
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

/** Protocol and metadata of a new table. */
export function creationOf(table: TableHandle, schema: StructType, create: CreateOptions = {}): Action[] {
  const { clock, newId } = table.deps;
  return createTableActions({
    schema,
    partitionColumns: create.partitionBy ?? [],
    configuration: create.properties ?? {},
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
