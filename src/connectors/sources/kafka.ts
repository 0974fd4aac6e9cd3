/**
 * Sources in Kafka: each partition of a topic, read from one offset to another into a file of JSON lines. A line for every
 * offset, so that a row's line tells its offset.
 */
import { createHash, randomUUID } from 'node:crypto';
import { open, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { Kafka, logLevel, type Admin, type RetryOptions } from 'kafkajs';
import { DatalabError } from '../../contracts/errors.js';
import type { LocalSource, OffsetRange, SourceObject } from '../../contracts/sources.js';
import { whenCoordinatorIsReady } from './coordinator.js';
import { OffsetLines } from './offset-lines.js';
import { byPath } from './order.js';

export interface KafkaSourceOptions {
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** How long one request may take, and how long a partition may give nothing that it should have. */
  readonly timeoutMs?: number;
}

/**
 * The partitions of `kafka://topic`, each with its earliest offset and the one after its latest. Throws SOURCE_NOT_FOUND
 * where there is no such topic (none is made), SOURCE_UNREACHABLE where no broker answers.
 */
export async function listKafka(options: KafkaSourceOptions, location: string): Promise<SourceObject[]> {
  const topic = location.slice('kafka://'.length);
  return withAdmin(options, location, async (admin) => {
    await admin.fetchTopicMetadata({ topics: [topic] });
    const { clusterId } = await admin.describeCluster();
    const partitions = await admin.fetchTopicOffsets(topic);
    return byPath(
      partitions.map(({ partition, low, high }) => ({
        path: `kafka://${topic}/${partition}`,
        sizeBytes: 0,
        modifiedMs: 0,
        offsets: { clusterId, topic, partition, from: Number(low), to: Number(high) },
      })),
    );
  });
}

/**
 * Reads exactly the source's offsets into a file in `directory`. Throws SOURCE_MESSAGES_LOST where Kafka deletes some of
 * them before they are read, SOURCE_UNREACHABLE where they do not come.
 */
export async function downloadKafka(
  options: KafkaSourceOptions,
  source: SourceObject,
  directory: string,
  signal?: AbortSignal,
): Promise<LocalSource> {
  const { path: what, offsets } = source;
  if (!offsets) throw new DatalabError('SOURCE_NOT_FOUND', `${what} names no offsets`);
  const name = createHash('sha256').update(what).digest('hex').slice(0, 32);
  const localPath = path.join(directory, `${name}.source`);
  const lines = new OffsetLines(await open(localPath, 'w'), offsets);
  try {
    const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    await whenCoordinatorIsReady(timeoutMs, () => consume(options, what, offsets, lines, signal), signal);
    await lines.close();
    if (lines.firstGap !== undefined) await requireKept(options, what, offsets, lines.firstGap);
  } catch (error) {
    await lines.close();
    await rm(localPath, { force: true });
    throw error;
  }
  const { clusterId, topic, partition, from, to } = offsets;
  return {
    ...source,
    sizeBytes: (await stat(localPath)).size,
    localPath,
    sourceId: `kafka:${clusterId}/${topic}:${partition}@${from}-${to}`,
    contentHash: lines.hash(),
    lineShift: lines.lineShift,
  };
}

/** Reads with a consumer group of its own, which commits nothing: what was read is told by Bronze alone. */
async function consume(
  options: KafkaSourceOptions,
  what: string,
  { topic, partition }: OffsetRange,
  lines: OffsetLines,
  signal?: AbortSignal,
): Promise<void> {
  const groupId = `${options.clientId}-source-${randomUUID()}`;
  const consumer = clientOf(options, JOIN_RETRY).consumer({
    groupId,
    allowAutoTopicCreation: false,
    retry: { ...JOIN_RETRY, restartOnFailure: () => Promise.resolve(false) },
  });
  const watch = new Watch(options.timeoutMs ?? TIMEOUT_MS, lines, signal);
  consumer.on(consumer.events.CRASH, ({ payload }) => watch.fail(payload.error));
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
    // Offsets of transactions and their markers come as batches without messages, which are handed to nobody.
    if (payload.partition === partition) lines.passOver(Number(payload.lastOffset) + 1);
    watch.look();
  });
  try {
    await reach(what, async () => {
      await consumer.connect();
      // What comes before the seek takes effect is then older than what is wanted, and passed over.
      await consumer.subscribe({ topic, fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatch: async ({ batch, pause }) => {
          if (batch.partition !== partition || lines.isComplete) {
            pause();
            return;
          }
          for (const { offset, value } of batch.messages) lines.take(Number(offset), value);
          await lines.flush();
        },
      });
      // The client ends a group that it could not join without an error of its own.
      watch.requireAlive();
      consumer.seek({ topic, partition, offset: String(lines.next) });
      await watch.done;
    });
  } finally {
    watch.close();
    await consumer.disconnect().catch(() => undefined);
    // The broker forgets an empty group by itself some day; where it may not be deleted, that is soon enough.
    await withAdmin(options, what, (admin) => admin.deleteGroups([groupId])).catch(() => undefined);
  }
}

