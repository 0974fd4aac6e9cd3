/**
 * Retention: rows whose time is over leave the table, as news to nobody (DESIGN law 12). Whole files go by the log alone;
 * a file with other rows too is written again. The commit carries a transaction with the instant up to which rows went,
 * so that the table itself says what it no longer holds (see `activities/survivors.ts`).
 */
import type { MaintenanceRun, TaskDone } from '../../contracts/lake-maintenance.js';
import { checkoutScan, DeltaError, prune, type DeltaTable, type Snapshot } from '../../delta/index.js';
import { isNews } from '../../medallion/consumption.js';
import { consumerTransaction, retentionTransaction } from '../../medallion/transactions.js';
import type { TableName } from '../../lake/tables.js';
import { settledFiles } from '../quarantine.js';
import type { LakeTables } from '../tables.js';
import { amountOf } from './assess.js';
import type { MaintenanceDeps } from './deps.js';
import { cutoffOf, expiredRows, type DeclaredTables } from './policies.js';

type Done = Omit<TaskDone, 'task'>;
const nothing = (outcome: Done['outcome'], detail: string): Done => ({
  ...{ outcome, detail },
  ...{ files: 0, bytes: 0, rows: 0 },
});

/** Throws DELTA_CONCURRENT_CHANGE where a writer came first. */
export async function expireRows(
  deps: MaintenanceDeps,
  tables: LakeTables,
  run: MaintenanceRun,
  declared: DeclaredTables,
  name: TableName,
  signal: AbortSignal,
): Promise<Done> {
  const policy = declared.retentionOf(name);
  if (policy === null) return nothing('nothing', 'rows stay: no policy, or a hold');
  const table = tables.table(name.layer, name.table);
  const snapshot = await table.snapshot();
  const before = cutoffOf(run, policy.days);
  const where = expiredRows(snapshot, policy.column, before);
  if (where === null) return nothing('kept', `the table has no date or timestamp ${policy.column}`);
  const { whole, some } = await prune(snapshot, where);
  if (whole.length + some.length === 0) return nothing('nothing', `no row before ${before}`);
  const obstacle = await reasonToKeep(tables, name, snapshot);
  if (obstacle !== null) return nothing('kept', obstacle);
  if (run.dryRun) {
    const rows = await countRows(deps, table, snapshot, where, signal);
    const said = `${rows} rows with ${policy.column} before ${before} would go`;
    // What lies beside such rows is written again.
    const { files, bytes } = amountOf([...whole, ...some]);
    return { outcome: rows > 0 ? 'planned' : 'nothing', detail: said, files, bytes, rows };
  }
  const report = await table.delete({
    where,
    signal,
    // One attempt: what was asked above held for this version.
    attempts: 1,
    transaction: { appId: retentionTransaction(policy.column), version: Date.parse(before) },
    info: { datalab: { kind: 'retention', column: policy.column, before, runId: run.runId } },
  });
  if (report.status !== 'committed') return nothing('nothing', `no row before ${before}`);
  const rows = report.rowsDeleted ?? 0;
  return {
    outcome: 'done',
    detail: `${rows} rows with ${policy.column} before ${before}: version ${report.version}`,
    files: report.filesRemoved,
    bytes: Math.max(0, report.bytesRemoved - report.bytesAdded),
    rows,
  };
}

/**
 * Why no row may go now. Silver must have taken in what Bronze holds: rows that nobody has read yet would be lost.
 * Refused rows of an attempt that is not settled belong to a run that may still go on.
 */
async function reasonToKeep(
  tables: LakeTables,
  { layer, table }: TableName,
  snapshot: Snapshot,
): Promise<string | null> {
  if (layer === 'quarantine') {
    const settled = [...settledFiles(snapshot, 'bronze'), ...settledFiles(snapshot, 'silver')];
    return settled.length === snapshot.files.length ? null : 'a run that refused rows is not settled yet';
  }
  if (layer !== 'bronze') return null;
  const silver = await tables.table('silver', table).snapshotIfExists();
  const appId = consumerTransaction(`silver.${table}`, snapshot.metadata.id);
  const consumed = silver?.transaction(appId)?.version;
  if (consumed === undefined) return `silver.${table} has not taken in this table`;
  if (consumed > snapshot.version) return `silver.${table} has seen a later version than there is`;
  const bronze = tables.table('bronze', table);
  for (let version = consumed + 1; version <= snapshot.version; version += 1) {
    try {
      if (isNews({ version, actions: await bronze.actions(version) }))
        return `silver.${table} has not taken in version ${version} yet: run the dataset first`;
    } catch (error) {
      if (!(error instanceof DeltaError) || error.code !== 'DELTA_VERSION_NOT_FOUND') throw error;
      return `what silver.${table} has still to take in cannot be told: run the dataset first`;
    }
  }
  return null;
}

async function countRows(
  deps: MaintenanceDeps,
  table: DeltaTable,
  snapshot: Snapshot,
  where: string,
  signal: AbortSignal,
): Promise<number> {
  const { whole, some } = await prune(snapshot, where);
  const scan = await checkoutScan(table.store, snapshot, { files: [...whole, ...some], signal });
  try {
    const session = await deps.engine.open({ inputs: scan.inputs, signal });
    try {
      const [row] = await session.rows<{ n: bigint }>(
        `SELECT count(*) AS n FROM ${deps.engine.relation(scan.plan)} WHERE ${where}`,
      );
      return Number(row?.n ?? 0n);
    } finally {
      await session.close();
    }
  } finally {
    scan.release();
  }
}
