/** Changing rows in place: files with such rows are written again. */
import type { AddFile } from '../actions.js';
import type { Snapshot, TableHandle } from '../api.js';
import { quoteName } from '../checkpoint-parquet.js';
import { DeltaError } from '../errors.js';
import { prune } from '../prune.js';
import { requireAssignable } from '../source.js';
import { tableProperties } from '../table-properties.js';
import { writeRows } from '../write-files.js';
import { binsOf, expressionType, replaceActions, requireCondition, touchedFiles } from './rewrite.js';
import {
  inWorkspace,
  requireTable,
  requireWritable,
  runOperation,
  shapeOf,
  type OperationOptions,
  type OperationReport,
  type Workspace,
} from './run.js';

export interface UpdateOptions extends OperationOptions {
  /** SQL expressions by column, over the row as it was. */
  readonly set: Readonly<Record<string, string>>;
  /** SQL condition; rows for which it is TRUE are changed. All rows where it is left out. */
  readonly where?: string;
}

/** Throws DELTA_EXPRESSION_INVALID, DELTA_SCHEMA_INVALID, DELTA_CONSTRAINT_VIOLATED, DELTA_CONCURRENT_CHANGE. */
export function update(table: TableHandle, options: UpdateOptions): Promise<OperationReport> {
  const where = options.where ?? 'true';
  return runOperation(table, options, async (found, uploads) => {
    const base = requireTable(found, table);
    requireWritable(base, table, 'any');
    const { whole, some, mayMatch } = await prune(base, where);
    const files = [...whole, ...some];
    return inWorkspace(table, uploads, { base, files, signal: options.signal }, async (workspace) => {
      await requireCondition(workspace.session, workspace.target, where);
      const columns = await changedColumns(workspace, base, options.set, where);
      const touched = await touchedFiles(workspace, where);
      if (touched.length === 0) return undefined;
      const removed = touched.map(({ file }) => file);
      const added = await rewrite(workspace, base, removed, columns, options.set);
      const hits = touched.reduce((sum, file) => sum + file.hits, 0);
      const rows = touched.reduce((sum, file) => sum + file.rows, 0);
      return {
        actions: replaceActions(removed, added, table.deps),
        operation: 'UPDATE',
        parameters: { predicate: JSON.stringify(options.where === undefined ? [] : [where]) },
        read: { files, wouldRead: mayMatch },
        rows: { rowsUpdated: hits, rowsCopied: rows - hits },
      };
    });
  });
}

/** The SELECT list that changes what is to be changed and leaves the rest. */
async function changedColumns(
  { session, target, engine, store }: Workspace,
  base: Snapshot,
  set: Readonly<Record<string, string>>,
  where: string,
): Promise<string> {
  const wanted = new Map(Object.entries(set).map(([name, text]) => [name.toLowerCase(), text]));
  const list: string[] = [];
  for (const { name, type } of base.schema.fields) {
    const text = wanted.get(name.toLowerCase());
    wanted.delete(name.toLowerCase());
    const column = quoteName(name);
    if (text === undefined) {
      list.push(column);
      continue;
    }
    const from = { name: text, type: await expressionType(session, target, text) };
    requireAssignable(from, name, type, store.uri);
    list.push(
      `CASE WHEN (\n${where}\n) THEN CAST((\n${text}\n) AS ${engine.sqlType(type)}) ELSE ${column} END AS ${column}`,
    );
  }
  const [unknown] = wanted.keys();
  if (unknown === undefined) return list.join(', ');
  throw new DeltaError('DELTA_SCHEMA_INVALID', `${store.uri} has no column '${unknown}' to set`);
}

async function rewrite(
  workspace: Workspace,
  base: Snapshot,
  files: readonly AddFile[],
  columns: string,
  set: Readonly<Record<string, string>>,
): Promise<AddFile[]> {
  const shape = shapeOf(base, workspace.store.uri);
  const names = new Set(Object.keys(set).map((name) => name.toLowerCase()));
  // A row whose partition column changes moves to another partition.
  const moves = base.partitionColumns.some((name) => names.has(name.toLowerCase()));
  const { targetFileBytes } = tableProperties(base.metadata.configuration);
  const added: AddFile[] = [];
  for (const bin of binsOf(base, files, targetFileBytes)) {
    const select = `SELECT ${columns} FROM ${workspace.relation(bin.files)}`;
    added.push(...(await writeRows(workspace, shape, select, moves ? undefined : bin.partitionValues)));
  }
  return added;
}
