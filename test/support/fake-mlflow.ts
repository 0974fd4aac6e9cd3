/** MLflow in memory, as far as our client speaks to it; test/contract/mlflow-client.test.ts holds it to the real one. */
import type { MlflowClient, MlflowRun, MlflowVersion } from '../../src/connectors/mlflow/index.js';
import { DatalabError } from '../../src/contracts/errors.js';

interface Run extends MlflowRun {
  status: string;
  readonly experiment: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly params: Map<string, string>;
  readonly metrics: Map<string, number>;
}

interface Version extends Omit<MlflowVersion, 'aliases'> {
  readonly tags: Record<string, string>;
}

interface Model {
  readonly versions: Version[];
  readonly aliases: Map<string, string>;
}

export class FakeMlflow implements MlflowClient {
  private readonly experiments = new Map<string, string>();
  private readonly runs = new Map<string, Run>();
  private readonly registered = new Map<string, Model>();
  readonly artifacts = new Map<string, Buffer>();
  /** Called before every call with its name; may throw or wait. */
  before: (call: string) => void | Promise<void> = () => undefined;

  down(): void {
    this.before = () => {
      throw new DatalabError('MLFLOW_UNAVAILABLE', 'nobody listens');
    };
  }

  up(): void {
    this.before = () => undefined;
  }

  experiment = async (name: string): Promise<string> => {
    await this.before('experiment');
    const known = this.experiments.get(name) ?? String(this.experiments.size + 1);
    this.experiments.set(name, known);
    return known;
  };

  /** Knows the filters that DataLab writes: tags by equality and the status. */
  findRuns = async (experimentId: string, filter: string): Promise<MlflowRun[]> => {
    await this.before('findRuns');
    const wanted = [...filter.matchAll(/tags\.`([^`]+)` = '([^']*)'/g)];
    const status = /attributes\.status = '(\w+)'/.exec(filter)?.[1];
    return [...this.runs.values()]
      .filter(({ experiment }) => experiment === experimentId)
      .filter(({ tags }) => wanted.every(([, name = '', value]) => tags[name] === value))
      .filter((run) => status === undefined || run.status === status)
      .map(({ runId, status: at, artifactUri }) => ({ runId, status: at, artifactUri }));
  };

  ensureRun: MlflowClient['ensureRun'] = async (experiment, { key, tags }) => {
    await this.before('ensureRun');
    const [known] = await this.findRuns(experiment, `tags.\`datalab.key\` = '${key}'`);
    if (known) return known;
    const runId = `run${this.runs.size + 1}`;
    const run: Run = {
      ...{ runId, status: 'RUNNING', artifactUri: `mlflow-artifacts:/${experiment}/${runId}/artifacts` },
      ...{ experiment, tags: { ...tags, 'datalab.key': key } },
      ...{ params: new Map<string, string>(), metrics: new Map<string, number>() },
    };
    this.runs.set(runId, run);
    return { runId, status: run.status, artifactUri: run.artifactUri };
  };

  closeRun: MlflowClient['closeRun'] = async (runId, status) => {
    await this.before('closeRun');
    this.run(runId).status = status;
  };

  logBatch: MlflowClient['logBatch'] = async (runId, { params = {}, metrics = [] }) => {
    await this.before('logBatch');
    const run = this.run(runId);
    for (const [name, value] of Object.entries(params)) {
      if ((run.params.get(name) ?? value) !== value)
        throw new DatalabError('MLFLOW_REFUSED', `the parameter ${name} has another value already`);
      run.params.set(name, value);
    }
    for (const { key, value } of metrics) run.metrics.set(key, value);
  };

  metrics: MlflowClient['metrics'] = async (runId) => {
    await this.before('metrics');
    return Object.fromEntries(this.run(runId).metrics);
  };

  logDataset: MlflowClient['logDataset'] = async (runId) => {
    await this.before('logDataset');
    this.run(runId);
  };

  putArtifact: MlflowClient['putArtifact'] = async (uri, name, bytes) => {
    await this.before('putArtifact');
    this.artifacts.set(`${uri}/${name}`, Buffer.from(bytes as Uint8Array));
  };

  getArtifact: MlflowClient['getArtifact'] = async (uri, name) => {
    await this.before('getArtifact');
    const found = this.artifacts.get(`${uri}/${name}`);
    if (found) return found;
    throw new DatalabError('MLFLOW_REFUSED', `there is no ${uri}/${name}`);
  };

  models: MlflowClient['models'] = async () => {
    await this.before('models');
    return [...this.registered.keys()];
  };

  allAliases: MlflowClient['allAliases'] = async () => {
    await this.before('allAliases');
    return new Map([...this.registered].map(([name, { aliases }]) => [name, Object.fromEntries(aliases)]));
  };

  ensureModel: MlflowClient['ensureModel'] = async (name) => {
    await this.before('ensureModel');
    if (!this.registered.has(name)) this.registered.set(name, { versions: [], aliases: new Map() });
  };

  versions: MlflowClient['versions'] = async (name) => {
    await this.before('versions');
    const { versions = [], aliases = new Map<string, string>() } = this.registered.get(name) ?? {};
    return versions
      .map((one) => ({
        ...one,
        tags: { ...one.tags },
        aliases: [...aliases].flatMap(([alias, version]) => (version === one.version ? [alias] : [])),
      }))
      .reverse();
  };

  createVersion: MlflowClient['createVersion'] = async (name, { source, runId, tags }) => {
    await this.before('createVersion');
    const { versions } = this.model(name);
    const version = String(versions.length + 1);
    versions.push({ version, runId, source, createdAt: new Date(0).toISOString(), tags: { ...tags } });
    return version;
  };

  tagVersion: MlflowClient['tagVersion'] = async (name, version, key, value) => {
    await this.before('tagVersion');
    const found = this.model(name).versions.find((one) => one.version === version);
    if (!found) throw new DatalabError('MLFLOW_REFUSED', `there is no version ${version} of ${name}`);
    found.tags[key] = value;
  };

  aliases: MlflowClient['aliases'] = async (name) => {
    await this.before('aliases');
    return Object.fromEntries(this.registered.get(name)?.aliases ?? []);
  };

  setAlias: MlflowClient['setAlias'] = async (name, alias, version) => {
    await this.before('setAlias');
    const { aliases, versions } = this.model(name);
    if (version === null) return void aliases.delete(alias);
    if (!versions.some((one) => one.version === version))
      throw new DatalabError('MLFLOW_REFUSED', `there is no version ${version} of ${name}`);
    aliases.set(alias, version);
  };

  private run(runId: string): Run {
    const found = this.runs.get(runId);
    if (found) return found;
    throw new DatalabError('MLFLOW_REFUSED', `there is no run ${runId}`);
  }

  private model(name: string): Model {
    const found = this.registered.get(name);
    if (found) return found;
    throw new DatalabError('MLFLOW_REFUSED', `there is no model ${name}`);
  }
}
