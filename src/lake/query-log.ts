/**
 * The log of queries. A reader may not change a table, so each query leaves a small object beside the tables, and the next
 * cycle of monitoring takes them all into `meta.queries`. The text of a query is not kept: it may hold what nobody is to read.
 */
import { randomUUID } from 'node:crypto';
import { QUERY_LOG_PREFIX, type QueryRecord } from '../contracts/query-log.js';
import { leaveInInbox } from './inbox.js';
import type { LakeReader } from './tables.js';
import type { QueryResult } from './query.js';

/** Never fails and never delays an answer by more than this: whoever may only read the lake leaves no trace in it. */
const PATIENCE_MS = 2000;

/** Notes a query that was answered. `startedMs` by `Date.now()`. */
export async function keepQuery(
  { store }: Pick<LakeReader, 'store'>,
  by: QueryRecord['by'],
  { tables, rows }: Pick<QueryResult, 'tables'> & { readonly rows: number },
  startedMs: number,
): Promise<void> {
  if (tables.length === 0) return;
  const id = randomUUID();
  const at = new Date(startedMs).toISOString();
  const record: QueryRecord = {
    ...{ id, at, by, tables: tables.map(({ name }) => name) },
    ...{ ms: Math.max(0, Date.now() - startedMs), rows },
  };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS);
  });
  const kept = leaveInInbox(store, QUERY_LOG_PREFIX, [record], startedMs).catch(() => undefined);
  await Promise.race([kept, late]);
  clearTimeout(timer);
}
