/** Replacing rows: all of them, those of the partitions that the source has rows for, or those of a condition. */
import type { AddFile } from '../actions.js';
import type { ReadScope, Snapshot, TableHandle } from '../api.js';
import { changeTableActions } from '../create.js';
import { schemaOfColumns } from '../engine-type.js';
import { DeltaError } from '../errors.js';
import { partitionKeyOf } from '../partition-key.js';
import { prune, type Pruned } from '../prune.js';
import { align, type DataSource } from '../source.js';
import { writeRows, type TableShape } from '../write-files.js';
import { creationOf, rowsOf, targetOf, type AppendOptions, type WriteTarget } from './append.js';
import { takeOut } from './delete.js';
import { replaceActions, requireCondition } from './rewrite.js';
import {
  inWorkspace,
  requireWritable,
  runOperation,
  shapeOf,
  type OperationReport,
  type Workspace,
} from './run.js';

export interface OverwriteOptions extends AppendOptions {
  /**
   * What is replaced: `table` (default) all rows, `partitions` the partitions that the source has rows for, a condition
   * the rows for which it is TRUE; the source may then have no other rows.
   */
  readonly replace?: 'table' | 'partitions' | { readonly where: string };
  /** With `table`: the source's columns become the table's, whatever it had. */
  readonly overwriteSchema?: boolean;
}

/** Throws what {@link append} throws, and DELTA_CONSTRAINT_VIOLATED for rows of the source outside the condition. */
export function overwrite(
  table: TableHandle,
  source: DataSource,
  options: OverwriteOptions = {},
): Promise<OperationReport> {
  const { replace = 'table' } = options;
  return runOperation(table, options, async (base, uploads) => {
    if (base) requireWritable(base, table, 'any');
    const pruned = base && typeof replace === 'object' ? await prune(base, replace.where) : undefined;
    const files = pruned?.some ?? [];
    return inWorkspace(table, uploads, { base, files, source, signal: options.signal }, async (workspace) => {
      const target = await overwriteTarget(table, base, workspace, source, options);
      const select = `SELECT ${target.alignment.columns.join(', ')} FROM (\n${workspace.source}\n)`;
      const shape = await withinCondition(workspace, target.shape, replace);
      const adds = await writeRows(workspace, shape, select);
      const gone = base ? await replaced(workspace, base, adds, replace, pruned) : NOTHING_READ;
      return {
        actions: [...target.actions, ...replaceActions(gone.removed, [...adds, ...gone.kept], table.deps)],
        operation: base ? 'WRITE' : 'CREATE TABLE AS SELECT',
        parameters: parametersOf(replace, target.shape),
        read: gone.read,
        rows: { rowsInserted: rowsOf(adds) },
      };
    });
  });
}

function parametersOf(
  replace: NonNullable<OverwriteOptions['replace']>,
  { partitionColumns }: TableShape,
): Record<string, unknown> {
  const mode = { mode: 'Overwrite', partitionBy: JSON.stringify(partitionColumns) };
  if (typeof replace === 'object') return { ...mode, predicate: replace.where };
  return replace === 'partitions' ? { ...mode, partitionOverwriteMode: 'dynamic' } : mode;
}

async function overwriteTarget(
  table: TableHandle,
  base: Snapshot | null,
  { session, source: sql, engine }: Workspace,
  source: DataSource,
  { replace = 'table', overwriteSchema, evolveSchema, create }: OverwriteOptions,
): Promise<WriteTarget> {
  if (!base || !overwriteSchema || replace !== 'table') {
    return targetOf(table, base, session, source, sql, { evolve: evolveSchema === true, create });
  }
  const where = table.store.uri;
  const schema =
    'rows' in source && source.schema ? source.schema : schemaOfColumns(await session.describe(sql));
  // Made as a new table would be: so partition columns that the source lacks are refused.
  creationOf(table, schema, { partitionBy: base.partitionColumns });
  const alignment = await align(session, engine, sql, schema, { evolve: false, where });
  const { metadata, partitionColumns } = base;
  return {
    actions: changeTableActions(base, { schema }),
    alignment,
    shape: shapeOf({ schema, metadata, partitionColumns }, where),
  };
}

/** Rows outside the condition would never be replaced by the next overwrite of it. */
async function withinCondition(
  { session, target, engine }: Workspace,
  shape: TableShape,
  replace: NonNullable<OverwriteOptions['replace']>,
): Promise<TableShape> {
  if (typeof replace !== 'object') return shape;
  const { where } = replace;
  const plan = { schema: shape.schema, partitionColumns: [], files: [], columnMapping: 'none' } as const;
  await requireCondition(session, target === '' ? engine.relation(plan) : target, where);
  return { ...shape, constraints: [...shape.constraints, { name: `replaced rows (${where})`, sql: where }] };
}

interface Replaced {
  readonly removed: readonly AddFile[];
  /** Files with the rows that stay of those that are removed. */
  readonly kept: readonly AddFile[];
  readonly read: 'nothing' | 'table' | ReadScope;
}
const NOTHING_READ: Replaced = { removed: [], kept: [], read: 'nothing' };

async function replaced(
  workspace: Workspace,
  base: Snapshot,
  adds: readonly AddFile[],
  replace: NonNullable<OverwriteOptions['replace']>,
  pruned: Pruned | undefined,
): Promise<Replaced> {
  if (typeof replace === 'object' && pruned) {
    const { removed, added } = await takeOut(workspace, base, replace.where);
    const read = { files: [...pruned.whole, ...pruned.some], wouldRead: pruned.mayMatch };
    return { removed: [...pruned.whole, ...removed], kept: added, read };
  }
  if (replace !== 'partitions') return { removed: base.files.toArray(), kept: [], read: 'table' };
  if (base.partitionColumns.length === 0) {
    throw new DeltaError('DELTA_SCHEMA_INVALID', `${workspace.store.uri} has no partitions to replace`);
  }
  const partitionKey = partitionKeyOf(base);
  const keys = new Set(adds.map(partitionKey));
  const wouldRead = (file: AddFile): boolean => keys.has(partitionKey(file));
  const removed = base.files.filter(wouldRead);
  return { removed, kept: [], read: { files: removed, wouldRead } };
}
