/**
 * Merging a source into a table: rows of the table that a source row matches are updated or deleted, source rows that
 * match none are inserted. Only files with changed rows are written again; the rows in between live in the engine, which
 * spills what does not fit its memory.
 */
import type { AddFile } from '../actions.js';
import type { Snapshot, TableHandle } from '../api.js';
import { DeltaError } from '../errors.js';
import { pruneBy } from '../prune.js';
import type { DataSource } from '../source.js';
import { tableProperties } from '../table-properties.js';
import { writeRows } from '../write-files.js';
import { rowsOf } from './append.js';
import { checkClauses, insertSelect, rewriteSelect, type CheckedMerge } from './merge-clauses.js';
import { matchRows, stageSource, touchedByMerge } from './merge-match.js';
import { binsOf, replaceActions } from './rewrite.js';
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

/** Expressions by column over `target` and `source`, or `all`: each column from the source's column of its name. */
export type Assignments = 'all' | Readonly<Record<string, string>>;

export type MatchedClause =
  | { readonly when?: string; readonly update: Assignments }
  | { readonly when?: string; readonly delete: true };

export interface NotMatchedClause {
  readonly when?: string;
  readonly insert: Assignments;
}

export interface MergeOptions extends OperationOptions {
  /** SQL condition over `target` and `source` that says which rows belong together. */
  readonly on: string;
  /** Of several clauses the first whose `when` is TRUE counts; a row that none applies to stays as it is. */
  readonly whenMatched?: readonly MatchedClause[];
  /** The same for source rows that match nothing; one that no clause applies to is not inserted. */
  readonly whenNotMatched?: readonly NotMatchedClause[];
}

/**
 * Throws DELTA_MERGE_AMBIGUOUS (several source rows would change one row of the table), DELTA_EXPRESSION_INVALID,
 * DELTA_SCHEMA_INVALID, DELTA_CONSTRAINT_VIOLATED, DELTA_CONCURRENT_CHANGE.
 */
export function merge(
  table: TableHandle,
  source: DataSource,
  options: MergeOptions,
): Promise<OperationReport> {
  return runOperation(table, options, async (found, uploads) => {
    const base = requireTable(found, table);
    requireWritable(base, table, (options.whenMatched?.length ?? 0) > 0 ? 'any' : 'append');
    const staged = await inWorkspace(
      table,
      uploads,
      { base: null, files: [], source: withSchema(source, base), signal: options.signal },
      (workspace) => stageSource(workspace, base, options.on),
    );
    try {
      const { some, whole, mayMatch } = await pruneBy(base, staged.condition, 'target');
      const files = [...whole, ...some];
      const needs = { base, files, source: staged.source, signal: options.signal };
      return await inWorkspace(table, uploads, needs, async (workspace) => {
        const merged = await run(workspace, base, options);
        if (merged.removed.length === 0 && merged.added.length === 0) return undefined;
        return {
          actions: replaceActions(merged.removed, merged.added, table.deps),
          operation: 'MERGE',
          parameters: parametersOf(options),
          read: { files, wouldRead: mayMatch },
          rows: merged.rows,
        };
      });
    } finally {
      await staged.remove();
    }
  });
}

/** Values without a schema are of the table's. */
function withSchema(source: DataSource, { schema }: Snapshot): DataSource {
  return 'sql' in source || source.schema ? source : { ...source, schema: givenFields(source.rows, schema) };
}

function givenFields(rows: ReadonlyArray<object>, schema: Snapshot['schema']): Snapshot['schema'] {
  const given = new Set(rows.flatMap((row) => Object.keys(row)));
  const unknown = [...given].find((name) => !schema.fields.some((field) => field.name === name));
  if (unknown !== undefined) {
    throw new DeltaError(
      'DELTA_SCHEMA_INVALID',
      `rows have '${unknown}', which the table lacks: give their schema`,
    );
  }
  return { ...schema, fields: schema.fields.filter(({ name }) => given.size === 0 || given.has(name)) };
}

interface Merged {
  readonly removed: readonly AddFile[];
  readonly added: readonly AddFile[];
  readonly rows: RowCounts;
}

async function run(workspace: Workspace, base: Snapshot, options: MergeOptions): Promise<Merged> {
  const checked = await checkClauses(workspace, base, options);
  await matchRows(workspace, checked);
  const touched = await touchedByMerge(workspace);
  const removed = touched.map(({ file }) => file);
  const rewritten = await rewrite(workspace, base, checked, removed);
  const shape = shapeOf(base, workspace.store.uri);
  const inserted =
    checked.inserts.length > 0 ? await writeRows(workspace, shape, insertSelect(workspace, checked)) : [];
  const sum = (count: 'updated' | 'deleted' | 'rows'): number =>
    touched.reduce((total, file) => total + file[count], 0);
  return {
    removed,
    added: [...rewritten, ...inserted],
    rows: {
      rowsInserted: rowsOf(inserted),
      rowsUpdated: sum('updated'),
      rowsDeleted: sum('deleted'),
      rowsCopied: sum('rows') - sum('updated') - sum('deleted'),
    },
  };
}

async function rewrite(
  workspace: Workspace,
  base: Snapshot,
  checked: CheckedMerge,
  files: readonly AddFile[],
): Promise<AddFile[]> {
  const shape = shapeOf(base, workspace.store.uri);
  const { targetFileBytes } = tableProperties(base.metadata.configuration);
  const moves = base.partitionColumns.some((name) => checked.assigned.has(name.toLowerCase()));
  const added: AddFile[] = [];
  for (const bin of binsOf(base, files, targetFileBytes)) {
    const select = rewriteSelect(workspace, checked, workspace.relation(bin.files));
    added.push(...(await writeRows(workspace, shape, select, moves ? undefined : bin.partitionValues)));
  }
  return added;
}

function parametersOf({ on, whenMatched = [], whenNotMatched = [] }: MergeOptions): Record<string, unknown> {
  const clause = (when: string | undefined, actionType: string): object => ({
    ...(when === undefined ? {} : { predicate: when }),
    actionType,
  });
  return {
    predicate: JSON.stringify(on),
    matchedPredicates: JSON.stringify(
      whenMatched.map((each) => clause(each.when, 'delete' in each ? 'delete' : 'update')),
    ),
    notMatchedPredicates: JSON.stringify(whenNotMatched.map((each) => clause(each.when, 'insert'))),
    notMatchedBySourcePredicates: '[]',
  };
}
