/** Reads what is on a Kafka topic now. */
import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import type { EventEnvelope } from '../../src/contracts/events.js';

/** Every CloudEvent on the topic up to its present end, in order within each partition. */
export function eventsOn<Data>(brokers: readonly string[], topic: string): Promise<EventEnvelope<Data>[]> {
  return messagesOn<EventEnvelope<Data>>(brokers, topic);
}

/** Every message on the topic up to its present end, as JSON. */
export async function messagesOn<Message>(brokers: readonly string[], topic: string): Promise<Message[]> {
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const ends = new Map(
    (await admin.fetchTopicOffsets(topic)).map(({ partition, high, low }) => [
      partition,
      { high: Number(high), low: Number(low) },
    ]),
  );
  await admin.disconnect();
  const wanted = [...ends.values()].reduce((sum, { high, low }) => sum + high - low, 0);
  if (wanted === 0) return [];
  const groupId = `test-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const events: Message[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      consumer
        .run({
          eachMessage: async ({ message }) => {
            events.push(JSON.parse(message.value?.toString() ?? 'null') as Message);
            if (events.length >= wanted) resolve();
          },
        })
        .catch(reject);
    });
    return events;
  } finally {
    await consumer.disconnect();
    // A group that nobody reads with any more would look like a consumer that falls behind.
    await admin.connect();
    await admin.deleteGroups([groupId]);
    await admin.disconnect();
  }
}

/** The events on the topic that the tables of one lake are the source of. */
export async function eventsFrom<Data>(
  brokers: readonly string[],
  topic: string,
  lakeUri: string,
): Promise<EventEnvelope<Data>[]> {
  const events = await eventsOn<Data>(brokers, topic);
  return events.filter(({ source }) => source.startsWith(lakeUri));
}
