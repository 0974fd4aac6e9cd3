/** How the lake is used: sizes and growth of tables and layers, what comes in by day, and what is asked for. */
import type { MaintenanceRun, TableFacts, TableTended } from '../../contracts/lake-maintenance.js';
import type { LakeUsage, TableUsage } from '../../contracts/maintenance-report.js';
import { appendRows, checkoutScan, type Row } from '../../delta/index.js';
import { LAYERS } from '../../lake/tables.js';
import { checkpointIfDue } from '../checkpoint.js';
import { recordSchema } from '../record-schema.js';
import type { LakeTables } from '../tables.js';
import type { MaintenanceDeps } from './deps.js';

const DAY_MS = 86_400_000;
const DAYS = 30;
/** Measurements closer together than this say nothing about growth. */
const APART_MS = 3_600_000;
const FILES_MAX = 600;
const HISTORY_MAX = 60;

type Query = <Found extends object>(name: string, sql: (from: string) => string) => Promise<Found[]>;

export async function usageOf(
  deps: MaintenanceDeps,
  tables: LakeTables,
  facts: readonly TableFacts[],
  tended: readonly TableTended[],
  signal: AbortSignal,
): Promise<LakeUsage> {
  const query: Query = (name, sql) => queryMeta(deps, tables, name, sql, signal);
  const nowMs = deps.clock.nowMs();
  const since = new Date(nowMs - DAYS * DAY_MS).toISOString();
  const before = new Map((await lastUsage(query)).map((row) => [row.name, row]));
  const after = new Map(tended.map((one) => [one.table, one.after]));
  const measured = facts.map((one): TableUsage => {
    const size = after.get(one.table);
    const { version, files, bytes } = size ?? one;
    const figures = {
      ...{ version, files, bytes, rows: one.rows ?? 0 },
      folderBytes: size?.folderBytes ?? one.folder.bytes,
    };
    const growth = growthOf(figures, before.get(one.table), nowMs);
    return { table: one.table, layer: one.table.split('.')[0] ?? '', ...figures, ...growth };
  });
  const at = new Date(nowMs).toISOString();
  const layers = LAYERS.flatMap((layer) => layerOf(layer, measured));
  const own = layers.map(({ layer, bytes }) => ({ at, layer, bytes }));
  return {
    tables: [...measured].sort((a, b) => b.bytes - a.bytes || (a.table < b.table ? -1 : 1)),
    ...{ layers, ingestion: await ingestionOf(query, since), queries: await queriesOf(query, since) },
    history: [...(await historyOf(query)), ...own],
  };
}

interface Before {
  readonly name: string;
  readonly at: bigint;
  readonly rows: bigint;
  readonly bytes: bigint;
}

function growthOf(
  { rows, bytes }: Pick<TableUsage, 'rows' | 'bytes'>,
  before: Before | undefined,
  nowMs: number,
): Pick<TableUsage, 'rowsPerDay' | 'bytesPerDay'> {
  const apartMs = before ? nowMs - Number(before.at) : 0;
  if (!before || apartMs < APART_MS) return { rowsPerDay: null, bytesPerDay: null };
  const days = apartMs / DAY_MS;
  return {
    rowsPerDay: (rows - Number(before.rows)) / days,
    bytesPerDay: (bytes - Number(before.bytes)) / days,
  };
}

function layerOf(layer: string, measured: readonly TableUsage[]): LakeUsage['layers'][number][] {
  const own = measured.filter((one) => one.layer === layer);
  if (own.length === 0) return [];
  const sum = (of: (one: TableUsage) => number): number => own.reduce((total, one) => total + of(one), 0);
  const growth = (of: (one: TableUsage) => number | null): number | null =>
    own.every((one) => of(one) === null) ? null : sum((one) => of(one) ?? 0);
  return [
    {
      ...{ layer, tables: own.length, rows: sum(({ rows }) => rows), files: sum(({ files }) => files) },
      ...{ bytes: sum(({ bytes }) => bytes), folderBytes: sum(({ folderBytes }) => folderBytes) },
      rowsPerDay: growth(({ rowsPerDay }) => rowsPerDay),
      bytesPerDay: growth(({ bytesPerDay }) => bytesPerDay),
    },
  ];
}

/** The newest measurement of each table. */
function lastUsage(query: Query): Promise<Before[]> {
  return query<Before>(
    'usage',
    (from) =>
      `SELECT table_name AS name, epoch_ms(max(measured_at)) AS "at", max_by(rows, measured_at) AS rows, ` +
      `max_by(bytes, measured_at) AS bytes FROM ${from} GROUP BY table_name`,
  );
}

