/** Measuring tables: from the log, and from one listing of the folder. Nothing changes. */
import type {
  Amount,
  Assessed,
  LakeListed,
  MaintenanceRun,
  RetentionFacts,
  TableFacts,
  TablePlan,
} from '../../contracts/lake-maintenance.js';
import { DatalabError } from '../../contracts/errors.js';
import {
  DeltaError,
  keyOfPath,
  mapLimited,
  packable,
  prune,
  tableProperties,
  type AddFile,
  type DeltaTable,
  type ObjectInfo,
  type Snapshot,
} from '../../delta/index.js';
import { listTables, nameOf, parseTableName, type TableName } from '../../lake/tables.js';
import { planTable } from '../../maintenance/index.js';
import { runStep } from '../step.js';
import { rowCount, type LakeTables } from '../tables.js';
import type { MaintenanceDeps } from './deps.js';
import { MaintenanceFiles, placeKey } from './files.js';
import { cutoffOf, declaredTables, expiredRows, fileRetentionMs, type DeclaredTables } from './policies.js';

const PARALLEL = 16;
const COMMIT = /^_delta_log\/(\d{20})\.json$/;

/** A table that could not be measured. */
export interface Unreadable {
  readonly table: string;
  readonly reason: string;
}

/** What one batch found. */
export interface AssessedBatch {
  readonly facts: readonly TableFacts[];
  readonly plans: readonly TablePlan[];
  readonly unreadable: readonly Unreadable[];
}

export async function listLake(deps: MaintenanceDeps, run: MaintenanceRun): Promise<LakeListed> {
  const there = await listTables({ store: deps.lake });
  const wanted = run.tables?.map((text) => nameOf(parseTableName(text)));
  const known = new Set(there.map(nameOf));
  const strange = wanted?.find((name) => !known.has(name));
  if (strange !== undefined)
    throw new DatalabError('TABLE_UNKNOWN', `there is no table ${strange} in ${deps.lake.uri}`);
  const names = wanted ?? [...known];
  await new MaintenanceFiles(deps.lake, run).write('tables', names);
  const { limits, retries, maintenance } = deps.config;
  return {
    total: names.length,
    policy: {
      tend: {
        startToCloseSeconds: limits.maintenance.timeoutMinutes * 60,
        heartbeatSeconds: retries.heartbeatSeconds,
        maximumAttempts: 3,
        initialIntervalSeconds: 5,
      },
      parallelTables: maintenance.parallelTables,
      budgetMinutes: maintenance.budgetMinutes,
      backs: deps.backup !== null,
    },
  };
}

export async function assessTables(
  deps: MaintenanceDeps,
  tables: LakeTables,
  run: MaintenanceRun,
  from: number,
  count: number,
): Promise<Assessed> {
  const files = new MaintenanceFiles(deps.lake, run);
  const names = (await files.read<string[]>('tables')).slice(from, from + count).map(parseTableName);
  const { value } = await runStep(`assess ${names.length} tables`, deps.scratchDirectory, async (context) => {
    const declared = await declaredTables(deps);
    let done = 0;
    const measured = await mapLimited(names, PARALLEL, async (name) => {
      const one = await measureOrSay(deps, tables, declared, run, name, context.signal);
      done += 1;
      context.progress({ phase: 'assess', done, total: names.length, unit: 'tables' });
      return one;
    });
    const facts = measured.flatMap((one) => ('version' in one ? [one] : []));
    const batch: AssessedBatch = {
      facts,
      plans: facts.flatMap((one) => planTable(one) ?? []),
      unreadable: measured.flatMap((one) => ('reason' in one ? [one] : [])),
    };
    await files.write(`assessed/${placeKey(from)}`, batch);
    return { rows: 0, bytes: 0, detail: '', value: batch };
  });
  const { facts, plans, unreadable } = value;
  return { healthy: facts.length - plans.length, needy: plans.length, unreadable: unreadable.length };
}

