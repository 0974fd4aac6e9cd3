/** The state folder: what it is made of, what is kept, and what is refused. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cleanState } from '../../../src/platform/clean.js';
import { ensureSettings, readSettings, workerEnvironment } from '../../../src/platform/settings.js';

let folder: string;
const env = (more: Record<string, string> = {}) => ({ DATALAB_STATE_DIR: folder, ...more });

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'datalab-settings-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('secrets are made once, kept, and readable by their owner only', () => {
  const first = ensureSettings(env());
  const file = path.join(folder, 'env');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(first.env['AWS_SECRET_ACCESS_KEY']).toMatch(/^[A-Za-z0-9_-]{40}$/);
  expect(ensureSettings(env()).env).toEqual(first.env);
  rmSync(file);
  expect(ensureSettings(env()).env['AWS_SECRET_ACCESS_KEY']).not.toBe(first.env['AWS_SECRET_ACCESS_KEY']);
});

test('a port that was set once is found again by commands that do not set it', () => {
  ensureSettings(env({ DATALAB_S3_PORT: '19001' }));
  const later = readSettings(env());
  expect(later.ports.s3).toBe(19_001);
  expect(later.env['AWS_ENDPOINT_URL']).toBe('http://127.0.0.1:19001');
  expect(later.ports.temporal).toBe(7233);
  expect(ensureSettings(env({ DATALAB_S3_PORT: '19002' })).env['AWS_ENDPOINT_URL']).toContain('19002');
});

test('reading makes nothing', () => {
  expect(readSettings(env({ DATALAB_STATE_DIR: path.join(folder, 'none') })).env).toEqual({});
  expect(() => statSync(path.join(folder, 'none'))).toThrow(/ENOENT/);
});

test.each(['0', '65536', '80.5', 'http', '-1'])('port %s is refused by the name of its variable', (port) => {
  expect(() => readSettings(env({ DATALAB_KAFKA_PORT: port }))).toThrow(/DATALAB_KAFKA_PORT=.*1 to 65535/);
});

test.each(['5060', '6000'])(
  'port %s, which browsers refuse to call, is refused for what is spoken to over HTTP',
  (port) => {
    expect(() => readSettings(env({ DATALAB_MLFLOW_PORT: port }))).toThrow(
      /DATALAB_MLFLOW_PORT=.*take another/,
    );
    expect(readSettings(env({ DATALAB_KAFKA_PORT: port })).ports.kafka).toBe(Number(port));
  },
);

test('two services cannot have one port', () => {
  expect(() => readSettings(env({ DATALAB_KAFKA_PORT: '9000' }))).toThrow(
    /DATALAB_KAFKA_PORT and DATALAB_S3_PORT are both 9000/,
  );
});

test('entries that a person added to the file survive a start', () => {
  writeFileSync(path.join(folder, 'env'), '# mine\nDATALAB_LOG_LEVEL="debug"\n');
  expect(ensureSettings(env()).env['DATALAB_LOG_LEVEL']).toBe('debug');
  expect(readFileSync(path.join(folder, 'env'), 'utf8')).toContain('DATALAB_LOG_LEVEL=debug');
});

test('AWS keys for another S3 do not reach a worker of our gateway', () => {
  const foreign = { AWS_ACCESS_KEY_ID: 'foreign', DATALAB_LOG_LEVEL: 'trace' };
  const own = ensureSettings(env(foreign));
  expect(workerEnvironment(own)['AWS_ACCESS_KEY_ID']).toBe(own.env['AWS_ACCESS_KEY_ID']);
  expect(workerEnvironment(own)['DATALAB_LOG_LEVEL']).toBe('trace');
  const elsewhere = ensureSettings(env({ ...foreign, AWS_ENDPOINT_URL: 'https://s3.example.org' }));
  expect(workerEnvironment(elsewhere)['AWS_ACCESS_KEY_ID']).toBe('foreign');
  expect(workerEnvironment(elsewhere)['AWS_ENDPOINT_URL']).toBe('https://s3.example.org');
});

test('clean deletes what the platform made and nothing else', () => {
  const settings = ensureSettings(env());
  writeFileSync(path.join(folder, 'notes.txt'), 'mine');
  expect(
    cleanState(settings)
      .map((entry) => path.basename(entry))
      .sort(),
  ).toEqual(['data', 'env', 'logs', 'run']);
  expect(readFileSync(path.join(folder, 'notes.txt'), 'utf8')).toBe('mine');
  rmSync(path.join(folder, 'notes.txt'));
  cleanState(settings);
  expect(() => statSync(folder)).toThrow(/ENOENT/);
  expect(cleanState(settings)).toEqual([]);
});
