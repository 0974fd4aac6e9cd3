/** Adds of a checkpoint come as long texts: whatever their values hold, each comes out as it was written. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LocalObjectStore } from '../../src/connectors/object-store/index.js';
import type { AddFile } from '../../src/delta/index.js';
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

test('every add of a checkpoint is the add of the commit', async () => {
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
      const read = await lab.table(store).snapshot();
      expect(read.checkpointVersion).toBe(1);
      const byPath = (files: readonly AddFile[]): AddFile[] =>
        [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
      expect(byPath(read.files)).toEqual(byPath(adds));
    }),
    { seed: seedOf(23), numRuns: 30 },
  );
});
