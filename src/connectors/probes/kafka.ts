/** Measures a Kafka cluster: brokers, topics, partitions, ages, rates, and how far consumers are behind. */
import { Kafka, logLevel, type Admin } from 'kafkajs';
import { describeCluster, type Cluster, type Partition } from './kafka-cluster.js';
import type { Measurement } from '../../contracts/monitoring.js';
import type { KafkaMemory } from '../../contracts/probe-memory.js';

export interface KafkaProbe {
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Topics that must be there. */
  readonly topics: readonly string[];
  readonly timeoutMs: number;
}

export interface KafkaSample {
  readonly detail: string;
  readonly measurements: readonly Measurement[];
  readonly memory: KafkaMemory;
}

const PARALLEL = 8;
/** The library asks for the metadata of every topic that a connection was ever asked about, each time that one is new to it. */
const TOPICS_PER_CONNECTION = 50;
/** Ages are found by asking a dozen times or two, so a cycle looks for so many; what is left over comes in the next ones. */
const AGES_MAX = 100;
const DAY_MS = 24 * 3600_000;
/** Messages older than this are only said to be at least so old. */
const AGE_MS_MAX = 30 * DAY_MS;
const PRECISION_MS = 1000;

/** Throws the broker's own reason where it does not answer. */
export async function measureKafka(
  probe: KafkaProbe,
  before: KafkaMemory | null,
  nowMs: number,
): Promise<KafkaSample> {
  const cluster = await describeCluster(probe);
  const topics = await measureTopics(cluster, { probe, before, nowMs });
  const groups = await withAdmin(probe, async (admin) => {
    // Without a topic that it was asked about, the library asks about all of them, and fails where one has no leader.
    const [known] = topics.ends.keys();
    if (known !== undefined) await admin.fetchTopicOffsets(known);
    else if (cluster.topics.length > 0) return { measurements: [], memory: before?.lags ?? {}, count: 0 };
    return measureGroups(admin, { before, nowMs, ends: topics.ends });
  });
  const parts = [
    `${cluster.brokers} broker${cluster.brokers === 1 ? '' : 's'}`,
    `${cluster.topics.length} topics`,
    `${groups.count} consumer groups`,
    ...(topics.unmeasured > 0 ? [`${topics.unmeasured} topics not measured`] : []),
  ];
  return {
    detail: parts.join(', '),
    measurements: [
      figure('kafka.brokers', {}, cluster.brokers),
      figure('kafka.controller', {}, cluster.controller ? 1 : 0),
      ...topics.measurements,
      ...groups.measurements,
    ],
    memory: { at: nowMs, topics: topics.memory, lags: groups.memory },
  };
}

interface Partitioned {
  readonly partition: number;
  readonly low: number;
  readonly high: number;
}

/** The topics themselves: there or not, their partitions, and which of these are not as they should be. */
function describeTopics({ topics }: Cluster, wanted: readonly string[]): Measurement[] {
  return [
    ...wanted.map((topic) =>
      figure('topic.present', { topic }, topics.some(({ name }) => name === topic) ? 1 : 0),
    ),
    ...topics.flatMap(({ name: topic, partitions }) => [
      figure('topic.partitions', { topic }, partitions.length),
      figure('topic.offline_partitions', { topic }, partitions.filter(isOffline).length),
      figure(
        'topic.under_replicated',
        { topic },
        partitions.filter(({ inSync, replicas }) => inSync.length < replicas.length).length,
      ),
    ]),
  ];
}

const isOffline = ({ leader }: Partition): boolean => leader < 0;

