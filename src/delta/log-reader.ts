/** Reading the log from the store: listing, hint, commits. */
import type { Action } from './actions.js';
import { parseCommit } from './commit-json.js';
import { mapLimited } from './limit.js';
import { commitKey, HINT_KEY, LOG_DIRECTORY, versionText } from './log-path.js';
import { classify, type LogListing } from './log-segment.js';
import { ObjectNotFoundError, type ObjectInfo, type ObjectStore } from './ports.js';

const PARALLEL_GETS = 16;

/** The object, or undefined where there is none. Other failures are thrown. */
export async function getIfExists(store: ObjectStore, key: string): Promise<Uint8Array | undefined> {
  try {
    return await store.get(key);
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return undefined;
    throw error;
  }
}

/** Commits and checkpoints with a version of at least `fromVersion`. */
export async function listLog(store: ObjectStore, fromVersion = 0): Promise<LogListing> {
  const objects: ObjectInfo[] = [];
  // The bare version sorts right before every name that starts with it.
  const startAfter = fromVersion > 0 ? `${LOG_DIRECTORY}/${versionText(fromVersion)}` : undefined;
  const options = startAfter === undefined ? {} : { startAfter };
  for await (const object of store.list(`${LOG_DIRECTORY}/`, options)) {
    // Versions are digits; `_sidecars/` and `_staged_commits/` sort after them and may be long.
    if ((object.key.codePointAt(LOG_DIRECTORY.length + 1) ?? 0) > DIGIT_NINE) break;
    objects.push(object);
  }
  return classify(objects);
}
const DIGIT_NINE = 0x39;

/** Version that `_last_checkpoint` points to. It is only a hint: missing, damaged or odd is undefined. */
export async function readHint(store: ObjectStore): Promise<number | undefined> {
  const bytes = await getIfExists(store, HINT_KEY);
  if (!bytes) return undefined;
  try {
    const hint = JSON.parse(new TextDecoder().decode(bytes)) as { version?: unknown } | null;
    const version = hint?.version;
    return typeof version === 'number' && Number.isSafeInteger(version) && version >= 0 ? version : undefined;
  } catch {
    return undefined;
  }
}

/** Actions of one commit, or undefined where there is none. */
export async function readCommit(store: ObjectStore, version: number): Promise<Action[] | undefined> {
  const key = commitKey(version);
  const bytes = await getIfExists(store, key);
  return bytes && parseCommit(bytes, `${store.uri}/${key}`);
}

/** Bytes of commits that are fetched ahead of the one that is read, and how many are before their size is known. */
const AHEAD_BYTES = 24 << 20;
const AHEAD_AT_FIRST = 4;

/**
 * The same one after the other, fetched ahead: of a long log only some commits are in memory. Fetching begins at once.
 */
export function streamCommits(
  store: ObjectStore,
  files: ReadonlyArray<{ readonly key: string }>,
): AsyncGenerator<Action[], void> {
  const under: Array<Promise<Uint8Array>> = [];
  let [next, largest] = [0, 0];
  const fetch = (): void => {
    const ahead =
      largest === 0 ? AHEAD_AT_FIRST : Math.max(2, Math.min(PARALLEL_GETS, AHEAD_BYTES / largest));
    for (; next < files.length && under.length < ahead; next += 1) {
      const getting = store.get(files[next]?.key ?? '');
      // Whoever waits for it is told; until then nobody does.
      getting.catch(() => undefined);
      under.push(getting);
    }
  };
  fetch();
  return (async function* () {
    for (const { key } of files) {
      const bytes = await (under.shift() ?? store.get(key));
      largest = Math.max(largest, bytes.byteLength);
      fetch();
      yield parseCommit(bytes, `${store.uri}/${key}`);
    }
  })();
}

/** Actions of the listed commit files, in parallel, in their order. */
export function readCommits(
  store: ObjectStore,
  files: ReadonlyArray<{ readonly key: string }>,
): Promise<Action[][]> {
  return mapLimited(files, PARALLEL_GETS, async ({ key }) =>
    parseCommit(await store.get(key), `${store.uri}/${key}`),
  );
}
