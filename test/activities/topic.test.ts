/** A dataset whose source is a Kafka topic, over a reader that keeps the messages; test/contract has the real broker. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SourceReader } from '../../src/contracts/sources.js';
import { parseConfig } from '../../src/config/config.js';
import { Lab } from './lab.js';

/** Partitions of a topic, each an earliest offset and the messages from there. */
class Topic implements SourceReader {
  partitions: Array<{ from: number; messages: string[] }> = [];

  async list(): ReturnType<SourceReader['list']> {
    return Promise.resolve(
      this.partitions.map(({ from, messages }, partition) => ({
        path: `kafka://orders/${partition}`,
        sizeBytes: 0,
        modifiedMs: 0,
        offsets: { clusterId: 'c', topic: 'orders', partition, from, to: from + messages.length },
      })),
    );
  }

  async download(
    source: Parameters<SourceReader['download']>[0],
    directory: string,
  ): ReturnType<SourceReader['download']> {
    if (!source.offsets) throw new Error('no offsets');
    const { partition, from, to } = source.offsets;
    const { from: earliest, messages } = this.partitions[partition] ?? { from: 0, messages: [] };
    const text = messages
      .slice(from - earliest, to - earliest)
      .map((message) => `${message}\n`)
      .join('');
    const localPath = path.join(directory, `${partition}.source`);
    writeFileSync(localPath, text);
    return Promise.resolve({
      ...source,
      sizeBytes: text.length,
      localPath,
      sourceId: `${partition}@${from}-${to}`,
      contentHash: createHash('sha256').update(text).digest('hex'),
      lineShift: from - 1,
    });
  }
}

const order = (id: number, amount = 1): string => JSON.stringify({ id, name: `n${id}`, amount });

describe('a topic as the source', () => {
  let topic: Topic;
  let lab: Lab;
  const labOf = (maxMessagesPerRun = 100): Lab => {
    const made = new Lab({
      deps: () => ({
        sources: topic,
        config: parseConfig(`kafka: { maxMessagesPerRun: ${maxMessagesPerRun} }`, {}),
      }),
    });
    made.edit(
      'dataset.yaml',
      made
        .datasetText()
        .replace('location: in/*.csv, format: csv', 'location: kafka://orders, format: jsonl'),
    );
    return made;
  };
  const places = async (): Promise<string[]> =>
    (
      await lab.rows<{ at: string }>(
        'bronze/sales',
        "split(_source_file, '/')[-1] || ':' || _source_line || ' ' || id AS at",
      )
    )
      .map(({ at }) => at)
      .sort();
  const offsets = async (): Promise<Record<string, number>> => {
    const { transactions } = await lab.table('bronze/sales').snapshot();
    return Object.fromEntries(
      [...transactions.values()]
        .filter(({ appId }) => appId.startsWith('datalab:kafka:') || appId.startsWith('datalab:source:'))
        .map(({ appId, version }) => [appId, version]),
    );
  };
  beforeEach(() => {
    topic = new Topic();
    topic.partitions = [
      { from: 0, messages: [order(1), 'no json', order(2)] },
      { from: 7, messages: [order(3)] },
    ];
    lab = labOf();
  });
  afterEach(() => lab.close());

  it('is read from offset to offset, and equal bytes elsewhere are other rows', async () => {
    const first = await lab.run();
    expect(first.bronze?.ledger).toMatchObject({ read: 4, accepted: 3, quarantined: 1 });
    expect(await offsets()).toEqual({ 'datalab:kafka:c/orders:0': 3, 'datalab:kafka:c/orders:1': 8 });

    const idle = await lab.run();
    expect(idle.discovery).toMatchObject({ listed: 2, fresh: 0, manifest: null });

    topic.partitions[1]?.messages.push(order(3));
    await lab.run();
    expect(await places()).toEqual(['0:0 1', '0:2 2', '1:7 3', '1:8 3']);
    expect(await lab.refused()).toEqual(['bronze 0:1']);
    expect(await offsets()).toEqual({ 'datalab:kafka:c/orders:0': 3, 'datalab:kafka:c/orders:1': 9 });
  });

  it('ends where it ended at discovery, and a later offset of a key wins whatever the clock says', async () => {
    const run = lab.newRun();
    const { manifest } = await lab.do('discoverSources', run);
    topic.partitions[0]?.messages.push(order(1, 50));
    const staged = await lab.do('writeBronze', run, manifest ?? '');
    await lab.do('publish', run, staged.manifest ?? '');
    expect(await places()).toEqual(['0:0 1', '0:2 2', '1:7 3']);

    lab.nowMs -= 3600_000;
    await lab.run();
    expect(await lab.rows('silver/sales', 'amount', 'WHERE id = 1')).toEqual([{ amount: 50 }]);
  });

  it('is taken in shares where there is more than a run may take', async () => {
    lab.close();
    lab = labOf(3);
    topic.partitions = [
      { from: 0, messages: [1, 2, 3, 4, 5, 6].map((id) => order(id)) },
      { from: 0, messages: [order(9)] },
    ];
    await lab.run();
    expect(await places()).toEqual(['0:0 1', '0:1 2', '1:0 9']);
    await lab.run();
    await lab.run();
    expect(await places()).toHaveLength(7);
    expect((await lab.run()).discovery.fresh).toBe(0);
  });

  it('is not taken twice by two runs at once', async () => {
    const slow = lab.newRun();
    const { manifest } = await lab.do('discoverSources', slow);
    await lab.run();
    const late = await lab.do('writeBronze', slow, manifest ?? '');
    expect(late.manifest).toBeNull();

    topic.partitions[0]?.messages.push(order(4));
    const slower = lab.newRun();
    const second = await lab.do('discoverSources', slower);
    topic.partitions[0]?.messages.push(order(5));
    const staged = await lab.do('writeBronze', slower, second.manifest ?? '');
    await lab.run();
    expect((await lab.do('publish', slower, staged.manifest ?? '')).status).toBe('conflict');
    expect(await places()).toEqual(['0:0 1', '0:2 2', '0:3 4', '0:4 5', '1:7 3']);
  });

  it('fails where another run took a part of the stretch, so that the flow lists anew', async () => {
    const short = lab.newRun();
    const { manifest } = await lab.do('discoverSources', short);
    const long = lab.newRun();
    topic.partitions[0]?.messages.push(order(4));
    const { manifest: longer } = await lab.do('discoverSources', long);
    const first = await lab.do('writeBronze', short, manifest ?? '');
    await lab.do('publish', short, first.manifest ?? '');
    await expect(lab.do('writeBronze', long, longer ?? '')).rejects.toMatchObject({ type: 'SOURCE_CHANGED' });
  });

  it('fails where messages are gone that nobody read, or where the topic is another', async () => {
    await lab.run();
    const failing = async (partitions: Topic['partitions']): Promise<unknown> => {
      topic.partitions = partitions;
      return lab.do('discoverSources', lab.newRun()).catch((error: { type: string }) => error.type);
    };
    const untouched = { from: 7, messages: [order(3)] };
    expect(await failing([{ from: 4, messages: [order(5)] }, untouched])).toBe('SOURCE_MESSAGES_LOST');
    expect(await failing([{ from: 0, messages: [order(5)] }, untouched])).toBe('SOURCE_TOPIC_RENEWED');
    expect(await failing([{ from: 0, messages: [order(1), order(1), order(2)] }])).toBe(
      'SOURCE_TOPIC_RENEWED',
    );
    // What was read may go: the next offset is still there to come.
    expect(await failing([{ from: 3, messages: [] }, untouched])).toMatchObject({ fresh: 0 });
  });
});
