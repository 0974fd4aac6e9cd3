/** Taking backups back: choosing one, reading all of it, putting tables where they are not, and trying that for real. */
import { createHash } from 'node:crypto';
import type {
  BackupChoice,
  BackupFigures,
  BackupInput,
  BackupManifest,
  BackupPart,
  Checked,
} from '../../contracts/backup.js';
import { DatalabError } from '../../contracts/errors.js';
import type { MaintenanceRun } from '../../contracts/lake-maintenance.js';
import { checkoutScan, DeltaTable, mapLimited, type ObjectStore, type Snapshot } from '../../delta/index.js';
import { hashOf, type BackupStore } from '../../lake/backup-store.js';
import { parseTableName } from '../../lake/tables.js';
import type { MaintenanceDeps } from '../maintenance/deps.js';
import { runStep, type StepContext } from '../step.js';
import { backupOf } from './create.js';

const PARALLEL = 8;
const PROBLEMS_MAX = 20;

export async function chooseBackup(
  deps: MaintenanceDeps,
  run: MaintenanceRun,
  input: BackupInput,
): Promise<BackupChoice> {
  const backup = backupOf(deps);
  const wanted = 'backup' in input ? input.backup : undefined;
  const { table, version, time } = input.task === 'restore' ? input : {};
  if (wanted !== undefined) {
    const manifest = await backup.manifest(wanted);
    return input.task === 'drill' ? someOf(manifest, run) : choice(manifest, table);
  }
  // The newest first, until one holds what is asked for.
  for (const id of (await backup.ids()).reverse()) {
    const manifest = await backup.manifest(id);
    if (time !== undefined && Date.parse(manifest.at) > Date.parse(time)) continue;
    const part = manifest.tables.find((one) => one.table === table);
    if (table !== undefined && !part) continue;
    if (version !== undefined && part?.version !== version) continue;
    return input.task === 'drill' ? someOf(manifest, run) : choice(manifest, table);
  }
  const asked = [
    ...(table === undefined ? [] : [table]),
    ...(version === undefined ? [] : [`version ${version}`]),
    ...(time === undefined ? [] : [`up to ${time}`]),
  ].join(', ');
  throw new DatalabError('BACKUP_UNKNOWN', `${backup.store.uri} holds no backup${asked && ` of ${asked}`}`);
}

/** A drill restores so much at most, other tables each time: the size of a lake must not keep anybody from drilling. */
const DRILL_BYTES = 2 * 2 ** 30;

function someOf({ id, tables }: BackupManifest, { runId }: MaintenanceRun): BackupChoice {
  const order = (table: string): string => createHash('sha256').update(`${runId} ${table}`).digest('hex');
  const shuffled = [...tables].sort((a, b) => (order(a.table) < order(b.table) ? -1 : 1));
  let bytes = 0;
  const chosen = shuffled.filter((part, index) => {
    if (index > 0 && bytes + part.bytes > DRILL_BYTES) return false;
    bytes += part.bytes;
    return true;
  });
  return { backup: id, tables: chosen.map(({ table }) => table) };
}

function choice({ id, tables }: BackupManifest, table: string | undefined): BackupChoice {
  const names = tables.map((part) => part.table);
  if (table === undefined) return { backup: id, tables: names };
  if (!names.includes(table))
    throw new DatalabError('BACKUP_UNKNOWN', `the backup '${id}' does not hold ${table}`);
  return { backup: id, tables: [table] };
}

async function partOf(
  backup: BackupStore,
  id: string,
  table: string,
): Promise<Awaited<ReturnType<BackupStore['readPart']>>> {
  const manifest = await backup.manifest(id);
  const part: BackupPart | undefined = manifest.tables.find((one) => one.table === table);
  if (!part) throw new DatalabError('BACKUP_UNKNOWN', `the backup '${id}' does not hold ${table}`);
  return backup.readPart(part);
}

export async function verifyTable(
  deps: MaintenanceDeps,
  _run: MaintenanceRun,
  id: string,
  table: string,
): Promise<Checked> {
  const backup = backupOf(deps);
  const { value } = await runStep(`verify ${table}`, deps.scratchDirectory, async (context) => {
    const { data, log } = await partOf(backup, id, table);
    const value = await verifyAll(backup, [...data, ...log], table, context);
    return { rows: 0, bytes: value.bytes, detail: `${value.problems.length} problems`, value };
  });
  return value;
}

export async function verifyExtras(
  deps: MaintenanceDeps,
  _run: MaintenanceRun,
  id: string,
): Promise<Checked> {
  const backup = backupOf(deps);
  const { value } = await runStep('verify the rest', deps.scratchDirectory, async (context) => {
    const { extras } = await backup.manifest(id);
    const value = { ...(await verifyAll(backup, extras, 'project', context)), tables: 0 };
    return { rows: 0, bytes: value.bytes, detail: `${value.problems.length} problems`, value };
  });
  return value;
}

async function verifyAll(
  backup: BackupStore,
  objects: BackupManifest['extras'],
  where: string,
  { signal, progress }: StepContext,
): Promise<Checked> {
  let done = 0;
  const found = await mapLimited(objects, PARALLEL, async (object) => {
    signal.throwIfAborted();
    const problem = await backup.check(object, where, signal);
    done += 1;
    progress({ phase: 'verify', done, total: objects.length, unit: 'objects' });
    return problem;
  });
  const problems = found.filter((problem) => problem !== null);
  return { ...figuresOf(objects), problems: problems.slice(0, PROBLEMS_MAX) };
}

