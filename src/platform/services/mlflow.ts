/** The MLflow server with one worker: models and their runs in one SQLite file, artifacts in a folder that it serves. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { probeMlflow } from '../probes/mlflow.js';
import { HOST, type Settings } from '../settings.js';
import { locateMlflow } from '../tools.js';
import type { ServiceDefinition } from './definition.js';

const dataFolder = (settings: Settings): string => path.join(settings.stateDir, 'data', 'mlflow');

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
      ...['--backend-store-uri', `sqlite:///${path.join(dataFolder(settings), 'mlflow.db')}`],
      ...['--serve-artifacts', '--artifacts-destination', path.join(dataFolder(settings), 'artifacts')],
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
      MLFLOW_BACKEND_STORE_URI: undefined,
    },
  }),
  prepare: async (settings) => {
    mkdirSync(path.join(dataFolder(settings), 'artifacts'), { recursive: true });
  },
  probe: (settings) => probeMlflow(`http://${HOST}:${settings.ports.mlflow}`),
};
