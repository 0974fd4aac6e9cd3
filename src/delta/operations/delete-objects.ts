/** Deleting objects in batches, in their order, so that a stop in between leaves the later ones. */
import type { ObjectInfo, ObjectStore } from '../ports.js';
import type { MaintenanceOptions } from '../progress.js';

/** What a store deletes with one request. */
export const DELETE_BATCH = 1000;

/** What was deleted, and how much was left because the time was over. */
export interface Deleted {
  readonly deleted: number;
  readonly deletedBytes: number;
  readonly left: number;
}

export async function deleteObjects(
  store: ObjectStore,
  objects: ReadonlyArray<Pick<ObjectInfo, 'key' | 'sizeBytes'>>,
  { signal, progress, isOver }: MaintenanceOptions,
): Promise<Deleted> {
  let deleted = 0;
  for (let done = 0; done < objects.length; done += DELETE_BATCH) {
    signal?.throwIfAborted();
    if (done > 0 && isOver?.()) break;
    await store.delete(objects.slice(done, done + DELETE_BATCH).map(({ key }) => key));
    deleted = Math.min(done + DELETE_BATCH, objects.length);
    progress?.({ phase: 'delete', done: deleted, total: objects.length, unit: 'objects' });
  }
  return { deleted, deletedBytes: bytesOf(objects.slice(0, deleted)), left: objects.length - deleted };
}

/** What {@link deleteObjects} would do. */
export function wouldDelete(objects: ReadonlyArray<Pick<ObjectInfo, 'sizeBytes'>>): Deleted {
  return { deleted: objects.length, deletedBytes: bytesOf(objects), left: 0 };
}

function bytesOf(objects: ReadonlyArray<Pick<ObjectInfo, 'sizeBytes'>>): number {
  return objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
