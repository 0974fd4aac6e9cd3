/** The clauses of a merge: checked, and as SQL. */
import type { Snapshot } from '../api.js';
import { quoteName } from '../checkpoint-parquet.js';
import { DeltaError } from '../errors.js';
import { ROW_ID } from '../ports.js';
import type { StructField } from '../schema.js';
import { requireAssignable } from '../source.js';
import type { Assignments, MergeOptions } from './merge.js';
import { expressionType, requireCondition } from './rewrite.js';
import type { Workspace } from './run.js';

/** The source's rows are known by their position in its file. */
export const SOURCE_ROW = '__datalab_source_row';
const CLAUSE = '__datalab_clause';
const ACTION = '__datalab_action';

/** One clause: when it applies, and the expression of each column in the order of the schema. */
interface CheckedClause {
  readonly when: string;
  /** Undefined for a delete. */
  readonly columns: readonly string[] | undefined;
}

export interface CheckedMerge {
  readonly on: string;
  readonly names: readonly string[];
  readonly matched: readonly CheckedClause[];
  readonly inserts: readonly CheckedClause[];
  /** Columns that an update may change, in lower case. */
  readonly assigned: ReadonlySet<string>;
  /** Rows that several source rows match are no matter where all that happens to them is that they go. */
  readonly mayMatchTwice: boolean;
}

/** Tries every condition and expression on the relations. Throws DELTA_EXPRESSION_INVALID, DELTA_SCHEMA_INVALID. */
export async function checkClauses(
  workspace: Workspace,
  base: Snapshot,
  { on, whenMatched = [], whenNotMatched = [] }: MergeOptions,
): Promise<CheckedMerge> {
  const { session, target, source } = workspace;
  const both = `${target} AS target, (\n${source}\n) AS source`;
  const sourceOnly = `(\n${source}\n) AS source`;
  await requireCondition(session, both, on);
  const given = new Map(
    (await session.describe(source)).map(({ name }) => [name.toLowerCase(), name] as const),
  );
  const matched: CheckedClause[] = [];
  const assigned = new Set<string>();
  for (const clause of whenMatched) {
    const when = clause.when ?? 'true';
    await requireCondition(session, both, when);
    if ('delete' in clause) {
      matched.push({ when, columns: undefined });
      continue;
    }
    const set = assignmentsOf(clause.update, base, given, workspace.store.uri);
    for (const name of set.keys()) assigned.add(name);
    matched.push({ when, columns: await expressions(workspace, both, base, set, 'target') });
  }
  const inserts: CheckedClause[] = [];
  for (const clause of whenNotMatched) {
    const when = clause.when ?? 'true';
    await requireCondition(session, sourceOnly, when);
    const set = assignmentsOf(clause.insert, base, given, workspace.store.uri);
    inserts.push({ when, columns: await expressions(workspace, sourceOnly, base, set, 'null') });
  }
  const [only] = matched;
  return {
    on,
    matched,
    inserts,
    assigned,
    names: base.schema.fields.map(({ name }) => name),
    mayMatchTwice: matched.length === 1 && only?.columns === undefined && only?.when === 'true',
  };
}

/** Expressions by column name in lower case. */
function assignmentsOf(
  assignments: Assignments,
  base: Snapshot,
  given: ReadonlyMap<string, string>,
  where: string,
): Map<string, string> {
  const known = new Set(base.schema.fields.map(({ name }) => name.toLowerCase()));
  if (assignments !== 'all') {
    const set = new Map(Object.entries(assignments).map(([name, text]) => [name.toLowerCase(), text]));
    const unknown = [...set.keys()].find((name) => !known.has(name));
    if (unknown === undefined) return set;
    throw new DeltaError('DELTA_SCHEMA_INVALID', `${where} has no column '${unknown}' to set`);
  }
  const missing = [...known].find((name) => !given.has(name));
  if (missing !== undefined) {
    throw new DeltaError(
      'DELTA_SCHEMA_INVALID',
      `the source has no column '${missing}', which 'all' asks for`,
    );
  }
  return new Map([...known].map((name) => [name, `source.${quoteName(given.get(name) ?? name)}`]));
}

