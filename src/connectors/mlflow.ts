/**
 * MLflow over its REST interface: experiments, runs, artifacts through the server's proxy, registered models, versions and
 * aliases. What makes something looks first whether it is there, so that every call can be repeated.
 */
import { z } from 'zod';
import { DatalabError } from '../contracts/errors.js';

const TIMEOUT_MS = 60_000;
const METRICS_MAX = 900;
const PARAMS_MAX = 100;

const runSchema = z.object({
  info: z.object({
    run_id: z.string(),
    status: z.string(),
    artifact_uri: z.string(),
    experiment_id: z.string(),
  }),
});
const versionSchema = z.object({
  version: z.coerce.string(),
  run_id: z.string().optional(),
  source: z.string(),
  creation_timestamp: z.coerce.number().optional(),
  tags: z.array(z.object({ key: z.string(), value: z.string() })).default([]),
});

export interface MlflowRun {
  readonly runId: string;
  readonly status: string;
  readonly artifactUri: string;
}

export interface MlflowMetric {
  readonly key: string;
  readonly value: number;
  readonly timestamp: number;
  readonly step: number;
}

export interface MlflowVersion {
  readonly version: string;
  readonly runId: string | undefined;
  readonly source: string;
  readonly createdAt: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly aliases: readonly string[];
}

export type RunStatus = 'FINISHED' | 'FAILED' | 'KILLED';
export type MlflowClient = ReturnType<typeof openMlflow>;

