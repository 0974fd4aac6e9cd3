/** Earlier audits, from `meta.audits`: what a result is held against, and when a table is due again. */
import type { AuditBefore } from '../../../contracts/audit.js';
import { literal } from '../../../contracts/sql-text.js';
import { checkoutScan } from '../../../delta/index.js';
import type { LakeTables } from '../../tables.js';
import type { MaintenanceDeps } from '../deps.js';

/** Every run of maintenance adds a file; the newest hold all that is asked for. */
const FILES_MAX = 400;
/** Audits whose figures make the history of a `distribution` check. */
const HISTORY_MAX = 60;

/** What is known of the audits of one table. */
export interface PreviousAudit {
  readonly at: string | null;
  readonly version: number | null;
  readonly rows: number | null;
  readonly score: number | null;
  readonly results: ReadonlyMap<string, AuditBefore>;
  /** Figures by check, newest first. */
  readonly observed: ReadonlyMap<string, readonly number[]>;
}

export const NO_AUDIT: PreviousAudit = {
  ...{ at: null, version: null, rows: null, score: null },
  ...{ results: new Map(), observed: new Map() },
};

/** When each table was audited last, in milliseconds since the epoch. */
export async function lastAudits(
  deps: MaintenanceDeps,
  tables: LakeTables,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const rows = await query<{ name: string; at: bigint }>(
    deps,
    tables,
    signal,
    (from) => `SELECT table_name AS name, epoch_ms(max(audited_at)) AS "at" FROM ${from} GROUP BY ALL`,
  );
  return new Map(rows.map(({ name, at }) => [name, Number(at)]));
}

export async function previousAudit(
  deps: MaintenanceDeps,
  tables: LakeTables,
  table: string,
  signal: AbortSignal,
): Promise<PreviousAudit> {
  interface Row {
    readonly name: string;
    readonly at: string;
    readonly version: bigint;
    readonly rows: bigint;
    readonly kind: string;
    readonly outcome: AuditBefore['outcome'];
    readonly bad: bigint;
    readonly observed: number | null;
    readonly measured: number | null;
  }
  const found = await query<Row>(
    deps,
    tables,
    signal,
    (from) =>
      `SELECT check_name AS name, strftime(audited_at AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%gZ') AS "at", version, ` +
      `rows, kind, outcome, bad_rows AS bad, observed, measured FROM ${from} WHERE table_name = ${literal(table)} ` +
      `QUALIFY dense_rank() OVER (ORDER BY audited_at DESC) <= ${HISTORY_MAX} ORDER BY audited_at DESC`,
  );
  const [first] = found;
  if (!first) return NO_AUDIT;
  const newest = found.filter(({ at }) => at === first.at);
  const observed = new Map<string, number[]>();
  for (const row of found)
    if (row.observed !== null) observed.set(row.name, [...(observed.get(row.name) ?? []), row.observed]);
  return {
    ...{ at: first.at, version: Number(first.version), rows: Number(first.rows) },
    score: newest.find(({ kind }) => kind === 'score')?.measured ?? null,
    results: new Map(
      newest.map((row) => [
        row.name,
        { at: row.at, outcome: row.outcome, badRows: Number(row.bad), observed: row.observed },
      ]),
    ),
    observed,
  };
}

async function query<Row extends object>(
  deps: MaintenanceDeps,
  tables: LakeTables,
  signal: AbortSignal,
  sql: (from: string) => string,
): Promise<Row[]> {
  const snapshot = await tables.table('meta', 'audits').snapshotIfExists();
  if (!snapshot || snapshot.files.length === 0) return [];
  const newest = [...snapshot.files].sort((a, b) => b.modificationTime - a.modificationTime);
  const scan = await checkoutScan(tables.store('meta', 'audits'), snapshot, {
    ...{ files: newest.slice(0, FILES_MAX), signal },
  });
  try {
    const session = await deps.engine.open({ inputs: scan.inputs, signal });
    try {
      return await session.rows<Row>(sql(deps.engine.relation(scan.plan)));
    } finally {
      await session.close();
    }
  } finally {
    scan.release();
  }
}
