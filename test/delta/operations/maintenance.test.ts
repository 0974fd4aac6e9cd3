/** OPTIMIZE, VACUUM, log clean-up, fsck: what they do, and above all what they must not. */
import { beforeEach, describe, expect, test } from 'vitest';
import { MemoryObjectStore } from '../../../src/connectors/object-store/memory.js';
import { vectorPath } from '../../../src/delta/deletion-vector.js';
import type { AddFile, DeltaTable, ObjectInfo, Progress, Snapshot } from '../../../src/delta/index.js';
import { FaultyObjectStore } from '../../support/faulty-store.js';
import { deltaLab } from '../../support/delta-lab.js';
import { append, createTable, fakeAdd, pathsOf } from '../../support/table.js';

const lab = deltaLab();
const DAY_MS = 86_400_000;
let nowMs: number;
let store: MemoryObjectStore;
beforeEach(() => {
  nowMs = 1000 * DAY_MS;
  store = new MemoryObjectStore('maintained', { nowMs: () => nowMs });
});
const open = (at: MemoryObjectStore | FaultyObjectStore = store): DeltaTable =>
  lab.table(at, { clock: { nowMs: () => nowMs } });
const keysOf = async (prefix = ''): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
};
const dataKeys = async (): Promise<string[]> =>
  (await keysOf()).filter((key) => !key.startsWith('_delta_log/'));

/** One file of ten numbers per call. */
async function fill(table: DeltaTable, files: number, create = {}): Promise<void> {
  for (let i = 0; i < files; i += 1) {
    await table.append(
      { sql: `SELECT range AS n, 'p' || ${i % 2} AS p FROM range(${i * 10}, ${i * 10 + 10})` },
      { create },
    );
  }
}
const ns = async (table: DeltaTable): Promise<number[]> =>
  (await lab.rows(table, 'n')).map(({ n }) => Number(n));
const upTo = (end: number): number[] => Array.from({ length: end }, (_, n) => n);

describe('optimize', () => {
  test('packs the files of each partition, and says that no row changed', async () => {
    const table = open();
    await fill(table, 6, { partitionBy: ['p'] });
    const seen: Progress[] = [];
    const report = await table.optimize({ progress: (progress) => seen.push(progress) });
    expect(report).toMatchObject({
      commits: 1,
      version: 6,
      filesBefore: 6,
      filesAfter: 2,
      filesRemoved: 6,
      filesAdded: 2,
      filesSkipped: 0,
    });
    expect(seen.at(-1)).toEqual({ phase: 'rewrite', done: 6, total: 6, unit: 'files' });
    expect(await ns(table)).toEqual(upTo(60));
    const actions = await table.actions(6);
    expect(
      actions.every((a) => ('add' in a ? !a.add.dataChange : 'remove' in a ? !a.remove.dataChange : true)),
    ).toBe(true);
    expect(await table.optimize()).toMatchObject({ commits: 0, version: 6, filesRemoved: 0 });
  });

  test('keeps to the target size, and to the batches', async () => {
    const table = open();
    await fill(table, 5);
    const size = (await table.snapshot()).files.at(0)?.size ?? 0;
    const report = await table.optimize({ targetFileBytes: size * 2 + 100, batchBytes: 1 });
    expect(report).toMatchObject({ commits: 2, filesRemoved: 4, filesAdded: 2, filesAfter: 3 });
    expect(await ns(table)).toEqual(upTo(50));
  });

  test('leaves the rest where the time is over, and goes on there the next time', async () => {
    const table = open();
    await fill(table, 12);
    const size = (await table.snapshot()).files.at(0)?.size ?? 0;
    const how = { targetFileBytes: size * 4 + 200, batchBytes: 1 };
    const one = { commits: 1, filesRemoved: 4, filesAdded: 1 };
    expect(await table.optimize({ ...how, isOver: () => true })).toMatchObject({ ...one, filesLeft: 8 });
    expect(await ns(table)).toEqual(upTo(120));
    expect(await table.optimize({ ...how, isOver: () => true })).toMatchObject({ ...one, filesLeft: 4 });
    expect(await ns(table)).toEqual(upTo(120));
    expect((await table.optimize(how)).filesLeft).toBe(0);
    expect(await ns(table)).toEqual(upTo(120));
  });

  test('keeps rows with other tags apart', async () => {
    const table = open();
    await fill(table, 4);
    const base = await table.snapshot();
    const tagged = base.files.map((file, index): { add: AddFile } => ({
      add: { ...file, tags: { generation: String(index % 2) }, dataChange: false },
    }));
    await table.commit({ base, actions: tagged, operation: 'TAG', read: 'nothing' });
    await table.optimize();
    const { files } = await table.snapshot();
    expect(files.map(({ tags }) => tags?.['generation']).sort()).toEqual(['0', '1']);
    const zero = files.filter(({ tags }) => tags?.['generation'] === '0');
    const { schema, partitionColumns, protocol, metadata } = base;
    const part = { schema, partitionColumns, protocol, metadata, files: zero } as unknown as Snapshot;
    const rows = await lab.rows(table, 'n', part);
    expect(rows.map(({ n }) => Number(n))).toEqual(upTo(40).filter((n) => Math.floor(n / 10) % 2 === 0));
  });
  test('gives way to writers: what is gone is passed over, the rest is packed', async () => {
    const table = open();
    await fill(table, 4);
    const other = open();
    let taken = false;
    const held = new FaultyObjectStore(store);
    const putFile = held.putFile.bind(held);
    held.putFile = async (key, path) => {
      if (!taken) {
        taken = true;
        await other.delete({ where: 'n = 3' });
      }
      await putFile(key, path);
    };
    await open(held).optimize();
    expect(taken).toBe(true);
    expect(await ns(table)).toEqual(upTo(40).filter((n) => n !== 3));
  });

  test('is allowed where rows may only be added', async () => {
    const table = open();
    await fill(table, 2, { properties: { 'delta.appendOnly': 'true' } });
    expect(await table.optimize()).toMatchObject({ commits: 1, filesAfter: 1 });
  });
});

