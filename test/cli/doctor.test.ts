/** `doctor`: each question finds the trouble that it asks for, and a healthy machine has none. */
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkConfig, checkDatasets } from '../../src/cli/doctor/configuration.js';
import {
  checkAttributes,
  checkFolder,
  checkMemory,
  checkNode,
  checkPorts,
  checkTools,
} from '../../src/cli/doctor/machine.js';
import { freePorts } from '../../src/platform/ports.js';
import { PORTS, readSettings, type Settings } from '../../src/platform/settings.js';

let folder: string;
let settings: Settings;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'datalab-doctor-'));
  const ports = await freePorts(Object.keys(PORTS).length);
  settings = readSettings({
    DATALAB_STATE_DIR: path.join(folder, 'state'),
    DATALAB_CACHE_DIR: path.join(folder, 'no-tools'),
    PATH: '',
    ...Object.fromEntries(
      Object.values(PORTS).map(({ variable }, index) => [variable, String(ports[index])]),
    ),
  });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it.each([
  ['20.18.9', 'problem'],
  ['18.20.0', 'problem'],
  ['20.19.0', 'ok'],
  ['22.1.0', 'ok'],
  ['24.0.0', 'ok'],
])('Node %s: %s', (version, state) => {
  expect(checkNode(version).state).toBe(state);
});

it('compares memory with what a step may take', () => {
  expect(checkMemory(4, 3 * 2 ** 30)).toMatchObject({
    state: 'note',
    detail: expect.stringContaining('limits.etl.memoryGb') as unknown,
  });
  expect(checkMemory(4, 4 * 2 ** 30).state).toBe('ok');
});

it('says of every missing tool what it would take; only Temporal is indispensable', () => {
  const found = checkTools(settings).filter(({ check }) => !/Worker|Dashboard|Model server/.test(check));
  expect(found.map(({ check, state }) => [check, state])).toEqual([
    ['tool of Temporal', 'problem'],
    ['tool of S3 gateway', 'note'],
    ['tool of Kafka', 'note'],
    ['tool of MLflow', 'note'],
  ]);
  for (const { detail } of found) expect(detail).toMatch(/infra\/prepare|install/);
});

it('names the holder of a port and the variable that moves it', async () => {
  expect((await checkPorts(settings)).map(({ state }) => state)).toEqual(Object.keys(PORTS).map(() => 'ok'));
  const server = createServer().listen(settings.ports.s3, '127.0.0.1');
  await once(server, 'listening');
  const taken = (await checkPorts(settings)).filter(({ state }) => state === 'problem');
  server.close();
  expect(taken).toHaveLength(1);
  expect(taken[0]?.check).toBe(`port ${settings.ports.s3} (S3 gateway)`);
  expect(taken[0]?.detail).toMatch(new RegExp(`pid ${process.pid}.*DATALAB_S3_PORT`));
});

it('asks a folder that is not there yet where it would be', () => {
  expect(checkFolder('state folder', path.join(folder, 'a', 'b'), 'X').detail).toMatch(/free/);
  mkdirSync(path.join(folder, 'locked'));
  chmodSync(path.join(folder, 'locked'), 0o500);
  // Root may write everywhere.
  const expected = process.getuid?.() === 0 ? /free/ : /locked may not be written to: set X/;
  expect(checkFolder('state folder', path.join(folder, 'locked', 'b'), 'X').detail).toMatch(expected);
});

it('leaves nothing behind when it asks for extended attributes', async () => {
  expect((await checkAttributes(settings)).state).not.toBe('problem');
  expect(readdirSync(folder)).toEqual([]);
});

it('lists each problem of the configuration on its own', async () => {
  writeFileSync(path.join(folder, 'datalab.yaml'), 'lake: { uri: ftp://x }\nkafka: { brokers: [] }\n');
  const { findings, loaded } = await checkConfig({ projectDirectory: folder, env: {} });
  expect(loaded).toBeUndefined();
  expect(findings.map(({ state, detail }) => `${state} ${detail.split(':')[0]}`)).toEqual([
    'problem lake.uri',
    'problem kafka.brokers',
  ]);
});

it('lists each problem of each dataset on its own', async () => {
  const { loaded, findings } = await checkConfig({ projectDirectory: folder, env: {} });
  if (!loaded) throw new Error('no configuration');
  expect(findings).toMatchObject([{ state: 'ok' }]);
  expect(await checkDatasets(loaded)).toMatchObject([{ check: 'datasets', state: 'problem' }]);
  mkdirSync(path.join(folder, 'datasets', 'sales'), { recursive: true });
  writeFileSync(path.join(folder, 'datasets', 'sales', 'dataset.yaml'), 'name: sales\nkey: []\n');
  const wrong = await checkDatasets(loaded);
  expect(wrong.length).toBeGreaterThan(2);
  expect(new Set(wrong.map(({ check, state }) => `${check} ${state}`))).toEqual(
    new Set(['dataset sales problem']),
  );
});
