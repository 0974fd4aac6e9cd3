/** Which objects of `_delta_log` make up one version: the newest usable checkpoint and the commits above it. */
import { DeltaError } from './errors.js';
import { parseLogPath } from './log-path.js';
import type { ObjectInfo } from './ports.js';

export interface CommitFile {
  readonly version: number;
  readonly key: string;
  readonly modifiedMs: number;
}

/** One complete checkpoint. `keys` are its parts in order. */
export interface CheckpointFile {
  readonly version: number;
  readonly form: 'classic' | 'multipart' | 'uuid';
  readonly keys: readonly string[];
  readonly modifiedMs: number;
}

/** The listed log, sorted by version. */
export interface LogListing {
  readonly commits: readonly CommitFile[];
  /** Complete checkpoints only. */
  readonly checkpoints: readonly CheckpointFile[];
}

/**
 * What to read for one version. Guarantees: commits are contiguous and end at `version`; they start right above the
 * checkpoint, or at 0 where there is none.
 */
export interface LogSegment {
  readonly version: number;
  readonly checkpoint: CheckpointFile | undefined;
  readonly commits: readonly CommitFile[];
}

interface PartSet {
  readonly version: number;
  readonly parts: number;
  readonly keys: Map<number, string>;
  readonly modifiedMs: number;
}

/** Sorts a listing into commits and complete checkpoints; everything else is passed over. */
export function classify(objects: Iterable<ObjectInfo>): LogListing {
  const commits: CommitFile[] = [];
  const checkpoints: CheckpointFile[] = [];
  const parts = new Map<string, PartSet>();
  for (const { key, modifiedMs } of objects) {
    const path = parseLogPath(key);
    if (path.kind === 'commit') commits.push({ version: path.version, key, modifiedMs });
    if (path.kind !== 'checkpoint') continue;
    if (path.form !== 'multipart') {
      checkpoints.push({ version: path.version, form: path.form, keys: [key], modifiedMs });
      continue;
    }
    const id = `${path.version}/${path.parts}`;
    const set = parts.get(id) ?? { version: path.version, parts: path.parts, keys: new Map(), modifiedMs };
    set.keys.set(path.part, key);
    parts.set(id, set);
  }
  for (const { version, parts: count, keys, modifiedMs } of parts.values()) {
    if (keys.size !== count) continue;
    const ordered = [...keys].sort(([a], [b]) => a - b).map(([, key]) => key);
    checkpoints.push({ version, form: 'multipart', keys: ordered, modifiedMs });
  }
  commits.sort((a, b) => a.version - b.version);
  // At one version a single whole file is preferred to parts: two writers may both have been here.
  checkpoints.sort((a, b) => a.version - b.version || FORM_ORDER[a.form] - FORM_ORDER[b.form]);
  return { commits, checkpoints };
}

const FORM_ORDER = { multipart: 0, classic: 1, uuid: 2 } as const;

/**
 * The ways to build a version, best first: from the newest checkpoint at or below it, then from older ones, then from
 * commit 0. Throws DELTA_TABLE_NOT_FOUND, DELTA_VERSION_NOT_FOUND, DELTA_LOG_INVALID (a commit is missing).
 */
export function segmentsFor(listing: LogListing, where: string, at?: number): LogSegment[] {
  const newest = newestVersion(listing);
  if (newest === undefined) {
    throw new DeltaError('DELTA_TABLE_NOT_FOUND', `there is no Delta table at ${where}`);
  }
  if (at !== undefined && (at > newest || at < 0)) {
    throw new DeltaError('DELTA_VERSION_NOT_FOUND', `${where} has no version ${at}; the newest is ${newest}`);
  }
  const version = at ?? newest;
  const usable = listing.checkpoints.filter((checkpoint) => checkpoint.version <= version);
  const starts = [...usable.reverse(), undefined];
  const segments = starts.flatMap((checkpoint) => {
    const first = checkpoint ? checkpoint.version + 1 : 0;
    const commits = listing.commits.filter((commit) => commit.version >= first && commit.version <= version);
    return isContiguous(commits, first, version) ? [{ version, checkpoint, commits }] : [];
  });
  if (segments.length > 0) return segments;
  throw gapError(listing, usable.at(-1), version, where, at !== undefined);
}

/** The newest version that a commit or a checkpoint names. */
export function newestVersion(listing: LogListing): number | undefined {
  const commit = listing.commits.at(-1)?.version;
  const checkpoint = listing.checkpoints.at(-1)?.version;
  if (commit === undefined || checkpoint === undefined) return commit ?? checkpoint;
  return Math.max(commit, checkpoint);
}

function isContiguous(commits: readonly CommitFile[], first: number, last: number): boolean {
  return (
    commits.length === last - first + 1 && commits.every(({ version }, index) => version === first + index)
  );
}

function gapError(
  listing: LogListing,
  checkpoint: CheckpointFile | undefined,
  version: number,
  where: string,
  asked: boolean,
): DeltaError {
  const present = new Set(listing.commits.map((commit) => commit.version));
  let missing = checkpoint ? checkpoint.version + 1 : 0;
  while (present.has(missing)) missing += 1;
  const message = `the log of ${where} lacks commit ${missing}, needed for version ${version}`;
  return new DeltaError(asked ? 'DELTA_VERSION_NOT_FOUND' : 'DELTA_LOG_INVALID', message);
}

/** Commit times made strictly increasing, as the protocol asks for time travel. */
export function monotonicTimes(commits: readonly CommitFile[]): ReadonlyMap<number, number> {
  const times = new Map<number, number>();
  let previous = Number.NEGATIVE_INFINITY;
  for (const { version, modifiedMs } of commits) {
    previous = Math.max(modifiedMs, previous + 1);
    times.set(version, previous);
  }
  return times;
}
