/** Starting and stopping, held against small programs in place of the services. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DatalabError } from '../../../src/contracts/errors.js';
import { checkHealth } from '../../../src/platform/health.js';
import { withLock } from '../../../src/platform/lock.js';
import { freePorts, isFree } from '../../../src/platform/ports.js';
import { endGroup } from '../../../src/platform/process.js';
import { readLeftOut } from '../../../src/platform/left-out.js';
import { livingRecord, readRecord, writeRecord } from '../../../src/platform/record.js';
import type { ServiceDefinition } from '../../../src/platform/services/definition.js';
import { ensureSettings, type Settings } from '../../../src/platform/settings.js';
import { startPlatform, withoutServices } from '../../../src/platform/start.js';
import { startService } from '../../../src/platform/start-service.js';
import { adminLinkFile } from '../../../src/platform/services/dashboard.js';

let folder: string;
let settings: Settings;
const SERVER = `require('net').createServer().listen(Number(process.argv[1]), '127.0.0.1', () => console.log('up'))`;

/** A real program on a real port that counts as the S3 gateway. */
function service(script: string, more: Partial<ServiceDefinition> = {}): ServiceDefinition {
  return {
    name: 's3',
    title: 'Test service',
    required: true,
    ports: ['s3'],
    needs: [],
    startSeconds: 10,
    stopSeconds: 5,
    command: ({ ports }) => ({
      file: process.execPath,
      args: ['-e', script, String(ports.s3)],
      env: process.env,
    }),
    readyInLog: (log) => log.includes('up'),
    probe: () => Promise.resolve('fine'),
    ...more,
  };
}

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'datalab-start-'));
  const [s3] = await freePorts(1);
  settings = ensureSettings({ DATALAB_STATE_DIR: folder, DATALAB_S3_PORT: String(s3) });
});
afterEach(async () => {
  const record = readRecord(folder, 's3');
  if (record) await endGroup(record, 5);
  rmSync(folder, { recursive: true, force: true });
});

test('a second start finds the first', async () => {
  const first = await startService(service(SERVER), settings);
  expect(first.outcome).toBe('started');
  expect(await startService(service(SERVER), settings)).toEqual({ outcome: 'running', pid: first.pid });
});

test('a service from an older build is replaced', async () => {
  const first = await startService(service(SERVER, { version: () => 'one' }), settings);
  const second = await startService(service(SERVER, { version: () => 'two' }), settings);
  expect(second.outcome).toBe('started');
  expect(second.pid).not.toBe(first.pid);
});

test('a record whose process id belongs to another program now is not believed', async () => {
  const { pid } = await startService(service(SERVER), settings);
  const record = livingRecord(folder, 's3');
  if (!record) throw new Error('no record');
  await endGroup(record, 5);
  writeRecord(folder, 's3', { ...record, pid: process.pid });
  const again = await startService(service(SERVER), settings);
  expect(again.outcome).toBe('started');
  expect([pid, process.pid]).not.toContain(again.pid);
});

test('a broken record counts as none', async () => {
  mkdirSync(path.join(folder, 'run'), { recursive: true });
  writeFileSync(path.join(folder, 'run', 's3.json'), '{"pid": 1');
  expect(livingRecord(folder, 's3')).toBeUndefined();
  expect((await startService(service(SERVER), settings)).outcome).toBe('started');
});

test('a port that is held by what is left of a killed service is taken back', async () => {
  const listen = `require('net').createServer().listen(${settings.ports.s3}, '127.0.0.1', () => console.log('up'))`;
  const script = `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(listen)}], { stdio: 'inherit' })`;
  const { pid } = await startService(service(script), settings);
  await expect.poll(() => isFree(settings.ports.s3)).toBe(false);
  process.kill(pid, 'SIGKILL');
  await expect.poll(() => livingRecord(folder, 's3')).toBeUndefined();
  const again = await startService(service(SERVER), settings);
  expect(again.outcome).toBe('started');
  expect(again.pid).not.toBe(pid);
});

