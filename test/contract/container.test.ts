/** What the containers run beside the worker, against the real gateway, broker and server. */
import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { expect, test } from 'vitest';
import { parseConfig } from '../../src/config/config.js';
import { furnish, polls } from '../../src/platform/container.js';
import { probeS3 } from '../../src/platform/probes/s3.js';
import { testStack } from '../support/stack.js';

test('furnishing makes the bucket and the topics of the configuration, and can be repeated', async () => {
  const stack = await testStack('s3', 'kafka');
  const id = randomUUID();
  const topics = ['events', 'notifications', 'metrics', 'alerts', 'lineage'];
  const yaml = `kafka: { topics: { ${topics.map((topic) => `${topic}: ${topic}-${id}`).join(', ')} } }`;
  const config = parseConfig(yaml, { ...stack.env, DATALAB_LAKE_URI: `s3://bucket-${id}/lake` });
  for (let round = 0; round < 2; round++)
    expect(await furnish(config)).toEqual([
      `bucket bucket-${id} is there`,
      `topics ${topics.map((topic) => `${topic}-${id}`).join(', ')} are there`,
    ]);
  expect(await probeS3({ ...stack.s3, bucket: `bucket-${id}` })).toBe(`bucket bucket-${id} lists`);
  const admin = new Kafka({ brokers: [...stack.kafka.brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    expect((await admin.listTopics()).filter((topic) => topic.endsWith(id)).sort()).toEqual(
      topics.map((topic) => `${topic}-${id}`).sort(),
    );
  } finally {
    await admin.disconnect();
  }
});

test('a lake in a folder, without Kafka, needs nothing', async () => {
  const config = parseConfig('', { DATALAB_LAKE_URI: 'file:///nowhere', DATALAB_KAFKA_ENABLED: 'false' });
  expect(await furnish(config)).toEqual([]);
});

test('a pool that nobody serves is not well', async () => {
  const { env } = await testStack('temporal');
  await expect(polls(parseConfig('', env), 'etl')).rejects.toThrow('no worker polls datalab-etl');
});