function figuresOf(objects: BackupManifest['extras']): BackupFigures {
  const bytes = objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return { tables: 1, objects: objects.length, bytes, copiedObjects: 0, copiedBytes: 0 };
}

export async function restoreTable(
  deps: MaintenanceDeps,
  _run: MaintenanceRun,
  id: string,
  table: string,
  into: string | null,
): Promise<BackupFigures> {
  const target = into === null ? deps.lake : deps.openStore(into);
  const { value } = await runStep(`restore ${table}`, deps.scratchDirectory, async (context) => {
    const value = await putBack(deps, id, table, target, context);
    return { rows: 0, bytes: value.bytes, detail: `into ${target.uri}`, value };
  });
  return value;
}

/**
 * Data first, then the log in its order, so that a reader sees the table whole or not at all. A log of somebody else is
 * never touched; what an earlier attempt of the same restore wrote is found to be the same.
 */
async function putBack(
  deps: MaintenanceDeps,
  id: string,
  table: string,
  root: ObjectStore,
  { signal, progress }: StepContext,
): Promise<BackupFigures> {
  const backup = backupOf(deps);
  const { data, log } = await partOf(backup, id, table);
  const { layer, table: name } = parseTableName(table);
  const store = root.at(`${layer}/${name}`);
  const known = new Set(log.map(({ key }) => key));
  for await (const { key } of store.list('_delta_log/'))
    if (!known.has(key)) throw occupied(store, table, key);
  const put = async (object: (typeof log)[number]): Promise<void> => {
    signal.throwIfAborted();
    const problem = await backup.check(object, table, signal, async (localPath) => {
      const written = await store.putFileIfAbsent(object.key, localPath, { signal });
      if (written === 'exists' && !(await isSame(store, object, signal)))
        throw occupied(store, table, object.key);
    });
    if (problem !== null) throw new DatalabError('BACKUP_DAMAGED', problem);
  };
  let done = 0;
  await mapLimited(data, PARALLEL, async (object) => {
    await put(object);
    done += 1;
    progress({ phase: 'restore', done, total: data.length + log.length, unit: 'objects' });
  });
  for (const object of log) await put(object);
  const figures = figuresOf([...data, ...log]);
  return { ...figures, copiedObjects: figures.objects, copiedBytes: figures.bytes };
}

async function isSame(
  store: ObjectStore,
  { key, sha256 }: { readonly key: string; readonly sha256: string },
  signal: AbortSignal,
): Promise<boolean> {
  const files = await store.checkout([key], { signal });
  try {
    return (await hashOf(files.pathOf(key))).sha256 === sha256;
  } finally {
    files.release();
  }
}

function occupied({ uri }: ObjectStore, table: string, key: string): DatalabError {
  return new DatalabError('RESTORE_TARGET_EXISTS', `${uri} holds another ${table} already (${key})`);
}

/** Restores the table into a scratch prefix of the lake and compares its rows with those of the same version there. */
export async function drillTable(
  deps: MaintenanceDeps,
  run: MaintenanceRun,
  id: string,
  table: string,
): Promise<Checked> {
  const prefix = `_drill/${run.runId}`;
  const { value } = await runStep(`drill ${table}`, deps.scratchDirectory, async (context) => {
    const root = deps.lake.at(prefix);
    const { layer, table: name } = parseTableName(table);
    const path = `${layer}/${name}`;
    try {
      const figures = await putBack(deps, id, table, root, context);
      const { engine } = deps;
      const copy = new DeltaTable(root.at(path), { engine });
      const restored = await copy.snapshot();
      const source = new DeltaTable(deps.lake.at(path), { engine });
      const original = await source.snapshot({ version: restored.version });
      const problems = await compare(deps, [source, original], [copy, restored], table, context.signal);
      const value: Checked = { ...figures, problems };
      return { rows: 0, bytes: figures.bytes, detail: `${problems.length} problems`, value };
    } finally {
      await removeAll(root.at(path));
    }
  });
  return value;
}

type Version = readonly [DeltaTable, Snapshot];

async function compare(
  { engine }: MaintenanceDeps,
  source: Version,
  copy: Version,
  table: string,
  signal: AbortSignal,
): Promise<string[]> {
  const scans = await Promise.all(
    [source, copy].map(([{ store }, snapshot]) => checkoutScan(store, snapshot, { signal })),
  );
  try {
    const session = await engine.open({ inputs: scans.flatMap(({ inputs }) => inputs), signal });
    try {
      const [left, right] = scans.map(({ plan }) => `SELECT * FROM ${engine.relation(plan)}`);
      const count = async (sql: string): Promise<number> => {
        const [row] = await session.rows<{ n: bigint }>(`SELECT count(*) AS n FROM (${sql})`);
        return Number(row?.n ?? 0n);
      };
      const lost = await count(`${left} EXCEPT ALL ${right}`);
      const gained = await count(`${right} EXCEPT ALL ${left}`);
      if (lost + gained === 0) return [];
      return [`${table}: ${lost} rows are not in the restored copy, and ${gained} are there only`];
    } finally {
      await session.close();
    }
  } finally {
    for (const scan of scans) scan.release();
  }
}

async function removeAll(store: ObjectStore): Promise<void> {
  const keys: string[] = [];
  for await (const { key } of store.list('')) keys.push(key);
  await store.delete(keys);
}
