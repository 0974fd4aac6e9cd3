/** Services asked over real sockets: status, response time and version of an HTTP target, and a TCP one. */
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTcp, type AddressInfo, type Server } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { askHttp, askServices, askTcp } from '../../src/connectors/probes/services.js';
import { DEFAULT_RULES, judge } from '../../src/monitoring/index.js';

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

async function listening(server: Server): Promise<number> {
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function ask(answer: RequestListener) {
  const url = `http://127.0.0.1:${await listening(createServer(answer))}/health`;
  const figures = await askServices([{ service: 'shop', ask: (signal) => askHttp(url, signal) }], 2000);
  const { findings } = judge(
    DEFAULT_RULES,
    figures.map((one) => ({ ...one, source: 'services' })),
  );
  return {
    up: figures.find(({ metric }) => metric === 'service.up'),
    status: figures.find(({ metric }) => metric === 'service.status')?.value,
    ms: figures.find(({ metric }) => metric === 'service.response_ms')?.value,
    alerts: findings.map(({ fingerprint }) => fingerprint),
  };
}
const json =
  (body: unknown, headers = {}): RequestListener =>
  (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };

it('says status, response time and version of a service that tells it in JSON', async () => {
  const { up, status, ms, alerts } = await ask(json({ status: 'UP', version: '7.1.0' }));
  expect(up).toMatchObject({ value: 1, detail: 'status 200, version 7.1.0' });
  expect(status).toBe(200);
  expect(ms).toBeGreaterThanOrEqual(0);
  expect(alerts).toEqual([]);
});

it('finds the version in a header, and does without', async () => {
  const header = await ask((_, response) => void response.writeHead(204, { server: 'shop/2' }).end());
  expect(header.up?.detail).toBe('status 204, version shop/2');
  // What comes from outside is shown on a terminal.
  expect((await ask(json({ version: '\u001b[31m4\n' }))).up?.detail).toBe('status 200, version [31m4');
  expect((await ask(json({ up: true }, { 'x-version': '3' }))).up?.detail).toBe('status 200, version 3');
  expect((await ask((_, response) => void response.end('hello'))).up?.detail).toBe('status 200');
  const endless = await ask(json({ filler: 'x'.repeat(100_000), version: '9' }));
  expect(endless.up).toMatchObject({ value: 1, detail: 'status 200' });
});

it('tells a service that answers with an error, by its status', async () => {
  const { up, status, ms, alerts } = await ask((_, response) => void response.writeHead(503).end());
  expect(up).toMatchObject({ value: 0, detail: 'it answered 503' });
  expect(status).toBe(503);
  expect(ms).toBeUndefined();
  expect(alerts).toEqual(['service_down{service=shop}']);
});

it('tells a service that does not answer in time, or at all', async () => {
  const port = await listening(createServer(() => undefined));
  const hangs = { service: 'hangs', ask: (s: AbortSignal) => askHttp(`http://127.0.0.1:${port}`, s) };
  const gone = await listening(createTcp());
  open.pop()?.close();
  const away = { service: 'away', ask: (s: AbortSignal) => askTcp(`127.0.0.1:${gone}`, s) };
  const tcp = await listening(createTcp());
  const there = { service: 'there', ask: (s: AbortSignal) => askTcp(`127.0.0.1:${tcp}`, s) };
  const figures = await askServices([hangs, away, there], 300);
  const up = figures.filter(({ metric }) => metric === 'service.up');
  expect(up.map(({ labels, value }) => `${labels['service']} ${value}`)).toEqual([
    'hangs 0',
    'away 0',
    'there 1',
  ]);
  expect(up[0]?.detail).toMatch(/no answer within 0.3 s/);
  expect(up[1]?.detail).toMatch(/ECONNREFUSED/);
});
