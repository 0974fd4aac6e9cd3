/** What a table's log refers to, and what lies in its folder: the two sides of VACUUM and fsck. */
import type { DeletionVector } from '../actions.js';
import type { Snapshot, TableHandle } from '../api.js';
import { readTombstones } from '../checkpoint.js';
import { parseLines } from '../commit-json.js';
import { vectorPath } from '../deletion-vector.js';
import { DeltaError } from '../errors.js';
import { mapLimited } from '../limit.js';
import { LOG_DIRECTORY } from '../log-path.js';
import { listLog, readCommits } from '../log-reader.js';
import { segmentsFor } from '../log-segment.js';
import { keyOfPath } from '../path.js';
import type { ObjectInfo, ObjectStore } from '../ports.js';

const PARALLEL_GETS = 16;

/** Keys that the log refers to, in every spelling that a writer may have meant. */
export class References {
  readonly #keys = new Set<string>();

  constructor(private readonly tableUri: string) {}

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  addFile(file: { readonly path: string; readonly deletionVector?: DeletionVector }): void {
    this.addPath(file.path);
    const vector = file.deletionVector && vectorPath(file.deletionVector);
    if (vector !== undefined) this.addPath(vector);
  }

  addPath(path: string): void {
    // Old writers did not encode: the object may be named as the log has it.
    this.#keys.add(path);
    try {
      this.#keys.add(keyOfPath(path, this.tableUri));
    } catch (error) {
      // A file elsewhere is not in this folder, and so in no danger.
      if (!(error instanceof DeltaError) || error.code !== 'DELTA_PATH_OUTSIDE') throw error;
    }
  }
}

/**
 * Live files, files that were removed after `cutoffMs`, the deletion vectors of both, and the change files of every commit
 * that is still there. A tombstone without a time counts as old.
 */
export async function referencesOf(
  { store, deps }: Pick<TableHandle, 'store' | 'deps'>,
  snapshot: Snapshot,
  cutoffMs: number,
): Promise<References> {
  const references = new References(store.uri);
  for (const file of snapshot.files) references.addFile(file);
  const listing = await listLog(store);
  const segments = segmentsFor(listing, store.uri, snapshot.version);
  let failure: unknown;
  for (const { checkpoint, commits } of segments) {
    try {
      const known = checkpoint ? await readTombstones(store, deps.engine, checkpoint) : [];
      const later = (await readCommits(store, commits)).flat();
      for (const remove of [...known, ...later.flatMap((a) => ('remove' in a ? [a.remove] : []))]) {
        if ((remove.deletionTimestamp ?? 0) > cutoffMs) references.addFile(remove);
      }
      await addChangeFiles(store, listing.commits, references);
      return references;
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

async function addChangeFiles(
  store: ObjectStore,
  commits: ReadonlyArray<{ readonly key: string }>,
  references: References,
): Promise<void> {
  // Without the folder there are no change files, and no commit needs to be read for them.
  let some = false;
  for await (const object of store.list('_change_data/')) {
    some = object.key !== '';
    break;
  }
  if (!some) return;
  await mapLimited(commits, PARALLEL_GETS, async ({ key }) => {
    for (const line of parseLines(await store.get(key), `${store.uri}/${key}`)) {
      const path = line['cdc']?.['path'];
      if (typeof path === 'string') references.addPath(path);
    }
  });
}

/** Data files in the table's folder: everything but the log and what hidden names keep for others. */
export async function* dataObjects(store: ObjectStore, signal?: AbortSignal): AsyncIterable<ObjectInfo> {
  for await (const object of store.list('', signal ? { signal } : {})) {
    if (!isHidden(object.key)) yield object;
  }
}

const DATA_IN_HIDDEN = new Set(['_change_data', '_delta_index']);

/** Names that start with `_` or `.` belong to others, unless they are a partition's. */
function isHidden(key: string): boolean {
  const parts = key.split('/');
  if (parts[0] === LOG_DIRECTORY) return true;
  return parts.some((part, index) => {
    if (!part.startsWith('_') && !part.startsWith('.')) return false;
    if (index === 0 && DATA_IN_HIDDEN.has(part)) return false;
    return index === parts.length - 1 || !part.includes('=');
  });
}
