/** Committing: races, lost answers, validation. */
import { describe, expect, test } from 'vitest';
import { MemoryObjectStore } from '../../src/connectors/object-store/memory.js';
import { DeltaTable, overwriteActions, type Action, type CommitRequest } from '../../src/delta/index.js';
import { FaultyObjectStore, type Fault } from '../support/faulty-store.js';
import { append, CLOCK, createTable, creation, fakeAdd, pathsOf, struct } from '../support/table.js';

const noWait = { sleep: () => Promise.resolve() };
const table = (store = new MemoryObjectStore()): DeltaTable => new DeltaTable(store, noWait);

test('of many creators exactly one makes version 0', async () => {
  const store = new MemoryObjectStore();
  const results = await Promise.all(
    Array.from({ length: 16 }, (_, writer) => {
      const mine = table(store);
      return mine.commit({
        base: null,
        actions: [...creation(), { add: fakeAdd(`f${writer}`) }],
        operation: 'CREATE TABLE',
        read: 'nothing',
      });
    }),
  );
  expect(results.filter(({ status }) => status === 'committed')).toEqual([
    { status: 'committed', version: 0 },
  ]);
  const losers = results.filter(({ status }) => status === 'conflict');
  expect(losers).toHaveLength(15);
  expect(losers[0]).toMatchObject({ check: 'tableCreated', version: 0 });
  expect((await table(store).snapshot()).files).toHaveLength(1);
});

test('blind appends of many writers all land, each once', async () => {
  const store = new MemoryObjectStore();
  await createTable(table(store));
  const writers = Array.from({ length: 8 }, (_, writer) => ({ writer, mine: table(store) }));
  await Promise.all(
    writers.map(async ({ writer, mine }) => {
      for (let i = 0; i < 10; i += 1) {
        const result = await append(mine, await mine.snapshot(), `w${writer}-${i}`);
        expect(result.status).toBe('committed');
      }
    }),
  );
  const snapshot = await table(store).snapshot();
  expect(snapshot.version).toBe(80);
  expect(new Set(pathsOf(snapshot)).size).toBe(80);
});

test('one application commits once, however many try', async () => {
  const store = new MemoryObjectStore();
  const base = await createTable(table(store));
  const results = await Promise.all(
    Array.from({ length: 6 }, (_, i) => append(table(store), base, `f${i}`, { sink: 1 })),
  );
  expect(results.filter(({ status }) => status === 'committed')).toHaveLength(1);
  expect(results.filter((result) => result.status === 'conflict').map(({ check }) => check)).toEqual(
    Array.from({ length: 5 }, () => 'applicationTransaction'),
  );
  const snapshot = await table(store).snapshot();
  expect(snapshot.files).toHaveLength(1);
  expect(snapshot.transaction('sink')).toMatchObject({ version: 1 });
  expect(snapshot.transaction('other')).toBeUndefined();
});

test('an overwrite after a concurrent append is a conflict; decided again it replaces both', async () => {
  const mine = table();
  const base = await createTable(mine, ['old']);
  await append(mine, base, 'theirs');
  const overwrite = (from: typeof base): CommitRequest => ({
    base: from,
    actions: overwriteActions(from, [fakeAdd('new')], { clock: CLOCK }),
    operation: 'WRITE',
    read: 'table',
  });
  expect(await mine.commit(overwrite(base))).toMatchObject({ status: 'conflict', check: 'concurrentAppend' });
  expect(await mine.commit(overwrite(await mine.snapshot()))).toEqual({ status: 'committed', version: 2 });
  expect(pathsOf(await mine.snapshot())).toEqual(['new']);
  expect(pathsOf(await mine.snapshot({ version: 1 }))).toEqual(['old', 'theirs']);
});

describe('an answer that is lost', () => {
  test.each<Fault>(['lost response', 'own object exists', 'refused'])(
    '%s: the commit lands once',
    async (fault) => {
      const memory = new MemoryObjectStore();
      const base = await createTable(table(memory));
      const faults: Array<Fault | undefined> = [fault, fault, undefined];
      const faulty = new DeltaTable(new FaultyObjectStore(memory, () => faults.shift()), noWait);
      expect(await append(faulty, base, 'f')).toEqual({ status: 'committed', version: 1 });
      expect((await table(memory).snapshot()).version).toBe(1);
      expect(pathsOf(await table(memory).snapshot())).toEqual(['f']);
    },
  );

  test('somebody else took the version meanwhile: ours goes above it', async () => {
    const memory = new MemoryObjectStore();
    const base = await createTable(table(memory));
    let first = true;
    const store = new FaultyObjectStore(memory, () => (first ? 'refused' : undefined));
    const faulty = new DeltaTable(store, {
      sleep: async () => {
        if (first) await append(table(memory), base, 'theirs');
        first = false;
      },
    });
    expect(await append(faulty, base, 'mine')).toEqual({ status: 'committed', version: 2 });
    expect(pathsOf(await table(memory).snapshot())).toEqual(['mine', 'theirs']);
  });

  test('a store that stays down gives up with its own error', async () => {
    const memory = new MemoryObjectStore();
    const base = await createTable(table(memory));
    const faulty = new DeltaTable(new FaultyObjectStore(memory, () => 'refused'), noWait);
    await expect(append(faulty, base, 'f')).rejects.toThrow('503 slow down');
    expect((await table(memory).snapshot()).version).toBe(0);
  });
});

