/** Making snapshots: from the listed log, or forward from an earlier snapshot. */
import type { Action } from './actions.js';
import { readCheckpoint } from './checkpoint.js';
import { DeltaError } from './errors.js';
import { commitKey } from './log-path.js';
import { listLog, readCommit, readCommits, readHint, streamCommits } from './log-reader.js';
import { monotonicTimes, segmentsFor, type LogListing, type LogSegment } from './log-segment.js';
import type { DeltaDeps } from './deps.js';
import { FileColumns } from './files/file-columns.js';
import { LiveFiles } from './files/live-files.js';
import type { ObjectStore } from './ports.js';
import { applyCommits, commitInfoOf, Replay } from './replay.js';
import { TableSnapshot } from './snapshot.js';

/** Probing version by version is cheaper than listing only for a few of them. */
const PROBES_BEFORE_LISTING = 4;

/**
 * The snapshot of a version (default: the newest). A checkpoint that cannot be read is passed over for an older one, or
 * for the commits themselves. Throws DELTA_TABLE_NOT_FOUND, DELTA_VERSION_NOT_FOUND, DELTA_LOG_INVALID,
 * DELTA_CHECKPOINT_UNREADABLE (nothing else to start from), DELTA_READ_UNSUPPORTED.
 */
export async function loadSnapshot(store: ObjectStore, deps: DeltaDeps, at?: number): Promise<TableSnapshot> {
  const hint = await readHint(store);
  let tried: unknown;
  if (hint !== undefined && hint > 0 && (at === undefined || at >= hint)) {
    // The hint may be stale or wrong in every way; only success through it counts.
    try {
      return await loadFrom(store, deps, await listLog(store, hint), at);
    } catch (error) {
      if (!isAboutTheLog(error)) throw error;
      tried = error;
    }
  }
  try {
    return await loadFrom(store, deps, await listLog(store), at);
  } catch (error) {
    // What went wrong with the good part of the log says more than that the old part is cleaned away.
    const cleaned = error instanceof DeltaError && error.code === 'DELTA_LOG_INVALID';
    throw cleaned && tried instanceof DeltaError && tried.code === 'DELTA_CHECKPOINT_UNREADABLE'
      ? tried
      : error;
  }
}

async function loadFrom(
  store: ObjectStore,
  deps: DeltaDeps,
  listing: LogListing,
  at: number | undefined,
): Promise<TableSnapshot> {
  let failure: unknown;
  for (const segment of segmentsFor(listing, store.uri, at)) {
    try {
      return await loadSegment(store, deps, segment);
    } catch (error) {
      if (!(error instanceof DeltaError) || !CHECKPOINT_ERRORS.has(error.code)) throw error;
      failure ??= error;
    }
  }
  throw failure;
}

const CHECKPOINT_ERRORS = new Set(['DELTA_CHECKPOINT_UNREADABLE', 'DELTA_ENGINE_REQUIRED']);

async function loadSegment(store: ObjectStore, deps: DeltaDeps, segment: LogSegment): Promise<TableSnapshot> {
  const { checkpoint, commits, version } = segment;
  const columns = new FileColumns(deps.scratchDirectory);
  const replay = new Replay(columns);
  const tail = streamCommits(store, commits);
  if (checkpoint) replay.apply(await readCheckpoint(store, deps, checkpoint, columns));
  let last: readonly Action[] | undefined;
  for await (const actions of tail) {
    replay.apply(actions);
    last = actions;
  }
  const modifiedMs = monotonicTimes(commits).get(version) ?? checkpoint?.modifiedMs ?? 0;
  const timestampMs = inCommitTime(last) ?? modifiedMs;
  const state = replay.done(new LiveFiles(columns));
  return new TableSnapshot(version, timestampMs, state, store.uri, checkpoint?.version);
}

/**
 * The newest snapshot, reached forward from an earlier one: one request when nothing changed. Undefined where the log
 * in between is no longer whole, so that the caller must start over.
 */
export async function refreshSnapshot(
  store: ObjectStore,
  from: TableSnapshot,
): Promise<TableSnapshot | undefined> {
  const commits: Action[][] = [];
  for (let probe = 1; probe <= PROBES_BEFORE_LISTING; probe += 1) {
    const actions = await readCommit(store, from.version + probe);
    if (!actions) break;
    commits.push(actions);
  }
  if (commits.length === 0) return from;
  if (commits.length === PROBES_BEFORE_LISTING) {
    const next = from.version + commits.length + 1;
    const listed = (await listLog(store, next)).commits;
    if (listed.some(({ version }, index) => version !== next + index)) return undefined;
    commits.push(...(await readCommits(store, listed)));
  }
  const version = from.version + commits.length;
  const timestampMs = inCommitTime(commits.at(-1)) ?? (await store.head(commitKey(version)))?.modifiedMs ?? 0;
  return new TableSnapshot(
    version,
    Math.max(timestampMs, from.timestampMs),
    applyCommits(from.state, commits),
    store.uri,
    from.checkpointVersion,
  );
}

function inCommitTime(actions: readonly Action[] | undefined): number | undefined {
  const time = actions && commitInfoOf(actions)?.inCommitTimestamp;
  return typeof time === 'number' ? time : undefined;
}

/** Errors that another view of the log may not have; a refused feature or a network fault is not among them. */
function isAboutTheLog(error: unknown): boolean {
  return (
    error instanceof DeltaError &&
    [
      'DELTA_TABLE_NOT_FOUND',
      'DELTA_VERSION_NOT_FOUND',
      'DELTA_LOG_INVALID',
      'DELTA_CHECKPOINT_UNREADABLE',
      'DELTA_ENGINE_REQUIRED',
    ].includes(error.code)
  );
}