/** A column that is not named keeps its value, or is NULL in a new row. */
async function expressions(
  { session, engine, store }: Workspace,
  relation: string,
  base: Snapshot,
  set: ReadonlyMap<string, string>,
  otherwise: 'target' | 'null',
): Promise<string[]> {
  const list: string[] = [];
  for (const { name, type } of base.schema.fields as readonly StructField[]) {
    const text = set.get(name.toLowerCase());
    const sql = engine.sqlType(type);
    if (text === undefined) {
      list.push(otherwise === 'target' ? `target.${quoteName(name)}` : `NULL::${sql}`);
      continue;
    }
    requireAssignable(
      { name: text, type: await expressionType(session, relation, text) },
      name,
      type,
      store.uri,
    );
    list.push(`CAST((\n${text}\n) AS ${sql})`);
  }
  return list;
}

/** Which clause applies to a row, counted from 1; NULL where none does. */
export function clauseNumber(clauses: readonly CheckedClause[]): string {
  if (clauses.length === 0) return 'NULL::INTEGER';
  const cases = clauses.map(({ when }, index) => `WHEN (\n${when}\n) THEN ${index + 1}`);
  return `CASE ${cases.join(' ')} END`;
}

/** The numbers of the clauses that delete. */
export function deletingClauses({ matched }: CheckedMerge): number[] {
  return matched.flatMap(({ columns }, index) => (columns === undefined ? [index + 1] : []));
}

/** Rows of touched files as they will be. */
export function rewriteSelect({ source }: Workspace, checked: CheckedMerge, files: string): string {
  const columns = checked.names.map((name, index) => {
    const cases = checked.matched.flatMap((clause, number) =>
      clause.columns ? [`WHEN ${number + 1} THEN ${clause.columns[index] ?? 'NULL'}`] : [],
    );
    const kept = `target.${quoteName(name)}`;
    const value = cases.length === 0 ? kept : `CASE ${ACTION}.${CLAUSE} ${cases.join(' ')} ELSE ${kept} END`;
    return `${value} AS ${quoteName(name)}`;
  });
  const deletes = deletingClauses(checked);
  const stays =
    deletes.length === 0 ? 'true' : `coalesce(${ACTION}.${CLAUSE} NOT IN (${deletes.join(', ')}), true)`;
  return (
    `SELECT ${columns.join(', ')} FROM ${files} AS target ` +
    // Under names of our own, so that none of them is mistaken for a column of the user's.
    `LEFT JOIN (SELECT file AS __datalab_f, row AS __datalab_r, source_row AS __datalab_s, clause AS ${CLAUSE} ` +
    `FROM merge_actions) AS ${ACTION} ON ${ACTION}.__datalab_f = target.${ROW_ID.file} ` +
    `AND ${ACTION}.__datalab_r = target.${ROW_ID.row} ` +
    `LEFT JOIN (\n${source}\n) AS source ON source.${SOURCE_ROW} = ${ACTION}.__datalab_s WHERE ${stays}`
  );
}

/** Source rows that matched nothing, by the first clause that applies. */
export function insertSelect({ source }: Workspace, checked: CheckedMerge): string {
  const columns = checked.names.map((name, index) => {
    const cases = checked.inserts.map(
      (clause, number) => `WHEN ${number + 1} THEN ${clause.columns?.[index] ?? 'NULL'}`,
    );
    return `CASE source.${CLAUSE} ${cases.join(' ')} END AS ${quoteName(name)}`;
  });
  const numbered = `SELECT source.*, ${clauseNumber(checked.inserts)} AS ${CLAUSE} FROM (\n${source}\n) AS source`;
  return (
    `SELECT ${columns.join(', ')} FROM (${numbered}) AS source ` +
    `WHERE source.${CLAUSE} IS NOT NULL AND NOT EXISTS ` +
    `(SELECT 1 FROM merge_matches m WHERE m.source_row = source.${SOURCE_ROW})`
  );
}
