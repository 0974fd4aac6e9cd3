/** What the activities of maintenance need beyond those of the pipeline; filled in by `src/compose-maintenance.ts`. */
import type { ObjectStore } from '../../delta/index.js';
import type { ActivityDeps } from '../deps.js';

export interface MaintenanceDeps extends ActivityDeps {
  /** Datasets with a run in progress that writes their tables. What it says may be a moment old. */
  readonly runningDatasets: () => Promise<ReadonlySet<string>>;
  /** Where backups go; null where none are configured. */
  readonly backup: ObjectStore | null;
  /** Another lake, by its URI. */
  readonly openStore: (uri: string) => ObjectStore;
  /** Files of the project that belong into a backup, with what could not be read in peace. */
  readonly extras: () => Promise<{
    readonly files: ReadonlyArray<{ readonly key: string; readonly localPath: string }>;
    readonly problems: readonly string[];
  }>;
  /** Names of the declared datasets. */
  readonly datasetNames: () => Promise<readonly string[]>;
}
