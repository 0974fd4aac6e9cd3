/** What the steps of models need beside what every step has. */
import type { MlflowClient } from '../../connectors/mlflow/index.js';
import type { ModelServerClient } from '../../connectors/model-server.js';
import type { ModelDefinition } from '../../contracts/model.js';
import type { TrainingJob, TrainingProgress } from '../../contracts/training.js';
import type { ActivityDeps } from '../deps.js';

export interface TrainingDeps extends ActivityDeps {
  /** Null where MLflow is switched off. */
  readonly mlflow: MlflowClient | null;
  /** Null where the configuration has none. */
  readonly modelServer: ModelServerClient | null;
  /** Throws MODEL_UNKNOWN, MODEL_INVALID. */
  readonly loadModel: (name: string) => Promise<ModelDefinition>;
  /** XGBoost's shared library; undefined where it is not on this machine. */
  readonly library: string | undefined;
  /** MiB that one training may take: its process, and its rows while they are collected. */
  readonly memoryMb: number;
  readonly runJob: <Result>(
    job: TrainingJob,
    options: { readonly signal: AbortSignal; readonly progress: (progress: TrainingProgress) => void },
  ) => Promise<Result>;
  /** Commit of the program, for tags; empty where it is unknown. */
  readonly revision: string;
}