test('a service that was ending when it was found is started anew', async () => {
  const { pid } = await startService(service(SERVER), settings);
  const probe = async (): Promise<string> => {
    if (livingRecord(folder, 's3')?.pid !== pid) return 'fine';
    process.kill(pid, 'SIGKILL');
    throw new Error('no answer');
  };
  const again = await startService(service(SERVER, { probe }), settings);
  expect(again.outcome).toBe('started');
  expect(again.pid).not.toBe(pid);
});

test('a taken port is named with its holder and the variable that moves it', async () => {
  const other = createServer().listen(settings.ports.s3, '127.0.0.1');
  await once(other, 'listening');
  const error = await startService(service(SERVER), settings).catch((reason: unknown) => reason);
  other.close();
  expect(error).toBeInstanceOf(DatalabError);
  expect(error).toMatchObject({ code: 'PORT_TAKEN' });
  expect((error as Error).message).toMatch(
    new RegExp(`port ${settings.ports.s3}, wanted by Test service, .*pid ${process.pid}.*DATALAB_S3_PORT`),
  );
});

test('a service that ends at once is reported with what it said', async () => {
  const started = startService(service(`console.log('no licence'); process.exit(3)`), settings);
  await expect(started).rejects.toThrow(/Test service: it ended before it was ready.*\n\s+no licence/s);
  expect(livingRecord(folder, 's3')).toBeUndefined();
});

test('a service that never answers is ended again', async () => {
  const deaf = service(SERVER, { startSeconds: 0.5, probe: () => Promise.reject(new Error('silence')) });
  await expect(startService(deaf, settings)).rejects.toThrow(/no answer within 0.5 s: silence/);
  expect(livingRecord(folder, 's3')).toBeUndefined();
});

test('a program that is not there is said to be so', async () => {
  const absent = service('', { command: () => ({ file: path.join(folder, 'none'), args: [], env: {} }) });
  await expect(startService(absent, settings)).rejects.toMatchObject({ code: 'SERVICE_FAILED' });
});

test('a service that can be helped is started once more, and only once', async () => {
  const flag = path.join(folder, 'flag');
  const script = `require('fs').existsSync(${JSON.stringify(flag)}) ? ${SERVER} : (console.log('xattr'), process.exit(1))`;
  let helped = 0;
  const recover = (_: Settings, log: string): boolean => {
    helped++;
    writeFileSync(flag, '');
    return log.includes('xattr');
  };
  expect((await startService(service(script, { recover }), settings)).outcome).toBe('started');
  expect(helped).toBe(1);
});