/** The plans of all batches in one order, each as an object of its own. */
export async function orderPlans(deps: MaintenanceDeps, run: MaintenanceRun): Promise<number> {
  const files = new MaintenanceFiles(deps.lake, run);
  const batches = await files.readAll<AssessedBatch>('assessed');
  const plans = batches
    .flatMap((batch) => batch.plans)
    .sort((a, b) => b.score - a.score || (a.table < b.table ? -1 : 1));
  await mapLimited(plans, PARALLEL, (plan, place) => files.write(`plan/${placeKey(place)}`, plan));
  return plans.length;
}

async function measureOrSay(
  deps: MaintenanceDeps,
  tables: LakeTables,
  declared: DeclaredTables,
  run: MaintenanceRun,
  name: TableName,
  signal: AbortSignal,
): Promise<TableFacts | Unreadable> {
  try {
    return await measureTable(deps, tables.table(name.layer, name.table), declared, run, name, signal);
  } catch (error) {
    // A store that is away is no fault of the table: the batch is tried again.
    if (!(error instanceof DeltaError)) throw error;
    return { table: nameOf(name), reason: `${error.code}: ${error.message}`.slice(0, 500) };
  }
}

/** Throws the Delta layer's errors. */
export async function measureTable(
  deps: MaintenanceDeps,
  table: DeltaTable,
  declared: DeclaredTables,
  run: MaintenanceRun,
  name: TableName,
  signal: AbortSignal,
): Promise<TableFacts> {
  const snapshot = await table.snapshot();
  const { version, files, checkpointVersion, metadata } = snapshot;
  const properties = tableProperties(metadata.configuration);
  const nowMs = deps.clock.nowMs();
  const objects: ObjectInfo[] = [];
  for await (const object of table.store.list('', { signal })) objects.push(object);
  return {
    table: nameOf(name),
    version,
    rows: files.some(({ stats }) => stats === undefined) ? null : rowCount(snapshot),
    files: files.length,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
    packable: packable(snapshot),
    deletedRows: files.reduce((sum, { deletionVector }) => sum + (deletionVector?.cardinality ?? 0), 0),
    commitsSinceCheckpoint: version - (checkpointVersion ?? 0),
    checkpointInterval: properties.checkpointInterval,
    oldCommits: properties.cleansLog
      ? objects.filter(
          ({ key, modifiedMs }) =>
            modifiedMs < nowMs - properties.logRetentionMs &&
            Number(COMMIT.exec(key)?.[1] ?? Infinity) < (checkpointVersion ?? -1),
        ).length
      : 0,
    reclaimable: await reclaimable(
      table,
      snapshot,
      objects,
      nowMs,
      fileRetentionMs(deps, snapshot, null),
      signal,
    ),
    retention: retentionFacts(snapshot, declared, run, name),
  };
}

/** VACUUM is asked only where some file is old and not live: of a tidy table the listing says enough. */
async function reclaimable(
  table: DeltaTable,
  { files }: Snapshot,
  objects: readonly ObjectInfo[],
  nowMs: number,
  retentionMs: number,
  signal: AbortSignal,
): Promise<Amount> {
  const live = new Set(files.map(({ path }) => keyOrPath(path, table.store.uri)));
  const suspect = objects.some(
    ({ key, modifiedMs }) =>
      !key.startsWith('_delta_log/') && modifiedMs < nowMs - retentionMs && !live.has(key),
  );
  if (!suspect) return { files: 0, bytes: 0 };
  const { deleted, deletedBytes } = await table.vacuum({ dryRun: true, retentionMs, signal });
  return { files: deleted, bytes: deletedBytes };
}

function keyOrPath(path: string, uri: string): string {
  try {
    return keyOfPath(path, uri);
  } catch {
    return path;
  }
}

function retentionFacts(
  snapshot: Snapshot,
  declared: DeclaredTables,
  run: MaintenanceRun,
  name: TableName,
): RetentionFacts | null {
  const policy = declared.retentionOf(name);
  if (policy === null) return null;
  const before = cutoffOf(run, policy.days);
  const where = expiredRows(snapshot, policy.column, before);
  if (where === null) return null;
  const { whole, some } = prune(snapshot, where);
  return { ...policy, before, whole: amountOf(whole), some: amountOf(some) };
}

export function amountOf(files: readonly AddFile[]): Amount {
  return { files: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0) };
}
