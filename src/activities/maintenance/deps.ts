/** What the activities of maintenance need beyond those of the pipeline; filled in by `src/compose-maintenance.ts`. */
import type { ObjectStore } from '../../delta/index.js';
import type { ActivityDeps } from '../deps.js';

export interface MaintenanceDeps extends ActivityDeps {
  /** Datasets with a run in progress that writes their tables. What it says may be a moment old. */
  readonly runningDatasets: () => Promise<ReadonlySet<string>>;
  /** Another lake, by its URI. */
  readonly openStore: (uri: string) => ObjectStore;
  /** Files of the project that belong into a backup, with what could not be read in peace. */
  readonly extras: () => Promise<{
    readonly files: readonly ExtraFile[];
    readonly problems: readonly string[];
  }>;
  /** Names of the declared datasets. */
  readonly datasetNames: () => Promise<readonly string[]>;
}

export interface ExtraFile {
  readonly key: string;
  readonly localPath: string;
  /** How it is copied where somebody may be writing it and one moment of it can be had. */
  readonly copy?: (to: string) => Promise<void>;
}