describe('vacuum', () => {
  test('deletes what no version within the retention needs', async () => {
    const table = open();
    await fill(table, 3);
    const first = (await table.snapshot()).files.at(0)?.path;
    await table.delete({ where: 'n < 10' });
    nowMs += 6 * DAY_MS;
    await table.delete({ where: 'n < 20' });
    expect(await table.vacuum()).toMatchObject({ listed: 3, deleted: 0, kept: 3 });
    nowMs += 2 * DAY_MS;
    const dry = await table.vacuum({ dryRun: true });
    expect(dry).toMatchObject({ dryRun: true, listed: 3, deleted: 1 });
    expect(await dataKeys()).toHaveLength(3);
    expect(await table.vacuum()).toEqual({ ...dry, dryRun: false });
    expect(dry.sample).toEqual([first]);
    expect(await dataKeys()).toHaveLength(2);
    nowMs += 10 * DAY_MS;
    await table.vacuum();
    expect(await dataKeys()).toEqual(pathsOf(await table.snapshot()));
    expect(await ns(table)).toEqual(upTo(30).filter((n) => n >= 20));
  });

  test('also from a checkpoint, when the commits are gone', async () => {
    const table = open();
    await fill(table, 3);
    await table.delete({ where: 'n < 10' });
    await table.checkpoint();
    await store.delete((await keysOf('_delta_log/')).filter((key) => /0[0-2]\.json$/.test(key)));
    nowMs += 6 * DAY_MS;
    expect(await open().vacuum()).toMatchObject({ deleted: 0 });
    nowMs += 2 * DAY_MS;
    expect(await open().vacuum()).toMatchObject({ deleted: 1 });
  });

  test('leaves alone what is young, hidden, elsewhere, or a deletion vector of a live file', async () => {
    const vector = {
      storageType: 'u',
      pathOrInlineDv: 'ab^-aqEH.-t@S}K{vb[*k^',
      offset: 4,
      sizeInBytes: 40,
      cardinality: 1,
    } as const;
    const binary = vectorPath(vector) ?? '';
    const table = open();
    const base = await createTable(table, ['plain.parquet', 'p=a%20b/enc%25.parquet', 'raw%zz.parquet']);
    await table.commit({
      base,
      actions: [
        { add: fakeAdd('vector.parquet', { deletionVector: vector }) },
        { add: fakeAdd('s3://elsewhere/x.parquet') },
      ],
      operation: 'WRITE',
      read: 'nothing',
    });
    const kept = [
      'plain.parquet',
      'p=a b/enc%.parquet',
      'raw%zz.parquet',
      'vector.parquet',
      binary,
      '_own/notes',
      '.hidden',
      'p=a/_tmp/x',
      '_change_data/kept',
    ];
    const gone = ['p=a b/orphan.parquet', '_p=x/orphan.parquet', '_change_data/orphan', 'x.bin'];
    for (const key of [...kept, ...gone]) await store.put(key, Buffer.from('x'));
    const cdc = `${JSON.stringify({ cdc: { path: '_change_data/kept', partitionValues: {}, size: 1, dataChange: false } })}\n`;
    const commit = '_delta_log/00000000000000000001.json';
    await store.put(commit, Buffer.concat([Buffer.from(await store.get(commit)), Buffer.from(cdc)]));
    nowMs += 8 * DAY_MS;
    await store.put('young.parquet', Buffer.from('x'));
    expect(await open().vacuum()).toMatchObject({ deleted: gone.length });
    expect(await dataKeys()).toEqual(
      [...kept, 'young.parquet'].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    );
  });

  test('leaves files where the time is over, and takes them the next time', async () => {
    const table = open();
    await fill(table, 1);
    const old = Array.from({ length: 1500 }, (_, index) => `orphan-${index}.parquet`);
    for (const key of old) await store.put(key, new Uint8Array(10));
    nowMs += 30 * DAY_MS;
    const live = await ns(table);
    expect(await table.vacuum({ isOver: () => true })).toMatchObject({
      ...{ deleted: 1000, deletedBytes: 10_000, left: 500, kept: 501 },
    });
    expect(await dataKeys()).toHaveLength(501);
    expect(await table.vacuum({ isOver: () => true })).toMatchObject({ deleted: 500, left: 0, kept: 1 });
    expect(await ns(table)).toEqual(live);
  });

  test('sees what is committed while it lists', async () => {
    const table = open();
    await createTable(table, []);
    await store.put('slow.parquet', Buffer.from('x'));
    nowMs += 30 * DAY_MS;
    const slow = new FaultyObjectStore(store);
    const list = slow.list.bind(slow);
    slow.list = async function* (prefix, options): AsyncIterable<ObjectInfo> {
      yield* list(prefix, options);
      if (prefix === '') await append(table, await table.snapshot(), 'slow.parquet');
    };
    expect(await open(slow).vacuum()).toMatchObject({ deleted: 0 });
    expect(await dataKeys()).toEqual(['slow.parquet']);
  });

  test('refuses to keep less than the table says, unless it is forced', async () => {
    const table = open();
    await fill(table, 1);
    await table.delete();
    nowMs += 1000;
    await expect(table.vacuum({ retentionMs: 0 })).rejects.toMatchObject({
      code: 'DELTA_RETENTION_TOO_SHORT',
    });
    expect(await table.vacuum({ retentionMs: 0, force: true })).toMatchObject({ deleted: 1 });
  });

  test('refuses a table with a feature that it does not know', async () => {
    const table = open();
    const base = await createTable(table);
    const actions = [
      {
        protocol: {
          minReaderVersion: 3,
          minWriterVersion: 7,
          readerFeatures: [],
          writerFeatures: ['newThing'],
        },
      },
    ];
    const commit = '_delta_log/00000000000000000001.json';
    await store.put(commit, Buffer.from(JSON.stringify(actions[0])));
    expect(base.version).toBe(0);
    await expect(open().vacuum()).rejects.toMatchObject({
      code: 'DELTA_WRITE_UNSUPPORTED',
      message: expect.stringContaining('newThing') as unknown,
    });
  });
});

