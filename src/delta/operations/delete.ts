/** Deleting rows: files without such rows stay, files with no others go, the rest are written again. */
import type { AddFile } from '../actions.js';
import type { Snapshot, TableHandle } from '../api.js';
import { liveRows } from '../file-facts.js';
import { prune } from '../prune.js';
import { tableProperties } from '../table-properties.js';
import { writeRows } from '../write-files.js';
import {
  inWorkspace,
  requireTable,
  requireWritable,
  runOperation,
  shapeOf,
  type OperationOptions,
  type OperationReport,
  type RowCounts,
  type Workspace,
} from './run.js';
import { binsOf, columnList, replaceActions, requireCondition, touchedFiles } from './rewrite.js';

export interface DeleteOptions extends OperationOptions {
  /** SQL condition over the table's columns; rows for which it is TRUE go. All rows where it is left out. */
  readonly where?: string;
}

/** Throws DELTA_EXPRESSION_INVALID, DELTA_WRITE_UNSUPPORTED, DELTA_CONCURRENT_CHANGE. */
export function deleteRows(table: TableHandle, options: DeleteOptions = {}): Promise<OperationReport> {
  const { where } = options;
  return runOperation(table, options, async (found, uploads) => {
    const base = requireTable(found, table);
    requireWritable(base, table, 'any');
    const { whole, some, mayMatch } = await prune(base, where);
    const rest =
      where === undefined
        ? NOTHING
        : await inWorkspace(table, uploads, { base, files: some, signal: options.signal }, (workspace) =>
            takeOut(workspace, base, where),
          );
    const removed = [...whole, ...rest.removed];
    if (removed.length === 0) return undefined;
    // The rows of what is not read are counted by them.
    if (whole.length > 0) await base.files.readStatistics();
    return {
      actions: replaceActions(removed, rest.added, table.deps),
      operation: 'DELETE',
      parameters: { predicate: JSON.stringify(where === undefined ? [] : [where]) },
      read: where === undefined ? 'table' : { files: [...whole, ...some], wouldRead: mayMatch },
      ...countsOf(whole, rest.rows),
    };
  });
}

/** Files that went unread have the rows that the log says; where it does not, the sum is not known. */
function countsOf(whole: readonly AddFile[], rows: RowCounts): { rows?: RowCounts } {
  const unread = whole.map(liveRows);
  if (unread.includes(undefined)) return {};
  const rowsDeleted = unread.reduce<number>((sum, count) => sum + (count ?? 0), rows.rowsDeleted ?? 0);
  return { rows: { ...rows, rowsDeleted } };
}

/** What leaves the table and what comes in its place. */
export interface TakenOut {
  readonly removed: readonly AddFile[];
  readonly added: readonly AddFile[];
  readonly rows: RowCounts;
}
const NOTHING: TakenOut = { removed: [], added: [], rows: { rowsDeleted: 0, rowsCopied: 0 } };

/** Writes the workspace's files again without the rows for which the condition is TRUE. */
export async function takeOut(workspace: Workspace, base: Snapshot, where: string): Promise<TakenOut> {
  await requireCondition(workspace.session, workspace.target, where);
  const touched = await touchedFiles(workspace, where);
  const partial = touched.filter(({ rows, hits }) => hits < rows);
  const names = columnList(base.schema.fields.map(({ name }) => name));
  const { targetFileBytes } = tableProperties(base.metadata.configuration);
  // Rows that stay were checked when they came.
  const shape = { ...shapeOf(base, workspace.store.uri), constraints: [] };
  const added: AddFile[] = [];
  for (const bin of binsOf(
    base,
    partial.map(({ file }) => file),
    targetFileBytes,
  )) {
    const kept = `SELECT ${names} FROM ${workspace.relation(bin.files)} WHERE (\n${where}\n) IS NOT TRUE`;
    const written = await writeRows(workspace, shape, kept, bin.partitionValues);
    added.push(...written.map((add) => (bin.tags ? { ...add, tags: bin.tags } : add)));
  }
  const deleted = touched.reduce((sum, { hits }) => sum + hits, 0);
  const copied = partial.reduce((sum, { rows, hits }) => sum + rows - hits, 0);
  return {
    removed: touched.map(({ file }) => file),
    added,
    rows: { rowsDeleted: deleted, rowsCopied: copied },
  };
}