async function measureTopics(
  cluster: Cluster,
  { probe, before, nowMs }: { probe: KafkaProbe; before: KafkaMemory | null; nowMs: number },
) {
  const measurements: Measurement[] = describeTopics(cluster, probe.topics);
  // Of a topic with a partition that nobody leads the library tells nothing.
  const there = cluster.topics.flatMap(({ name, partitions }) => (partitions.some(isOffline) ? [] : [name]));
  const ends = new Map<string, readonly Partitioned[]>();
  const unknown: unknown[] = [];
  const memory: Record<string, KafkaMemory['topics'][string]> = {};
  let ages = 0;
  const measure = async (own: Admin, topic: string): Promise<void> => {
    const partitions = (await own.fetchTopicOffsets(topic)).map(({ partition, low, high }) => ({
      partition,
      low: Number(low),
      high: Number(high),
    }));
    ends.set(topic, partitions);
    const end = partitions.reduce((sum, { high }) => sum + high, 0);
    const kept = partitions.reduce((sum, { low, high }) => sum + high - low, 0);
    const known = before?.topics[topic];
    const grown = known && end >= known.end ? end - known.end : undefined;
    const newestAt = async (): Promise<number | null> => {
      if (kept === 0) return null;
      if (grown === 0 && known?.newestAt) return known.newestAt;
      if (ages++ < AGES_MAX) return newestTime(own, topic, partitions, nowMs, grown ? before?.at : undefined);
      // What came since the last sample is at most as old as that.
      return grown && before ? before.at : null;
    };
    const newest = await newestAt();
    memory[topic] = { end, newestAt: newest };
    measurements.push(figure('topic.messages', { topic }, kept));
    if (newest !== null)
      measurements.push(figure('topic.newest_age_seconds', { topic }, Math.max(0, (nowMs - newest) / 1000)));
    if (grown !== undefined && before && nowMs > before.at)
      measurements.push(figure('topic.rate_per_minute', { topic }, (grown * 60_000) / (nowMs - before.at)));
  };
  const lanes = Array.from({ length: Math.ceil(there.length / TOPICS_PER_CONNECTION) }, (_, lane) =>
    there.slice(lane * TOPICS_PER_CONNECTION, (lane + 1) * TOPICS_PER_CONNECTION),
  );
  await inParallel(lanes, (topics) =>
    withAdmin(probe, (own) =>
      inParallel(topics, (topic) =>
        measure(own, topic).catch((error: unknown) => {
          // Deleted, or led by a broker that is away, since the cluster was described: the other topics stand.
          unknown.push(error);
          const known = before?.topics[topic];
          if (known) memory[topic] = known;
        }),
      ),
    ),
  );
  if (unknown.length > 0 && ends.size === 0) throw unknown[0];
  return { measurements, ends, memory, unmeasured: unknown.length };
}

/** By bisection over the broker's own index of times: it can say whether a message is at or after a moment. */
async function newestTime(
  admin: Admin,
  topic: string,
  ends: readonly Partitioned[],
  nowMs: number,
  sinceMs?: number,
): Promise<number> {
  let from = sinceMs === undefined ? nowMs - AGE_MS_MAX : sinceMs - 60_000;
  // The clock of whoever wrote may be ahead of ours.
  let to = nowMs + 60_000;
  // Of what is a day old nobody asks for the second.
  while (to - from > Math.max(PRECISION_MS, (nowMs - to) / 100)) {
    const middle = Math.floor((from + to) / 2);
    const found = await admin.fetchTopicOffsetsByTimestamp(topic, middle);
    const isAfter = found.some(({ partition, offset }) => {
      const end = ends.find((known) => known.partition === partition)?.high ?? 0;
      return Number(offset) >= 0 && Number(offset) < end;
    });
    if (isAfter) from = middle;
    else to = middle;
  }
  return Math.min(from, nowMs);
}

