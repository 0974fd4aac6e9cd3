/** Adds of a checkpoint come as long texts: whatever their values hold, each comes out as it was written. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LocalObjectStore } from '../../src/connectors/object-store/index.js';
import type { AddFile } from '../../src/delta/index.js';
import { checkpointKey } from '../../src/delta/log-path.js';
import { deltaLab } from '../support/delta-lab.js';
import { seedOf } from '../support/seed.js';
import { createTable, struct } from '../support/table.js';

const lab = deltaLab();

/** Texts with the signs that part rows and members, quotes and line ends. */
const text = fc
  .array(fc.constantFrom('a', '"', '\\', '\n', '\u001e', '\u001f', 'ü', '😀', '{', ' '), { maxLength: 6 })
  .map((parts) => parts.join(''));
const add: fc.Arbitrary<Omit<AddFile, 'path'>> = fc.record(
  {
    partitionValues: fc.record({ p: fc.option(text, { nil: null }) }),
    size: fc.integer({ min: 0, max: 2 ** 40 }),
    modificationTime: fc.integer({ min: 0, max: 2 ** 42 }),
    dataChange: fc.constant(false),
    stats: fc.oneof(
      fc
        .record({ numRecords: fc.nat(), minValues: fc.record({ s: text }) })
        .map((some) => JSON.stringify(some)),
      text.filter((some) => some !== ''),
    ),
    tags: fc.dictionary(
      text.map((key) => `t${key}`),
      text,
      { minKeys: 1, maxKeys: 2 },
    ),
    deletionVector: fc.record({
      storageType: fc.constant<'i'>('i'),
      pathOrInlineDv: text,
      sizeInBytes: fc.nat(),
      cardinality: fc.nat(),
    }),
    clusteringProvider: text,
  },
  { requiredKeys: ['partitionValues', 'size', 'modificationTime', 'dataChange'] },
);

test.each([
  ['read with the rest', Infinity],
  ['read late', 0],
])('every add of a checkpoint is the add of the commit, statistics %s', async (_, lateStatisticsBytes) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(text, add), { minLength: 1, maxLength: 30 }), async (drawn) => {
      const store = new LocalObjectStore(join(lab.folder, randomUUID()));
      const base = await createTable(lab.table(store), [], {
        schema: struct({ n: 'long', p: 'string' }),
        partitionColumns: ['p'],
      });
      const adds = drawn.map(([name, rest], index): AddFile => ({ ...rest, path: `${index}${name}` }));
      const log = { base, operation: 'WRITE', read: 'nothing' } as const;
      await lab.table(store).commit({ ...log, actions: adds.map((each) => ({ add: each })) });
      await lab.table(store).checkpoint();
      const read = await lab.table(store, { lateStatisticsBytes }).snapshot();
      expect(read.checkpointVersion).toBe(1);
      const stated = adds.find(({ stats }) => stats !== undefined);
      if (lateStatisticsBytes === 0 && stated) {
        expect(() => read.files.find(stated.path)?.stats).toThrow(/were asked for before they were read/);
      }
      await Promise.all([read.files.readStatistics(), read.files.readStatistics()]);
      const byPath = (files: Iterable<AddFile>): AddFile[] =>
        [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
      expect(byPath(read.files)).toEqual(byPath(adds));
    }),
    { seed: seedOf(23), numRuns: 30 },
  );
});

describe('statistics that were left in a checkpoint', () => {
  const late = { lateStatisticsBytes: 0 };
  async function make(): Promise<LocalObjectStore> {
    const store = new LocalObjectStore(join(lab.folder, randomUUID()));
    for (let from = 0; from < 30; from += 10)
      await lab.table(store).append({ sql: `SELECT n FROM range(${from}, ${from + 10}) t(n)` });
    await lab.table(store).checkpoint();
    // One more by commit, and one of the checkpoint's that is gone.
    await lab.table(store).append({ sql: 'SELECT n FROM range(30, 40) t(n)' });
    await lab.table(store).delete({ where: 'n < 10' });
    return store;
  }
  const ns = async (table: ReturnType<typeof lab.table>): Promise<number[]> =>
    (await lab.rows(table)).map(({ n }) => Number(n));
  const upTo = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

  test('are read where a condition asks for them: files that it rules out are not touched', async () => {
    const store = await make();
    const table = lab.table(store, late);
    const { files } = await table.snapshot();
    const ruledOut = (await lab.table(store).snapshot()).files.filter(
      ({ stats }) => !(stats ?? '').includes('"minValues":{"n":20}'),
    );
    expect(ruledOut).toHaveLength(2);
    await store.delete(ruledOut.map(({ path }) => path));
    const batches: number[] = [];
    for await (const batch of table.read({ where: 'n BETWEEN 20 AND 24' }))
      for (const value of batch.toArray() as unknown as Array<{ n: bigint }>) batches.push(Number(value.n));
    expect(batches.sort((a, b) => a - b)).toEqual([20, 21, 22, 23, 24]);
    expect(files.map(({ stats }) => (JSON.parse(stats ?? '') as { numRecords: number }).numRecords)).toEqual([
      10, 10, 10,
    ]);
  });

  test('are there for every operation that needs them', async () => {
    const store = await make();
    expect(await lab.table(store, late).delete({})).toMatchObject({ rowsDeleted: 30 });
    expect(await lab.table(store, late).restore({ to: { version: 2 } })).toMatchObject({ filesAdded: 3 });
    const restored = (await lab.table(store).snapshot()).files.map(({ stats }) =>
      stats?.includes('"numRecords":10'),
    );
    expect(restored).toEqual([true, true, true]);
    expect(await lab.table(store, late).update({ set: { n: 'n + 100' }, where: 'n >= 25' })).toMatchObject({
      rowsUpdated: 5,
    });
    expect(await lab.table(store, late).fsck({ statistics: true })).toMatchObject({
      findings: [],
      statisticsRead: 3,
    });
    expect(await lab.table(store, late).optimize()).toMatchObject({ filesRemoved: 3, filesAdded: 1 });
    expect(await lab.table(store, late).checkpoint()).toMatchObject({ status: 'written', files: 1 });
    expect(await ns(lab.table(store, late))).toEqual([...upTo(0, 25), ...upTo(125, 130)]);
  });

  test('of a checkpoint that is gone are an error once, and nothing is skipped for want of them', async () => {
    const store = await make();
    const table = lab.table(store, late);
    const { files } = await table.snapshot();
    await store.delete([checkpointKey(2)]);
    await expect(files.readStatistics()).rejects.toMatchObject({ code: 'DELTA_CHECKPOINT_UNREADABLE' });
    // From then on the table is read from what is there now.
    expect(await table.delete({ where: 'n = 25' })).toMatchObject({ rowsDeleted: 1 });
  });

  test('of a checkpoint that somebody wrote anew go by the path', async () => {
    const store = await make();
    const table = lab.table(store, late);
    const { files } = await table.snapshot();
    const other = await lab.table(store).snapshot();
    const session = await lab.engine.open({
      inputs: [join(fileURLToPath(store.uri), checkpointKey(2))],
      outputDirectory: lab.folder,
    });
    const again = await session.writeParquet(
      `SELECT * FROM read_parquet('${join(fileURLToPath(store.uri), checkpointKey(2))}') ORDER BY "add".path DESC`,
      `${randomUUID()}.parquet`,
      { isOwn: true },
    );
    await session.close();
    await store.put(checkpointKey(2), await readFile(again?.localPath ?? ''));
    await files.readStatistics();
    for (const { path, stats } of files) expect(stats).toBe(other.files.find(path)?.stats);
  });
});
