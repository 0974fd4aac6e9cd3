/** One Kafka broker that is its own controller (KRaft), with a small heap. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { DatalabError } from '../../contracts/errors.js';
import { createTopics, probeKafka } from '../probes/kafka.js';
import { HOST, type Settings } from '../settings.js';
import { locateKafka } from '../tools.js';
import type { ServiceDefinition } from './definition.js';

/** Topics that exist from the first start; nothing else creates any. */
export const TOPICS = Object.freeze([
  'datalab-events',
  'datalab-notifications',
  'datalab-metrics',
  'datalab-alerts',
  'datalab-lineage',
]);

const folderOf = (settings: Settings): string => path.join(settings.stateDir, 'data', 'kafka');
const brokerOf = (settings: Settings): string => `${HOST}:${settings.ports.kafka}`;

/** The broker's configuration for these ports, keeping its log in `logDir`. */
export function serverProperties(settings: Settings, logDir: string): string {
  const controller = `${HOST}:${settings.ports.kafkaController}`;
  return Object.entries({
    'process.roles': 'broker,controller',
    'node.id': '1',
    // The static voter list is read at each start, so a moved controller port is no change of membership.
    'controller.quorum.voters': `1@${controller}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://${brokerOf(settings)},CONTROLLER://${controller}`,
    'advertised.listeners': `PLAINTEXT://${brokerOf(settings)}`,
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'log.dirs': logDir,
    'auto.create.topics.enable': 'false',
    'num.partitions': '1',
    'offsets.topic.num.partitions': '4',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    // What an idle broker does all day: it says twice a second that there is no news, and each of its threads looks three
    // times a second. A cluster of one has nobody to tell, and few clients.
    'metadata.max.idle.interval.ms': '10000',
    'num.network.threads': '1',
    'num.io.threads': '2',
    'background.threads': '2',
  })
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

/**
 * A new cluster's id: 16 random bytes in base64url, 22 characters.
 *
 * It never begins with a hyphen, as Kafka's own ids never do: one in 64 would, and every Kafka tool takes such an id
 * for an option and refuses it.
 */
export function newClusterId(random: (bytes: number) => Buffer = randomBytes): string {
  for (;;) {
    const id = random(16).toString('base64url');
    if (!id.startsWith('-')) return id;
  }
}

function java(settings: Settings, main: string, ...args: string[]): { file: string; args: string[] } {
  const { java: file, classPath } = locateKafka(settings);
  const log4j = path.join(settings.root, 'infra', 'kafka', 'log4j2.properties');
  const flags = [
    '-Xms64m',
    '-Xmx256m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-Djava.awt.headless=true',
  ];
  return { file, args: [...flags, `-Dlog4j2.configurationFile=${log4j}`, '-cp', classPath, main, ...args] };
}

/** Formats the storage once, in a folder that is renamed when it is complete. */
async function prepare(settings: Settings): Promise<void> {
  const folder = folderOf(settings);
  const log = path.join(folder, 'log');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'server.properties'), serverProperties(settings, log));
  if (existsSync(log)) return;
  const fresh = path.join(folder, 'log.new');
  rmSync(fresh, { recursive: true, force: true });
  writeFileSync(path.join(folder, 'format.properties'), serverProperties(settings, fresh));
  const { file, args } = java(
    settings,
    'kafka.tools.StorageTool',
    ...['format', '-t', newClusterId(), '-c', path.join(folder, 'format.properties')],
  );
  try {
    await promisify(execFile)(file, args, { env: { ...settings.processEnv } });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    const said = `${stdout ?? ''}${stderr ?? ''}`.trim().split('\n').at(-1) ?? (error as Error).message;
    throw new DatalabError('SERVICE_FAILED', `Kafka could not format ${folder}: ${said}`, { cause: error });
  }
  renameSync(fresh, log);
}

export const kafkaService: ServiceDefinition = {
  name: 'kafka',
  title: 'Kafka',
  required: true,
  ports: ['kafka', 'kafkaController'],
  needs: [],
  startSeconds: 60,
  stopSeconds: 20,
  command: (settings) => ({
    ...java(settings, 'kafka.Kafka', path.join(folderOf(settings), 'server.properties')),
    env: { ...settings.processEnv },
  }),
  prepare,
  probe: (settings) => probeKafka(brokerOf(settings), TOPICS),
  furnish: (settings) => createTopics(brokerOf(settings), TOPICS),
};