async function historyOf(query: Query): Promise<LakeUsage['history']> {
  const rows = await query<{ at: string; layer: string; bytes: bigint }>(
    'usage',
    (from) =>
      `SELECT ${iso('measured_at')} AS "at", layer, sum(bytes)::BIGINT AS bytes FROM ${from} WHERE whole ` +
      `GROUP BY measured_at, layer QUALIFY dense_rank() OVER (ORDER BY measured_at DESC) <= ${HISTORY_MAX} ORDER BY "at", layer`,
  );
  return rows.map((row) => ({ ...row, bytes: Number(row.bytes) }));
}

async function ingestionOf(query: Query, since: string): Promise<LakeUsage['ingestion']> {
  const rows = await query<{ dataset: string; day: string; rows: bigint; runs: bigint }>(
    'runs',
    (from) =>
      `SELECT dataset, strftime(finished_at AT TIME ZONE 'UTC', '%Y-%m-%d') AS day, ` +
      `sum(bronze_accepted)::BIGINT AS rows, count(*) AS runs FROM ${from} ` +
      `WHERE outcome = 'ok' AND finished_at >= TIMESTAMPTZ '${since}' GROUP BY ALL ORDER BY day, dataset`,
  );
  return rows.map(({ dataset, day, ...row }) => ({
    ...{ dataset, day, rows: Number(row.rows), runs: Number(row.runs) },
  }));
}

async function queriesOf(query: Query, since: string): Promise<LakeUsage['queries']> {
  const rows = await query<{ table: string; queries: bigint; ms: bigint; last: string }>(
    'queries',
    (from) =>
      `SELECT table_name AS "table", count(DISTINCT query_id) AS queries, sum(ms)::BIGINT AS ms, ${iso('max(started_at)')} AS last ` +
      `FROM ${from} WHERE started_at >= TIMESTAMPTZ '${since}' GROUP BY table_name ORDER BY queries DESC, table_name LIMIT 1000`,
  );
  return rows.map(({ table, queries, ms, last }) => ({
    ...{ table, queries: Number(queries), seconds: Number(ms) / 1000, lastAt: last },
  }));
}

const iso = (column: string): string => `strftime(${column} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ')`;

/** Rows of one of DataLab's own tables; none where it is not there yet. */
async function queryMeta<Found extends object>(
  deps: MaintenanceDeps,
  tables: LakeTables,
  name: string,
  sql: (from: string) => string,
  signal: AbortSignal,
): Promise<Found[]> {
  const snapshot = await tables.table('meta', name).snapshotIfExists();
  if (!snapshot || snapshot.files.length === 0) return [];
  const newest = [...snapshot.files].sort((a, b) => b.modificationTime - a.modificationTime);
  const scan = await checkoutScan(tables.store('meta', name), snapshot, {
    ...{ files: newest.slice(0, FILES_MAX), signal },
  });
  try {
    const session = await deps.engine.open({ inputs: scan.inputs, signal });
    try {
      return await session.rows<Found>(sql(deps.engine.relation(scan.plan)));
    } finally {
      await session.close();
    }
  } finally {
    scan.release();
  }
}

/** A row per table, once per run. */
export async function recordUsage(
  deps: MaintenanceDeps,
  tables: LakeTables,
  run: MaintenanceRun,
  { tables: measured }: LakeUsage,
  measuredAt: string,
): Promise<void> {
  const table = tables.table('meta', 'usage');
  const whole = run.tables === null && run.datasets === undefined;
  const rows = measured.map((one): Row => ({
    ...{ run_id: run.runId, logical_time: run.at, measured_at: measuredAt, whole },
    ...{ table_name: one.table, layer: one.layer, version: one.version },
    ...{ rows: one.rows, files: one.files, bytes: one.bytes, folder_bytes: one.folderBytes },
    ...{ rows_per_day: one.rowsPerDay, bytes_per_day: one.bytesPerDay },
  }));
  const transaction = { appId: `datalab:usage:${run.runId}`, version: 1 };
  await appendRows(table, deps.rowParquet, rows, { schema: SCHEMA, transaction });
  await checkpointIfDue(deps, table);
}

const SCHEMA = recordSchema({
  run_id: 'string',
  logical_time: 'timestamp',
  measured_at: 'timestamp',
  // Whether every table of the lake was measured with it.
  whole: 'boolean',
  table_name: 'string',
  layer: 'string',
  version: 'long',
  rows: 'long',
  files: 'long',
  bytes: 'long',
  folder_bytes: 'long',
  rows_per_day: 'double',
  bytes_per_day: 'double',
});
