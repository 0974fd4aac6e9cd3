/** Reading checkpoints: classic, multi-part, and V2 (JSON or Parquet, with sidecars). */
import { stat } from 'node:fs/promises';
import type { Action, RemoveFile } from './actions.js';
import { checkpointAdds, checkpointStatistics } from './checkpoint-adds.js';
import { checkpointActions, emptyFields, sidecarRows, type RawCheckpointRow } from './checkpoint-parquet.js';
import { parseLines, toAction } from './commit-json.js';
import type { DeltaDeps } from './deps.js';
import { DeltaError } from './errors.js';
import type { FileColumns } from './files/file-columns.js';
import { SIDECAR_DIRECTORY } from './log-path.js';
import type { CheckpointFile } from './log-segment.js';
import { decodeOnce } from './path.js';
import type { Engine, EngineSession, ObjectStore, SessionOptions } from './ports.js';
import { withScratch } from './scratch.js';

/**
 * The live actions of a checkpoint (its tombstones are left out: a snapshot does not need them). Adds that stand in Parquet
 * go to the columns and are not returned. Throws DELTA_ENGINE_REQUIRED without an engine, DELTA_CHECKPOINT_UNREADABLE for a
 * damaged or incomplete one.
 */
export async function readCheckpoint(
  store: ObjectStore,
  deps: DeltaDeps,
  file: CheckpointFile,
  columns: FileColumns,
): Promise<Action[]> {
  const where = `${store.uri}/${file.keys[0] ?? ''}`;
  try {
    const adds = { columns, deps };
    const rows = await readFiles(store, deps.engine, file.keys, adds);
    const sidecars = rows.flatMap((row) => (row.sidecar ? [sidecarKey(row.sidecar)] : []));
    const more = sidecars.length > 0 ? await readFiles(store, deps.engine, sidecars, adds) : [];
    const actions = [...rows, ...more].flatMap((row) => toAction(row, where));
    requireWhole(actions, where);
    return actions;
  } catch (cause) {
    if (cause instanceof DeltaError && cause.code === 'DELTA_ENGINE_REQUIRED') throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DeltaError('DELTA_CHECKPOINT_UNREADABLE', `the checkpoint ${where} cannot be read: ${reason}`, {
      cause,
    });
  }
}

/** The tombstones of a checkpoint. Throws as {@link readCheckpoint} does. */
export async function readTombstones(
  store: ObjectStore,
  engine: Engine | undefined,
  file: CheckpointFile,
): Promise<RemoveFile[]> {
  const where = `${store.uri}/${file.keys[0] ?? ''}`;
  const head = await readFiles(store, engine, file.keys);
  const sidecars = head.flatMap((row) => (row.sidecar ? [sidecarKey(row.sidecar)] : []));
  const more = sidecars.length > 0 ? await readFiles(store, engine, sidecars) : [];
  return [...head, ...more]
    .flatMap((row) => toAction(row, where))
    .flatMap((action) => ('remove' in action ? [action.remove] : []));
}

/** Where the adds of a checkpoint go. */
interface AddsInto {
  readonly columns: FileColumns;
  readonly deps: DeltaDeps;
}

/** Rows of these files: tombstones, or all others where `adds` is there to take the adds. */
async function readFiles(
  store: ObjectStore,
  engine: Engine | undefined,
  keys: readonly string[],
  adds?: AddsInto,
): Promise<RawCheckpointRow[]> {
  const json = keys.filter((key) => key.endsWith('.json'));
  const parquet = keys.filter((key) => !key.endsWith('.json'));
  const rows: RawCheckpointRow[] = [];
  for (const key of json) rows.push(...parseLines(await store.get(key), `${store.uri}/${key}`));
  if (parquet.length === 0) return rows;
  if (!engine) {
    throw new DeltaError('DELTA_ENGINE_REQUIRED', `${store.uri}/${parquet[0]} needs an engine to be read`);
  }
  const files = await store.checkout(parquet);
  try {
    const paths = parquet.map((key) => files.pathOf(key));
    for (const row of adds
      ? await readLive(store, engine, parquet, paths, adds)
      : await readGone(engine, paths))
      rows.push(row);
  } finally {
    files.release();
  }
  return rows;
}

