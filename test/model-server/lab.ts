/** A model server over the fake MLflow and a lake in memory, with models whose predictions a test can do in its head. */
import { tmpdir } from 'node:os';
import { pino } from 'pino';
import { parseConfig } from '../../src/config/config.js';
import { parseModel } from '../../src/config/model.js';
import { createDuckDbEngine } from '../../src/connectors/duckdb/engine.js';
import { MemoryObjectStore } from '../../src/connectors/object-store/index.js';
import type { ModelDefinition } from '../../src/contracts/model.js';
import { DeltaTable } from '../../src/delta/index.js';
import {
  startModelServer,
  type ModelServerDeps,
  type RunningModelServer,
} from '../../src/model-server/index.js';
import { FakeMlflow } from '../support/fake-mlflow.js';

export const definition = (change: object = {}): ModelDefinition =>
  parseModel('shop', 'demand', {
    ...{ name: 'demand', table: 'prices', keys: ['symbol'], time: 'date', metric: 'rmse' },
    target: { expression: 'price', horizon: 1, kind: 'regression' },
    features: [{ name: 'price', lags: [0, 1] }],
    candidates: [{ kind: 'linear' }],
    baselines: [{ kind: 'constant' }],
    ...change,
  });

/** A linear model: `10 * price + price_lag_1 + intercept`. */
export const modelJson = (intercept: number): string =>
  JSON.stringify({
    learner: {
      attributes: {},
      feature_names: ['price', 'price_lag_1'],
      gradient_booster: { name: 'gblinear', model: { weights: [10, 1, intercept] } },
      learner_model_param: { base_score: '0E0', num_feature: '2' },
      objective: { name: 'reg:squarederror' },
    },
    version: [3, 2, 0],
  });

export const CLASSES = ['up', '2', '1'] as const;

/** Three classes, called so that their order is not that of their names: of a price the margins are `price`, 0 and `-price`. */
export const classesDefinition = (): ModelDefinition =>
  definition({
    ...{ metric: 'accuracy', baselines: [{ kind: 'majority' }] },
    target: {
      ...{ expression: "CASE WHEN price > 5 THEN 'up' WHEN price > 2 THEN '2' ELSE '1' END", horizon: 1 },
      ...{ kind: 'multiclass', classes: CLASSES },
    },
  });

export const classesJson = JSON.stringify({
  learner: {
    feature_names: ['price', 'price_lag_1'],
    gradient_booster: { name: 'gblinear', model: { weights: [1, 0, -1, 0, 0, 0, 0, 0, 0] } },
    learner_model_param: { base_score: '0E0', num_class: '3' },
    objective: { name: 'multi:softprob' },
  },
});

/** What that model says of a price, done by hand. */
export function chancesAt(price: number): number[] {
  const parts = [Math.exp(price), 1, Math.exp(-price)];
  const whole = parts.reduce((sum, part) => sum + part, 0);
  return parts.map((part) => part / whole);
}

export class ServingLab {
  readonly mlflow = new FakeMlflow();
  readonly store = new MemoryObjectStore('serving', { nowMs: () => Date.now() });
  readonly engine = createDuckDbEngine({ memoryLimit: '300MB', threads: 1, spillDirectory: tmpdir() });
  server!: RunningModelServer;

  /** `change` is what a test wants otherwise of the configuration. */
  async start(change: object = {}, deps: Partial<ModelServerDeps> = {}): Promise<void> {
    const { modelServer } = parseConfig(
      JSON.stringify({ modelServer: { port: 0, pollSeconds: 3600, ...change } }),
      {},
    );
    this.server = await startModelServer({
      ...{ config: modelServer, mlflow: this.mlflow, native: null, clock: { nowMs: () => Date.now() } },
      ...{ lake: { store: this.store, engine: this.engine }, log: pino({ level: 'silent' }) },
      ...deps,
    });
    await this.server.poll();
  }

  async gold(rows: ReadonlyArray<{ symbol: string; date: string; price: number | null }>): Promise<void> {
    const values = rows.map(
      ({ symbol, date, price }) => `('${symbol}', DATE '${date}', ${price ?? 'NULL'}::DOUBLE)`,
    );
    const table = new DeltaTable(this.store.at('gold/prices'), { engine: this.engine });
    await table.append({ sql: `SELECT * FROM (VALUES ${values.join(', ')}) AS t(symbol, date, price)` });
  }

  /** Registers a version that adds `intercept`; `stored` is what its stored row was predicted as. */
  async version(
    intercept: number,
    options: { stored?: number; definition?: ModelDefinition } = {},
  ): Promise<string> {
    const model = options.definition ?? definition();
    const source = `mlflow-artifacts:/1/v${intercept}/artifacts/model`;
    const smoke = [{ features: { price: 2, price_lag_1: 3 }, prediction: options.stored ?? 23 + intercept }];
    await this.mlflow.putArtifact(source, 'model.json', modelJson(intercept));
    await this.mlflow.putArtifact(source, 'smoke.json', JSON.stringify(smoke));
    await this.mlflow.putArtifact(source, 'definition.json', JSON.stringify(model));
    await this.mlflow.ensureModel(model.name, '');
    const made = { source, runId: 'run', tags: { 'datalab.model': model.name }, description: '' };
    return this.mlflow.createVersion(model.name, made);
  }

  /** Registers a model of several classes. `stored` is what its stored row, of the price 2, was predicted as. */
  async classesVersion(stored: readonly number[] = chancesAt(2)): Promise<string> {
    const source = 'mlflow-artifacts:/1/classes/artifacts/model';
    const smoke = [{ features: { price: 2, price_lag_1: 3 }, prediction: 0, probabilities: stored }];
    await this.mlflow.putArtifact(source, 'model.json', classesJson);
    await this.mlflow.putArtifact(source, 'smoke.json', JSON.stringify(smoke));
    await this.mlflow.putArtifact(source, 'definition.json', JSON.stringify(classesDefinition()));
    await this.mlflow.ensureModel('demand', '');
    const made = { source, runId: 'run', tags: { 'datalab.model': 'demand' }, description: '' };
    return this.mlflow.createVersion('demand', made);
  }

  async promote(version: string | null): Promise<void> {
    await this.mlflow.setAlias('demand', 'champion', version);
  }

  async ask(path: string, body?: unknown): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await fetch(`${this.server.url}${path}`, {
      ...(body !== undefined && {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  predict(given: object): Promise<{ status: number; body: Record<string, unknown> }> {
    return this.ask('/predict', { model: 'demand', ...given });
  }
}
