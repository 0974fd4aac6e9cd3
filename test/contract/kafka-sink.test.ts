/** The event sink on the real broker. */
import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kafkaSink, type KafkaSink } from '../../src/connectors/kafka.js';
import type { EventEnvelope } from '../../src/contracts/events.js';
import { testStack, type TestStack } from '../support/stack.js';
import { eventsOn } from '../support/topic.js';

function event(id: string, padding = ''): EventEnvelope<{ padding: string }> {
  return {
    specversion: '1.0',
    id,
    source: 'test',
    type: 'test',
    subject: 'subject',
    time: new Date(0).toISOString(),
    datacontenttype: 'application/json',
    data: { padding },
  };
}

describe('the Kafka sink', () => {
  const topic = `sink-${randomUUID()}`;
  let stack: TestStack;
  let sink: KafkaSink;

  beforeAll(async () => {
    stack = await testStack('kafka');
    sink = kafkaSink({ brokers: stack.kafka.brokers, clientId: 'test' });
    const admin = new Kafka({ brokers: [...stack.kafka.brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
    await admin.disconnect();
  });
  afterAll(() => sink?.close());

  it('sends a backlog that is larger than one request may be, in order', async () => {
    const ids = Array.from({ length: 3000 }, (_, index) => `event-${index}`);
    await sink.send(
      topic,
      ids.map((id) => event(id, 'x'.repeat(1000))),
    );
    expect((await eventsOn(stack.kafka.brokers, topic)).map(({ id }) => id)).toEqual(ids);
  });

  it('says so when a topic is not there, instead of making it', async () => {
    await expect(sink.send(`nowhere-${randomUUID()}`, [event('a')])).rejects.toMatchObject({
      code: 'EVENTS_UNAVAILABLE',
    });
  });

  it('says so when nobody listens, and connects again later', async () => {
    const away = kafkaSink({ brokers: ['127.0.0.1:9'], clientId: 'test', timeoutMs: 1000 });
    await expect(away.send(topic, [event('a')])).rejects.toMatchObject({ code: 'EVENTS_UNAVAILABLE' });
    await expect(away.send(topic, [event('a')])).rejects.toMatchObject({ code: 'EVENTS_UNAVAILABLE' });
    await away.close();
  });
});
