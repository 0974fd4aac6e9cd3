/**
 * What monitoring measures of Kafka, on a cluster of two real brokers of this test's own: the platform's, which is the
 * controller too, and a second one beside it that is stopped and started.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { setTimeout as pause } from 'node:timers/promises';
import { Kafka, logLevel, type Admin, type Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { measureKafka, type KafkaSample } from '../../src/connectors/probes/kafka.js';
import { DEFAULT_RULES, judge } from '../../src/monitoring/index.js';
import { createEphemeral, destroyEphemeral } from '../../src/platform/ephemeral.js';
import { freePorts } from '../../src/platform/ports.js';
import { kafkaService, serverProperties } from '../../src/platform/services/kafka.js';
import { readSettings, type Settings } from '../../src/platform/settings.js';
import { startPlatform } from '../../src/platform/start.js';
import { stopPlatform } from '../../src/platform/stop.js';

const MINUTE = 60_000;

describe('the probe of Kafka', () => {
  let ephemeral: Readonly<Record<string, string>>;
  let settings: Settings;
  let first: string;
  let second: string;
  let other: ChildProcess | undefined;
  let admin: Admin;
  let producer: Producer;

  beforeAll(async () => {
    ephemeral = await createEphemeral();
    ({ settings } = await startPlatform({ ...process.env, ...ephemeral }, { only: ['kafka'] }));
    settings = readSettings({ ...process.env, ...ephemeral });
    first = `127.0.0.1:${settings.ports.kafka}`;
    second = `127.0.0.1:${(await freePorts(1))[0]}`;
    await prepareSecond();
    const kafka = new Kafka({ brokers: [first], logLevel: logLevel.NOTHING });
    admin = kafka.admin();
    producer = kafka.producer();
    await Promise.all([admin.connect(), producer.connect()]);
  }, 180_000);
  afterAll(async () => {
    await Promise.all([admin?.disconnect(), producer?.disconnect()]);
    await stopSecond();
    await destroyEphemeral(ephemeral ?? {});
  }, 60_000);

  const folder = (): string => path.join(settings.stateDir, 'data', 'kafka-2');

  /** A broker that is no controller, of the same cluster. */
  async function prepareSecond(): Promise<void> {
    const log = path.join(folder(), 'log');
    const changed: Readonly<Record<string, string>> = {
      ...{ 'process.roles': 'broker', 'node.id': '2' },
      ...{ listeners: `PLAINTEXT://${second}`, 'advertised.listeners': `PLAINTEXT://${second}` },
    };
    const lines = serverProperties(settings, log)
      .split('\n')
      .filter((line) => !(line.split('=')[0]! in changed));
    mkdirSync(folder(), { recursive: true });
    const file = path.join(folder(), 'server.properties');
    writeFileSync(
      file,
      [...lines, ...Object.entries(changed).map(([key, value]) => `${key}=${value}`)].join('\n'),
    );
    const meta = readFileSync(
      path.join(settings.stateDir, 'data', 'kafka', 'log', 'meta.properties'),
      'utf8',
    );
    const cluster = /^cluster\.id=(.*)$/m.exec(meta)?.[1] ?? '';
    await promisify(execFile)(
      javaOf(),
      javaArguments('kafka.tools.StorageTool', 'format', '-t', cluster, '-c', file),
    );
  }

  const javaOf = (): string => kafkaService.command(settings).file;
  /** As the platform runs its own, up to the program. */
  function javaArguments(...program: string[]): string[] {
    const { args } = kafkaService.command(settings);
    return [...args.slice(0, args.indexOf('kafka.Kafka')), ...program];
  }

  async function startSecond(): Promise<void> {
    other = spawn(javaOf(), javaArguments('kafka.Kafka', path.join(folder(), 'server.properties')), {
      stdio: 'ignore',
    });
    await until(async () => (await admin.describeCluster()).brokers.length === 2);
  }

  async function stopSecond(): Promise<void> {
    if (!other) return;
    const ended = new Promise((resolve) => other?.once('exit', resolve));
    other.kill('SIGKILL');
    await ended;
    other = undefined;
  }

  async function until(what: () => Promise<boolean>): Promise<void> {
    while (!(await what().catch(() => false))) await pause(200);
  }

  const probe = (over: Partial<Parameters<typeof measureKafka>[0]> = {}) => ({
    ...{ brokers: [first], clientId: 'test', topics: ['datalab-events'], timeoutMs: 30_000, ...over },
  });
  const valueOf = ({ measurements }: KafkaSample, metric: string, name = ''): number | undefined =>
    measurements.find(
      (one) => one.metric === metric && (name === '' || Object.values(one.labels).includes(name)),
    )?.value;
  const alertsOf = ({ measurements }: KafkaSample): string[] =>
    judge(
      DEFAULT_RULES,
      measurements.map((one) => ({ ...one, source: 'kafka' })),
    ).findings.map(({ fingerprint }) => fingerprint);

  it('counts messages, their rate and the age of the newest', async () => {
    const topic = 'counted';
    await admin.createTopics({ topics: [{ topic, numPartitions: 3 }], waitForLeaders: true });
    const now = Date.now();
    const empty = await measureKafka(probe(), null, now);
    expect(valueOf(empty, 'kafka.brokers')).toBe(1);
    expect(valueOf(empty, 'kafka.controller')).toBe(1);
    expect(valueOf(empty, 'topic.present', 'datalab-events')).toBe(1);
    expect(valueOf(empty, 'topic.partitions', topic)).toBe(3);
    expect(valueOf(empty, 'topic.messages', topic)).toBe(0);
    expect(valueOf(empty, 'topic.newest_age_seconds', topic)).toBeUndefined();
    expect(valueOf(empty, 'topic.rate_per_minute', topic)).toBeUndefined();
    const written = now - 20 * MINUTE;
    await producer.send({
      topic,
      messages: Array.from({ length: 12 }, (_, index) => ({
        ...{ partition: index % 3, value: 'x', timestamp: String(written - index) },
      })),
    });
    const filled = await measureKafka(probe(), empty.memory, now + 4 * MINUTE);
    expect(valueOf(filled, 'topic.messages', topic)).toBe(12);
    expect(valueOf(filled, 'topic.rate_per_minute', topic)).toBe(3);
    const quiet = await measureKafka(probe(), filled.memory, now + 6 * MINUTE);
    expect(valueOf(quiet, 'topic.rate_per_minute', topic)).toBe(0);
    // Nobody knows more than that it came between two samples, unless the first one looks for it.
    const fresh = await measureKafka(probe(), null, now);
    expect(Math.abs((valueOf(fresh, 'topic.newest_age_seconds', topic) ?? 0) - 20 * 60)).toBeLessThan(15);
    expect(alertsOf(quiet)).toEqual([]);
  });

  it('says that a topic is missing', async () => {
    const sample = await measureKafka(probe({ topics: ['datalab-events', 'nowhere'] }), null, Date.now());
    expect(alertsOf(sample)).toEqual(['topic_missing{topic=nowhere}']);
  });

  it('tells a group that stalls from one that is idle and from one that catches up', async () => {
    const topics = ['busy', 'idle'];
    await admin.createTopics({ topics: topics.map((topic) => ({ topic })), waitForLeaders: true });
    const commit = (topic: string, offset: number) =>
      admin.setOffsets({
        groupId: `reads-${topic}`,
        topic,
        partitions: [{ partition: 0, offset: `${offset}` }],
      });
    const write = (count: number, timestamp: number) =>
      producer.send({
        topic: 'busy',
        messages: Array.from({ length: count }, () => ({ value: 'x', timestamp: String(timestamp) })),
      });
    const start = Date.now() - 60 * MINUTE;
    await write(2, start);
    await Promise.all([commit('busy', 2), commit('idle', 0)]);
    let memory: KafkaSample['memory'] | null = null;
    const growth: Array<number | undefined> = [];
    const alerts: string[][] = [];
    let sample: KafkaSample | undefined;
    for (let cycle = 0; cycle < 4; cycle++) {
      sample = await measureKafka(probe(), memory, start + cycle * 5 * MINUTE);
      memory = sample.memory;
      growth.push(valueOf(sample, 'consumer.lag_growing_samples', 'busy'));
      alerts.push(alertsOf(sample));
      await write(5, start + cycle * 5 * MINUTE + MINUTE);
    }
    expect(growth).toEqual([0, 1, 2, 3]);
    expect(alerts).toEqual([[], [], [], ['consumer_stalled{group=reads-busy,topic=busy}']]);
    expect(sample && valueOf(sample, 'consumer.lag', 'busy')).toBe(15);
    // The first message that it has not read came a minute after the start; now it is the fifteenth.
    expect(Math.abs((valueOf(sample!, 'consumer.lag_seconds', 'busy') ?? 0) - 14 * 60)).toBeLessThan(5);
    expect(valueOf(sample!, 'consumer.lag', 'idle')).toBe(0);
    expect(valueOf(sample!, 'consumer.lag_seconds', 'idle')).toBe(0);
    await commit('busy', 12);
    const caught = await measureKafka(probe(), memory, start + 20 * MINUTE);
    expect(valueOf(caught, 'consumer.lag', 'busy')).toBe(10);
    expect(alertsOf(caught)).toEqual([]);
  });

  it('says which partitions lack a replica or have no leader, while everything else goes on being measured', async () => {
    await startSecond();
    await admin.createTopics({
      topics: [
        {
          topic: 'far',
          replicaAssignment: [
            { partition: 0, replicas: [2] },
            { partition: 1, replicas: [1] },
          ],
        },
        { topic: 'both', replicaAssignment: [{ partition: 0, replicas: [1, 2] }] },
      ],
      waitForLeaders: true,
    });
    const well = await measureKafka(probe(), null, Date.now());
    expect(valueOf(well, 'kafka.brokers')).toBe(2);
    expect(alertsOf(well)).toEqual([]);
    expect(valueOf(well, 'topic.under_replicated', 'both')).toBe(0);
    await stopSecond();
    let broken = await measureKafka(probe(), well.memory, Date.now());
    // The controller waits some seconds for a broker that has gone.
    while (valueOf(broken, 'topic.offline_partitions', 'far') === 0)
      broken = await measureKafka(probe(), well.memory, Date.now());
    expect(valueOf(broken, 'topic.offline_partitions', 'far')).toBe(1);
    expect(valueOf(broken, 'topic.under_replicated', 'both')).toBe(1);
    expect(valueOf(broken, 'topic.offline_partitions', 'both')).toBe(0);
    expect(valueOf(broken, 'topic.messages', 'counted')).toBe(12);
    expect(valueOf(broken, 'consumer.lag', 'busy')).toBe(10);
    expect(alertsOf(broken)).toEqual(['partitions_offline{topic=far}']);
    await startSecond();
    await until(async () => alertsOf(await measureKafka(probe(), null, Date.now())).length === 0);
  });

  it('says that the controller is gone, of brokers that still answer', async () => {
    const { stateDir } = settings;
    await stopPlatform({ stateDir }, ['kafka']);
    const sample = await measureKafka(
      probe({ brokers: [first, second], topics: [], timeoutMs: 10_000 }),
      null,
      Date.now(),
    );
    expect(valueOf(sample, 'kafka.controller')).toBe(0);
    expect(alertsOf(sample)).toContain('kafka_controller_missing{}');
  });

  it('throws the reason where no broker answers', async () => {
    await stopSecond();
    await expect(measureKafka(probe({ brokers: [first, second] }), null, Date.now())).rejects.toThrow(
      /ECONNREFUSED/,
    );
  });
});