/** A client of the server at `trackingUri`. Every method throws MLFLOW_UNAVAILABLE or MLFLOW_REFUSED. */
export function openMlflow(trackingUri: string) {
  const base = trackingUri.replace(/\/+$/, '');
  const api = <T>(method: string, path: string, schema: z.ZodType<T>, data?: object): Promise<T> =>
    ask(base, method, path, schema, data);
  const nothing = z.unknown();
  const post = (path: string, data: object): Promise<unknown> => api('POST', path, nothing, data);

  const artifactUrl = (artifactUri: string, name: string): string => {
    const match = /^mlflow-artifacts:\/+(.*)$/.exec(artifactUri);
    if (!match)
      throw new DatalabError(
        'MLFLOW_REFUSED',
        `artifacts at ${artifactUri} are not served by MLflow: start it with --serve-artifacts`,
      );
    const path = `${match[1]}/${name}`.split('/').map(encodeURIComponent).join('/');
    return `${base}/api/2.0/mlflow-artifacts/artifacts/${path}`;
  };
  const findRuns = async (experimentId: string, filter: string): Promise<MlflowRun[]> => {
    const found = await api('POST', 'runs/search', z.object({ runs: z.array(runSchema).default([]) }), {
      ...{ experiment_ids: [experimentId], filter, max_results: 1000 },
    });
    return found.runs.map(runOf);
  };

  return {
    /** Id of the experiment, made where it is not there. */
    async experiment(name: string): Promise<string> {
      const path = `experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`;
      const one = z.object({ experiment: z.object({ experiment_id: z.string() }) });
      const found = await orMissing(api('GET', path, one));
      if (found) return found.experiment.experiment_id;
      await orThere(post('experiments/create', { name }));
      return (await api('GET', path, one)).experiment.experiment_id;
    },
    findRuns,
    /** The run that carries this tag value, opened anew where it was closed; made where there is none. */
    async ensureRun(
      experimentId: string,
      options: { key: string; name: string; startMs: number; tags: Readonly<Record<string, string>> },
    ): Promise<MlflowRun> {
      const [known] = await findRuns(experimentId, `tags.\`datalab.key\` = '${options.key}'`);
      if (known) return known;
      const tags = { ...options.tags, 'datalab.key': options.key, 'mlflow.runName': options.name };
      const made = await api('POST', 'runs/create', z.object({ run: runSchema }), {
        ...{ experiment_id: experimentId, start_time: options.startMs, run_name: options.name },
        tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
      });
      return runOf(made.run);
    },
    async closeRun(runId: string, status: RunStatus, endMs: number): Promise<void> {
      await post('runs/update', { run_id: runId, status, end_time: endMs });
    },
    /** The same metric with the same time and step is kept once, so that a repetition adds nothing. */
    async logBatch(
      runId: string,
      {
        params = {},
        metrics = [],
      }: { params?: Readonly<Record<string, string>>; metrics?: readonly MlflowMetric[] },
    ): Promise<void> {
      const all = Object.entries(params).map(([key, value]) => ({ key, value: value.slice(0, 6000) }));
      for (let at = 0; at === 0 || at < all.length; at += PARAMS_MAX)
        await post('runs/log-batch', { run_id: runId, params: all.slice(at, at + PARAMS_MAX) });
      for (let at = 0; at < metrics.length; at += METRICS_MAX)
        await post('runs/log-batch', { run_id: runId, metrics: metrics.slice(at, at + METRICS_MAX) });
    },
    /** The newest value of each metric of a run. */
    async metrics(runId: string): Promise<Readonly<Record<string, number>>> {
      const metric = z.object({ key: z.string(), value: z.number() });
      const schema = z.object({
        run: z.object({ data: z.object({ metrics: z.array(metric).default([]) }) }),
      });
      const { run } = await api('GET', `runs/get?run_id=${encodeURIComponent(runId)}`, schema);
      return Object.fromEntries(run.data.metrics.map(({ key, value }) => [key, value]));
    },
    async logDataset(
      runId: string,
      dataset: { name: string; digest: string; source: object; profile: object },
    ): Promise<void> {
      const { name, digest, source, profile } = dataset;
      await post('runs/log-inputs', {
        run_id: runId,
        datasets: [
          {
            tags: [{ key: 'mlflow.data.context', value: 'training' }],
            dataset: {
              ...{ name, digest, source_type: 'delta_table' },
              ...{ source: JSON.stringify(source), profile: JSON.stringify(profile) },
            },
          },
        ],
      });
    },
    async putArtifact(artifactUri: string, name: string, bytes: Uint8Array | string): Promise<void> {
      await request(artifactUrl(artifactUri, name), {
        method: 'PUT',
        body: Buffer.from(bytes as Uint8Array),
      });
    },
    async getArtifact(artifactUri: string, name: string): Promise<Buffer> {
      const response = await request(artifactUrl(artifactUri, name), { method: 'GET' });
      return Buffer.from(await response.arrayBuffer());
    },
    /** Names of the registered models. */
    async models(): Promise<string[]> {
      const schema = z.object({ registered_models: z.array(z.object({ name: z.string() })).default([]) });
      return (await api('GET', 'registered-models/search?max_results=1000', schema)).registered_models.map(
        ({ name }) => name,
      );
    },
    async ensureModel(name: string, description: string): Promise<void> {
      await orThere(post('registered-models/create', { name, description }));
    },
    /** All versions, newest first; none where there is no such model. */
    async versions(name: string): Promise<MlflowVersion[]> {
      const aliases = await aliasesOf(api, name);
      const schema = z.object({ model_versions: z.array(versionSchema).default([]) });
      const filter = encodeURIComponent(`name='${name}'`);
      const found = await api('GET', `model-versions/search?filter=${filter}&max_results=10000`, schema);
      return found.model_versions
        .map((one) => ({
          ...{ version: one.version, runId: one.run_id, source: one.source },
          createdAt:
            one.creation_timestamp === undefined ? null : new Date(one.creation_timestamp).toISOString(),
          tags: Object.fromEntries(one.tags.map(({ key, value }) => [key, value])),
          aliases: aliases.filter(({ version }) => version === one.version).map(({ alias }) => alias),
        }))
        .sort((left, right) => Number(right.version) - Number(left.version));
    },
    async createVersion(
      name: string,
      options: { source: string; runId: string; tags: Readonly<Record<string, string>>; description: string },
    ): Promise<string> {
      const { source, runId, tags, description } = options;
      const schema = z.object({ model_version: z.object({ version: z.coerce.string() }) });
      const made = await api('POST', 'model-versions/create', schema, {
        ...{ name, source, run_id: runId, description },
        tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
      });
      return made.model_version.version;
    },
    async tagVersion(name: string, version: string, key: string, value: string): Promise<void> {
      await post('model-versions/set-tag', { name, version, key, value });
    },
    async aliases(name: string): Promise<Readonly<Record<string, string>>> {
      return Object.fromEntries((await aliasesOf(api, name)).map(({ alias, version }) => [alias, version]));
    },
    async setAlias(name: string, alias: string, version: string | null): Promise<void> {
      if (version === null)
        await orMissing(api('DELETE', 'registered-models/alias', nothing, { name, alias }));
      else await post('registered-models/alias', { name, alias, version });
    },
  };
}

