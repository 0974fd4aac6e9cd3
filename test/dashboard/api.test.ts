/** The API as it describes itself: every answer has a shape, every change has a command and stands in the audit log. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/config.js';
import { composeDashboard, type DashboardDeps } from '../../src/dashboard/server/index.js';
import { fingerprint } from '../../src/dashboard/server/secrets.js';
import { buildServer, type App } from '../../src/dashboard/server/server.js';
import { commandPaths } from '../support/command-line.js';

interface Operation {
  readonly summary?: string;
  readonly 'x-datalab-cli'?: string;
  readonly responses?: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: object }>> }>
  >;
}

/** Answers that are no JSON: files, pages, and the stream. */
const FILES = ['/api/live', '/api/reports', '/api/sql/export', '/api/quarantine/{dataset}/export'];
/** Of a browser's session, which a command line does not have. */
const SESSION = ['/api/login', '/api/logout', '/api/welcome'];

describe('the API', () => {
  let folder: string;
  let deps: DashboardDeps;
  let app: App;
  let operations: Array<readonly [string, Operation]>;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'datalab-dashboard-api-'));
    const config = parseConfig(
      `lake: { uri: 'file://${folder}/lake' }\ntemporal: { address: '127.0.0.1:1' }\nmlflow: { enabled: false }\n`,
      { DATALAB_DASHBOARD_DIRECTORY: path.join(folder, 'store') },
    );
    deps = await composeDashboard({ config, projectDirectory: folder }, pino({ level: 'silent' }));
    ({ app } = await buildServer(deps));
    await deps.store.addToken(fingerprint('secret'), 'admin', 'admin', 'test');
    const { paths } = (await ask('/api/openapi.json')).json() as {
      paths: Record<string, Record<string, Operation>>;
    };
    operations = Object.entries(paths).flatMap(([url, methods]) =>
      Object.entries(methods).map(([method, one]) => [`${method.toUpperCase()} ${url}`, one] as const),
    );
  });
  afterAll(async () => {
    await app.close();
    await deps.close();
    await rm(folder, { recursive: true, force: true });
  });

  const ask = (url: string, method: 'GET' | 'POST' | 'PUT' | 'DELETE' = 'GET', payload?: object) =>
    app.inject({
      ...{ url, method },
      headers: { host: '127.0.0.1:8501', authorization: 'Bearer secret' },
      ...(payload && { payload }),
    });

  it('says of every answer what is in it', () => {
    const bare = operations
      .filter(([name, { responses }]) => {
        const shape = responses?.['200']?.content?.['application/json']?.schema;
        return !FILES.includes(name.split(' ')[1] ?? '') && (!shape || Object.keys(shape).length === 0);
      })
      .map(([name]) => name);
    expect(bare).toEqual([]);
    expect(operations.length).toBeGreaterThan(45);
  });

  it('names a command for every change, and the command line has it', () => {
    const known = new Set(commandPaths().map((one) => `datalab ${one}`));
    const changes = operations.filter(([name]) => !name.startsWith('GET '));
    expect(changes.length).toBeGreaterThan(25);
    for (const [name, { 'x-datalab-cli': twin }] of changes)
      if (SESSION.includes(name.split(' ')[1] ?? '')) expect(twin, name).toBeUndefined();
      else expect(known, `${name} ${twin ?? 'has none'}`).toContain(twin);
  });

  it('shows an empty lake as empty, not as a fault', async () => {
    for (const url of [
      '/api/tables',
      '/api/datasets',
      '/api/lineage',
      '/api/models',
      '/api/durations?flow=medallionEtl',
      '/api/services/history',
      '/api/alert-rules',
      '/api/alert-channels',
      '/api/alert-timeline',
      '/api/quality/stocks',
      '/api/quarantine/stocks',
      '/api/quarantine/stocks/export',
      '/api/flow-inputs',
    ]) {
      const answer = await ask(url);
      expect(answer.statusCode, `${url} ${answer.body.slice(0, 300)}`).toBe(200);
    }
    const { value } = (await ask('/api/tables')).json() as { value: { total: number; rows: unknown[] } };
    expect(value).toEqual({ total: 0, rows: [] });
  }, 120_000);

  it('sets a rule, shows it, and takes it back', async () => {
    const rule = {
      metric: 'table.rows',
      condition: '> 10',
      severity: 'info',
      summary: 'many rows in {table}',
    };
    const names = async (): Promise<Array<[string, string]>> => {
      const { rules } = (await ask('/api/alert-rules')).json() as {
        rules: Array<{ rule: { name: string }; origin: string }>;
      };
      return rules.map(({ rule: { name }, origin }) => [name, origin]);
    };
    const refused = await ask('/api/alert-rules/many_rows', 'PUT', { ...rule, condition: 'much' });
    expect(refused.statusCode).toBe(400);
    expect(refused.json()).toMatchObject({ code: 'INPUT_INVALID' });
    expect((await ask('/api/alert-rules/many_rows', 'PUT', rule)).statusCode).toBe(200);
    expect(await names()).toContainEqual(['many_rows', 'override']);
    expect((await ask('/api/alert-rules/many_rows', 'DELETE')).statusCode).toBe(200);
    expect((await ask('/api/alert-rules/many_rows', 'DELETE')).statusCode).toBe(404);
    expect((await names()).map(([name]) => name)).not.toContain('many_rows');
    const { rows } = (await ask('/api/audit?search=alert%20rule')).json() as {
      rows: Array<{ action: string; outcome: string }>;
    };
    expect(rows.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
      'reset alert rule refused (404)',
      'reset alert rule done',
      'set alert rule done',
      'set alert rule refused (400)',
    ]);
  });
});
