/** What the activities of maintenance need beyond those of the pipeline; filled in by `src/compose-maintenance.ts`. */
import type { ActivityDeps } from '../deps.js';

export interface MaintenanceDeps extends ActivityDeps {
  /** Datasets with a run in progress that writes their tables. What it says may be a moment old. */
  readonly runningDatasets: () => Promise<ReadonlySet<string>>;
  /** Names of the declared datasets. */
  readonly datasetNames: () => Promise<readonly string[]>;
}
