/** Deleting old commits that a checkpoint stands in for. */
import type { Snapshot, TableHandle } from '../api.js';
import { checkpointKeys, readCheckpoint } from '../checkpoint.js';
import { LOG_DIRECTORY, parseLogPath, SIDECAR_DIRECTORY } from '../log-path.js';
import { FileColumns } from '../files/file-columns.js';
import { classify, monotonicTimes, type CheckpointFile, type LogListing } from '../log-segment.js';
import type { ObjectInfo } from '../ports.js';
import type { MaintenanceOptions } from '../progress.js';
import { requireEngine } from '../scratch.js';
import { tableProperties } from '../table-properties.js';
import { deleteObjects, wouldDelete } from './delete-objects.js';
import { requireWritable } from './run.js';

export interface CleanLogOptions extends MaintenanceOptions {
  /** How long commits stay readable; the table's `delta.logRetentionDuration` by default. */
  readonly retentionMs?: number;
  readonly dryRun?: boolean;
}

export interface CleanLogReport {
  readonly dryRun: boolean;
  /** The oldest version that can be read afterwards; null where nothing was old enough or nothing stands in for it. */
  readonly oldestVersion: number | null;
  readonly deleted: number;
  readonly deletedBytes: number;
  /** Objects that would have gone too, had there been time; the oldest went first. */
  readonly left: number;
}

const DAY_MS = 86_400_000;

/**
 * Deletes the log below the newest checkpoint that is older than the retention, oldest first, so that what is left is
 * whole at every moment. The checkpoint is read before anything goes that it stands in for. Throws
 * DELTA_WRITE_UNSUPPORTED (the log is protected or of a kind unknown here), DELTA_CHECKPOINT_UNREADABLE.
 */
export async function cleanLog(table: TableHandle, options: CleanLogOptions = {}): Promise<CleanLogReport> {
  const { store, deps } = table;
  const { dryRun = false, signal } = options;
  const snapshot = await table.snapshot();
  requireWritable(snapshot, table, 'append');
  const nothing = { dryRun, oldestVersion: null, deleted: 0, deletedBytes: 0, left: 0 };
  const properties = tableProperties(snapshot.metadata.configuration);
  if (!properties.cleansLog) return nothing;
  const retentionMs = options.retentionMs ?? properties.logRetentionMs;
  const cutoffMs = Math.floor((deps.clock.nowMs() - retentionMs) / DAY_MS) * DAY_MS;
  const objects: ObjectInfo[] = [];
  for await (const object of store.list(`${LOG_DIRECTORY}/`, signal ? { signal } : {})) objects.push(object);
  const listing = classify(objects);
  const keep = oldestKept(listing, snapshot, cutoffMs);
  if (!keep) return nothing;
  const engine = requireEngine(deps, store.uri);
  await readCheckpoint(store, deps, keep, new FileColumns(deps.scratchDirectory));
  const gone = objects
    .flatMap((object) => (isBelow(object.key, keep.version) ? [object] : []))
    .sort((a, b) => versionOf(a.key) - versionOf(b.key));
  const left = listing.checkpoints.filter(({ version }) => version >= keep.version);
  gone.push(
    ...(await looseSidecars(objects, deps.clock.nowMs(), () =>
      Promise.all(left.map((file) => checkpointKeys(store, engine, file))).then((keys) => keys.flat()),
    )),
  );
  const done = dryRun ? wouldDelete(gone) : await deleteObjects(store, gone, options);
  return { dryRun, oldestVersion: keep.version, ...done };
}

/** The newest checkpoint at or below the newest commit that is old enough. Commit times never decrease. */
function oldestKept(
  listing: LogListing,
  { version }: Snapshot,
  cutoffMs: number,
): CheckpointFile | undefined {
  let newestOld: number | undefined;
  for (const [commit, time] of monotonicTimes(listing.commits)) if (time <= cutoffMs) newestOld = commit;
  if (newestOld === undefined) return undefined;
  const limit = Math.min(newestOld, version);
  const commits = new Set(listing.commits.map((commit) => commit.version));
  // Its own commit stays too: some readers ask for it.
  return listing.checkpoints.filter((file) => file.version <= limit && commits.has(file.version)).at(-1);
}

function versionOf(key: string): number {
  const path = parseLogPath(key);
  switch (path.kind) {
    case 'commit':
    case 'checkpoint':
    case 'checksum':
      return path.version;
    case 'compacted':
      return path.from;
    case 'other':
      return Number.POSITIVE_INFINITY;
  }
}

function isBelow(key: string, version: number): boolean {
  const path = parseLogPath(key);
  // A compaction that reaches over the limit needs commits below it no less.
  if (path.kind === 'compacted') return path.from <= version;
  return path.kind !== 'other' && path.version < version;
}

/** Sidecars that no checkpoint names any more, and that are too old to be those of one that is being written. */
async function looseSidecars(
  objects: readonly ObjectInfo[],
  nowMs: number,
  referenced: () => Promise<readonly string[]>,
): Promise<ObjectInfo[]> {
  const old = objects.filter(
    ({ key, modifiedMs }) => key.startsWith(`${SIDECAR_DIRECTORY}/`) && modifiedMs < nowMs - DAY_MS,
  );
  if (old.length === 0) return [];
  const known = new Set(await referenced());
  return old.filter(({ key }) => !known.has(key));
}
