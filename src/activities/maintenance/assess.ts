/** Measuring tables: from the log, and from one listing of the folder. Nothing changes. */
import type {
  Amount,
  Assessed,
  AuditFacts,
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
import { lastAudits } from './audit/index.js';
import type { MaintenanceDeps } from './deps.js';
import { MaintenanceFiles, placeKey } from './files.js';
import { integrityOf } from './integrity.js';
import { cutoffOf, declaredTables, expiredRows, fileRetentionMs, type DeclaredTables } from './policies.js';

const PARALLEL = 16;
const DAY_MS = 86_400_000;
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
  const names = await wantedOf(deps, run, there);
  await new MaintenanceFiles(deps.lake, run).write('tables', names);
  const { limits, retries, maintenance } = deps.config;
  return {
    total: names.length,
    policy: {
      tend: {
        startToCloseSeconds: limits.maintenance.timeoutMinutes * 60,
        heartbeatSeconds: retries.heartbeatSeconds,
        maximumAttempts: 3,
        // Nobody waits for maintenance: a store that is away gets more time than a run gives it.
        initialIntervalSeconds: 5 * retries.initialIntervalSeconds,
      },
      parallelTables: maintenance.parallelTables,
      budgetMinutes: maintenance.budgetMinutes,
      backs: deps.backup !== null,
      tells: deps.events !== null,
    },
  };
}

/** Throws TABLE_UNKNOWN, DATASET_UNKNOWN. */
async function wantedOf(
  deps: MaintenanceDeps,
  run: MaintenanceRun,
  there: readonly TableName[],
): Promise<string[]> {
  const known = new Map(there.map((name) => [nameOf(name), name]));
  const wanted = run.tables?.map((text) => nameOf(parseTableName(text))) ?? [...known.keys()];
  const strange = wanted.find((name) => !known.has(name));
  if (strange !== undefined)
    throw new DatalabError('TABLE_UNKNOWN', `there is no table ${strange} in ${deps.lake.uri}`);
  if (run.datasets === undefined) return wanted;
  const datasets = await deps.datasetNames();
  const missing = run.datasets.find((name) => !datasets.includes(name));
  if (missing !== undefined) throw new DatalabError('DATASET_UNKNOWN', `there is no dataset '${missing}'`);
  const { datasetOf } = await declaredTables(deps);
  return wanted.filter((text) => {
    const name = known.get(text);
    return name !== undefined && run.datasets?.includes(datasetOf(name) ?? '');
  });
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
    const audits = await lastAudits(deps, tables, context.signal);
    const ground = { deps, tables, declared, audits, run, signal: context.signal };
    let done = 0;
    const measured = await mapLimited(names, PARALLEL, async (name) => {
      const one = await measureOrSay(ground, name);
      done += 1;
      context.progress({ phase: 'assess', done, total: names.length, unit: 'tables' });
      return one;
    });
    const facts = measured.flatMap((one) => ('version' in one ? [one] : []));
    const batch: AssessedBatch = {
      facts,
      plans: facts.flatMap((one) => planTable(one, run) ?? []),
      unreadable: measured.flatMap((one) => ('reason' in one ? [one] : [])),
    };
    await files.write(`assessed/${placeKey(from)}`, batch);
    return { rows: 0, bytes: 0, detail: '', value: batch };
  });
  const { facts, plans, unreadable } = value;
  const damaged = facts.filter(({ fsck }) => fsck.damaged > 0);
  // One that is damaged and not to be repaired has no plan, and is not healthy.
  const left = damaged.filter(({ table }) => !plans.some((plan) => plan.table === table)).length;
  return {
    ...{ healthy: facts.length - plans.length - left, needy: plans.length },
    ...{ unreadable: unreadable.length, damaged: damaged.length },
  };
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

/** What measuring works with. */
interface Ground {
  readonly deps: MaintenanceDeps;
  readonly tables: LakeTables;
  readonly declared: DeclaredTables;
  /** When each table was audited last, in milliseconds since the epoch. */
  readonly audits: ReadonlyMap<string, number>;
  readonly run: MaintenanceRun;
  readonly signal: AbortSignal;
}

async function measureOrSay(ground: Ground, name: TableName): Promise<TableFacts | Unreadable> {
  try {
    return await measureTable(ground, name);
  } catch (error) {
    // A store that is away is no fault of the table: the batch is tried again.
    if (!(error instanceof DeltaError)) throw error;
    return { table: nameOf(name), reason: `${error.code}: ${error.message}`.slice(0, 500) };
  }
}

