/**
 * The MLflow server with one worker: models and their runs in one SQLite file, artifacts in a folder that it serves. Others are
 * named by DATALAB_MLFLOW_STORE (a database's address) and DATALAB_MLFLOW_ARTIFACTS (a folder, or s3://bucket/prefix).
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { probeMlflow } from '../probes/mlflow.js';
import { HOST, workerEnvironment, type Settings } from '../settings.js';
import { locateMlflow, locateMlflowS3 } from '../tools.js';
import type { ServiceDefinition } from './definition.js';

const dataFolder = (settings: Settings): string => path.join(settings.stateDir, 'data', 'mlflow');

const artifactsOf = (settings: Settings): string =>
  settings.processEnv['DATALAB_MLFLOW_ARTIFACTS'] || path.join(dataFolder(settings), 'artifacts');

/** In the environment, since a database's address may hold a password. */
const storeOf = (settings: Settings): string =>
  settings.processEnv['DATALAB_MLFLOW_STORE'] || `sqlite:///${path.join(dataFolder(settings), 'mlflow.db')}`;

/** Where the artifacts are on S3: the library for it, and the endpoint and keys that the lake has. */
function s3Environment(settings: Settings): Record<string, string | undefined> {
  if (!artifactsOf(settings).startsWith('s3://')) return {};
  const { AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } =
    workerEnvironment(settings);
  return {
    ...{ AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_DEFAULT_REGION: AWS_REGION },
    MLFLOW_S3_ENDPOINT_URL: AWS_ENDPOINT_URL,
    // Beside what the caller's environment brings, such as a database's driver.
    PYTHONPATH: [locateMlflowS3(settings), settings.processEnv['PYTHONPATH']].filter(Boolean).join(':'),
  };
}

export const mlflowService: ServiceDefinition = {
  name: 'mlflow',
  title: 'MLflow',
  required: true,
  ports: ['mlflow'],
  needs: [],
  startSeconds: 90,
  stopSeconds: 15,
  command: (settings) => ({
    // As a module: the environment's own scripts would name the folder in which it was made.
    file: locateMlflow(settings),
    args: [
      ...['-m', 'mlflow', 'server', '--host', HOST, '--port', String(settings.ports.mlflow)],
      ...['--serve-artifacts', '--artifacts-destination', artifactsOf(settings)],
      // Four workers, which is MLflow's own choice, take 2.3 GB; one takes 0.5 GB and is ready in a quarter of the time.
      ...['--workers', '1'],
    ],
    env: {
      ...settings.processEnv,
      MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
      MLFLOW_DISABLE_TELEMETRY: 'true',
      // Addresses of another server must not steer ours.
      MLFLOW_TRACKING_URI: undefined,
      MLFLOW_REGISTRY_URI: undefined,
      MLFLOW_BACKEND_STORE_URI: storeOf(settings),
      ...s3Environment(settings),
    },
  }),
  prepare: async (settings) => {
    mkdirSync(path.join(dataFolder(settings), 'artifacts'), { recursive: true });
  },
  probe: (settings) => probeMlflow(`http://${HOST}:${settings.ports.mlflow}`),
};
