/** Reading checkpoints: classic, multi-part, and V2 (JSON or Parquet, with sidecars). */
import type { Action, AddFile, RemoveFile } from './actions.js';
import { checkpointAdds } from './checkpoint-adds.js';
import { checkpointActions, sidecarRows, type RawCheckpointRow } from './checkpoint-parquet.js';
import { parseLines, toAction } from './commit-json.js';
import { DeltaError } from './errors.js';
import { SIDECAR_DIRECTORY } from './log-path.js';
import type { CheckpointFile } from './log-segment.js';
import { decodeOnce } from './path.js';
import type { Engine, ObjectStore } from './ports.js';

/**
 * The live actions of a checkpoint (its tombstones are left out: a snapshot does not need them). Throws
 * DELTA_ENGINE_REQUIRED without an engine, DELTA_CHECKPOINT_UNREADABLE for a damaged or incomplete one.
 */
export async function readCheckpoint(
  store: ObjectStore,
  engine: Engine | undefined,
  file: CheckpointFile,
): Promise<Action[]> {
  const where = `${store.uri}/${file.keys[0] ?? ''}`;
  try {
    const adds: AddFile[] = [];
    const rows = await readFiles(store, engine, file.keys, adds);
    const sidecars = rows.flatMap((row) => (row.sidecar ? [sidecarKey(row.sidecar)] : []));
    const more = sidecars.length > 0 ? await readFiles(store, engine, sidecars, adds) : [];
    const actions = [...rows, ...more].flatMap((row) => toAction(row, where));
    requireWhole(actions, where);
    for (const add of adds) actions.push({ add });
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

/** Rows of these files: tombstones, or all others where `adds` is there to take the adds. */
async function readFiles(
  store: ObjectStore,
  engine: Engine | undefined,
  keys: readonly string[],
  adds?: AddFile[],
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
    const session = await engine.open({ inputs: paths });
    try {
      // One by one: a call with as many arguments as a checkpoint has actions would overflow the stack.
      for (const path of paths) {
        for (const row of await checkpointActions(session, path, adds ? 'live' : 'tombstones'))
          rows.push(row);
        if (adds) for (const add of await checkpointAdds(session, path, store.uri)) adds.push(add);
      }
    } finally {
      await session.close();
    }
  } finally {
    files.release();
  }
  return rows;
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
    const session = await engine.open({ inputs: [path] });
    try {
      return [key, ...(await sidecarRows(session, path)).map(sidecarKey)];
    } finally {
      await session.close();
    }
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
