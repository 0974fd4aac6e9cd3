/** Opening and refreshing: what is read, and what is survived. */
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createDuckDbEngine } from '../../src/connectors/duckdb/engine.js';
import { MemoryObjectStore } from '../../src/connectors/object-store/memory.js';
import { DeltaTable } from '../../src/delta/index.js';
import { FaultyObjectStore } from '../support/faulty-store.js';
import { append, createTable, pathsOf } from '../support/table.js';

const folder = mkdtempSync(join(tmpdir(), 'datalab-snapshot-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const engine = createDuckDbEngine({ memoryLimit: '300MB', threads: 2, spillDirectory: folder });
const HINT = '_delta_log/_last_checkpoint';
const commitKey = (version: number): string => `_delta_log/${String(version).padStart(20, '0')}.json`;
const checkpointKey = (version: number): string => commitKey(version).replace('.json', '.checkpoint.parquet');
const bytes = (text: string): Uint8Array => Buffer.from(text);

/** A table with files f0 … f<n>, one per version. */
async function tableOf(versions: number, store = new MemoryObjectStore()): Promise<MemoryObjectStore> {
  const table = new DeltaTable(store);
  await createTable(table, ['f0']);
  for (let i = 1; i <= versions; i += 1) await append(table, await table.snapshot(), `f${i}`, { app: i });
  return store;
}

/** A classic checkpoint of versions 0 … n of such a table, made by the engine. */
async function addCheckpoint(store: MemoryObjectStore, version: number): Promise<void> {
  const { metadata } = await new DeltaTable(store).snapshot({ version });
  const adds = Array.from(
    { length: version + 1 },
    (_, i) => `(NULL, NULL, {'path': 'f${i}',
    'partitionValues': MAP {}::MAP(VARCHAR, VARCHAR), 'size': 100, 'modificationTime': 1, 'dataChange': false,
    'stats': '{"numRecords":1}'}, NULL)`,
  );
  const session = await engine.open({ inputs: [], outputDirectory: folder });
  const written = await session.writeParquet(
    `SELECT * FROM (VALUES ({'minReaderVersion': 1, 'minWriterVersion': 2}, NULL, NULL, NULL),
      (NULL, {'id': '${metadata.id}', 'format': {'provider': 'parquet'}, 'schemaString': '${metadata.schemaString}',
        'partitionColumns': []::VARCHAR[], 'configuration': MAP {}::MAP(VARCHAR, VARCHAR)}, NULL, NULL),
      ${adds.join(', ')},
      (NULL, NULL, NULL, {'appId': 'app', 'version': ${version}})) t(protocol, "metaData", "add", txn)`,
    `checkpoint-${version}.parquet`,
  );
  await session.close();
  await store.put(checkpointKey(version), await readFile(written?.localPath ?? ''));
  await store.put(HINT, bytes(JSON.stringify({ version, size: version + 4 })));
}

const files = (last: number): string[] => Array.from({ length: last + 1 }, (_, i) => `f${i}`);

describe('a refresh', () => {
  test('costs one request when nothing changed, and no listing', async () => {
    const store = new FaultyObjectStore(await tableOf(3));
    const table = new DeltaTable(store);
    const first = await table.snapshot();
    const before = { ...store.calls };
    expect(await table.snapshot()).toBe(first);
    expect(store.calls).toEqual({ ...before, get: before.get + 1 });
  });

  test('looks for the version that it knows as well, every half a minute', async () => {
    const store = new FaultyObjectStore(await tableOf(3));
    let nowMs = 0;
    const table = new DeltaTable(store, { clock: { nowMs: () => nowMs } });
    const first = await table.snapshot();
    const before = { ...store.calls };
    for (nowMs of [29_999, 30_000, 30_001, 59_999]) expect(await table.snapshot()).toBe(first);
    expect(store.calls).toEqual({ ...before, get: before.get + 4, head: before.head + 1 });
  });

  test('does not go on from a version that a restore has taken away, and leaves no gap behind it', async () => {
    const store = await tableOf(3);
    let nowMs = 0;
    const table = new DeltaTable(store, { engine, clock: { nowMs: () => nowMs } });
    const known = await table.snapshot();
    expect(known.version).toBe(3);
    // The lake is put back to what it was two versions ago.
    await store.delete([3, 2].map(commitKey));
    await expect(append(table, known, 'past the gap')).rejects.toMatchObject({
      code: 'DELTA_CONCURRENT_CHANGE',
      message: expect.stringContaining('ends at version 1, though version 3 was read') as string,
    });
    expect(await store.head(commitKey(4))).toBeUndefined();
    // Whoever reads again sees the table as it is, and can write.
    await append(table, await table.snapshot(), 'after');
    expect((await table.snapshot()).version).toBe(2);
    await store.delete([2].map(commitKey));
    nowMs = 60_000;
    expect((await table.snapshot()).version).toBe(1);
  });

  test.each([1, 3, 4, 9])('takes in %i commits of others', async (news) => {
    const store = await tableOf(2);
    const table = new DeltaTable(store);
    const before = await table.snapshot();
    const other = new DeltaTable(store);
    for (let i = 0; i < news; i += 1) await append(other, await other.snapshot(), `new${i}`);
    const after = await table.snapshot();
    expect(after.version).toBe(2 + news);
    expect(after.files).toHaveLength(3 + news);
    // The earlier snapshot is what it was.
    expect(pathsOf(before)).toEqual(files(2));
  });

  test('starts over when the cache is old: its successors may have been cleaned away', async () => {
    const store = await tableOf(3);
    let nowMs = 0;
    const table = new DeltaTable(store, { engine, clock: { nowMs: () => nowMs } });
    await table.snapshot();
    const other = new DeltaTable(store);
    for (let i = 4; i <= 6; i += 1) await append(other, await other.snapshot(), `f${i}`, { app: i });
    await addCheckpoint(store, 6);
    await store.delete([0, 1, 2, 3, 4, 5].map(commitKey));
    expect((await table.snapshot()).version).toBe(3);
    nowMs = 2 * 3_600_000;
    expect((await table.snapshot()).version).toBe(6);
  });
});

describe('a checkpoint', () => {
  test('stands for the commits below it', async () => {
    const store = await tableOf(5);
    await addCheckpoint(store, 3);
    await store.delete([0, 1, 2].map(commitKey));
    const table = new DeltaTable(store, { engine });
    const snapshot = await table.snapshot();
    expect(pathsOf(snapshot)).toEqual(files(5));
    expect(snapshot.transaction('app')?.version).toBe(5);
    expect(pathsOf(await table.snapshot({ version: 3 }))).toEqual(files(3));
    await expect(table.snapshot({ version: 2 })).rejects.toMatchObject({ code: 'DELTA_VERSION_NOT_FOUND' });
    await expect(table.snapshot({ version: 6 })).rejects.toMatchObject({ code: 'DELTA_VERSION_NOT_FOUND' });
  });

  test('that is damaged is passed over for an older one, then for the commits', async () => {
    const store = await tableOf(6);
    await addCheckpoint(store, 2);
    await store.put(checkpointKey(4), bytes('PAR1 not really'));
    await store.put(HINT, bytes('{"version":4,"size":1}'));
    expect(pathsOf(await new DeltaTable(store, { engine }).snapshot())).toEqual(files(6));
    await store.put(checkpointKey(2), bytes(''));
    expect(pathsOf(await new DeltaTable(store, { engine }).snapshot())).toEqual(files(6));
  });

  test('that is damaged and alone is an error that says so', async () => {
    const store = await tableOf(6);
    await store.put(checkpointKey(4), bytes('PAR1 not really'));
    await store.put(HINT, bytes('{"version":4,"size":1}'));
    await store.delete([0, 1, 2, 3].map(commitKey));
    await expect(new DeltaTable(store, { engine }).snapshot()).rejects.toMatchObject({
      code: 'DELTA_CHECKPOINT_UNREADABLE',
    });
  });

  test('needs an engine only where the commits are gone', async () => {
    const store = await tableOf(4);
    await addCheckpoint(store, 3);
    expect(pathsOf(await new DeltaTable(store).snapshot())).toEqual(files(4));
    await store.delete([0].map(commitKey));
    await expect(new DeltaTable(store).snapshot()).rejects.toMatchObject({ code: 'DELTA_ENGINE_REQUIRED' });
  });

  test.each([
    ['empty', ''],
    ['cut short', '{"version":'],
    ['of another kind', '[]'],
    ['null', 'null'],
    ['negative', '{"version":-1}'],
    ['text', '{"version":"3"}'],
    ['ahead of the log', '{"version":900}'],
    ['pointing to nothing', '{"version":2}'],
  ])('a hint that is %s does no harm', async (_, hint) => {
    const store = await tableOf(4);
    await addCheckpoint(store, 3);
    await store.put(HINT, bytes(hint));
    expect(pathsOf(await new DeltaTable(store, { engine }).snapshot())).toEqual(files(4));
  });
});

describe('a log', () => {
  test('that lists late still lets the commit find the newest version', async () => {
    const memory = await tableOf(3);
    const store = new FaultyObjectStore(memory);
    store.hiddenFromLists.add(commitKey(3));
    const table = new DeltaTable(store);
    const base = await table.snapshot();
    expect(base.version).toBe(2);
    expect(await append(table, base, 'new')).toEqual({ status: 'committed', version: 4 });
    expect((await table.snapshot()).version).toBe(4);
  });

  test.each([
    ['an action that nobody knows', '{"future":{"x":1}}', undefined],
    ['an unknown field', '{"txn":{"appId":"b","version":1,"future":[]}}', undefined],
    ['a blank line', '', undefined],
    ['half a line', '{"add":{"path":', 'DELTA_LOG_INVALID'],
    ['an add without a path', '{"add":{"size":1}}', 'DELTA_LOG_INVALID'],
    ['a number for an action', '7', 'DELTA_LOG_INVALID'],
    [
      'a reader feature from the future',
      '{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["teleport"],"writerFeatures":["teleport"]}}',
      'DELTA_READ_UNSUPPORTED',
    ],
    [
      'a reader version from the future',
      '{"protocol":{"minReaderVersion":4,"minWriterVersion":7}}',
      'DELTA_READ_UNSUPPORTED',
    ],
  ])('with %s', async (_, line, code) => {
    const store = await tableOf(1);
    await store.put(commitKey(2), bytes(`{"commitInfo":{}}\n${line}\n`));
    const opened = new DeltaTable(store).snapshot();
    if (code) await expect(opened).rejects.toMatchObject({ code });
    else expect(pathsOf(await opened)).toEqual(files(1));
  });

  test('of a writer feature that we do not know can be read and not written', async () => {
    const store = await tableOf(1);
    const protocol = '{"protocol":{"minReaderVersion":1,"minWriterVersion":7,"writerFeatures":["teleport"]}}';
    await store.put(commitKey(2), bytes(protocol));
    const table = new DeltaTable(store);
    await expect(append(table, await table.snapshot(), 'f')).rejects.toThrow(/'teleport'/);
  });
});

test('versions are found by their time, which never goes back', async () => {
  const times = [1000, 5000, 4000, 9000];
  let version = 0;
  const store = new MemoryObjectStore('clocked', { nowMs: () => times[version] ?? 0 });
  const table = new DeltaTable(store);
  await createTable(table, ['f0']);
  for (version = 1; version < times.length; version += 1)
    await append(table, await table.snapshot(), `f${version}`);
  const at = async (timestampMs: number): Promise<number> => (await table.snapshot({ timestampMs })).version;
  expect([
    await at(1000),
    await at(4999),
    await at(5000),
    await at(5001),
    await at(8999),
    await at(99_999),
  ]).toEqual([0, 0, 1, 2, 2, 3]);
  await expect(at(999)).rejects.toMatchObject({ code: 'DELTA_VERSION_NOT_FOUND' });
  const stamps = [];
  for (let v = 0; v < 4; v += 1)
    stamps.push((await new DeltaTable(store).snapshot({ version: v })).timestampMs);
  expect(stamps).toEqual([1000, 5000, 5001, 9000]);
});

test('no table is null or an error, as asked', async () => {
  const table = new DeltaTable(new MemoryObjectStore());
  expect(await table.snapshotIfExists()).toBeNull();
  await expect(table.snapshot()).rejects.toMatchObject({ code: 'DELTA_TABLE_NOT_FOUND' });
});
