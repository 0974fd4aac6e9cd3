/** Deleting objects in batches, in their order, so that a stop in between leaves the later ones. */
import type { ObjectStore } from '../ports.js';
import type { MaintenanceOptions } from '../progress.js';

/** What a store deletes with one request. */
export const DELETE_BATCH = 1000;

export async function deleteObjects(
  store: ObjectStore,
  objects: ReadonlyArray<{ readonly key: string }>,
  { signal, progress }: MaintenanceOptions,
): Promise<void> {
  for (let done = 0; done < objects.length; done += DELETE_BATCH) {
    signal?.throwIfAborted();
    await store.delete(objects.slice(done, done + DELETE_BATCH).map(({ key }) => key));
    progress?.({
      phase: 'delete',
      done: Math.min(done + DELETE_BATCH, objects.length),
      total: objects.length,
      unit: 'objects',
    });
  }
}
