/** SQL over the lake's tables, for people who look: one SELECT, in a session that can touch nothing but what it reads. */
import { DatalabError } from '../contracts/errors.js';
import { identifier } from '../contracts/sql-text.js';
import {
  checkoutScan,
  type CheckedOutScan,
  type EngineSession,
  type SessionOptions,
} from '../delta/index.js';
import { listTables, nameOf, tableOf, type LakeReader, type TableName } from './tables.js';

export interface QueryResult {
  readonly columns: ReadonlyArray<{ readonly name: string; readonly type: string }>;
  /** Cells in the order of the columns, as the engine port gives them. */
  readonly rows: ReadonlyArray<readonly unknown[]>;
  /** Whether there were more rows than the limit. */
  readonly truncated: boolean;
  /** The tables that were read, with the version of each. */
  readonly tables: ReadonlyArray<{ readonly name: string; readonly version: number }>;
}

export interface QueryOptions {
  /** Most rows that are returned. */
  readonly limit: number;
  readonly signal?: AbortSignal;
}

/**
 * Runs one SELECT over tables named `layer.table`, each at its newest version. The tables that the text names are copied
 * to the local disk first; nothing else exists for it. Throws DatalabError TABLE_UNKNOWN, ENGINE_SQL_FAILED,
 * ENGINE_NOT_A_SELECT or ENGINE_ACCESS_DENIED.
 */
export async function queryLake(
  lake: LakeReader,
  sql: string,
  { limit, signal }: QueryOptions,
): Promise<QueryResult> {
  return withSelect(lake, sql, { ...(signal && { signal }) }, async (session, select, tables) => {
    const columns = await session.describe(select);
    const found = await session.rows<Record<string, unknown>>(
      `SELECT * FROM (\n${select}\n) LIMIT ${limit + 1}`,
    );
    return {
      columns,
      rows: found.slice(0, limit).map((row) => columns.map(({ name }) => row[name])),
      truncated: found.length > limit,
      tables,
    };
  });
}

/**
 * Opens a session in which the tables that the SELECT names are views, and nothing else exists. Throws as
 * {@link queryLake} does.
 */
export async function withSelect<Result>(
  lake: LakeReader,
  sql: string,
  options: Pick<SessionOptions, 'signal' | 'outputDirectory'>,
  body: (session: EngineSession, select: string, tables: QueryResult['tables']) => Promise<Result>,
): Promise<Result> {
  const { signal } = options;
  const select = sql.trim().replace(/(;\s*)+$/, '');
  if (select === '') throw new DatalabError('ENGINE_NOT_A_SELECT', 'there is no SQL to run');
  const known = await listTables(lake);
  const read: Array<{ name: TableName; version: number; scan: CheckedOutScan }> = [];
  try {
    for (const name of tablesNamedIn(select, known)) {
      const table = tableOf(lake, name);
      const snapshot = await table.snapshot();
      const scan = await checkoutScan(table.store, snapshot, signal ? { signal } : {});
      read.push({ name, version: snapshot.version, scan });
    }
    const session = await lake.engine.open({ inputs: read.flatMap(({ scan }) => scan.inputs), ...options });
    try {
      for (const { name, scan } of read) {
        const view = `${identifier(name.layer)}.${identifier(name.table)}`;
        await session.run(`CREATE SCHEMA IF NOT EXISTS ${identifier(name.layer)}`);
        await session.run(`CREATE VIEW ${view} AS SELECT * FROM ${lake.engine.relation(scan.plan)}`);
      }
      return await body(
        session,
        select,
        read.map(({ name, version }) => ({ name: nameOf(name), version })),
      );
    } finally {
      await session.close();
    }
  } catch (error) {
    throw explained(error, known);
  } finally {
    for (const { scan } of read) scan.release();
  }
}

/**
 * The tables whose name occurs in the text, quoted or not, in any case. One that occurs in a comment only is copied for
 * nothing, which is harmless; one that is read is never missed.
 */
export function tablesNamedIn(sql: string, known: readonly TableName[]): TableName[] {
  return known.filter(({ layer, table }) =>
    new RegExp(`(?<![\\w-])"?${layer}"?\\s*\\.\\s*"?${table}"?(?![\\w-])`, 'i').test(sql),
  );
}

function explained(error: unknown, known: readonly TableName[]): unknown {
  const missing = error instanceof DatalabError && error.code === 'ENGINE_SQL_FAILED';
  if (!missing || !/Table with name|schema .* does not exist/i.test(error.message)) return error;
  const there = known.length === 0 ? 'there are none yet' : `there are ${known.map(nameOf).join(', ')}`;
  return new DatalabError('TABLE_UNKNOWN', `the SQL names a table that is not in the lake; ${there}`, {
    cause: error,
  });
}
