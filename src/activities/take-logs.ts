/**
 * The log of queries → `meta.queries`, the dashboard's audit log → `meta.dashboard_audit`. Each cycle of monitoring does it,
 * and maintenance before it measures how the lake is used.
 */
import { z } from 'zod';
import { AUDIT_LOG_PREFIX } from '../contracts/audit-log.js';
import { QUERY_LOG_PREFIX } from '../contracts/query-log.js';
import { recordSchema } from './record-schema.js';
import type { LakeTables } from './tables.js';
import { takeInbox, type Inbox } from './take-inbox.js';

const query = z.object({
  ...{ id: z.string(), at: z.iso.datetime(), by: z.string(), tables: z.array(z.string()) },
  ...{ ms: z.number().transform(Math.round), rows: z.number().transform(Math.round) },
});

/** A row per query and table that it read. */
const QUERIES: Inbox = {
  ...{ prefix: QUERY_LOG_PREFIX, table: 'queries' },
  ...{ transaction: 'datalab:queries', note: 'datalabQueries' },
  schema: recordSchema({
    query_id: 'string',
    started_at: 'timestamp',
    source: 'string',
    table_name: 'string',
    ms: 'long',
    rows: 'long',
  }),
  read: (line) => {
    const { data } = query.safeParse(line);
    return (
      data && {
        rows: data.tables.map((name) => ({
          ...{ query_id: data.id, started_at: data.at, source: data.by, table_name: name },
          ...{ ms: data.ms, rows: data.rows },
        })),
      }
    );
  },
};

const entry = z.object({
  ...{ source: z.string(), sequence: z.int().positive(), at: z.iso.datetime(), who: z.string() },
  ...{ role: z.string(), action: z.string(), target: z.string(), detail: z.string(), outcome: z.string() },
});

/** A row per change that was asked for. */
const AUDIT: Inbox = {
  ...{ prefix: AUDIT_LOG_PREFIX, table: 'dashboard_audit' },
  ...{ transaction: 'datalab:dashboard-audit', note: 'datalabDashboardAudit' },
  schema: recordSchema({
    at: 'timestamp',
    source: 'string',
    sequence: 'long',
    who: 'string',
    role: 'string',
    action: 'string',
    target: 'string',
    detail: 'string',
    outcome: 'string',
  }),
  read: (line) => {
    const { data } = entry.safeParse(line);
    const place = data && { source: data.source, sequence: data.sequence };
    return data && { rows: [data], place };
  },
};

export async function takeLogs(
  deps: Parameters<typeof takeInbox>[0],
  tables: LakeTables,
  signal?: AbortSignal,
): Promise<{ readonly queries: number; readonly changes: number }> {
  const { rows: queries } = await takeInbox(deps, tables, QUERIES, { signal });
  const { rows: changes } = await takeInbox(deps, tables, AUDIT, { signal });
  return { queries, changes };
}
