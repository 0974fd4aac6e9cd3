/**
 * The models that answer. A version is loaded and tried beside the one that is served, then takes its place in one
 * assignment: a request keeps the version with which it began, so none is dropped or answered by halves.
 */
import { DatalabError } from '../contracts/errors.js';
import type { ServedModel } from '../contracts/serving.js';
import type { ModelServerDeps } from './deps.js';
import type { Metrics } from './metrics.js';
import { isOurs, loadVersion, type LoadedVersion } from './version.js';

interface Place {
  readonly champion: string | null;
  readonly served: LoadedVersion | null;
  readonly problem: string | null;
  /** Before this time polling leaves a champion alone that could not be loaded. */
  readonly retryAtMs?: number;
}

/** Versions kept beside the served ones, such as a candidate that is being deployed. */
const STANDBY_MAX = 4;
const RETRY_MS = 60_000;

export class Shelf {
  private readonly places = new Map<string, Place>();
  private readonly standby = new Map<string, LoadedVersion>();
  /** Versions that others put into the same MLflow. */
  private readonly foreign = new Set<string>();
  private polled = false;
  private pollProblem: string | null = 'MLflow was not asked yet';
  private work: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly deps: ModelServerDeps,
    private readonly metrics: Metrics,
  ) {}

  /** Looks at every alias, and loads what moved. What MLflow does not say now stays as it is. */
  poll(): Promise<void> {
    return this.inTurn(async () => {
      try {
        const all = await this.deps.mlflow.allAliases();
        for (const [model, { champion = null }] of all) await this.follow(model, champion, false);
        for (const model of this.places.keys()) if (!all.has(model)) this.places.delete(model);
        this.polled = true;
        this.pollProblem = null;
      } catch (error) {
        const said = (error as Error).message;
        if (this.pollProblem !== said) this.deps.log.warn({ err: error }, 'MLflow cannot be asked');
        this.pollProblem = said;
      }
    });
  }

  /** Looks at one alias now. Throws what MLflow says; what cannot be loaded is in the answer. */
  reload(model: string): Promise<ServedModel> {
    return this.inTurn(async () => {
      const { champion = null } = await this.deps.mlflow.aliases(model);
      await this.follow(model, champion, true);
      return this.describe(model);
    });
  }

  /** Loads a version beside what is served, and tries it. Throws MODEL_VERSION_UNKNOWN and what loading throws. */
  check(model: string, version: string): Promise<LoadedVersion> {
    return this.inTurn(() => {
      // What is kept from an earlier trial is not what is asked about: the stored files may be others by now.
      this.standby.delete(`${model} ${version}`);
      return this.take(model, version);
    });
  }

  /** The version that answers now. Throws MODEL_NOT_SERVED. */
  served(model: string): LoadedVersion {
    const place = this.places.get(model);
    if (place?.served) return place.served;
    throw new DatalabError(
      'MODEL_NOT_SERVED',
      place?.problem
        ? `model '${model}': the champion cannot be served: ${place.problem}`
        : `no version of a model '${model}' is the champion`,
    );
  }

  list(): ServedModel[] {
    return [...this.places.keys()].sort().map((model) => this.describe(model));
  }

  /** Ready when MLflow was asked once and every champion answers. MLflow that goes away later does not stop answers. */
  readiness(): { readonly ready: boolean; readonly detail: string } {
    if (!this.polled) return { ready: false, detail: this.pollProblem ?? 'starting' };
    const served = this.list();
    const missing = served.filter(({ version, champion }) => version === null && champion !== null);
    if (missing.length > 0) return { ready: false, detail: missing.map(({ problem }) => problem).join('; ') };
    const said = served
      .filter(({ version }) => version !== null)
      .map(({ model, version }) => `${model} version ${version}`);
    const away = this.pollProblem === null ? '' : `; MLflow does not answer: ${this.pollProblem}`;
    return { ready: true, detail: `${said.join(', ') || 'no champion yet'}${away}` };
  }

  private describe(model: string): ServedModel {
    const { champion = null, served = null, problem = null } = this.places.get(model) ?? {};
    return {
      ...{ model, version: served?.version ?? null, champion },
      kind: served?.definition.target.kind ?? null,
      dataset: served?.definition.dataset ?? null,
      table: served ? `gold.${served.definition.table}` : null,
      keys: served?.definition.keys ?? [],
      features: served?.predictor.featureNames ?? [],
      ...(served?.definition.target.classes && { classes: served.definition.target.classes }),
      takesMissing: served?.definition.missing === 'keep',
      loadedAt: served?.loadedAt ?? null,
      parity: served?.parity ?? null,
      problem,
    };
  }

  /** Makes the champion what is served. One that cannot be loaded leaves the version before it in its place. */
  private async follow(model: string, champion: string | null, asked: boolean): Promise<void> {
    const { served = null, problem: before, retryAtMs = 0 } = this.places.get(model) ?? {};
    if (champion === null) {
      if (served) this.deps.log.info({ model, from: served.version }, 'the champion was taken away');
      return void this.places.delete(model);
    }
    const now = this.deps.clock.nowMs();
    const same = this.places.get(model)?.champion === champion;
    if (served?.version === champion) return void this.places.set(model, { champion, served, problem: null });
    if (this.foreign.has(`${model} ${champion}`) || (!asked && same && now < retryAtMs)) return;
    try {
      const loaded = await this.take(model, champion);
      this.deps.log.info({ model, from: served?.version ?? null, version: champion }, 'serving');
      this.metrics.reloaded(model, 'ok');
      this.places.set(model, { champion, served: loaded, problem: null });
      this.standby.delete(`${model} ${champion}`);
    } catch (error) {
      if (error instanceof NotOurs) return void this.foreign.add(`${model} ${champion}`);
      const problem = (error as Error).message;
      if (before !== problem) this.deps.log.error({ err: error, model, version: champion }, 'not served');
      this.metrics.reloaded(model, 'failed');
      this.places.set(model, { champion, served, problem, retryAtMs: now + RETRY_MS });
    }
  }

  private async take(model: string, version: string): Promise<LoadedVersion> {
    const served = this.places.get(model)?.served;
    if (served?.version === version) return served;
    const name = `${model} ${version}`;
    const kept = this.standby.get(name);
    if (kept) return kept;
    const found = (await this.deps.mlflow.versions(model)).find((one) => one.version === version);
    if (!found)
      throw new DatalabError('MODEL_VERSION_UNKNOWN', `model '${model}' has no version '${version}'`);
    if (!isOurs(found)) throw new NotOurs(model, version);
    const loaded = await loadVersion(this.deps, model, found);
    this.standby.set(name, loaded);
    for (const oldest of [...this.standby.keys()].slice(0, -STANDBY_MAX)) this.standby.delete(oldest);
    return loaded;
  }

  /** One after another: two loads of one alias could otherwise finish in the wrong order. */
  private inTurn<T>(doing: () => Promise<T>): Promise<T> {
    const done = this.work.then(doing, doing);
    this.work = done.catch(() => undefined);
    return done;
  }
}

class NotOurs extends DatalabError {
  constructor(model: string, version: string) {
    super('MODEL_UNREADABLE', `version ${version} of model '${model}' is none that DataLab made`);
  }
}