async function measureGroups(
  admin: Admin,
  {
    before,
    nowMs,
    ends,
  }: { before: KafkaMemory | null; nowMs: number; ends: ReadonlyMap<string, readonly Partitioned[]> },
) {
  const measurements: Measurement[] = [];
  const memory: Record<string, KafkaMemory['lags'][string]> = {};
  let ages = 0;
  /** Of what cannot be asked now, the last that is known: an alert is not over because a broker is away. */
  const keep = (error: unknown, wanted: (key: string) => boolean): void => {
    for (const [key, known] of Object.entries(before?.lags ?? {})) {
      const [group = '', topic = ''] = key.split(' ');
      if (!wanted(key) || key in memory) continue;
      memory[key] = known;
      const detail = `${known.lag} messages behind when it could last be asked (${(error as Error).message})`;
      measurements.push(figure('consumer.lag_growing_samples', { group, topic }, known.growing, detail));
    }
  };
  // Every broker is asked for its groups, also one that has gone and is not struck off yet.
  const { groups } = await admin.listGroups().catch((error: unknown) => {
    keep(error, () => true);
    return { groups: [] };
  });
  const consumers = groups.filter(({ protocolType }) => protocolType === 'consumer' || protocolType === '');
  const measure = async (group: string): Promise<void> => {
    for (const { topic, partitions } of await admin.fetchOffsets({ groupId: group })) {
      const behind = partitions.flatMap(({ partition, offset }) => {
        const at = ends.get(topic)?.find((known) => known.partition === partition);
        // -1: the group never committed there, so nothing says that it should have.
        if (!at || Number(offset) < 0) return [];
        const committed = Math.max(Number(offset), at.low);
        return [{ partition, committed, lag: Math.max(0, at.high - committed) }];
      });
      if (behind.length === 0) continue;
      const lag = behind.reduce((sum, one) => sum + one.lag, 0);
      const known = before?.lags[`${group} ${topic}`];
      const growing = known && lag > known.lag ? known.growing + 1 : 0;
      memory[`${group} ${topic}`] = { lag, growing };
      const labels = { group, topic };
      const worst = behind.reduce((most, one) => (one.lag > most.lag ? one : most));
      measurements.push(
        figure('consumer.lag', labels, lag),
        figure('consumer.lag_growing_samples', labels, growing, `${lag} messages behind`),
      );
      if (lag > 0 && ages++ >= AGES_MAX) continue;
      const since = lag === 0 ? nowMs : await timeOf(admin, topic, worst.partition, worst.committed, nowMs);
      measurements.push(figure('consumer.lag_seconds', labels, (nowMs - since) / 1000));
    }
  };
  await inParallel(consumers, ({ groupId }) =>
    measure(groupId).catch((error: unknown) => keep(error, (key) => key.startsWith(`${groupId} `))),
  );
  return { measurements, memory, count: consumers.length };
}

/** About when the message at an offset was written: the latest moment whose first message is at or before it. */
async function timeOf(
  admin: Admin,
  topic: string,
  partition: number,
  offset: number,
  nowMs: number,
): Promise<number> {
  let from = nowMs - AGE_MS_MAX;
  let to = nowMs;
  while (to - from > PRECISION_MS) {
    const middle = Math.floor((from + to) / 2);
    const found = await admin.fetchTopicOffsetsByTimestamp(topic, middle);
    const first = Number(found.find((one) => one.partition === partition)?.offset ?? -1);
    if (first >= 0 && first <= offset) from = middle;
    else to = middle;
  }
  return from;
}

function figure(metric: string, labels: Measurement['labels'], value: number, detail?: string): Measurement {
  return { metric, labels, value, ...(detail !== undefined && { detail }) };
}

async function inParallel<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const left = [...items];
  const lane = async (): Promise<void> => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL, items.length) }, lane));
}

async function withAdmin<T>(probe: KafkaProbe, work: (admin: Admin) => Promise<T>): Promise<T> {
  const kafka = new Kafka({
    clientId: `${probe.clientId}-monitoring`,
    brokers: [...probe.brokers],
    logLevel: logLevel.NOTHING,
    connectionTimeout: probe.timeoutMs,
    requestTimeout: probe.timeoutMs,
    retry: { retries: 1, initialRetryTime: 100, maxRetryTime: 300 },
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await work(admin);
  } catch (error) {
    // The library wraps the cause of a refused connection in a retry error without saying more.
    if (error instanceof Error && error.cause instanceof Error) throw error.cause;
    throw error;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
