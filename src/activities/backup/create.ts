/** Making a backup: each table at one version, whole; what the backup holds already is neither read nor copied. */
import { copyFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type {
  BackupFigures,
  BackupManifest,
  BackupObject,
  BackupPart,
  BackupTable,
} from '../../contracts/backup.js';
import type { MaintenanceRun } from '../../contracts/lake-maintenance.js';
import { DatalabError } from '../../contracts/errors.js';
import { mapLimited, tableObjects, type ObjectStore, type TableObject } from '../../delta/index.js';
import { BackupStore, hashOf, manifestKey } from '../../lake/backup-store.js';
import { parseTableName } from '../../lake/tables.js';
import { backupsToKeep } from '../../maintenance/index.js';
import { listLake } from '../maintenance/assess.js';
import type { ExtraFile, MaintenanceDeps } from '../maintenance/deps.js';
import { MaintenanceFiles, placeKey } from '../maintenance/files.js';
import { runStep, type StepContext } from '../step.js';
import { rowCount, type LakeTables } from '../tables.js';

const PARALLEL = 8;
const DAY_MS = 86_400_000;

/** Throws BACKUP_NOT_CONFIGURED. */
export function backupOf({ backup }: Pick<MaintenanceDeps, 'backup'>): BackupStore {
  if (backup) return new BackupStore(backup);
  throw new DatalabError('BACKUP_NOT_CONFIGURED', 'maintenance.backup.uri names no place for backups');
}

/** Sorts by time; the run's id makes it unique. */
export function backupId({ at, runId }: MaintenanceRun): string {
  return `${at.replace(/\.\d+Z$/, 'Z').replaceAll(':', '')}-${runId}`;
}

export async function beginBackup(deps: MaintenanceDeps, run: MaintenanceRun): Promise<number> {
  backupOf(deps);
  return (await listLake(deps, run)).total;
}

export async function backUpTable(
  deps: MaintenanceDeps,
  tables: LakeTables,
  run: MaintenanceRun,
  place: number,
): Promise<BackupFigures> {
  const files = new MaintenanceFiles(deps.lake, run);
  const text = (await files.read<string[]>('tables'))[place] ?? '';
  const name = parseTableName(text);
  const backup = backupOf(deps);
  const { value } = await runStep(`back up ${text}`, deps.scratchDirectory, async (context) => {
    const table = tables.table(name.layer, name.table);
    const { snapshot, data, log } = await tableObjects(table);
    const known = await knownObjects(backup, text, snapshot.metadata.id);
    if (run.dryRun) {
      const value = await countMissing(table.store, backup, [...data, ...log], known);
      return { rows: 0, bytes: 0, detail: `version ${snapshot.version}`, value };
    }
    const copied = { objects: 0, bytes: 0 };
    const copy = (objects: readonly TableObject[]): Promise<BackupObject[]> =>
      copyAll(table.store, backup, objects, known, copied, context);
    // The log after the data, as it is read after it too.
    const kept = { data: await copy(data), log: await copy(log) };
    const rows = snapshot.files.some(({ stats }) => stats === undefined) ? null : rowCount(snapshot);
    const part = await backup.writePart(backupId(run), {
      ...{ table: text, tableId: snapshot.metadata.id, version: snapshot.version, rows },
      ...kept,
    });
    await files.write(`backup/${placeKey(place)}`, part);
    const value: BackupFigures = {
      ...{ tables: 1, objects: part.files, bytes: part.bytes },
      ...{ copiedObjects: copied.objects, copiedBytes: copied.bytes },
    };
    return { rows: rows ?? 0, bytes: copied.bytes, detail: `version ${snapshot.version}`, value };
  });
  return value;
}

/** Objects of the table that the newest backup holds, by key. Files of a table never change under their key. */
async function knownObjects(
  backup: BackupStore,
  table: string,
  tableId: string,
): Promise<ReadonlyMap<string, BackupObject>> {
  const newest = await backup.newest();
  const part = newest?.tables.find((one) => one.table === table);
  if (!part) return new Map();
  const before: BackupTable = await backup.readPart(part);
  // A table that was made anew may have given a name a second time.
  if (before.tableId !== tableId) return new Map();
  return new Map([...before.data, ...before.log].map((object) => [object.key, object]));
}

/** What copying them would take. */
async function countMissing(
  source: ObjectStore,
  backup: BackupStore,
  objects: readonly TableObject[],
  known: ReadonlyMap<string, BackupObject>,
): Promise<BackupFigures> {
  const figures = { tables: 1, objects: objects.length, bytes: 0, copiedObjects: 0, copiedBytes: 0 };
  await mapLimited(objects, PARALLEL, async (object) => {
    const there = await keptAlready(backup, object, known);
    const bytes = object.sizeBytes ?? there?.sizeBytes ?? (await source.head(object.key))?.sizeBytes ?? 0;
    figures.bytes += bytes;
    if (there) return;
    figures.copiedObjects += 1;
    figures.copiedBytes += bytes;
  });
  return figures;
}

/** The object as the backup holds it. One that somebody took out of the backup is copied again. */
async function keptAlready(
  backup: BackupStore,
  { key, sizeBytes }: TableObject,
  known: ReadonlyMap<string, BackupObject>,
): Promise<BackupObject | undefined> {
  const there = known.get(key);
  const isKnown =
    there !== undefined &&
    (sizeBytes === undefined || there.sizeBytes === sizeBytes) &&
    (await backup.has(there));
  return isKnown ? there : undefined;
}

async function copyAll(
  source: ObjectStore,
  backup: BackupStore,
  objects: readonly TableObject[],
  known: ReadonlyMap<string, BackupObject>,
  copied: { objects: number; bytes: number },
  { signal, progress }: StepContext,
): Promise<BackupObject[]> {
  let done = 0;
  return mapLimited(objects, PARALLEL, async (object) => {
    signal.throwIfAborted();
    const kept =
      (await keptAlready(backup, object, known)) ?? (await copyOne(source, backup, object, copied, signal));
    done += 1;
    progress({ phase: 'copy', done, total: objects.length, unit: 'objects' });
    return kept;
  });
}

async function copyOne(
  source: ObjectStore,
  backup: BackupStore,
  { key, sizeBytes }: TableObject,
  copied: { objects: number; bytes: number },
  signal: AbortSignal,
): Promise<BackupObject> {
  const files = await source.checkout([key], { signal });
  try {
    const path = files.pathOf(key);
    const found = await hashOf(path);
    if (sizeBytes !== undefined && found.sizeBytes !== sizeBytes)
      throw new DatalabError(
        'BACKUP_SOURCE_DAMAGED',
        `${source.uri}/${key} has ${found.sizeBytes} bytes, and the log says ${sizeBytes}`,
      );
    if (await backup.add(path, found.sha256, found.sizeBytes, signal)) {
      copied.objects += 1;
      copied.bytes += found.sizeBytes;
    }
    return { key, ...found };
  } finally {
    files.release();
  }
}

export async function sealBackup(
  deps: MaintenanceDeps,
  run: MaintenanceRun,
): Promise<BackupFigures & { readonly problems: readonly string[] }> {
  const backup = backupOf(deps);
  const { value } = await runStep('seal the backup', deps.scratchDirectory, async ({ signal, scratch }) => {
    const tables = await new MaintenanceFiles(deps.lake, run).readAll<BackupPart>('backup');
    const { files, problems } = await deps.extras();
    let copiedObjects = 0;
    let copiedBytes = 0;
    const extras: BackupObject[] = [];
    const unsteady: string[] = [];
    for (const { key, localPath: original, copy } of files) {
      signal.throwIfAborted();
      // A copy, so that what is hashed is what is kept, whoever writes the file meanwhile.
      const localPath = path.join(scratch, 'extra');
      await rm(localPath, { force: true });
      const problem = await copied(key, original, localPath, copy);
      if (problem !== null) {
        unsteady.push(problem);
        continue;
      }
      const found = await hashOf(localPath);
      if (await backup.add(localPath, found.sha256, found.sizeBytes, signal)) {
        copiedObjects += 1;
        copiedBytes += found.sizeBytes;
      }
      extras.push({ key, ...found });
    }
    const manifest: BackupManifest = { id: backupId(run), at: run.at, lake: deps.lake.uri, tables, extras };
    await backup.seal(manifest);
    const bytes = extras.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const figures = { tables: 0, objects: extras.length, bytes, copiedObjects, copiedBytes };
    return {
      rows: 0,
      bytes,
      detail: manifest.id,
      value: { ...figures, problems: [...problems, ...unsteady] },
    };
  });
  return value;
}

/**
 * First the manifests that are past their time, then what no manifest names any more. Objects of the last two days stay:
 * they may be of a backup that is being made. Nothing goes where a retained backup cannot be read.
 */
export async function pruneBackups(
  deps: MaintenanceDeps,
  run: MaintenanceRun,
): Promise<{ backups: number; objects: number; bytes: number }> {
  const backup = backupOf(deps);
  const { value } = await runStep('prune backups', deps.scratchDirectory, async ({ signal, progress }) => {
    const nowMs = deps.clock.nowMs();
    const manifests = await mapLimited(await backup.ids(), PARALLEL, (id) => backup.manifest(id));
    const keep = backupsToKeep(manifests, Date.parse(run.at), deps.config.maintenance.backup.days);
    const named = new Set<string>();
    for (const manifest of manifests.filter(({ id }) => keep.has(id)))
      for (const sha256 of await backup.named(manifest)) named.add(BackupStore.objectKey(sha256));
    const gone = manifests.filter(({ id }) => !keep.has(id));
    await backup.store.delete(gone.map(({ id }) => manifestKey(id)));
    await backup.store.delete(gone.flatMap(({ tables }) => tables.map(({ key }) => key)));
    let bytes = 0;
    const loose: string[] = [];
    for await (const { key, sizeBytes, modifiedMs } of backup.store.list('objects/', { signal })) {
      if (named.has(key) || modifiedMs > nowMs - 2 * DAY_MS) continue;
      loose.push(key);
      bytes += sizeBytes;
      progress({ phase: 'list', done: loose.length, total: 0, unit: 'objects' });
    }
    await backup.store.delete(loose);
    const value = { backups: gone.length, objects: loose.length, bytes };
    return { rows: 0, bytes, detail: `${gone.length} backups`, value };
  });
  return value;
}

/** Copies one file of the project; why it is not in the backup where that cannot be done, which fails nothing else. */
async function copied(
  key: string,
  from: string,
  to: string,
  copy: ExtraFile['copy'],
): Promise<string | null> {
  try {
    if (copy) await copy(to);
    else if (!(await copyInPeace(from, to)))
      return `${key} was being written all the time, and is not in the backup`;
    return null;
  } catch (error) {
    return `${key} is not in the backup: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const COPY_TRIES = 5;

/** Whether the file could be copied with nobody writing it. */
async function copyInPeace(from: string, to: string): Promise<boolean> {
  for (let attempt = 0; attempt < COPY_TRIES; attempt += 1) {
    const before = await stat(from);
    await copyFile(from, to);
    const after = await stat(from);
    if (before.mtimeMs === after.mtimeMs && before.size === after.size) return true;
  }
  return false;
}