async function inSession<Result>(
  engine: Engine,
  options: SessionOptions,
  work: (session: EngineSession) => Promise<Result>,
): Promise<Result> {
  const session = await engine.open(options);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

async function readGone(engine: Engine, paths: readonly string[]): Promise<RawCheckpointRow[]> {
  return inSession(engine, { inputs: paths }, async (session) => {
    const rows: RawCheckpointRow[] = [];
    // One by one: a call with as many arguments as a checkpoint has actions would overflow the stack.
    for (const path of paths)
      for (const row of await checkpointActions(session, path, 'tombstones')) rows.push(row);
    return rows;
  });
}

async function readLive(
  store: ObjectStore,
  engine: Engine,
  keys: readonly string[],
  paths: readonly string[],
  { columns, deps }: AddsInto,
): Promise<RawCheckpointRow[]> {
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  const late = sizes.reduce((sum, size) => sum + size, 0) >= deps.lateStatisticsBytes;
  return withScratch(deps, async (folder) => {
    // In their order the rows of a large file would be gathered before they are written.
    const options = { inputs: paths, outputDirectory: folder, unordered: late, isOwn: true };
    return inSession(engine, options, async (session) => {
      const rows: RawCheckpointRow[] = [];
      for (const [index, path] of paths.entries()) {
        const empty = late ? await emptyFields(session, path) : new Set<string>();
        for (const row of await checkpointActions(session, path, 'live', empty)) rows.push(row);
        const how = { folder, where: store.uri, late, empty };
        const isLate = await checkpointAdds(session, path, columns, how);
        const [key] = keys.slice(index);
        if (isLate && key !== undefined)
          columns.readLate(() => readStatistics(store, engine, key, columns, deps));
      }
      return rows;
    });
  });
}

/** Throws DELTA_CHECKPOINT_UNREADABLE. */
async function readStatistics(
  store: ObjectStore,
  engine: Engine,
  key: string,
  columns: FileColumns,
  deps: DeltaDeps,
): Promise<void> {
  try {
    const files = await store.checkout([key]);
    try {
      const path = files.pathOf(key);
      await withScratch(deps, async (folder) => {
        const options = { inputs: [path], outputDirectory: folder, unordered: true, isOwn: true };
        await inSession(engine, options, (session) => checkpointStatistics(session, path, columns, folder));
      });
    } finally {
      files.release();
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DeltaError(
      'DELTA_CHECKPOINT_UNREADABLE',
      `the statistics of the checkpoint ${store.uri}/${key} cannot be read: ${reason}`,
      { cause },
    );
  }
}

/** All objects that a checkpoint is made of: its own files, and the sidecars that they name. */
export async function checkpointKeys(
  store: ObjectStore,
  engine: Engine,
  file: CheckpointFile,
): Promise<readonly string[]> {
  const [key = ''] = file.keys;
  if (file.form === 'multipart') return file.keys;
  if (key.endsWith('.json')) {
    const rows = parseLines(await store.get(key), `${store.uri}/${key}`);
    return [key, ...rows.flatMap((row) => (row['sidecar'] ? [sidecarKey(row['sidecar'])] : []))];
  }
  const files = await store.checkout([key]);
  try {
    const path = files.pathOf(key);
    const sidecars = await inSession(engine, { inputs: [path] }, (session) => sidecarRows(session, path));
    return [key, ...sidecars.map(sidecarKey)];
  } finally {
    files.release();
  }
}

function sidecarKey(sidecar: Readonly<Record<string, unknown>>): string {
  const path = decodeOnce(String(sidecar['path']));
  return `${SIDECAR_DIRECTORY}/${path.slice(path.lastIndexOf('/') + 1)}`;
}

function requireWhole(actions: readonly Action[], where: string): void {
  for (const name of ['protocol', 'metaData'] as const) {
    if (!actions.some((action) => name in action)) {
      throw new DeltaError('DELTA_CHECKPOINT_UNREADABLE', `${where} has no ${name} action`);
    }
  }
}
