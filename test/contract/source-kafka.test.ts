/** A topic of the real broker as a source, through the real activities. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { CompressionTypes, Kafka, logLevel, type Admin, type Producer } from 'kafkajs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openSources } from '../../src/connectors/sources/index.js';
import type { SourceReader } from '../../src/contracts/sources.js';
import { Lab } from '../activities/lab.js';
import { testStack } from '../support/stack.js';

const order = (id: number, amount = 1): string => JSON.stringify({ id, name: `n${id}`, amount });

describe('a Kafka topic as a source', () => {
  let brokers: readonly string[];
  let admin: Admin;
  let producer: Producer;
  let transactional: Producer;
  let sources: SourceReader;
  let topic: string;
  let lab: Lab;

  beforeAll(async () => {
    ({ brokers } = (await testStack('kafka')).kafka);
    const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
    admin = kafka.admin();
    producer = kafka.producer();
    transactional = kafka.producer({
      transactionalId: randomUUID(),
      idempotent: true,
      maxInFlightRequests: 1,
    });
    await Promise.all([admin.connect(), producer.connect(), transactional.connect()]);
    sources = openSources({ projectDirectory: '/', kafka: { brokers, clientId: 'test', timeoutMs: 20_000 } });
  });
  afterAll(() => Promise.all([admin?.disconnect(), producer?.disconnect(), transactional?.disconnect()]));

  beforeEach(async () => {
    topic = `orders-${randomUUID()}`;
    await admin.createTopics({ topics: [{ topic, numPartitions: 2 }], waitForLeaders: true });
    lab = new Lab({ deps: () => ({ sources }) });
    lab.edit(
      'dataset.yaml',
      lab
        .datasetText()
        .replace('location: in/*.csv, format: csv', `location: kafka://${topic}, format: jsonl`),
    );
  });
  afterEach(() => lab.close());

  const send = async (partition: number, ...values: Array<string | null>): Promise<void> => {
    await producer.send({
      topic,
      compression: CompressionTypes.GZIP,
      messages: values.map((value) => ({ partition, key: 'k', value })),
    });
  };
  /** What retention does, at once. */
  const deleteTo = async (offset: number): Promise<void> => {
    // The client deletes only where it knows the leader, which asking for the offsets tells it.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] });
  };
  const places = async (): Promise<string[]> => {
    const at = `_source_file || ':' || _source_line || ' ' || id`;
    const rows = await lab.rows<{ at: string }>('bronze/sales', `${at} AS at`);
    return rows.map((row) => row.at.replace(`kafka://${topic}/`, '')).sort();
  };
  const nextOffsets = async (): Promise<Array<[string, number]>> => {
    const { clusterId } = await admin.describeCluster();
    const { transactions } = await lab.table('bronze/sales').snapshot();
    return [...transactions.values()]
      .filter(({ appId }) => appId.startsWith(`datalab:kafka:${clusterId}/${topic}:`))
      .map(({ appId, version }): [string, number] => [appId.split(':').at(-1) ?? '', version])
      .sort();
  };

  it('gives each message once, over two runs', async () => {
    const many = Array.from({ length: 3000 }, (_, id) => order(id));
    await send(0, ...many);
    await send(1, order(5000), 'no json', null, '', ' ', '{"id": 5001,\n"name": "x", "amount": 2}');
    const first = await lab.run();
    expect(first.bronze?.ledger).toMatchObject({ read: 3006, accepted: 3002, quarantined: 4 });
    expect(await nextOffsets()).toEqual([
      ['0', 3000],
      ['1', 6],
    ]);
    expect(await lab.refused()).toEqual(['bronze 1:1', 'bronze 1:2', 'bronze 1:3', 'bronze 1:4']);

    await send(0, order(7, 70), order(6000));
    const second = await lab.run();
    expect(second.bronze?.ledger).toMatchObject({ read: 2, accepted: 2 });
    expect((await lab.run()).discovery).toMatchObject({ listed: 2, fresh: 0 });

    const all = await places();
    expect(all).toHaveLength(3004);
    expect(new Set(all.map((at) => at.split(' ')[0])).size).toBe(3004);
    expect(all).toEqual(expect.arrayContaining(['0:7 7', '0:2999 2999', '0:3000 7', '1:0 5000', '1:5 5001']));
    expect(await lab.rows('silver/sales', 'amount', 'WHERE id = 7')).toEqual([{ amount: 70 }]);
    expect(await lab.rows('silver/sales', 'count(*)::INTEGER AS n')).toEqual([{ n: 3003 }]);
    const { groups } = await admin.listGroups();
    expect(groups.filter(({ groupId }) => groupId.startsWith('test-source-'))).toEqual([]);
  });

  it('passes over transactions that were given up, and the markers of those that were not', async () => {
    for (const [id, end] of [
      [1, 'commit'],
      [2, 'abort'],
      [3, 'commit'],
      [4, 'abort'],
    ] as const) {
      const transaction = await transactional.transaction();
      await transaction.send({ topic, messages: [{ partition: 0, value: order(id) }] });
      await transaction[end]();
    }
    expect((await lab.run()).bronze?.ledger).toMatchObject({ read: 2, accepted: 2 });
    expect(await places()).toEqual(['0:0 1', '0:4 3']);
    expect(await nextOffsets()).toEqual([['0', 8]]);
  });

  it('fails where messages went that no run had read', async () => {
    await send(0, order(1), order(2));
    await lab.run();
    await send(0, order(3), order(4), order(5));
    await deleteTo(4);
    await expect(lab.do('discoverSources', lab.newRun())).rejects.toMatchObject({
      type: 'SOURCE_MESSAGES_LOST',
    });
    expect(await places()).toEqual(['0:0 1', '0:1 2']);
  });

  it('fails where they go between the listing and the reading', async () => {
    await send(0, order(1), order(2), order(3));
    const [listed] = await sources.list(`kafka://${topic}`);
    if (!listed) throw new Error('not listed');
    await deleteTo(1);
    await expect(sources.download(listed, lab.folder)).rejects.toMatchObject({
      code: 'SOURCE_MESSAGES_LOST',
      retry: false,
    });
  });

  it('fails where the topic was made anew', async () => {
    await send(0, order(1), order(2));
    await lab.run();
    await admin.deleteTopics({ topics: [topic] });
    await expect.poll(() => admin.listTopics(), { timeout: 20_000 }).not.toContain(topic);
    await admin.createTopics({ topics: [{ topic, numPartitions: 2 }], waitForLeaders: true });
    await send(0, order(9));
    await expect(lab.do('discoverSources', lab.newRun())).rejects.toMatchObject({
      type: 'SOURCE_TOPIC_RENEWED',
    });
  });

  it('reads a stretch in the middle, and gives it a name of its own', async () => {
    await send(0, ...[1, 2, 3, 4, 5].map((id) => order(id)));
    const [listed] = await sources.list(`kafka://${topic}`);
    if (!listed?.offsets) throw new Error('not listed');
    const range = (from: number, to: number): typeof listed => ({
      ...listed,
      offsets: { ...listed.offsets!, from, to },
    });
    const local = await sources.download(range(2, 4), lab.folder);
    expect(readFileSync(local.localPath, 'utf8')).toBe(`\n${order(3)}\n${order(4)}\n`);
    const again = await sources.download(range(2, 4), lab.folder);
    expect(again).toEqual(local);
    expect(local.sourceId).toMatch(/^kafka:.+:0@2-4$/);
  });

  it('says what is not there and who does not answer', async () => {
    await expect(sources.list(`kafka://none-${randomUUID()}`)).rejects.toMatchObject({
      code: 'SOURCE_NOT_FOUND',
    });
    const closed = openSources({
      projectDirectory: '/',
      kafka: { brokers: ['127.0.0.1:1'], clientId: 'test', timeoutMs: 500 },
    });
    await expect(closed.list('kafka://orders')).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      retry: true,
    });
    const off = openSources({ projectDirectory: '/' });
    await expect(off.list('kafka://orders')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
