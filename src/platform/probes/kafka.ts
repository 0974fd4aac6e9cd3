/** Asks a Kafka broker in its own protocol. */
import { Kafka, logLevel, type Admin } from 'kafkajs';

const TIMEOUT_MS = 3000;

/** Cluster and topic metadata. Missing topics are named in the answer. Throws when the broker does not answer. */
export async function probeKafka(broker: string, topics: readonly string[]): Promise<string> {
  return withAdmin(broker, async (admin) => {
    const { brokers, controller } = await admin.describeCluster();
    if (brokers.length === 0 || controller === null) throw new Error('the cluster has no controller yet');
    const there = new Set(await admin.listTopics());
    const missing = topics.filter((topic) => !there.has(topic));
    const note = missing.length > 0 ? `, missing: ${missing.join(', ')}` : '';
    return `${brokers.length} broker, ${there.size} topics${note}`;
  });
}

/** Creates those of the topics that are not there, and waits until each has a leader. */
export async function createTopics(broker: string, topics: readonly string[]): Promise<void> {
  await withAdmin(broker, async (admin) => {
    const there = new Set(await admin.listTopics());
    const missing = topics.filter((topic) => !there.has(topic));
    if (missing.length === 0) return;
    await admin.createTopics({
      topics: missing.map((topic) => ({ topic, numPartitions: 1, replicationFactor: 1 })),
      waitForLeaders: true,
      timeout: 10_000,
    });
  });
}

async function withAdmin<T>(broker: string, work: (admin: Admin) => Promise<T>): Promise<T> {
  const kafka = new Kafka({
    clientId: 'datalab-platform',
    brokers: [broker],
    logLevel: logLevel.NOTHING,
    connectionTimeout: TIMEOUT_MS,
    requestTimeout: TIMEOUT_MS,
    retry: { retries: 0 },
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
