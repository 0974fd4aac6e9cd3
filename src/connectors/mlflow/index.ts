/**
 * MLflow over its REST interface: experiments, runs, artifacts through the server's proxy, registered models, versions and
 * aliases. What makes something looks first whether it is there, so that every call can be repeated.
 */
import { mlflowArtifacts } from './artifacts.js';
import { mlflowRegistry } from './registry.js';
import { ask, type Api } from './request.js';
import { mlflowRuns } from './runs.js';

export type { MlflowMetric, MlflowRun, RunStatus } from './runs.js';
export type { MlflowVersion } from './registry.js';
export type MlflowClient = ReturnType<typeof openMlflow>;

/** A client of the server at `trackingUri`. Every method throws MLFLOW_UNAVAILABLE or MLFLOW_REFUSED. */
export function openMlflow(trackingUri: string) {
  const base = trackingUri.replace(/\/+$/, '');
  const api: Api = (method, path, schema, data) => ask(base, method, path, schema, data);
  return { ...mlflowRuns(api), ...mlflowArtifacts(base), ...mlflowRegistry(api) };
}
