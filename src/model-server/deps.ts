/** What the model server reads from, made of the configuration. Nothing is contacted before it is needed. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import type { Config, LoadedConfig } from '../config/config.js';
import { createDuckDbEngine } from '../connectors/duckdb/engine.js';
import { resolveLakeUri } from '../connectors/lake-uri.js';
import { openMlflow, type MlflowClient } from '../connectors/mlflow/index.js';
import { openObjectStore } from '../connectors/object-store/index.js';
import { runTrainingProcess } from '../connectors/training-process.js';
import { locateXgboost } from '../connectors/xgboost/locate.js';
import { DatalabError } from '../contracts/errors.js';
import type { LakeReader } from '../lake/tables.js';
import type { NativePredict } from './parity.js';

export interface ModelServerDeps {
  readonly config: Config['modelServer'];
  readonly mlflow: MlflowClient;
  readonly lake: LakeReader;
  /** The library's own predictions, in a process of their own; null where the library is not on this machine. */
  readonly native: NativePredict | null;
  readonly clock: { nowMs(): number };
  readonly log: Logger;
}

const MEMORY_MB = 1024;
const CHILD = fileURLToPath(new URL('../train-child.js', import.meta.url));
const NATIVE_TIMEOUT_MS = 60_000;

/** Throws MLFLOW_OFF. */
export function composeModelServer(
  { config, projectDirectory }: LoadedConfig,
  env: NodeJS.ProcessEnv,
  log: Logger,
): ModelServerDeps {
  if (!config.mlflow.enabled)
    throw new DatalabError('MLFLOW_OFF', 'MLflow is switched off (mlflow.enabled), so no model is served');
  const inProject = (folder: string): string => path.resolve(projectDirectory, folder);
  const scratch = inProject(config.worker.scratchDirectory);
  const library = locateXgboost(config.ml.xgboostLibrary, env);
  return {
    config: config.modelServer,
    mlflow: openMlflow(config.mlflow.trackingUri),
    lake: {
      store: openObjectStore(resolveLakeUri(config.lake.uri, projectDirectory), {
        s3: config.s3,
        cacheDirectory: path.join(inProject(config.worker.cacheDirectory), 'model-server'),
        cacheBytes: (config.worker.cacheGb / 4) * 2 ** 30,
      }),
      engine: createDuckDbEngine({
        memoryLimit: `${MEMORY_MB}MB`,
        threads: 1,
        spillDirectory: path.join(scratch, 'model-server-spill'),
      }),
    },
    native: library === undefined ? null : nativePredict(library, scratch),
    clock: { nowMs: () => Date.now() },
    log,
  };
}

/** The library blocks and may crash, so it never runs in the process that answers. */
export function nativePredict(library: string, scratch: string, program = CHILD): NativePredict {
  return async (json, x, width) => {
    await mkdir(scratch, { recursive: true });
    const folder = await mkdtemp(path.join(scratch, 'parity-'));
    try {
      const model = path.join(folder, 'model.json');
      await writeFile(model, json);
      return await runTrainingProcess(
        program,
        {
          ...{ kind: 'predict' as const, model, library, width },
          x: Array.from(x, (value) => (Number.isNaN(value) ? null : value)),
        },
        { signal: AbortSignal.timeout(NATIVE_TIMEOUT_MS), progress: () => undefined },
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
}