describe('the log', () => {
  /** A commit a day, with a checkpoint at each of the versions given. */
  async function daily(commits: number, checkpoints: readonly number[]): Promise<DeltaTable> {
    const table = open();
    await createTable(table, ['f0']);
    for (let version = 1; version <= commits; version += 1) {
      nowMs += DAY_MS;
      await append(table, await table.snapshot(), `f${version}`);
      if (checkpoints.includes(version)) await table.checkpoint();
    }
    return table;
  }
  const log = async (): Promise<string[]> =>
    (await keysOf('_delta_log/')).map((key) => key.slice('_delta_log/'.length).replace(/^0+(?=\d)/, ''));

  test('is cut below the newest checkpoint that is old enough', async () => {
    const table = await daily(50, [5, 15, 40]);
    await store.put('_delta_log/00000000000000000003.crc', Buffer.from('{}'));
    await store.put('_delta_log/00000000000000000003.00000000000000000007.compacted.json', Buffer.from('{}'));
    await store.put('_delta_log/of_somebody_else', Buffer.from('x'));
    nowMs += 1;
    const dry = await table.cleanLog({ dryRun: true });
    expect(dry).toMatchObject({ oldestVersion: 15, deleted: 15 + 1 + 2 });
    expect(await table.cleanLog()).toEqual({ ...dry, dryRun: false });
    const left = await log();
    expect(left.slice(0, 3)).toEqual(['15.checkpoint.parquet', '15.json', '16.json']);
    expect(left).toContain('of_somebody_else');
    const again = open();
    expect(pathsOf(await again.snapshot())).toHaveLength(51);
    expect(pathsOf(await again.snapshot({ version: 15 }))).toHaveLength(16);
    await expect(again.snapshot({ version: 14 })).rejects.toMatchObject({ code: 'DELTA_VERSION_NOT_FOUND' });
    expect(await table.cleanLog()).toMatchObject({ deleted: 0 });
  });

  test.each([
    ['nothing stands in for it', [], {}],
    ['nothing is old enough', [40], {}],
    ['the table wants it whole', [5, 15], { 'delta.enableExpiredLogCleanup': 'false' }],
  ])('stays whole where %s', async (_, checkpoints, properties: Record<string, string>) => {
    const table = await daily(45, checkpoints);
    if (Object.keys(properties).length > 0) await table.setProperties(properties);
    const before = await log();
    expect(await table.cleanLog()).toMatchObject({ oldestVersion: null, deleted: 0 });
    expect(await log()).toEqual(before);
  });

  test('stays whole where the checkpoint cannot be read', async () => {
    const table = await daily(45, [10]);
    await store.put('_delta_log/00000000000000000010.checkpoint.parquet', Buffer.from('PAR1 damaged PAR1'));
    const before = await log();
    await expect(table.cleanLog()).rejects.toMatchObject({ code: 'DELTA_CHECKPOINT_UNREADABLE' });
    expect(await log()).toEqual(before);
  });

  test('can be read at every moment of the cleaning', async () => {
    const table = await daily(45, [5, 10]);
    const fragile = new FaultyObjectStore(store);
    let calls = 0;
    fragile.delete = async (keys) => {
      // Killed after each single object.
      for (const key of keys) {
        await store.delete([key]);
        calls += 1;
        expect(pathsOf(await open().snapshot())).toHaveLength(46);
      }
    };
    await open(fragile).cleanLog();
    expect(calls).toBe(11);
    expect((await table.snapshot()).version).toBe(45);
  });
});

