/** The platform through its own command line: what is kept over a stop, a crash and a second start. */
import { execFile } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Connection } from '@temporalio/client';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  createEphemeral,
  destroyEphemeral,
  type EphemeralEnvironment,
} from '../../src/platform/ephemeral.js';
import { PROJECT_ROOT, readSettings, type Settings } from '../../src/platform/settings.js';
import { s3Access } from '../../src/platform/services/s3.js';

const MAIN = path.join(PROJECT_ROOT, 'dist', 'platform', 'main.js');
let env: EphemeralEnvironment;
let settings: Settings;

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of the platform on this test's own state folder. */
async function manage(...args: string[]): Promise<Answer> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [MAIN, ...args], {
      env: { ...process.env, ...env },
    });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as Answer;
    return { code, stdout, stderr };
  }
}

const states = async (): Promise<Record<string, string>> => {
  const { services } = JSON.parse((await manage('health', '--json')).stdout) as {
    services: { service: string; state: string }[];
  };
  return Object.fromEntries(services.map(({ service, state }) => [service, state]));
};

async function withS3<T>(work: (client: S3Client, bucket: string) => Promise<T>): Promise<T> {
  const { endpoint, region, accessKeyId, secretAccessKey, bucket } = s3Access(settings);
  const credentials = { accessKeyId, secretAccessKey };
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  try {
    return await work(client, bucket);
  } finally {
    client.destroy();
  }
}

async function kafkaOffset(produce: string | undefined): Promise<string | undefined> {
  const broker = `127.0.0.1:${settings.ports.kafka}`;
  const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING });
  const [producer, admin] = [kafka.producer(), kafka.admin()];
  try {
    await Promise.all([producer.connect(), admin.connect()]);
    if (produce) await producer.send({ topic: 'datalab-events', messages: [{ value: produce }], acks: -1 });
    return (await admin.fetchTopicOffsets('datalab-events'))[0]?.high;
  } finally {
    await Promise.all([producer.disconnect(), admin.disconnect()]);
  }
}

beforeAll(async () => {
  env = await createEphemeral();
});
afterAll(async () => {
  await destroyEphemeral(env);
});

test('start, use, stop, start: everything is still there', async () => {
  const first = await manage('start', '--without', 'worker,mlflow,dashboard');
  expect(first).toMatchObject({ code: 0 });
  expect(first.stdout.match(/^started/gm)).toHaveLength(3);
  settings = readSettings({ ...process.env, ...env });
  await withS3((client, Bucket) => client.send(new PutObjectCommand({ Bucket, Key: 'a/b', Body: 'kept' })));
  expect(await kafkaOffset('kept')).toBe('1');
  const connection = await Connection.connect({ address: `127.0.0.1:${settings.ports.temporal}` });
  await connection.workflowService.startWorkflowExecution({
    namespace: 'default',
    workflowId: 'kept',
    requestId: 'kept',
    workflowType: { name: 'nobody' },
    taskQueue: { name: 'nobody' },
  });
  await connection.close();

  const again = await manage('start', '--without', 'worker,mlflow,dashboard');
  expect(again).toMatchObject({ code: 0 });
  expect(again.stdout.match(/^running/gm)).toHaveLength(3);
  expect(await states()).toEqual({
    temporal: 'up',
    s3: 'up',
    kafka: 'up',
    mlflow: 'off',
    'model-server': 'off',
    dashboard: 'down',
    worker: 'down',
  });
  expect((await manage('health')).code).toBe(1);

  const stopped = await manage('stop');
  expect(stopped.stdout.match(/^stopped/gm)).toHaveLength(3);
  expect((await manage('stop')).stdout).toBe('nothing was running\n');
  expect(await states()).toEqual({
    temporal: 'down',
    s3: 'down',
    kafka: 'down',
    mlflow: 'off',
    'model-server': 'off',
    dashboard: 'down',
    worker: 'down',
  });

  expect(await manage('start', '--without', 'worker,mlflow,dashboard')).toMatchObject({ code: 0 });
  const kept = await withS3((client, Bucket) => client.send(new GetObjectCommand({ Bucket, Key: 'a/b' })));
  expect(await kept.Body?.transformToString()).toBe('kept');
  expect(await kafkaOffset(undefined)).toBe('1');
  const later = await Connection.connect({ address: `127.0.0.1:${settings.ports.temporal}` });
  const { workflowExecutionInfo } = await later.workflowService.describeWorkflowExecution({
    namespace: 'default',
    execution: { workflowId: 'kept' },
  });
  await later.close();
  expect(workflowExecutionInfo?.type?.name).toBe('nobody');
});

test('a service that was killed is seen as down and comes back with its data', async () => {
  const { pid } = JSON.parse(readFileSync(path.join(settings.stateDir, 'run', 'kafka.json'), 'utf8')) as {
    pid: number;
  };
  process.kill(pid, 'SIGKILL');
  await expect.poll(async () => (await states())['kafka']).toBe('down');
  const { stdout, code } = await manage('start', '--without', 'worker,mlflow,dashboard');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^started {5}Kafka/m);
  expect(await kafkaOffset('after the crash')).toBe('2');
});

test('moved ports take the data along', async () => {
  const other = await createEphemeral();
  rmSync(other['DATALAB_STATE_DIR'] ?? '', { recursive: true });
  env = { ...other, DATALAB_STATE_DIR: settings.stateDir };
  expect(await manage('start', '--without', 'worker,mlflow,dashboard')).toMatchObject({ code: 0 });
  settings = readSettings({ ...process.env, ...env });
  expect(await kafkaOffset(undefined)).toBe('2');
  const kept = await withS3((client, Bucket) => client.send(new GetObjectCommand({ Bucket, Key: 'a/b' })));
  expect(await kept.Body?.transformToString()).toBe('kept');
});

test('urls, status, credentials and logs answer; a wrong name is refused by name', async () => {
  expect(JSON.parse((await manage('urls', '--json')).stdout)).toMatchObject({
    Kafka: `127.0.0.1:${settings.ports.kafka}`,
    'Temporal Web UI': `http://127.0.0.1:${settings.ports.temporalUi}`,
  });
  expect((await manage('status')).stdout).toMatch(/^Kafka +running +\d+/m);
  const secret = settings.env['AWS_SECRET_ACCESS_KEY'] as string;
  expect((await manage('credentials')).stdout).toContain(`AWS_SECRET_ACCESS_KEY=${secret}\n`);
  expect((await manage('logs', 'temporal', '-n', '5')).code).toBe(0);
  expect(await manage('logs', 'redis')).toMatchObject({ code: 2, stderr: expect.stringContaining('redis') });
  for (const file of ['temporal', 's3', 'kafka'])
    expect(readFileSync(path.join(settings.stateDir, 'logs', `${file}.log`), 'utf8')).not.toContain(secret);
});

test('clean asks, and deletes only when it is told to', async () => {
  expect(await manage('clean')).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
  expect((await states())['s3']).toBe('up');
  expect((await manage('clean', '--yes')).stdout).toMatch(/^deleted .*data$/m);
  expect(await states()).toEqual({
    temporal: 'down',
    s3: 'down',
    kafka: 'down',
    mlflow: 'down',
    'model-server': 'down',
    dashboard: 'down',
    worker: 'down',
  });
  expect((await manage('clean', '--yes')).stdout).toMatch(/nothing to delete/);
});
