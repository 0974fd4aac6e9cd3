/** The short way of predictions by row: it takes what the schema takes, and whatever it does not take is answered by the framework. */
import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { PREDICTIONS_INBOX, type PredictionRecord } from '../../src/contracts/serving.js';
import { predictSchema } from '../../src/model-server/predict.js';
import { rowsOf } from '../../src/model-server/quick.js';
import { ServingLab } from './lab.js';

const number = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer());
const anything = fc.oneof(
  number,
  fc.constant(null),
  fc.string(),
  fc.boolean(),
  fc.constant([1]),
  fc.constant({}),
);
const row = fc.dictionary(fc.string(), fc.oneof({ weight: 20, arbitrary: fc.option(number) }, anything));
const body = fc.record(
  {
    model: fc.oneof({ weight: 10, arbitrary: fc.string({ minLength: 1 }) }, fc.constant(''), anything),
    rows: fc.oneof(
      { weight: 10, arbitrary: fc.array(fc.oneof({ weight: 20, arbitrary: row }, anything)) },
      anything,
    ),
    keys: fc.array(fc.dictionary(fc.string(), fc.string())),
    mode: fc.constant('fast'),
  },
  { requiredKeys: ['model', 'rows'] },
);

it('takes a body with rows exactly where the schema takes it, and as it is', () => {
  let taken = 0;
  fc.assert(
    fc.property(
      fc.oneof(
        body,
        body.map(({ model, rows }) => ({ model, rows })),
      ),
      (given) => {
        const sent = JSON.parse(JSON.stringify(given)) as unknown;
        const parsed = predictSchema.safeParse(sent);
        const quick = rowsOf(sent);
        taken += quick ? 1 : 0;
        if (quick) expect(quick).toEqual(parsed.data);
        else expect(parsed.data?.rows).toBeUndefined();
      },
    ),
    { numRuns: 2000 },
  );
  expect(taken).toBeGreaterThan(100);
});

it.each([
  ['no object', '[]'],
  ['a row that is a list', '{"model":"demand","rows":[[1,2]]}'],
  ['a number beyond all numbers', '{"model":"demand","rows":[{"price":1e999}]}'],
])('refuses %s as the schema does', (_what, text) => {
  expect(rowsOf(JSON.parse(text))).toBeUndefined();
  expect(predictSchema.safeParse(JSON.parse(text)).success).toBe(false);
});

describe('a server', () => {
  let lab: ServingLab;
  beforeEach(async () => {
    lab = new ServingLab();
    await lab.promote(await lab.version(1));
    await lab.start();
  });
  afterEach(() => lab.server.close());

  const ROWS = JSON.stringify({ model: 'demand', rows: [{ price: 2, price_lag_1: 3 }] });

  /** Sends the parts of a body one after another, with the headers that are given and no others. */
  const send = (
    parts: readonly string[],
    headers: Readonly<Record<string, string>>,
  ): Promise<{ status: number; type: string; body: Record<string, unknown> }> =>
    new Promise((resolve, reject) => {
      const { port } = new URL(lab.server.url);
      const sent = request(
        { port, host: '127.0.0.1', path: '/predict', method: 'POST', headers },
        (reply) => {
          let text = '';
          reply.on('data', (bytes: Buffer) => (text += bytes.toString()));
          reply.on('end', () =>
            resolve({
              status: reply.statusCode ?? 0,
              type: reply.headers['content-type'] ?? '',
              body: JSON.parse(text) as Record<string, unknown>,
            }),
          );
        },
      );
      sent.on('error', reject);
      const next = (index: number): void => {
        const part = parts[index];
        if (part === undefined) sent.end();
        else sent.write(part, () => setTimeout(() => next(index + 1), 5));
      };
      next(0);
    });

  const halves = [ROWS.slice(0, 30), ROWS.slice(30)];
  const length = String(ROWS.length);

  it.each([
    ['in one piece', [ROWS], { 'content-type': 'application/json', 'content-length': length }],
    ['in pieces', halves, { 'content-type': 'application/json', 'content-length': length }],
    ['in pieces of which the number is not known', halves, { 'content-type': 'application/json' }],
    [
      'with a charset',
      [ROWS],
      { 'content-type': 'application/json; charset=utf-8', 'content-length': length },
    ],
  ])('answers a body %s alike', async (_how, parts, headers) => {
    expect(await send(parts, headers)).toMatchObject({
      ...{ status: 200, type: 'application/json; charset=utf-8' },
      body: { model: 'demand', version: '1', predictions: [{ prediction: 24 }] },
    });
  });

  it.each([
    ['in one piece', ['{"model":"demand"}']],
    ['in pieces', ['{"model":', '"demand"}']],
    ['that is not JSON', ['{"model":"demand","rows":']],
    ['that is poisoned', ['{"model":"demand","rows":[{"__proto__":{"price":1}}]}']],
  ])('refuses a body %s once, with the reason', async (_how, parts) => {
    const headers = { 'content-type': 'application/json', 'content-length': String(parts.join('').length) };
    expect(await send(parts, headers)).toMatchObject({ status: 400, body: { code: 'INPUT_INVALID' } });
    const metrics = await (await fetch(`${lab.server.url}/metrics`)).text();
    expect(metrics).toContain('requests_total{route="/predict",status="400"} 1\n');
    expect(metrics).not.toContain('requests_total{route="/predict",status="200"}');
  });

  it('keeps what it answered with the instant at which it was asked', async () => {
    const before = Date.now();
    const { body: answer } = await send([ROWS], {
      'content-type': 'application/json',
      'content-length': length,
    });
    const after = Date.now();
    await lab.server.close();
    const keys: string[] = [];
    for await (const { key } of lab.store.list(PREDICTIONS_INBOX)) keys.push(key);
    const record = JSON.parse(Buffer.from(await lab.store.get(keys[0] ?? '')).toString()) as PredictionRecord;
    expect(record).toEqual({
      ...{
        id: answer['id'],
        at: new Date(Date.parse(record.at)).toISOString(),
        model: 'demand',
        version: '1',
      },
      ...{ key: null, time: null, prediction: 24 },
    });
    expect(Date.parse(record.at)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(record.at)).toBeLessThanOrEqual(after);
    await lab.start();
  });

  it('refuses another kind of body', async () => {
    const headers = { 'content-type': 'text/plain', 'content-length': length };
    expect(await send([ROWS], headers)).toMatchObject({ status: 415, body: { code: 'INPUT_INVALID' } });
  });
});