describe('fsck', () => {
  test('finds nothing in a sound table', async () => {
    const table = open();
    await fill(table, 3);
    await table.delete({ where: 'n = 5' });
    expect(await table.fsck({ statistics: true })).toEqual({
      ...{
        version: 3,
        files: 3,
        findings: [],
        statisticsRead: 3,
        hollow: false,
        orphans: 0,
        orphanBytes: 0,
        repairedVersion: null,
      },
    });
  });

  test('finds missing and cut files, wrong statistics and orphans, and repairs only when asked', async () => {
    const table = open();
    await fill(table, 4);
    const base = await table.snapshot();
    const [missing, cut, wrong] = base.files.toArray() as unknown as readonly [AddFile, AddFile, AddFile];
    await store.delete([missing.path]);
    await store.put(cut.path, Buffer.from('cut'));
    const stats =
      '{"numRecords":9,"minValues":{"n":25,"p":"p0"},"maxValues":{"n":29,"p":"p"},"nullCount":{"n":1,"p":0}}';
    await table.commit({
      base,
      actions: [{ add: { ...wrong, stats, dataChange: false } }],
      operation: 'SPOIL',
      read: 'nothing',
    });
    await store.put('orphan.parquet', Buffer.from('x'));
    nowMs += 8 * DAY_MS;
    const report = await table.fsck({ statistics: true });
    expect(report).toMatchObject({ version: 4, orphans: 1, hollow: false, repairedVersion: null });
    expect(report.findings.map(({ path, problem }) => [path, problem])).toEqual([
      [missing.path, 'missing'],
      [cut.path, 'wrong size'],
      [wrong.path, 'wrong statistics'],
    ]);
    expect(report.findings[2]?.detail).toBe(
      '10 rows, not 9; 0 NULLs in n, not 1; a lower n than the minimum; a higher p than the maximum',
    );
    expect((await table.snapshot()).version).toBe(4);
    expect(await table.fsck({ statistics: true, repair: true })).toMatchObject({ repairedVersion: 5 });
    expect(await table.fsck({ statistics: true })).toMatchObject({ findings: [], files: 2 });
    expect(await ns(table)).toEqual(upTo(40).filter((n) => n >= 20));
    expect(await table.update({ set: { p: `'x'` }, where: 'n = 20' })).toMatchObject({ rowsUpdated: 1 });
  });

  test('knows a table of which only the log is left', async () => {
    const table = open();
    await fill(table, 2);
    await store.delete(await dataKeys());
    expect(await table.fsck()).toMatchObject({ hollow: true, files: 2 });
  });
});
