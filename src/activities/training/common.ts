/** What the steps of a training share: its definition, its place in the lake, MLflow. */
import type { MlflowClient } from '../../connectors/mlflow/index.js';
import { DatalabError } from '../../contracts/errors.js';
import type { PlannedTraining, TrainingRun } from '../../contracts/ml-flows.js';
import type { ModelDefinition } from '../../contracts/model.js';
import type { TrainingDeps } from './deps.js';

/** Prefix of a run's own files. Every attempt writes the same bytes to the same keys. */
export const folderOf = ({ executionId }: TrainingRun): string => `_ml/${executionId}`;

/** The definition that the run was planned with. Throws MODEL_CHANGED. */
export async function plannedModel(deps: TrainingDeps, { plan }: PlannedTraining): Promise<ModelDefinition> {
  const model = await deps.loadModel(plan.model);
  if (model.fingerprint === plan.fingerprint) return model;
  throw new DatalabError(
    'MODEL_CHANGED',
    `the file of model '${plan.model}' is not what this run was planned with`,
  );
}

/** Throws MLFLOW_OFF. */
export function mlflowOf({ mlflow }: TrainingDeps): MlflowClient {
  if (mlflow) return mlflow;
  throw new DatalabError('MLFLOW_OFF', 'MLflow is switched off (mlflow.enabled), so no model is trained');
}
