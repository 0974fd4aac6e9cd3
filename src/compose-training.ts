/** What the steps of models are made of, for the composition root. */
import { totalmem } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ActivityDeps } from './activities/deps.js';
import type { TrainingDeps } from './activities/training/deps.js';
import type { Config, LoadedConfig } from './config/config.js';
import { loadModel } from './config/model.js';
import { modelServerUrl } from './config/model-server.js';
import { openMlflow } from './connectors/mlflow/index.js';
import { openModelServer } from './connectors/model-server.js';
import { runTrainingProcess } from './connectors/training-process.js';
import { gitRevision } from './config/revision.js';
import { locateXgboost } from './connectors/xgboost/locate.js';

/** The program of a training process, beside this file. */
const CHILD = fileURLToPath(new URL('./train-child.js', import.meta.url));
/** What the process of the worker takes beside what it trains. */
const WORKER_MB = 512;
/** With less a training of any use does not end. */
const LEAST_MB = 256;

export function composeTrainingDeps(
  deps: ActivityDeps,
  { config, projectDirectory }: LoadedConfig,
  env: NodeJS.ProcessEnv,
): TrainingDeps {
  const datasets = path.resolve(projectDirectory, config.datasets.directory);
  const memoryMb = trainingMemoryMb(config);
  return {
    ...deps,
    mlflow: config.mlflow.enabled ? openMlflow(config.mlflow.trackingUri) : null,
    modelServer: config.modelServer.enabled ? openModelServer(modelServerUrl(config.modelServer)) : null,
    loadModel: (name) => loadModel(datasets, name),
    library: locateXgboost(config.ml.xgboostLibrary, env),
    memoryMb,
    runJob: (job, options) => runTrainingProcess(CHILD, job, { ...options, memoryMb }),
    revision: gitRevision(projectDirectory, env),
  };
}

/**
 * MiB of one training: those that may run at once share what the worker itself leaves of the flow's memory, or of the
 * machine's (or container's) where that has less.
 */
export function trainingMemoryMb({ limits, worker }: Config, machineMb = machineMemoryMb()): number {
  const shared = Math.min(limits.mlops.memoryGb * 1024, machineMb) - WORKER_MB;
  return Math.max(LEAST_MB, Math.floor(shared / worker.concurrency.ml));
}

function machineMemoryMb(): number {
  // 0, or more than the machine has, where no container sets a limit.
  return Math.min(totalmem(), process.constrainedMemory() || Infinity) / 2 ** 20;
}