/** Settles when the lines are complete, nothing came for too long, or somebody gave up. */
class Watch {
  readonly done: Promise<void>;
  #settle!: { resolve: () => void; reject: (reason: unknown) => void };
  #timer: NodeJS.Timeout | undefined;
  #seen = -1;
  #failure: { readonly reason: unknown } | undefined;

  constructor(
    private readonly timeoutMs: number,
    private readonly lines: OffsetLines,
    private readonly signal?: AbortSignal,
  ) {
    this.done = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // It may fail before anybody waits for it.
    this.done.catch(() => undefined);
    signal?.addEventListener('abort', this.#abort);
    if (signal?.aborted) this.#abort();
    this.look();
  }

  look(): void {
    const { next, isComplete } = this.lines;
    if (isComplete) this.#settle.resolve();
    if (next === this.#seen) return;
    this.#seen = next;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.fail(new Error(`nothing came after offset ${next} for ${this.timeoutMs / 1000} s`)),
      this.timeoutMs,
    );
  }

  /** Throws what it failed with, where it did. */
  requireAlive(): void {
    if (this.#failure) throw this.#failure.reason;
  }

  fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#settle.reject(reason);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.signal?.removeEventListener('abort', this.#abort);
  }

  readonly #abort = (): void => this.fail(this.signal?.reason);
}

/**
 * An offset without a message is nothing where the log was compacted or a transaction ended there; where the partition now
 * begins after it, it was deleted.
 */
async function requireKept(
  options: KafkaSourceOptions,
  what: string,
  { topic, partition }: OffsetRange,
  gap: number,
): Promise<void> {
  const all = await withAdmin(options, what, (admin) => admin.fetchTopicOffsets(topic));
  const earliest = Number(all.find((each) => each.partition === partition)?.low ?? Infinity);
  if (earliest <= gap) return;
  throw new DatalabError(
    'SOURCE_MESSAGES_LOST',
    `${what}: offsets from ${gap} were deleted before they were read; it begins at ${earliest} now`,
  );
}

const TIMEOUT_MS = 30_000;
const RETRY = { retries: 3, initialRetryTime: 200, maxRetryTime: 2000 };
/** The first group on a new cluster waits until the broker has made the topic that groups are kept in. */
const JOIN_RETRY = { retries: 10, initialRetryTime: 200, maxRetryTime: 2000 };

function clientOf(
  { brokers, clientId, timeoutMs = TIMEOUT_MS }: KafkaSourceOptions,
  retry: RetryOptions = RETRY,
): Kafka {
  return new Kafka({
    clientId,
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    connectionTimeout: Math.min(3000, timeoutMs),
    requestTimeout: timeoutMs,
    retry,
  });
}

async function withAdmin<Result>(
  options: KafkaSourceOptions,
  what: string,
  work: (admin: Admin) => Promise<Result>,
): Promise<Result> {
  const admin = clientOf(options).admin();
  try {
    return await reach(what, async () => {
      await admin.connect();
      return work(admin);
    });
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

async function reach<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DatalabError || (error as Error).name === 'AbortError') throw error;
    const { message, type } = error as Error & { type?: string };
    if (type === 'UNKNOWN_TOPIC_OR_PARTITION' || type === 'INVALID_TOPIC_EXCEPTION')
      throw new DatalabError('SOURCE_NOT_FOUND', `${what}: there is no such topic`, { cause: error });
    throw new DatalabError('SOURCE_UNREACHABLE', `${what}: ${message}`, { cause: error });
  }
}
