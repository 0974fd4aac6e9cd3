/** Writing checkpoints: what they hold, who reads them, and what a failure costs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createDuckDbEngine } from '../../../src/connectors/duckdb/engine.js';
import { MemoryObjectStore } from '../../../src/connectors/object-store/memory.js';
import { DeltaTable, needsCheckpoint, type Action, type Snapshot } from '../../../src/delta/index.js';
import { FaultyObjectStore } from '../../support/faulty-store.js';
import { append, createTable, fakeAdd, pathsOf, struct } from '../../support/table.js';

const folder = mkdtempSync(join(tmpdir(), 'datalab-checkpoint-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const engine = createDuckDbEngine({ memoryLimit: '300MB', threads: 2, spillDirectory: folder });
const HINT = '_delta_log/_last_checkpoint';
const commitKey = (version: number): string => `_delta_log/${String(version).padStart(20, '0')}.json`;
const checkpointKey = (version: number): string => commitKey(version).replace('.json', '.checkpoint.parquet');
const DAY_MS = 86_400_000;

interface Clocked {
  nowMs: number;
}

function open(store: MemoryObjectStore | FaultyObjectStore, time?: Clocked): DeltaTable {
  const clock = { nowMs: () => time?.nowMs ?? Date.now() };
  return new DeltaTable(store, { engine, scratchDirectory: folder, clock, sleep: () => Promise.resolve() });
}

const commit = (table: DeltaTable, base: Snapshot, actions: Action[]) =>
  table.commit({ base, actions, operation: 'WRITE', read: 'nothing' });

/** All that a snapshot says, whichever way it was made. */
function facts(snapshot: Snapshot): unknown {
  const files = snapshot.files
    .map((file) => ({ ...file, dataChange: undefined }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  const { version, protocol, metadata } = snapshot;
  return { version, protocol, metadata, files, transactions: [...snapshot.transactions.values()] };
}

/** The rows of a checkpoint, one action each. */
async function rowsOf(store: MemoryObjectStore, version: number): Promise<Array<Record<string, unknown>>> {
  const files = await store.checkout([checkpointKey(version)]);
  const path = files.pathOf(checkpointKey(version));
  const session = await engine.open({ inputs: [path] });
  const rows = await session.rows<Record<string, unknown>>(`SELECT * FROM read_parquet('${path}')`);
  await session.close();
  files.release();
  return rows;
}

const only = (rows: Array<Record<string, unknown>>, action: string): Array<Record<string, unknown>> =>
  rows.flatMap((row) => (row[action] === null ? [] : [row[action] as Record<string, unknown>]));

const VECTOR = {
  storageType: 'u',
  pathOrInlineDv: 'ab^-aqEH.-t@S}K{vb[*k^',
  offset: 4,
  sizeInBytes: 40,
  cardinality: 1,
} as const;

test('a reader that starts from it sees the same table', async () => {
  const store = new MemoryObjectStore();
  const table = open(store);
  const odd = 'p=x%2520y/ä😀 %25.parquet';
  let base = await createTable(table, [odd, 'gone', 'vector'], {
    configuration: { 'own.key': "it's" },
  });
  const stats = '{"numRecords":1,"minValues":{"n":9007199254740993},"maxValues":{"n":9007199254740993}}';
  await commit(table, base, [
    { add: fakeAdd('more', { stats, tags: { a: 'b', c: "d'" }, size: 7 }) },
    { remove: { path: 'gone', dataChange: true, deletionTimestamp: Date.now() } },
    { remove: { path: 'vector', dataChange: true, deletionTimestamp: Date.now() } },
    { add: fakeAdd('vector', { deletionVector: VECTOR }) },
    { txn: { appId: "sink '1'", version: 3, lastUpdated: 5 } },
  ]);
  base = await table.snapshot();
  await append(table, base, 'last', { "sink '1'": 4, other: 1 });
  const before = facts(await table.snapshot());

  const report = await table.checkpoint();
  expect(report).toMatchObject({ status: 'written', version: 2, files: 4 });
  await store.delete([commitKey(0), commitKey(1)]);
  const after = await open(store).snapshot();
  expect(facts(after)).toEqual(before);
  expect(after.checkpointVersion).toBe(2);

  const rows = await rowsOf(store, 2);
  expect(only(rows, 'add').every((add) => add['dataChange'] === false)).toBe(true);
  expect(only(rows, 'add').find((add) => add['path'] === 'more')).toMatchObject({
    stats,
    deletionVector: null,
  });
  expect(
    only(rows, 'remove')
      .map(({ path }) => path)
      .sort(),
  ).toEqual(['gone', 'vector']);
  const hint = JSON.parse(Buffer.from(await store.get(HINT)).toString()) as unknown;
  expect(hint).toEqual({ version: 2, size: rows.length, sizeInBytes: report.bytes, numOfAddFiles: 4 });
});

test('the next one is made from the last and the commits above it', async () => {
  const store = new MemoryObjectStore();
  const table = open(store);
  await createTable(table, ['f0']);
  for (let i = 1; i <= 4; i += 1) await append(table, await table.snapshot(), `f${i}`, { app: i });
  await table.checkpoint();
  // What the first checkpoint holds is no longer in any commit.
  await store.delete([0, 1, 2, 3].map(commitKey));
  const base = await table.snapshot();
  await commit(table, base, [{ remove: { path: 'f1', dataChange: true, deletionTimestamp: Date.now() } }]);
  await commit(table, await table.snapshot(), [{ add: fakeAdd('f2', { tags: { again: 'yes' } }) }]);
  const before = facts(await table.snapshot());
  expect(await table.checkpoint()).toMatchObject({ status: 'written', version: 6, files: 4 });
  await store.delete([checkpointKey(4), commitKey(4), commitKey(5)]);
  expect(facts(await open(store).snapshot())).toEqual(before);
});

test('tombstones are kept until they expire, and without statistics', async () => {
  const time = { nowMs: 100 * DAY_MS };
  const store = new MemoryObjectStore();
  const table = open(store, time);
  const base = await createTable(table, ['old', 'young', 'timeless', 'live'], {
    configuration: { 'delta.deletedFileRetentionDuration': 'interval 2 days' },
  });
  await commit(table, base, [
    { remove: { path: 'old', dataChange: true, deletionTimestamp: time.nowMs - 2 * DAY_MS } },
    { remove: { path: 'young', dataChange: true, deletionTimestamp: time.nowMs - 2 * DAY_MS + 1, size: 5 } },
    { remove: { path: 'timeless', dataChange: true } },
  ]);
  await table.checkpoint();
  expect(only(await rowsOf(store, 1), 'remove')).toEqual([
    expect.objectContaining({ path: 'young', dataChange: false, size: 5n, deletionVector: null }),
  ]);
  time.nowMs += 1;
  await append(table, await table.snapshot(), 'more');
  await table.checkpoint();
  expect(only(await rowsOf(store, 2), 'remove')).toEqual([]);
});

describe('statistics', () => {
  const schema = struct({
    n: 'long',
    s: 'string',
    at: 'timestamp',
    p: 'date',
    m: 'decimal(9,2)',
    w: 'decimal(20,2)',
  });
  const stats =
    '{"numRecords":2,"minValues":{"n":1,"s":"a","at":"2024-01-01T00:00:00.123Z","m":1.25,"w":1},' +
    '"maxValues":{"n":9007199254740993,"s":"2024-01-01 00:00:00+00","at":"2024-01-02T00:00:00.000Z","m":1234567.89,"w":123456789012345678.75},' +
    '"nullCount":{"n":0,"s":0,"at":0,"m":0}}';
  const make = async (configuration: Record<string, string>): Promise<MemoryObjectStore> => {
    const store = new MemoryObjectStore();
    const table = open(store);
    const base = await createTable(table, [], { schema, partitionColumns: ['p'], configuration });
    await commit(table, base, [{ add: fakeAdd('f', { stats, partitionValues: { p: '2024-02-29' } }) }]);
    await table.checkpoint();
    return store;
  };

  test('as columns where the table asks for them', async () => {
    const store = await make({ 'delta.checkpoint.writeStatsAsStruct': 'true' });
    const [add] = only(await rowsOf(store, 1), 'add');
    expect(add).toMatchObject({
      stats,
      partitionValues_parsed: { p: '2024-02-29' },
      stats_parsed: {
        numRecords: 2n,
        minValues: { n: 1n, s: 'a', at: '2024-01-01T00:00:00.123Z', m: '1.25' },
        maxValues: { n: 9007199254740993n, m: '1234567.89' },
        nullCount: { n: 0n, s: 0n },
      },
    });
    // The engine would make another number of a decimal with more digits than a double has: better no bound.
    const parsed = add?.['stats_parsed'] as Record<string, object>;
    expect(parsed['minValues']).not.toHaveProperty('w');
    expect(parsed['maxValues']).not.toHaveProperty('w');
  });

  test('with the bytes of a partition as other readers take its text', async () => {
    const store = new MemoryObjectStore();
    const table = open(store);
    const base = await createTable(table, [], {
      schema: struct({ n: 'long', b: 'binary' }),
      partitionColumns: ['b'],
      configuration: { 'delta.checkpoint.writeStatsAsStruct': 'true' },
    });
    const texts = ['é\\', '\0', '', '\\u0041', null];
    const adds = texts.map((b, index) => ({ add: fakeAdd(`f${index}`, { partitionValues: { b } }) }));
    await commit(table, base, adds);
    await table.checkpoint();
    const found = only(await rowsOf(store, 1), 'add')
      .sort((a, b) => (String(a['path']) < String(b['path']) ? -1 : 1))
      .map((add) => (add['partitionValues_parsed'] as { b: Uint8Array | null }).b);
    expect(found.map((bytes) => bytes && Buffer.from(bytes).toString())).toEqual(texts);
    const read = (await open(store).snapshot()).files.map(({ partitionValues }) => partitionValues['b']);
    expect(new Set(read)).toEqual(new Set(texts));
  });

  test('as columns only, read back as the text that they came from', async () => {
    const store = await make({
      'delta.checkpoint.writeStatsAsStruct': 'true',
      'delta.checkpoint.writeStatsAsJson': 'false',
    });
    const [add] = only(await rowsOf(store, 1), 'add');
    expect(add).not.toHaveProperty('stats');
    const [file] = (await open(store).snapshot()).files;
    expect(file?.stats).toContain('"n":9007199254740993');
    expect(file?.stats).toContain('"at":"2024-01-01T00:00:00.123000Z"');
    // A text that looks like a time is no time.
    expect(file?.stats).toContain('"s":"2024-01-01 00:00:00+00"');
  });

  test('not at all where the table wants none', async () => {
    const store = await make({ 'delta.checkpoint.writeStatsAsJson': 'false' });
    const [add] = only(await rowsOf(store, 1), 'add');
    expect(add).not.toHaveProperty('stats');
    expect(add).not.toHaveProperty('stats_parsed');
  });
});

test('it is due after so many commits, as the table says', async () => {
  const store = new MemoryObjectStore();
  const table = open(store);
  await createTable(table, [], { configuration: { 'delta.checkpointInterval': '3' } });
  const due: number[] = [];
  for (let i = 1; i <= 7; i += 1) {
    await append(table, await table.snapshot(), `f${i}`);
    const snapshot = await table.snapshot();
    if (!needsCheckpoint(snapshot)) continue;
    due.push(snapshot.version);
    await table.checkpoint();
  }
  expect(due).toEqual([3, 6]);
  // Whoever opens the table anew knows it as well.
  expect(needsCheckpoint(await open(store).snapshot())).toBe(false);
});

test('of many writers one makes it, and nobody replaces it', async () => {
  const store = new MemoryObjectStore();
  await createTable(open(store), ['f']);
  const reports = await Promise.all(Array.from({ length: 4 }, () => open(store).checkpoint()));
  expect(reports.map(({ status }) => status).sort()).toEqual(['exists', 'exists', 'exists', 'written']);
  expect((await open(store).checkpoint()).status).toBe('exists');
});

test('the hint never goes back', async () => {
  const store = new MemoryObjectStore();
  const slow = open(store);
  await createTable(slow, ['f0']);
  const table = open(store);
  // The slower writer is held up before it uploads, and a newer checkpoint is made meanwhile.
  const held = new FaultyObjectStore(store);
  let go: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (go = resolve));
  const upload = held.putFileIfAbsent.bind(held);
  held.putFileIfAbsent = async (key, path) => {
    await gate;
    return upload(key, path);
  };
  const late = open(held);
  await late.snapshot();
  const writing = late.checkpoint();
  await append(table, await table.snapshot(), 'f1');
  expect(await table.checkpoint()).toMatchObject({ status: 'written', version: 1 });
  go();
  const { status, version } = await writing;
  expect({ status, version }).toEqual({ status: 'written', version: 0 });
  expect(JSON.parse(Buffer.from(await store.get(HINT)).toString())).toMatchObject({ version: 1 });
});

test('a checkpoint that differs from the table is not published', async () => {
  const store = new MemoryObjectStore();
  const table = open(store);
  await createTable(table, ['f0', 'f1']);
  await table.snapshot();
  // The log changes under the table that was opened, which must never be.
  const lines = Buffer.from(await store.get(commitKey(0)))
    .toString()
    .split('\n');
  await store.put(commitKey(0), Buffer.from(lines.filter((line) => !line.includes('"f1"')).join('\n')));
  await expect(table.checkpoint()).rejects.toMatchObject({
    code: 'DELTA_CHECKPOINT_INVALID',
    message: expect.stringContaining('adds 1, not 2') as unknown,
  });
  expect(await store.head(checkpointKey(0))).toBeUndefined();
  expect(await store.head(HINT)).toBeUndefined();
});

test('a damaged checkpoint is passed over for the commits', async () => {
  const store = new MemoryObjectStore();
  const table = open(store);
  await createTable(table, ['f0']);
  await append(table, await table.snapshot(), 'f1');
  await table.checkpoint();
  await store.put(checkpointKey(1), Buffer.from('PAR1 not really PAR1'));
  await append(table, await table.snapshot(), 'f2');
  expect(await table.checkpoint()).toMatchObject({ status: 'written', version: 2, files: 3 });
  await store.delete([commitKey(0)]);
  expect(pathsOf(await open(store).snapshot())).toEqual(['f0', 'f1', 'f2']);
});
