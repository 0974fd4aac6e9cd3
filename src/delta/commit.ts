/** The commit loop: one conditional write, and what to do when it is lost or its answer is. */
import type { Action } from './actions.js';
import type { CommitRequest, CommitResult } from './api.js';
import { encodeCommit } from './commit-json.js';
import { findConflict, winnerOf, type PendingCommit } from './conflict.js';
import type { DeltaDeps } from './deps.js';
import { DeltaError } from './errors.js';
import { readCommit } from './log-reader.js';
import { commitKey } from './log-path.js';
import type { ObjectStore } from './ports.js';
import { commitInfoOf } from './replay.js';
import { makeCommitInfo, validateCommit } from './transaction.js';

/** Rounds of backoff before a commit gives up; each one may pass over any number of winners. */
const MAX_ATTEMPTS = 60;
const BACKOFF_FIRST_MS = 10;
const BACKOFF_MAX_MS = 1_000;

/**
 * Commits the request at the first free version above its base, passing over commits that do not conflict.
 *
 * An answer that was lost (an error, or `exists` for a version that we wrote ourselves) is settled by reading the
 * version: our `txnId` in it means that we had won. A version is only passed over when somebody else holds it, so an
 * attempt can land at most once. When this throws, the outcome may be unknown: never delete the data files then.
 *
 * Throws what {@link validateCommit} throws, DELTA_COMMIT_CONTENDED, or the store's last error.
 */
export async function commitActions(
  store: ObjectStore,
  deps: DeltaDeps,
  request: CommitRequest,
): Promise<CommitResult> {
  validateCommit(request, store.uri);
  const txnId = deps.newId();
  const actions: Action[] = [
    { commitInfo: makeCommitInfo(request, txnId, deps.clock.nowMs()) },
    ...request.actions,
  ];
  const bytes = encodeCommit(actions);
  const pending: PendingCommit = {
    actions: request.actions,
    read: request.read,
    creates: request.base === null,
  };
  let version = (request.base?.version ?? -1) + 1;
  let lastError: unknown;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    if (attempt > 0) await deps.sleep(backoffMs(attempt, deps.random()));
    try {
      const answer = attempt === 0 ? undefined : await passWinners(store, pending, version, txnId);
      if (typeof answer === 'object') return answer;
      version = answer ?? version;
      if ((await store.putIfAbsent(commitKey(version), bytes)) === 'created')
        return { status: 'committed', version };
      lastError = undefined;
    } catch (error) {
      if (error instanceof DeltaError) throw error;
      lastError = error;
    }
  }
  if (lastError !== undefined) throw lastError;
  throw new DeltaError(
    'DELTA_COMMIT_CONTENDED',
    `${store.uri}: version ${version} was lost to other writers ${MAX_ATTEMPTS} times`,
  );
}

/** The first version that nobody holds, or how the commit ended. */
async function passWinners(
  store: ObjectStore,
  pending: PendingCommit,
  from: number,
  txnId: string,
): Promise<number | CommitResult> {
  for (let version = from; ; version += 1) {
    const actions = await readCommit(store, version);
    if (!actions) return version;
    if (commitInfoOf(actions)?.txnId === txnId) return { status: 'committed', version };
    const conflict = findConflict(pending, winnerOf(version, actions));
    if (conflict) return { status: 'conflict', ...conflict };
  }
}

/** Full jitter: writers that lost together must not come back together. */
function backoffMs(attempt: number, random: number): number {
  return Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(attempt - 1, 10)) * random;
}