test('the commit file starts with a complete commitInfo', async () => {
  const store = new MemoryObjectStore();
  const mine = new DeltaTable(store, { ...noWait, clock: CLOCK });
  const base = await createTable(mine);
  await mine.commit({
    base,
    actions: [{ add: fakeAdd('f') }],
    operation: 'WRITE',
    operationParameters: { mode: 'Append' },
    read: 'nothing',
    info: { runId: 'r1' },
  });
  const lines = Buffer.from(await store.get('_delta_log/00000000000000000001.json'))
    .toString()
    .trim()
    .split('\n');
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    commitInfo: {
      runId: 'r1',
      timestamp: CLOCK.nowMs(),
      operation: 'WRITE',
      operationParameters: { mode: 'Append' },
      readVersion: 0,
      isolationLevel: 'Serializable',
      isBlindAppend: true,
      engineInfo: expect.stringMatching(/^DataLab\//) as string,
      txnId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    },
  });
  expect(await mine.commitInfo(1)).toMatchObject({ runId: 'r1' });
  expect(await mine.history({ limit: 1 })).toMatchObject([{ version: 1, info: { operation: 'WRITE' } }]);
});

describe('nothing is written when', () => {
  const remove = (path: string): Action => ({ remove: { path, dataChange: true } });
  const bad: Array<[string, Action[], string]> = [
    ['a path is added twice', [{ add: fakeAdd('a') }, { add: fakeAdd('a') }], 'DELTA_COMMIT_INVALID'],
    [
      'a path is added under two spellings',
      [{ add: fakeAdd('a b') }, { add: fakeAdd('a%20b') }],
      'DELTA_COMMIT_INVALID',
    ],
    ['a path is added and removed', [{ add: fakeAdd('old') }, remove('old')], 'DELTA_COMMIT_INVALID'],
    ['what is removed is not live', [remove('never')], 'DELTA_COMMIT_INVALID'],
    [
      'an application commits twice',
      [{ txn: { appId: 'a', version: 1 } }, { txn: { appId: 'a', version: 2 } }],
      'DELTA_COMMIT_INVALID',
    ],
    [
      'a partition value is given that the table lacks',
      [{ add: fakeAdd('a', { partitionValues: { p: 'x' } }) }],
      'DELTA_COMMIT_INVALID',
    ],
    ['a file has no size', [{ add: fakeAdd('a', { size: 0 }) }], 'DELTA_COMMIT_INVALID'],
    ['commitInfo is brought along', [{ commitInfo: {} }], 'DELTA_COMMIT_INVALID'],
  ];
  test.each(bad)('%s', async (_, actions, code) => {
    const store = new MemoryObjectStore();
    const base = await createTable(table(store), ['old']);
    const request = { base, actions, operation: 'WRITE', read: 'nothing' as const };
    await expect(table(store).commit(request)).rejects.toMatchObject({ code });
    expect((await table(store).snapshot()).version).toBe(0);
  });

  test('the table is append-only and rows would go', async () => {
    const mine = table();
    const base = await createTable(mine, ['old'], { configuration: { 'delta.appendOnly': 'true' } });
    const request = { base, actions: [remove('old')], operation: 'DELETE', read: 'table' as const };
    await expect(mine.commit(request)).rejects.toMatchObject({ code: 'DELTA_WRITE_UNSUPPORTED' });
    expect((await append(mine, base, 'new')).status).toBe('committed');
  });

  test.each([
    ['a CHECK constraint', { 'delta.constraints.positive': 'n > 0' }, 3],
    ['the change data feed', { 'delta.enableChangeDataFeed': 'true' }, 4],
  ])('the table has %s in use', async (_, configuration, minWriterVersion) => {
    const mine = table();
    const base = await createTable(mine);
    const raised: Action[] = [
      { protocol: { minReaderVersion: 1, minWriterVersion } },
      { metaData: { ...base.metadata, configuration } },
    ];
    const request = { base, actions: raised, operation: 'SET TBLPROPERTIES', read: 'nothing' as const };
    await expect(mine.commit(request)).rejects.toMatchObject({ code: 'DELTA_WRITE_UNSUPPORTED' });
  });

  test('the first commit has no protocol', async () => {
    await expect(append(table(), null, 'f')).rejects.toMatchObject({ code: 'DELTA_COMMIT_INVALID' });
  });

  test('two columns differ only by case', async () => {
    const schema = struct({ a: 'long', A: 'long' });
    await expect(createTable(table(), [], { schema })).rejects.toMatchObject({
      code: 'DELTA_SCHEMA_INVALID',
    });
  });
});

test('a partitioned table asks for every partition value', async () => {
  const mine = table();
  const base = await createTable(mine, [], {
    schema: struct({ n: 'long', p: 'string' }),
    partitionColumns: ['p'],
  });
  await expect(append(mine, base, 'f')).rejects.toMatchObject({ code: 'DELTA_COMMIT_INVALID' });
});
