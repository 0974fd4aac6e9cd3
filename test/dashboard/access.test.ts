/** Who may do what over HTTP: the server as it is composed, with a lake in a folder and a Temporal that is not there. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/config.js';
import { AUDIT_LOG_PREFIX, type AuditRecord } from '../../src/contracts/audit-log.js';
import { AuditOutbox } from '../../src/dashboard/server/audit-outbox.js';
import { composeDashboard, type DashboardDeps } from '../../src/dashboard/server/index.js';
import { firstAdminLink } from '../../src/dashboard/server/first-admin.js';
import { fingerprint } from '../../src/dashboard/server/secrets.js';
import { buildServer, type App } from '../../src/dashboard/server/server.js';
import type { Role } from '../../src/dashboard/server/store.js';

const PASSWORD = 'correct horse battery';
const HOST = { host: '127.0.0.1:8501' };

describe('access to the dashboard', () => {
  let folder: string;
  let deps: DashboardDeps;
  let app: App;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'datalab-dashboard-'));
    const config = parseConfig(
      `lake: { uri: 'file://${folder}/lake' }
s3: { accessKeyId: AKIDEXAMPLE, secretAccessKey: very-secret }
temporal: { address: '127.0.0.1:1', apiKey: temporal-secret }
mlflow: { enabled: false }
monitoring: { channels: [{ type: webhook, name: chat, url: 'https://hooks.example.com/services/T0/secret-path' }] }
`,
      { DATALAB_DASHBOARD_DIRECTORY: path.join(folder, 'store') },
    );
    deps = await composeDashboard({ config, projectDirectory: folder }, pino({ level: 'silent' }));
    ({ app } = await buildServer(deps));
  });
  afterEach(async () => {
    await app.close();
    await deps.close();
    await rm(folder, { recursive: true, force: true });
  });

  const post = (url: string, payload: object, headers: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url, payload, headers: { ...HOST, ...headers } });
  const tokenOf = async (role: Role): Promise<{ authorization: string }> => {
    await deps.store.addToken(fingerprint(`secret-of-${role}`), role, role, 'test');
    return { authorization: `Bearer secret-of-${role}` };
  };
  const signIn = async (): Promise<{ cookie: string; csrf: string }> => {
    const link = (await firstAdminLink(deps.store, 'http://x')) ?? '';
    const answer = await post('/api/welcome', { token: link.split('#')[1], name: 'ana', password: PASSWORD });
    expect(answer.statusCode).toBe(200);
    const cookie = String(answer.headers['set-cookie']);
    expect(cookie).toMatch(/HttpOnly/);
    expect(cookie).toMatch(/SameSite=Strict/);
    const session = await app.inject({ url: '/api/session', headers: { ...HOST, cookie } });
    return { cookie: cookie.split(';')[0] ?? '', csrf: (session.json() as { csrf: string }).csrf };
  };

  it('answers nothing but its health to strangers', async () => {
    expect((await app.inject({ url: '/api/health', headers: HOST })).statusCode).toBe(200);
    for (const url of [
      '/api/runs',
      '/api/overview',
      '/api/live',
      '/api/audit',
      '/api/openapi.json',
      '/api/docs/json',
    ])
      expect((await app.inject({ url, headers: HOST })).statusCode, url).toBe(401);
    expect(
      (await app.inject({ url: '/api/tables', headers: { ...HOST, authorization: 'Bearer guessed' } }))
        .statusCode,
    ).toBe(401);
  });

  it('does not answer to a name that somebody pointed at this machine', async () => {
    const answer = await app.inject({ url: '/api/health', headers: { host: 'evil.example:8501' } });
    expect(answer.statusCode).toBe(403);
  });

  it('lets a viewer look, an operator start, an admin manage', async () => {
    const [viewer, operator, admin] = [
      await tokenOf('viewer'),
      await tokenOf('operator'),
      await tokenOf('admin'),
    ];
    const status = async (url: string, headers: Record<string, string>) =>
      (await app.inject({ url, headers: { ...HOST, ...headers } })).statusCode;
    expect(await status('/api/tables', viewer)).toBe(200);
    expect(await status('/api/config', viewer)).toBe(403);
    expect((await post('/api/runs', { dataset: 'stocks' }, viewer)).statusCode).toBe(403);
    expect(await status('/api/audit', operator)).toBe(200);
    expect(await status('/api/users', operator)).toBe(403);
    expect(await status('/api/users', admin)).toBe(200);
  });

  it('takes a change by cookie only with the header of that session', async () => {
    const { cookie, csrf } = await signIn();
    const user = { name: 'bob', role: 'viewer', password: PASSWORD };
    expect((await post('/api/users', user, { cookie })).statusCode).toBe(403);
    expect((await post('/api/users', user, { cookie, 'x-datalab-csrf': 'guess' })).statusCode).toBe(403);
    expect((await post('/api/users', user, { cookie, 'x-datalab-csrf': csrf })).statusCode).toBe(200);
    expect((await post('/api/logout', {}, { cookie, 'x-datalab-csrf': csrf })).statusCode).toBe(200);
    expect((await app.inject({ url: '/api/tables', headers: { ...HOST, cookie } })).statusCode).toBe(401);
  });

  it('uses a one-time link once, also where two try at once', async () => {
    const secret = (await firstAdminLink(deps.store, 'http://x'))?.split('#')[1];
    const answers = await Promise.all(
      ['ana', 'eve'].map((name) => post('/api/welcome', { token: secret, name, password: PASSWORD })),
    );
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, 403]);
    expect(await firstAdminLink(deps.store, 'http://x')).toBeNull();
  });

  it('stops somebody who tries passwords', async () => {
    await signIn();
    const codes: number[] = [];
    for (let tries = 0; tries < 12; tries++)
      codes.push((await post('/api/login', { name: 'ana', password: `guess ${tries}` })).statusCode);
    expect(new Set(codes.slice(0, 10))).toEqual(new Set([401]));
    expect(codes.slice(10)).toEqual([429, 429]);
  });

  it('records every change with who and what, never a password', async () => {
    const { cookie, csrf } = await signIn();
    await post(
      '/api/users',
      { name: 'bob', role: 'viewer', password: PASSWORD },
      { cookie, 'x-datalab-csrf': csrf },
    );
    await post('/api/users', { name: 'eve', role: 'admin', password: PASSWORD }, { cookie });
    const { rows } = await deps.store.auditLog({ limit: 10, offset: 0 });
    expect(rows.map(({ who, action, outcome }) => [who, action, outcome])).toEqual([
      ['ana', 'add user', 'refused (403)'],
      ['ana', 'add user', 'done'],
      ['ana', 'use a one-time link', 'done'],
    ]);
    expect(JSON.stringify(rows)).not.toContain(PASSWORD);
  });

  it('hands its audit log to the lake, each entry once, and no text of a query', async () => {
    const left = async (): Promise<AuditRecord[]> => {
      const records: AuditRecord[] = [];
      for await (const { key } of deps.lake.store.list(AUDIT_LOG_PREFIX)) {
        const text = Buffer.from(await deps.lake.store.get(key)).toString();
        records.push(
          ...text
            .split('\n')
            .filter(Boolean)
            .map((line) => JSON.parse(line) as AuditRecord),
        );
      }
      return records;
    };
    const outbox = new AuditOutbox(deps);
    await signIn();
    await post('/api/sql', { sql: `SELECT 'hidden text'` }, await tokenOf('viewer'));
    await outbox.flush();
    await outbox.flush();
    const put = deps.lake.store.put.bind(deps.lake.store);
    deps.lake.store.put = () => Promise.reject(new Error('the lake is away'));
    await post('/api/sql', { sql: 'SELECT 1' }, await tokenOf('viewer'));
    await outbox.flush();
    expect(await left()).toHaveLength(2);
    deps.lake.store.put = put;
    await outbox.close();
    const records = await left();
    expect(records.map(({ sequence, who, action }) => [sequence, who, action])).toEqual([
      [1, 'ana', 'use a one-time link'],
      [2, 'token:viewer', 'query'],
      [3, 'token:viewer', 'query'],
    ]);
    expect(new Set(records.map(({ source }) => source))).toEqual(new Set([await deps.store.identity()]));
    expect(JSON.stringify(records)).not.toContain('hidden');
  });

  it('shows the configuration without what is secret in it', async () => {
    const { body } = await app.inject({
      url: '/api/config',
      headers: { ...HOST, ...(await tokenOf('operator')) },
    });
    expect(body).toContain('hooks.example.com');
    for (const secret of ['very-secret', 'AKIDEXAMPLE', 'temporal-secret', 'secret-path'])
      expect(body).not.toContain(secret);
  });

  it('forbids inline scripts, and says what is down instead of hanging', async () => {
    const answer = await app.inject({ url: '/api/runs', headers: { ...HOST, ...(await tokenOf('viewer')) } });
    expect(String(answer.headers['content-security-policy'])).not.toContain('unsafe');
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    expect(answer.statusCode).toBe(503);
  });

  it('describes itself: every route that it has is in the OpenAPI document', async () => {
    const answer = await app.inject({
      url: '/api/openapi.json',
      headers: { ...HOST, ...(await tokenOf('viewer')) },
    });
    const { paths } = answer.json() as { paths: Record<string, Record<string, { summary?: string }>> };
    expect(Object.keys(paths).length).toBeGreaterThan(25);
    for (const [url, methods] of Object.entries(paths))
      for (const [method, { summary }] of Object.entries(methods))
        expect(summary, `${method} ${url}`).toBeTruthy();
  });
});