/** Throws the Delta layer's errors. */
async function measureTable(ground: Ground, name: TableName): Promise<TableFacts> {
  const { deps, declared, run, signal } = ground;
  const table = ground.tables.table(name.layer, name.table);
  const snapshot = await table.snapshot();
  const { version, files, metadata } = snapshot;
  const properties = tableProperties(metadata.configuration);
  const nowMs = deps.clock.nowMs();
  const objects: ObjectInfo[] = [];
  for await (const object of table.store.list('', { signal })) objects.push(object);
  const retentionMs = fileRetentionMs(deps, snapshot, null);
  const suspect = hasOldFiles(table, snapshot, objects, nowMs - properties.deletedFileRetentionMs);
  return {
    table: nameOf(name),
    version,
    rows: files.some(({ stats }) => stats === undefined) ? null : rowCount(snapshot),
    files: files.length,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
    packable: await packable(snapshot),
    deletedRows: files.reduce((sum, { deletionVector }) => sum + (deletionVector?.cardinality ?? 0), 0),
    ...logFacts(snapshot, objects, nowMs),
    reclaimable: suspect ? await reclaimable(table, retentionMs, signal) : { files: 0, bytes: 0 },
    retention: await retentionFacts(snapshot, declared, run, name),
    folder: {
      files: objects.length,
      bytes: objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    },
    fsck: await integrityOf(table, snapshot, objects, suspect, signal),
    audit: auditFacts(ground, name),
  };
}

type LogFacts = Pick<
  TableFacts,
  | 'commitsSinceCheckpoint'
  | 'checkpointInterval'
  | 'commitBytesSinceCheckpoint'
  | 'oldCommits'
  | 'oldCommitBytes'
>;

function logFacts(
  { version, checkpointVersion, metadata }: Snapshot,
  objects: readonly ObjectInfo[],
  nowMs: number,
): LogFacts {
  const properties = tableProperties(metadata.configuration);
  const commits = objects.flatMap((object) => {
    const number = COMMIT.exec(object.key)?.[1];
    return number === undefined ? [] : [{ ...object, version: Number(number) }];
  });
  const sizeOf = (some: typeof commits): number => some.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const old = commits.filter(
    (commit) =>
      properties.cleansLog &&
      commit.modifiedMs < nowMs - properties.logRetentionMs &&
      commit.version < (checkpointVersion ?? -1),
  );
  return {
    commitsSinceCheckpoint: version - (checkpointVersion ?? 0),
    checkpointInterval: properties.checkpointInterval,
    commitBytesSinceCheckpoint: sizeOf(
      commits.filter((commit) => commit.version > (checkpointVersion ?? -1) && commit.version <= version),
    ),
    ...{ oldCommits: old.length, oldCommitBytes: sizeOf(old) },
  };
}

function auditFacts({ deps, declared, audits }: Ground, name: TableName): AuditFacts | null {
  const dataset = declared.definitionOf(name);
  if (!dataset) return null;
  const at = audits.get(nameOf(name));
  const days = at === undefined ? null : Math.max(0, deps.clock.nowMs() - at) / DAY_MS;
  return { dataset: dataset.name, days, everyDays: deps.config.maintenance.auditDays };
}

/** Whether some file is old and not live: of a tidy table the listing says enough, and nothing else is asked. */
function hasOldFiles(
  table: DeltaTable,
  { files }: Snapshot,
  objects: readonly ObjectInfo[],
  beforeMs: number,
): boolean {
  const live = new Set(files.map(({ path }) => keyOrPath(path, table.store.uri)));
  return objects.some(
    ({ key, modifiedMs }) => !key.startsWith('_delta_log/') && modifiedMs < beforeMs && !live.has(key),
  );
}

async function reclaimable(table: DeltaTable, retentionMs: number, signal: AbortSignal): Promise<Amount> {
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

async function retentionFacts(
  snapshot: Snapshot,
  declared: DeclaredTables,
  run: MaintenanceRun,
  name: TableName,
): Promise<RetentionFacts | null> {
  const policy = declared.retentionOf(name);
  if (policy === null) return null;
  const before = cutoffOf(run, policy.days);
  const where = expiredRows(snapshot, policy.column, before);
  if (where === null) return null;
  const { whole, some } = await prune(snapshot, where);
  return { ...policy, before, whole: amountOf(whole), some: amountOf(some) };
}

export function amountOf(files: readonly AddFile[]): Amount {
  return { files: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0) };
}
