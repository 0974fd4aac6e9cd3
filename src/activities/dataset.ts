/** The definition that a run was planned by. */
import type { PlannedRun } from '../contracts/activities.js';
import type { DatasetDefinition } from '../contracts/dataset.js';
import { DatalabError } from '../contracts/errors.js';
import type { ActivityDeps } from './deps.js';

/**
 * Loads the run's dataset and refuses another than it was planned by: a run whose Bronze follows one definition and
 * whose Silver another would balance and still be wrong. It is tried again, for workers that are being updated.
 */
export async function plannedDataset(deps: ActivityDeps, run: PlannedRun): Promise<DatasetDefinition> {
  const dataset = await deps.loadDataset(run.dataset);
  if (dataset.fingerprint === run.fingerprint) return dataset;
  throw new DatalabError(
    'DATASET_CHANGED',
    `dataset '${run.dataset}' was edited while the run went on, or this worker has another version of it than the run began with`,
  );
}