test('two starts of one folder follow each other; a dead holder is passed over', async () => {
  const order: string[] = [];
  const hold = (name: string) =>
    withLock(folder, 10, async () => {
      order.push(`${name} in`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      order.push(`${name} out`);
    });
  await Promise.all([hold('a'), hold('b'), hold('c')]);
  for (let i = 0; i < order.length; i += 2) expect(order[i + 1]).toBe(order[i]?.replace('in', 'out'));
  writeFileSync(path.join(folder, 'run', 'lock'), JSON.stringify({ pid: 1, startTicks: -1, bootId: 'old' }));
  expect(await withLock(folder, 1, () => Promise.resolve('through'))).toBe('through');
  writeFileSync(path.join(folder, 'run', 'lock'), '');
  expect(await withLock(folder, 1, () => Promise.resolve('through'))).toBe('through');
});

test('without its tools a platform says what is off, and Temporal is indispensable', async () => {
  const env = { DATALAB_STATE_DIR: folder, DATALAB_CACHE_DIR: path.join(folder, 'no-tools'), PATH: '' };
  const { settings: after, outcomes } = await startPlatform(env, { without: ['worker', 'dashboard'] });
  expect(outcomes.map(({ service: name, outcome }) => [name, outcome])).toEqual([
    ['temporal', 'failed'],
    ['s3', 'left out'],
    ['kafka', 'left out'],
    ['mlflow', 'left out'],
    ['model-server', 'left out'],
  ]);
  expect(outcomes[0]?.detail).toMatch(/temporal is neither on PATH nor in .*infra\/prepare\/temporal\.sh/);
  expect(after.env).toMatchObject({
    DATALAB_LAKE_URI: `file://${folder}/data/lake`,
    DATALAB_KAFKA_ENABLED: 'false',
    DATALAB_MLFLOW_ENABLED: 'false',
  });
  const { services } = await checkHealth(after);
  expect(services.map(({ service: name, state }) => [name, state])).toEqual([
    ['temporal', 'down'],
    ['s3', 'off'],
    ['kafka', 'off'],
    ['mlflow', 'off'],
    ['worker', 'down'],
    ['model-server', 'off'],
    ['dashboard', 'down'],
  ]);
  expect(services[2]?.detail).toMatch(/install Java 17/);
});

test('what the preparation said of a tool is what start and health say', async () => {
  const env = { DATALAB_STATE_DIR: folder, DATALAB_CACHE_DIR: path.join(folder, 'no-tools'), PATH: '' };
  writeFileSync(path.join(folder, 'run', 'prepare-mlflow.txt'), 'MLflow: off, because it rains. Wait.\n');
  const { settings: after, outcomes } = await startPlatform(env, { only: ['mlflow'] });
  expect(outcomes).toMatchObject([{ outcome: 'left out', detail: 'it rains. Wait.' }]);
  const { services } = await checkHealth(after);
  expect(services.find(({ service: name }) => name === 'mlflow')?.detail).toBe('it rains. Wait.');
});

test('what the configuration switches off is not started, also where its tool is there', async () => {
  const env = {
    DATALAB_STATE_DIR: folder,
    DATALAB_KAFKA_ENABLED: 'false',
    DATALAB_MLFLOW_ENABLED: 'false',
    PATH: process.env['PATH'],
  };
  const { outcomes } = await startPlatform(env, { only: ['kafka', 'mlflow'] });
  expect(outcomes.map(({ outcome, detail }) => `${outcome}: ${detail}`)).toEqual([
    'left out: switched off by kafka.enabled; events stay pending',
    'left out: switched off by mlflow.enabled; no model is trained',
  ]);
  expect(livingRecord(folder, 'kafka')).toBeUndefined();
});

test('a lake that was begun in a folder stays there when the gateway can be had later', () => {
  expect(ensureSettings({ DATALAB_STATE_DIR: folder }).env['DATALAB_LAKE_URI']).toBe('s3://datalab/lake');
  mkdirSync(path.join(folder, 'data', 'lake', 'bronze'), { recursive: true });
  expect(ensureSettings({ DATALAB_STATE_DIR: folder }).env['DATALAB_LAKE_URI']).toBe(
    `file://${folder}/data/lake`,
  );
  mkdirSync(path.join(folder, 'data', 's3', 'datalab', 'lake'), { recursive: true });
  expect(ensureSettings({ DATALAB_STATE_DIR: folder }).env['DATALAB_LAKE_URI']).toBe('s3://datalab/lake');
});

test('the command line is told where the dashboard of the platform keeps its users', () => {
  const made = ensureSettings({ DATALAB_STATE_DIR: folder });
  expect(made.env['DATALAB_DASHBOARD_DIRECTORY']).toBe(path.dirname(adminLinkFile(made)));
});

test('a lake in the gateway is not exchanged for an empty folder', () => {
  mkdirSync(path.join(folder, 'data', 's3', 'datalab', 'lake'), { recursive: true });
  expect(() => withoutServices(settings, new Set(['s3']))).toThrow(/cannot do without the gateway/);
});

test('what an earlier start did without stays so when other services are started again', async () => {
  const env = { ...process.env, DATALAB_STATE_DIR: folder };
  await startPlatform(env, { only: [], without: ['kafka', 'mlflow'] });
  expect(Object.keys(readLeftOut(folder)).sort()).toEqual(['kafka', 'mlflow']);
  const { settings: again } = await startPlatform(env, { only: [] });
  expect(Object.keys(readLeftOut(folder)).sort()).toEqual(['kafka', 'mlflow']);
  expect(again.env).toMatchObject({ DATALAB_KAFKA_ENABLED: 'false', DATALAB_MLFLOW_ENABLED: 'false' });
});
