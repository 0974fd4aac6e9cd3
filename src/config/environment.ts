/** Environment variables that set configuration keys: our own names, and those that people already use. */

interface Variable {
  readonly name: string;
  /** Dotted path of the key in the configuration. */
  readonly key: string;
  readonly parse: (text: string) => unknown;
}

const text = (value: string): unknown => value;
const list = (value: string): unknown => value.split(',').map((part) => part.trim());
/** A number or boolean where the text is one; else the text, for the schema to refuse by name. */
const scalar = (value: string): unknown =>
  value === 'true'
    ? true
    : value === 'false'
      ? false
      : value.trim() !== '' && Number.isFinite(Number(value))
        ? Number(value)
        : value;

/** Later names win over earlier ones. */
export const VARIABLES: readonly Variable[] = [
  { name: 'AWS_ACCESS_KEY_ID', key: 's3.accessKeyId', parse: text },
  { name: 'AWS_SECRET_ACCESS_KEY', key: 's3.secretAccessKey', parse: text },
  { name: 'AWS_ENDPOINT_URL', key: 's3.endpoint', parse: text },
  { name: 'AWS_REGION', key: 's3.region', parse: text },
  { name: 'KAFKA_BOOTSTRAP_SERVERS', key: 'kafka.brokers', parse: list },
  { name: 'MLFLOW_TRACKING_URI', key: 'mlflow.trackingUri', parse: text },
  { name: 'TEMPORAL_ADDRESS', key: 'temporal.address', parse: text },
  { name: 'TEMPORAL_NAMESPACE', key: 'temporal.namespace', parse: text },
  { name: 'TEMPORAL_API_KEY', key: 'temporal.apiKey', parse: text },
  { name: 'TEMPORAL_TLS', key: 'temporal.tls', parse: scalar },
  { name: 'DATALAB_LAKE_URI', key: 'lake.uri', parse: text },
  { name: 'DATALAB_KAFKA_ENABLED', key: 'kafka.enabled', parse: scalar },
  { name: 'DATALAB_MLFLOW_ENABLED', key: 'mlflow.enabled', parse: scalar },
  { name: 'DATALAB_XGBOOST_LIBRARY', key: 'ml.xgboostLibrary', parse: text },
  { name: 'DATALAB_MODEL_SERVER_HOST', key: 'modelServer.host', parse: text },
  { name: 'DATALAB_MODEL_SERVER_PORT', key: 'modelServer.port', parse: scalar },
  { name: 'DATALAB_MODEL_SERVER_URL', key: 'modelServer.url', parse: text },
  { name: 'DATALAB_DATASETS_DIRECTORY', key: 'datasets.directory', parse: text },
  { name: 'DATALAB_TIMEZONE', key: 'schedules.timezone', parse: text },
  { name: 'DATALAB_DASHBOARD_HOST', key: 'dashboard.host', parse: text },
  { name: 'DATALAB_DASHBOARD_PUBLIC_URL', key: 'dashboard.publicUrl', parse: text },
  { name: 'DATALAB_DASHBOARD_PORT', key: 'dashboard.port', parse: scalar },
  { name: 'DATALAB_DASHBOARD_URL', key: 'dashboard.url', parse: text },
  { name: 'DATALAB_DASHBOARD_DIRECTORY', key: 'dashboard.directory', parse: text },
  { name: 'DATALAB_TEMPORAL_UI_URL', key: 'dashboard.temporalUiUrl', parse: text },
  { name: 'DATALAB_LOG_LEVEL', key: 'logging.level', parse: text },
  { name: 'DATALAB_ETL_CORES', key: 'limits.etl.cores', parse: scalar },
  { name: 'DATALAB_ETL_MEMORY_GB', key: 'limits.etl.memoryGb', parse: scalar },
  { name: 'DATALAB_MLOPS_MEMORY_GB', key: 'limits.mlops.memoryGb', parse: scalar },
  { name: 'DATALAB_HEARTBEAT_SECONDS', key: 'retries.heartbeatSeconds', parse: scalar },
  { name: 'DATALAB_CACHE_DIRECTORY', key: 'worker.cacheDirectory', parse: text },
  { name: 'DATALAB_SCRATCH_DIRECTORY', key: 'worker.scratchDirectory', parse: text },
];

/** Puts the variables that are set (and not empty) over the file's keys. Returns a new object. */
export function withEnvironment(file: object, env: Readonly<Record<string, string | undefined>>): object {
  const merged = structuredClone(file) as Record<string, unknown>;
  for (const { name, key, parse } of VARIABLES) {
    const value = env[name];
    if (value !== undefined && value !== '') assign(merged, key.split('.'), parse(value));
  }
  return merged;
}

/** The variable that sets a key, or the list that a key is an item of; for messages about the key. */
export function variableOf(key: string): string | undefined {
  return VARIABLES.findLast((variable) => key === variable.key || key.startsWith(`${variable.key}.`))?.name;
}

function assign(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [head, ...rest] = path as [string, ...string[]];
  if (rest.length === 0) {
    target[head] = value;
    return;
  }
  const child = target[head];
  const next =
    typeof child === 'object' && child !== null && !Array.isArray(child)
      ? (child as Record<string, unknown>)
      : {};
  target[head] = next;
  assign(next, rest, value);
}
