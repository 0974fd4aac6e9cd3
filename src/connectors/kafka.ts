/** Kafka through kafkajs: one producer per process, connected at first use, acknowledged by all in-sync replicas. */
import { Kafka, logLevel, Partitioners, type Producer } from 'kafkajs';
import { DatalabError } from '../contracts/errors.js';
import type { EventEnvelope, EventSink } from '../contracts/events.js';
import type { LineageEvent } from '../contracts/lineage.js';

export interface KafkaOptions {
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** How long one request may take. A send tries three times before its events stay pending. */
  readonly timeoutMs?: number;
}

/** A sink that can be closed. */
export interface KafkaSink extends EventSink {
  close(): Promise<void>;
}

/** Structured-mode CloudEvents, keyed by subject so that the events of one table stay in order. */
export function kafkaSink(options: KafkaOptions): KafkaSink {
  const timeoutMs = options.timeoutMs ?? 5000;
  const kafka = new Kafka({
    clientId: options.clientId,
    brokers: [...options.brokers],
    logLevel: logLevel.NOTHING,
    connectionTimeout: Math.min(2000, timeoutMs),
    requestTimeout: timeoutMs,
    // A run does not wait for a broker that is down: the events stay in the tables and the next relay sends them.
    retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 500 },
  });
  let connecting: Promise<Producer> | undefined;

  const producer = (): Promise<Producer> => {
    connecting ??= (async () => {
      const fresh = kafka.producer({
        createPartitioner: Partitioners.DefaultPartitioner,
        allowAutoTopicCreation: false,
      });
      await fresh.connect();
      return fresh;
    })();
    return connecting;
  };
  const forget = async (): Promise<void> => {
    const broken = connecting;
    connecting = undefined;
    await broken?.then((old) => old.disconnect()).catch(() => undefined);
  };

  const sendAll = async (topic: string, all: readonly Message[]): Promise<void> => {
    if (all.length === 0) return;
    try {
      const open = await producer();
      for (const messages of batches(all)) {
        await open.send({ topic, acks: -1, timeout: timeoutMs, messages });
      }
    } catch (error) {
      await forget();
      const reason = error instanceof Error ? error.message : String(error);
      throw new DatalabError(
        'EVENTS_UNAVAILABLE',
        `Kafka at ${options.brokers.join(', ')} did not take ${all.length} event(s) for topic ${topic}: ${reason}`,
        { cause: error },
      );
    }
  };

  return {
    send: (topic, events) => sendAll(topic, events.map(toMessage)),
    sendLineage: (topic, events) => sendAll(topic, events.map(toLineageMessage)),
    close: forget,
  };
}

interface Message {
  readonly key: string;
  readonly value: string;
  readonly headers: Record<string, string>;
}

function toMessage(event: EventEnvelope<unknown>): Message {
  return {
    key: event.subject,
    value: JSON.stringify(event),
    headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8' },
  };
}

/** Keyed by job, so that the start of a run comes before its end. */
function toLineageMessage(event: LineageEvent): Message {
  return {
    key: `${event.job.namespace}/${event.job.name}`,
    value: JSON.stringify(event),
    headers: { 'content-type': 'application/json; charset=UTF-8' },
  };
}

/** A broker refuses a request of more than 1 MiB by default, however small the messages in it. */
const BATCH_BYTES_MAX = 512 * 1024;

function batches(messages: readonly Message[]): Message[][] {
  const all: Message[][] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = Buffer.byteLength(message.value);
    if (all.length === 0 || bytes + size > BATCH_BYTES_MAX) {
      all.push([]);
      bytes = 0;
    }
    all.at(-1)?.push(message);
    bytes += size;
  }
  return all;
}
