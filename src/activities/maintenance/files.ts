/**
 * What one run of maintenance keeps for itself: small JSON objects below `_maintenance/<runId>/` in the lake, so that its
 * history carries places and counts however many tables there are. Writing one again puts the same there.
 */
import type { MaintenanceRun } from '../../contracts/lake-maintenance.js';
import type { ObjectStore } from '../../delta/index.js';
import { mapLimited } from '../../delta/index.js';

const PARALLEL = 16;

export class MaintenanceFiles {
  readonly #store: ObjectStore;

  constructor(lake: ObjectStore, { runId }: Pick<MaintenanceRun, 'runId'>) {
    this.#store = lake.at(`_maintenance/${runId}`);
  }

  async write(name: string, value: unknown): Promise<void> {
    await this.#store.put(`${name}.json`, new TextEncoder().encode(JSON.stringify(value)));
  }

  /** Throws ObjectNotFoundError. */
  async read<Value>(name: string): Promise<Value> {
    return JSON.parse(new TextDecoder().decode(await this.#store.get(`${name}.json`))) as Value;
  }

  /** All that lie in one folder, in the order of their names. */
  async readAll<Value>(folder: string): Promise<Value[]> {
    const keys: string[] = [];
    for await (const { key } of this.#store.list(`${folder}/`)) keys.push(key);
    return mapLimited(keys, PARALLEL, async (key) =>
      JSON.parse(new TextDecoder().decode(await this.#store.get(key))),
    ) as Promise<Value[]>;
  }
}

/** A number as a part of a key, so that keys sort as numbers do. */
export function placeKey(place: number): string {
  return String(place).padStart(8, '0');
}
