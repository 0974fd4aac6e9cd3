/** Alerts over a real SMTP server and a real HTTP sink, both in this process. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { afterEach, expect, it } from 'vitest';
import { emailChannel, webhookChannel } from '../../src/connectors/channels/index.js';
import type { AlertMessage } from '../../src/contracts/alerts.js';

const closing: Array<() => Promise<unknown>> = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function message(extras: Partial<AlertMessage> = {}): AlertMessage {
  return {
    id: 'm1',
    change: 'opened',
    at: Date.UTC(2026, 0, 2),
    severity: 'error',
    title: '[error] service_down opened',
    text: 'mlflow does not answer: <refused> & gone',
    count: 1,
    episodes: [
      {
        id: 'a1',
        fingerprint: 'service_down{service=mlflow}',
        rule: 'service_down',
        severity: 'error',
        labels: { service: 'mlflow' },
        summary: 'mlflow does not answer',
        value: 0,
        openedAt: 0,
      },
    ],
    ...extras,
  };
}

async function httpSink(
  status = 200,
): Promise<{ url: string; bodies: unknown[]; requests: IncomingMessage[] }> {
  const bodies: unknown[] = [];
  const requests: IncomingMessage[] = [];
  const server: Server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      bodies.push(JSON.parse(text));
      requests.push(request);
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret`, bodies, requests };
}

it('posts JSON, one request per message, with a key that a repetition shares', async () => {
  const { url, bodies, requests } = await httpSink();
  await webhookChannel({ name: 'w', url, format: 'json' }).send([message(), message({ id: 'm2' })]);
  expect(bodies).toMatchObject([
    { id: 'm1', severity: 'error', at: '2026-01-02T00:00:00.000Z' },
    { id: 'm2' },
  ]);
  expect(requests.map(({ headers }) => headers['idempotency-key'])).toEqual(['m1', 'm2']);
});

it('posts the text that Slack-compatible webhooks take, with their special characters escaped', async () => {
  const { url, bodies } = await httpSink();
  const channel = webhookChannel({ name: 'w', url, format: 'slack' });
  await channel.send([message(), message({ change: 'resolved' })]);
  expect(bodies).toEqual([
    {
      text: ':red_circle: *[error] service_down opened*\nmlflow does not answer: &lt;refused&gt; &amp; gone',
    },
    { text: expect.stringContaining(':white_check_mark:') as string },
  ]);
});

it('says that a webhook refused or is away, without its address', async () => {
  const { url } = await httpSink(500);
  const refused = webhookChannel({ name: 'w', url, format: 'json' }).send([message()]);
  await expect(refused).rejects.toThrow(/^the webhook answered 500$/);
  await closing.pop()?.();
  const away = webhookChannel({ name: 'w', url, format: 'json' }).send([message()]);
  await expect(away).rejects.toThrow(/^the webhook did not answer: (?!.*secret)/);
});

it('sends mail through a server that asks for a name and a password', async () => {
  const mails: Array<{ to: string[]; text: string; user: unknown }> = [];
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _session, done) =>
      password === 'right' ? done(null, { user: username }) : done(new Error('wrong password')),
    onData: (stream, session, done) => {
      let text = '';
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
      stream.on('end', () => {
        mails.push({ to: session.envelope.rcptTo.map(({ address }) => address), text, user: session.user });
        done();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  closing.push(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const options = {
    ...{
      name: 'mail',
      host: '127.0.0.1',
      port: (server.server.address() as AddressInfo).port,
      secure: false,
    },
    ...{ user: 'datalab', from: 'datalab@example.org', to: ['a@example.org', 'b@example.org'] },
  };
  await emailChannel({ ...options, password: 'right' }).send([message({ count: 3 })]);
  expect(mails).toMatchObject([{ to: ['a@example.org', 'b@example.org'], user: 'datalab' }]);
  expect(mails[0]?.text).toContain('Subject: [error] service_down opened');
  expect(mails[0]?.text).toMatch(/^X-DataLab-Message: m1\r?$/im);
  expect(mails[0]?.text).toContain('2 more');
  await expect(emailChannel({ ...options, password: 'wrong' }).send([message()])).rejects.toThrow(
    /wrong password/,
  );
});
