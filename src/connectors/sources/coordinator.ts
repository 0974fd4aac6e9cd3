/** Waiting for the broker that keeps a consumer group, where it is not ready to keep one. */
import { setTimeout as wait } from 'node:timers/promises';

const WAIT_MS = 200;
const WAIT_MS_MAX = 2000;
const NOT_READY: ReadonlySet<unknown> = new Set([
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
]);

/**
 * Does the work again while it fails because the group's coordinator is loading, is being chosen or has moved, for up to
 * `timeoutMs`; a new broker is in that state until it has made the topic that groups are kept in. The client itself tries
 * again to find a coordinator, but gives up at once when one that it found is not ready. Throws what the work throws.
 */
export async function whenCoordinatorIsReady<Result>(
  timeoutMs: number,
  work: () => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  const end = Date.now() + timeoutMs;
  for (let waitMs = WAIT_MS; ; waitMs = Math.min(waitMs * 2, WAIT_MS_MAX)) {
    try {
      return await work();
    } catch (error) {
      if (!isNotReady(error) || Date.now() + waitMs > end) throw error;
      await wait(waitMs, undefined, { signal });
    }
  }
}

/** Whether the error, or what caused it, says so. */
function isNotReady(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if ('type' in each && NOT_READY.has(each.type)) return true;
  }
  return false;
}
