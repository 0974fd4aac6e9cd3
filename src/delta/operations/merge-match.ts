/** Which rows of a table a merge's source matches. */
import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { AddFile } from '../actions.js';
import type { Snapshot } from '../api.js';
import { quoteName, quoteText } from '../checkpoint-parquet.js';
import { schemaOfColumns } from '../engine-type.js';
import { DeltaError } from '../errors.js';
import { parseCondition, type Comparison, type Condition, type Literal } from '../expression/parse.js';
import { ROW_ID, type ColumnTextStats, type WrittenFile } from '../ports.js';
import type { DataType } from '../schema.js';
import { clauseNumber, deletingClauses, SOURCE_ROW, type CheckedMerge } from './merge-clauses.js';
import type { Workspace } from './run.js';

/** The source as a file of its own: read several times, the same each time. */
export interface MergeSource {
  readonly source: { readonly sql: string; readonly inputs: readonly string[] };
  /** What `on` says of the table alone, given the source's bounds. */
  readonly condition: Condition;
  remove(): Promise<void>;
}

/** Writes the source's rows to a file, and narrows `on` by what they are. */
export async function stageSource(workspace: Workspace, base: Snapshot, on: string): Promise<MergeSource> {
  const { session, source, deps, engine } = workspace;
  const schema = schemaOfColumns(await session.describe(source));
  const reserved = schema.fields.find(({ name }) => name.startsWith('__datalab_'));
  if (reserved)
    throw new DeltaError('DELTA_SCHEMA_INVALID', `the source has the reserved column '${reserved.name}'`);
  const written = await session.writeParquet(source, 'merge-source.parquet');
  const folder = join(resolve(deps.scratchDirectory), `datalab-merge-${randomUUID()}`);
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  if (!written) {
    const empty = engine.relation({ schema, partitionColumns: [], files: [], columnMapping: 'none' });
    const sql = `SELECT *, NULL::BIGINT AS ${SOURCE_ROW} FROM ${empty}`;
    return { source: { sql, inputs: [] }, condition: { kind: 'constant', value: false }, remove };
  }
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'source.parquet');
  await rename(written.localPath, path);
  const sql =
    `SELECT * EXCLUDE (file_row_number), file_row_number AS ${SOURCE_ROW} ` +
    `FROM read_parquet(${quoteText(path)}, hive_partitioning = false, file_row_number = true)`;
  const types = new Map(schema.fields.map(({ name, type }) => [name.toLowerCase(), type]));
  const condition = boundBySource(parseCondition(on), written, types, base);
  return { source: { sql, inputs: [path] }, condition, remove };
}

/** Replaces comparisons with columns of the source by what its bounds allow. */
function boundBySource(
  condition: Condition,
  written: WrittenFile,
  types: ReadonlyMap<string, DataType>,
  base: Snapshot,
): Condition {
  switch (condition.kind) {
    case 'and':
    case 'or':
      // Each part is TRUE for more rows than before, never for fewer; so is the whole.
      return {
        ...condition,
        parts: condition.parts.map((part) => boundBySource(part, written, types, base)),
      };
    case 'columns': {
      const { left, op, right } = condition;
      if (isTarget(left.table) && isSource(right.table)) {
        return bounded(left.column, op, right.column, written, types, base);
      }
      return isTarget(right.table) && isSource(left.table)
        ? bounded(right.column, MIRRORED[op], left.column, written, types, base)
        : { kind: 'unknown' };
    }
    case 'compare':
    case 'isNull':
      return isTarget(condition.column.table) ? condition : { kind: 'unknown' };
    default:
      // Within NOT more would become less.
      return { kind: 'unknown' };
  }
}

const isTarget = (table: string | undefined): boolean => table?.toLowerCase() === 'target';
const isSource = (table: string | undefined): boolean => table?.toLowerCase() === 'source';
const MIRRORED: Readonly<Record<Comparison, Comparison>> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