type Api = <T>(method: string, path: string, schema: z.ZodType<T>, data?: object) => Promise<T>;

async function aliasesOf(api: Api, name: string): Promise<Array<{ alias: string; version: string }>> {
  const alias = z.object({ alias: z.string(), version: z.coerce.string() });
  const schema = z.object({ registered_model: z.object({ aliases: z.array(alias).default([]) }) });
  const found = await orMissing(api('GET', `registered-models/get?name=${encodeURIComponent(name)}`, schema));
  return found?.registered_model.aliases ?? [];
}

function runOf({ info }: z.output<typeof runSchema>): MlflowRun {
  return { runId: info.run_id, status: info.status, artifactUri: info.artifact_uri };
}

class MlflowError extends DatalabError {
  constructor(
    readonly mlflowCode: string,
    message: string,
  ) {
    super('MLFLOW_REFUSED', message);
  }
}

async function ask<T>(
  base: string,
  method: string,
  path: string,
  schema: z.ZodType<T>,
  data?: object,
): Promise<T> {
  const response = await request(`${base}/api/2.0/mlflow/${path}`, {
    method,
    ...(data && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(data) }),
  });
  const parsed = schema.safeParse(await response.json());
  if (!parsed.success)
    throw new DatalabError(
      'MLFLOW_REFUSED',
      `MLflow's answer to ${path.split('?')[0]} is not what was expected: ${parsed.error.message}`,
    );
  return parsed.data;
}

async function request(url: string, init: RequestInit): Promise<Response> {
  const where = `${init.method} ${new URL(url).pathname}`;
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(
    (error: unknown) => {
      const { cause, message } = error as Error;
      throw new DatalabError(
        'MLFLOW_UNAVAILABLE',
        `${where}: ${cause instanceof Error ? cause.message : message}`,
        { cause: error },
      );
    },
  );
  if (response.ok) return response;
  const text = await response.text();
  const said = z.object({ error_code: z.string(), message: z.string().default('') }).safeParse(parse(text));
  // A server that is starting, overloaded or behind a proxy that lost it.
  if (response.status >= 500 || response.status === 429)
    throw new DatalabError(
      'MLFLOW_UNAVAILABLE',
      `${where} answered ${response.status}: ${text.slice(0, 300)}`,
    );
  const { error_code: code, message } = said.success ? said.data : { error_code: '', message: text };
  throw new MlflowError(code, `${where} answered ${response.status} ${code}: ${message.slice(0, 500)}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Undefined where MLflow says that there is no such thing. A missing alias is an INVALID_PARAMETER_VALUE to it. */
async function orMissing<T>(asking: Promise<T>): Promise<T | undefined> {
  return asking.catch((error: unknown) => {
    if (
      error instanceof MlflowError &&
      /DOES_NOT_EXIST|alias .* not found/i.test(`${error.mlflowCode} ${error.message}`)
    )
      return undefined;
    throw error;
  });
}

async function orThere(making: Promise<unknown>): Promise<void> {
  await making.catch((error: unknown) => {
    if (!(error instanceof MlflowError) || error.mlflowCode !== 'RESOURCE_ALREADY_EXISTS') throw error;
  });
}
