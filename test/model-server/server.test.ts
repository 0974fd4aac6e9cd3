/** What the model server answers, over the fake MLflow (held to the real one elsewhere) and a real Gold table. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PREDICTIONS_INBOX, type PredictionRecord } from '../../src/contracts/serving.js';
import { definition, modelJson, ServingLab } from './lab.js';

let lab: ServingLab;
beforeEach(() => {
  lab = new ServingLab();
});
afterEach(() => lab.server.close());

const ROW = { price: 2, price_lag_1: 3 };

async function inbox(): Promise<PredictionRecord[]> {
  const found: PredictionRecord[] = [];
  for await (const { key } of lab.store.list(PREDICTIONS_INBOX))
    for (const line of Buffer.from(await lab.store.get(key))
      .toString()
      .trim()
      .split('\n'))
      found.push(JSON.parse(line) as PredictionRecord);
  return found;
}

describe('a prediction by row', () => {
  beforeEach(async () => {
    await lab.promote(await lab.version(1));
    await lab.start();
  });

  it('comes from the champion, one for each row, in their order', async () => {
    const { status, body } = await lab.predict({ rows: [ROW, { price: 0, price_lag_1: 0.5 }] });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      ...{ model: 'demand', version: '1' },
      predictions: [{ prediction: 24 }, { prediction: 1.5 }],
    });
  });

  it.each([
    ['neither rows nor keys', {}, /either rows or keys/],
    ['both', { rows: [ROW], keys: [{ symbol: 'A' }] }, /either rows or keys/],
    ['no row at all', { rows: [] }, /rows: /],
    ['a text for a number', { rows: [{ ...ROW, price: '2' }] }, /rows\.0\.price: .*number/],
    ['a field that there is not', { rows: [ROW], mode: 'fast' }, /mode/],
    [
      'an unknown feature',
      { rows: [ROW, { ...ROW, prise: 1 }] },
      /rows\.1: the model takes no feature prise/,
    ],
    ['a feature that is not given', { rows: [{ price: 1 }] }, /rows\.0: price_lag_1 is not given/],
    [
      'a number that single precision has not',
      { rows: [{ ...ROW, price: 1e39 }] },
      /rows\.0: price is too large/,
    ],
    ['keys that are not those of the model', { keys: [{ ticker: 'A' }] }, /keys\.0: .* wants symbol/],
  ])('with %s is refused by name', async (_what, given, message) => {
    const { status, body } = await lab.predict(given);
    expect({ status, code: body['code'] }).toEqual({ status: 400, code: 'INPUT_INVALID' });
    expect(body['message']).toMatch(message);
    expect(body['remedy']).not.toBe('');
  });

  it('with a missing value is refused where the model never saw one', async () => {
    const { status, body } = await lab.predict({ rows: [{ ...ROW, price: null }] });
    expect({ status, code: body['code'] }).toEqual({ status: 422, code: 'PREDICTION_FEATURE_MISSING' });
    expect(body['message']).toMatch(/rows\.0: price is null/);
  });

  it('of a model that nobody serves, or that is no JSON, is refused', async () => {
    expect(await lab.ask('/predict', { model: 'weather', rows: [ROW] })).toMatchObject({
      ...{ status: 404, body: { code: 'MODEL_NOT_SERVED' } },
    });
    expect(await lab.ask('/predict', '{"model"')).toMatchObject({
      status: 400,
      body: { code: 'INPUT_INVALID' },
    });
    expect(await lab.ask('/nothing')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });
});

it('limits rows and bytes of a request', async () => {
  await lab.promote(await lab.version(1));
  await lab.start({ rowsMax: 2, bodyMb: 0.001 });
  expect(await lab.predict({ rows: [ROW, ROW, ROW] })).toMatchObject({
    ...{
      status: 400,
      body: { code: 'INPUT_INVALID', message: '3 rows in one request, at most 2 are taken' },
    },
  });
  const many = Array.from({ length: 100 }, () => ROW);
  expect(await lab.predict({ rows: many })).toMatchObject({ status: 413, body: { code: 'INPUT_INVALID' } });
});

it('takes a missing value where the model knows them', async () => {
  await lab.promote(await lab.version(1, { definition: definition({ missing: 'keep' }) }));
  await lab.start();
  const { body } = await lab.predict({ rows: [{ price: 1, price_lag_1: null }] });
  expect(body['predictions']).toEqual([{ prediction: 11 }]);
});

describe('a prediction by key', () => {
  beforeEach(async () => {
    await lab.gold([
      { symbol: 'A', date: '2024-01-01', price: 1 },
      { symbol: 'A', date: '2024-01-02', price: 2 },
      { symbol: 'B', date: '2024-01-02', price: 5 },
    ]);
    await lab.promote(await lab.version(0));
    await lab.start();
  });

  it('takes the newest Gold features, also those that came a moment ago', async () => {
    const before = await lab.predict({ keys: [{ symbol: 'A' }] });
    expect(before.body).toMatchObject({
      gold: { table: 'gold.prices', version: 0 },
      predictions: [{ prediction: 21, key: { symbol: 'A' }, time: '2024-01-02T00:00:00.000Z' }],
    });
    await lab.gold([{ symbol: 'A', date: '2024-01-03', price: 3 }]);
    const after = await lab.predict({ keys: [{ symbol: 'A' }, { symbol: 'A' }] });
    expect(after.body).toMatchObject({
      gold: { version: 1 },
      predictions: [{ prediction: 32 }, { prediction: 32 }],
    });
  });

  it('is refused for a key that the table has not, and for one whose features are not complete', async () => {
    expect(await lab.predict({ keys: [{ symbol: 'A' }, { symbol: 'Z' }] })).toMatchObject({
      ...{ status: 404, body: { code: 'PREDICTION_KEY_UNKNOWN' } },
    });
    const young = await lab.predict({ keys: [{ symbol: 'B' }] });
    expect(young).toMatchObject({ status: 422, body: { code: 'PREDICTION_FEATURE_MISSING' } });
    expect(young.body['message']).toMatch(/price_lag_1 of \["B"\] is not known yet/);
  });

  it('is kept in the inbox with its key and time, when the server ends at the latest', async () => {
    const { body } = await lab.predict({ keys: [{ symbol: 'A' }] });
    await lab.predict({ rows: [ROW] });
    await lab.server.close();
    expect(await inbox()).toMatchObject([
      { id: body['id'], key: '["A"]', time: '2024-01-02T00:00:00.000Z', prediction: 21, version: '1' },
      { key: null, time: null, prediction: 23 },
    ]);
  });
});

describe('the champion', () => {
  it('that moves is followed without a dropped or a mixed answer', async () => {
    await lab.promote(await lab.version(0));
    await lab.version(1000);
    await lab.start();
    let asking = true;
    const seen: Array<[number, unknown, unknown]> = [];
    const ask = async (): Promise<void> => {
      while (asking) {
        const { status, body } = await lab.predict({ rows: [ROW] });
        seen.push([
          status,
          body['version'],
          (body['predictions'] as Array<{ prediction: number }>)[0]?.prediction,
        ]);
      }
    };
    const clients = [ask(), ask(), ask(), ask()];
    for (const version of ['2', '1', '2']) {
      await lab.promote(version);
      const { body } = await lab.ask('/models/demand/reload', {});
      expect(body).toMatchObject({ version, champion: version, problem: null });
    }
    asking = false;
    await Promise.all(clients);
    expect(new Set(seen.map((one) => JSON.stringify(one)))).toEqual(
      new Set(['[200,"1",23]', '[200,"2",1023]']),
    );
  });

  it('that predicts otherwise than at training is not served: the one before stays', async () => {
    await lab.promote(await lab.version(0));
    await lab.version(1, { stored: 99 });
    await lab.start();
    expect(await lab.ask('/models/demand/check', { version: '2' })).toMatchObject({
      ...{ status: 422, body: { code: 'MODEL_PARITY' } },
    });
    await lab.promote('2');
    await lab.server.poll();
    const { body } = await lab.ask('/models');
    expect(body).toMatchObject({
      models: [{ version: '1', champion: '2', problem: expect.stringMatching(/24 where 99/) }],
    });
    expect((await lab.predict({ rows: [ROW] })).body).toMatchObject({ version: '1' });
    expect((await lab.ask('/ready')).status).toBe(200);
  });

  it('that cannot be served at all leaves the server unready, and says why', async () => {
    await lab.promote(await lab.version(1, { stored: 99 }));
    await lab.start();
    expect(await lab.ask('/ready')).toMatchObject({ status: 503, body: { ready: false } });
    expect((await lab.predict({ rows: [ROW] })).body).toMatchObject({ code: 'MODEL_NOT_SERVED' });
    expect((await lab.ask('/health')).body).toMatchObject({ product: 'datalab', service: 'model-server' });
  });

  it('that is taken away, or was made by others, is not served', async () => {
    await lab.promote(await lab.version(0));
    await lab.mlflow.ensureModel('others', '');
    await lab.mlflow.createVersion('others', { source: 'x', runId: 'r', tags: {}, description: '' });
    await lab.mlflow.setAlias('others', 'champion', '1');
    await lab.start();
    expect(((await lab.ask('/models')).body['models'] as unknown[]).length).toBe(1);
    await lab.promote(null);
    await lab.server.poll();
    expect((await lab.predict({ rows: [ROW] })).status).toBe(404);
    expect((await lab.ask('/ready')).body).toMatchObject({ ready: true, detail: 'no champion yet' });
  });

  it('answers on while MLflow is away, which ready says; without ever having reached it, it is not ready', async () => {
    await lab.promote(await lab.version(0));
    await lab.start();
    lab.mlflow.down();
    await lab.server.poll();
    expect((await lab.predict({ rows: [ROW] })).status).toBe(200);
    expect((await lab.ask('/ready')).body['detail']).toMatch(
      /demand version 1; MLflow does not answer: nobody listens/,
    );
    await lab.server.close();
    await lab.start();
    expect(await lab.ask('/ready')).toMatchObject({ status: 503, body: { detail: 'nobody listens' } });
  });
});

it('is held against the native library where there is one, on more rows than were stored', async () => {
  await lab.promote(await lab.version(5));
  const asked: number[] = [];
  const wrong = { yet: false };
  await lab.start(
    {},
    {
      native: (json, x, width) => {
        expect(json).toBe(modelJson(5));
        asked.push(x.length / width);
        const predictions = Array.from({ length: x.length / width }, (_, row) => {
          const [price, lag] = [x[row * 2] ?? NaN, x[row * 2 + 1] ?? NaN].map((one) =>
            Number.isNaN(one) ? 0 : one,
          );
          return 10 * (price ?? 0) + (lag ?? 0) + 5 + (wrong.yet && row > 150 ? 1 : 0);
        });
        return Promise.resolve({ engine: 'xgboost 3.2.0', predictions });
      },
    },
  );
  expect((await lab.ask('/models')).body).toMatchObject({
    models: [{ parity: { against: 'native', rows: asked[0], difference: 0, detail: 'xgboost 3.2.0' } }],
  });
  expect(asked[0]).toBeGreaterThan(100);
  wrong.yet = true;
  await lab.version(5);
  expect((await lab.ask('/models/demand/check', { version: '2' })).body).toMatchObject({
    ...{ code: 'MODEL_PARITY', message: expect.stringMatching(/the library says/) },
  });
});

it('tells Prometheus what it did, and the world what it takes', async () => {
  await lab.promote(await lab.version(0));
  await lab.start();
  await lab.predict({ rows: [ROW, ROW] });
  await lab.predict({ rows: [] });
  const text = await (await fetch(`${lab.server.url}/metrics`)).text();
  expect(text).toContain('datalab_model_server_requests_total{route="/predict",status="200"} 1\n');
  expect(text).toContain('datalab_model_server_requests_total{route="/predict",status="400"} 1\n');
  expect(text).toContain('datalab_model_server_predictions_total{model="demand",version="1",by="row"} 2\n');
  expect(text).toContain('datalab_model_server_model_served{model="demand",version="1"} 1\n');
  expect(text).toContain(
    'datalab_model_server_request_duration_seconds_bucket{route="/predict",le="+Inf"} 2\n',
  );
  expect(text).toContain('datalab_model_server_log_rows_pending 2\n');
  for (const line of text.trim().split('\n'))
    expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{.*\})? [\d.e+-]+)$/);
  const { body } = await lab.ask('/openapi.json');
  expect(Object.keys(body['paths'] as object).sort()).toEqual(
    [
      '/health',
      '/metrics',
      '/models',
      '/models/{model}/check',
      '/models/{model}/reload',
      '/predict',
      '/ready',
    ].sort(),
  );
});

it('holds predictions while the lake is away, up to a limit, and counts what it drops', async () => {
  await lab.promote(await lab.version(0));
  let away = true;
  const put = lab.store.put.bind(lab.store);
  lab.store.put = (key, bytes) => (away ? Promise.reject(new Error('away')) : put(key, bytes));
  await lab.start({ log: { rowsMax: 3, flushSeconds: 0.01 } });
  await lab.predict({ rows: [ROW, ROW] });
  await lab.predict({ rows: [ROW, ROW] });
  const metrics = async (): Promise<string> => (await fetch(`${lab.server.url}/metrics`)).text();
  expect(await metrics()).toContain('datalab_model_server_log_rows_total{outcome="dropped"} 1\n');
  away = false;
  await expect.poll(async () => (await inbox()).length).toBe(3);
  expect(await metrics()).toContain('datalab_model_server_log_rows_pending 0\n');
});