/** `target.x = source.y` can only be TRUE between the least and the greatest y. */
function bounded(
  column: string,
  op: Comparison,
  sourceColumn: string,
  { columns }: WrittenFile,
  types: ReadonlyMap<string, DataType>,
  base: Snapshot,
): Condition {
  const type = base.schema.fields.find(({ name }) => name.toLowerCase() === column.toLowerCase())?.type;
  const name = Object.keys(columns).find((each) => each.toLowerCase() === sourceColumn.toLowerCase());
  const stats = name === undefined ? undefined : columns[name];
  // Columns of two types are compared as a third.
  if (!stats || type === undefined || types.get(sourceColumn.toLowerCase()) !== type)
    return { kind: 'unknown' };
  const target = { table: 'target', column };
  const low = boundOf(type, stats, 'min');
  const high = boundOf(type, stats, 'max');
  const parts: Condition[] = [];
  if (low && (op === '=' || op === '>' || op === '>=')) {
    parts.push({ kind: 'compare', column: target, op: '>=', value: low });
  }
  if (high && (op === '=' || op === '<' || op === '<=')) {
    parts.push({ kind: 'compare', column: target, op: '<=', value: high });
  }
  return parts.length === 0 ? { kind: 'unknown' } : { kind: 'and', parts };
}

/** A bound as a literal of the column's type. Doubles are left out, for NaN has no place in their bounds. */
function boundOf(type: DataType, stats: ColumnTextStats, side: 'min' | 'max'): Literal | undefined {
  const text = stats[side];
  if (text === undefined || typeof type !== 'string' || type === 'double' || type === 'float')
    return undefined;
  if (type === 'boolean') return undefined;
  const isText = ['string', 'date', 'timestamp', 'timestamp_ntz'].includes(type);
  return { kind: isText ? 'string' : 'number', text };
}

/**
 * Finds all pairs of rows that belong together, in the session's tables: `merge_matches` (source rows with a partner) and
 * `merge_actions` (rows of the table that change, with the clause and the source row). Throws DELTA_MERGE_AMBIGUOUS.
 */
export async function matchRows(
  { session, target, source }: Workspace,
  checked: CheckedMerge,
): Promise<void> {
  await session.run(
    `CREATE TABLE merge_pairs AS SELECT target.${ROW_ID.file} AS file, target.${ROW_ID.row} AS row,
      source.${SOURCE_ROW} AS source_row, ${clauseNumber(checked.matched)} AS clause
    FROM ${target} AS target JOIN (\n${source}\n) AS source ON (\n${checked.on}\n)`,
  );
  await session.run('CREATE TABLE merge_matches AS SELECT DISTINCT source_row FROM merge_pairs');
  await session.run(
    `CREATE TABLE merge_actions AS SELECT file, row, min(clause) AS clause, min(source_row) AS source_row,
      count(*) AS sources FROM merge_pairs WHERE clause IS NOT NULL GROUP BY file, row`,
  );
  if (!checked.mayMatchTwice) {
    const [found] = await session.rows<{ rows: bigint }>(
      'SELECT count(*) AS rows FROM merge_actions WHERE sources > 1',
    );
    if (found && found.rows > 0n) {
      throw new DeltaError(
        'DELTA_MERGE_AMBIGUOUS',
        `${found.rows} rows of the table are each matched by several rows of the source (on ${checked.on})`,
      );
    }
  }
  const deletes = deletingClauses(checked);
  const isDelete = deletes.length === 0 ? 'false' : `clause IN (${deletes.join(', ')})`;
  await session.run(
    `CREATE TABLE merge_files AS SELECT file, count(*) FILTER (WHERE ${isDelete}) AS deleted,
      count(*) FILTER (WHERE NOT (${isDelete})) AS updated FROM merge_actions GROUP BY file`,
  );
}

export interface MergedFile {
  readonly file: AddFile;
  readonly rows: number;
  readonly updated: number;
  readonly deleted: number;
}

/** The files with rows that change. */
export async function touchedByMerge({ session, target, fileAt }: Workspace): Promise<MergedFile[]> {
  const found = await session.rows<{ file: string; rows: bigint; updated: bigint; deleted: bigint }>(
    `SELECT m.file, any_value(m.updated) AS updated, any_value(m.deleted) AS deleted, count(*) AS rows
    FROM merge_files m JOIN ${target} AS target ON target.${quoteName(ROW_ID.file)} = m.file
    GROUP BY m.file ORDER BY m.file`,
  );
  return found.map(({ file, rows, updated, deleted }) => ({
    file: fileAt(file),
    rows: Number(rows),
    updated: Number(updated),
    deleted: Number(deleted),
  }));
}
