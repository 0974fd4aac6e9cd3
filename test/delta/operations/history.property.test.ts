/** Random histories of operations, with concurrent writers and faults, on memory and on local files. */
import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LocalObjectStore, MemoryObjectStore } from '../../../src/connectors/object-store/index.js';
import { history, MISFORTUNES, play } from '../../support/delta-history.js';
import { deltaLab } from '../../support/delta-lab.js';
import { seedOf } from '../../support/seed.js';

const lab = deltaLab();

test('in memory, every history is what its landed operations give one after the other', async () => {
  const struck = new Set<string>();
  await fc.assert(
    fc.asyncProperty(history, async (some) => {
      const clock = { nowMs: Date.UTC(2024, 0, 1) };
      const store = new MemoryObjectStore('history', { nowMs: () => clock.nowMs });
      await play(lab, store, some, { clock, struck });
    }),
    { seed: seedOf(23), numRuns: 30 },
  );
  expect([...struck].sort()).toEqual(MISFORTUNES);
});

test('on local files too', async () => {
  const struck = new Set<string>();
  await fc.assert(
    fc.asyncProperty(history, (some) =>
      play(lab, new LocalObjectStore(join(lab.folder, randomUUID())), some, { struck }),
    ),
    { seed: seedOf(23), numRuns: 10 },
  );
  expect([...struck].sort()).toEqual(MISFORTUNES);
});

test('with statistics that stay in their checkpoints until they are needed', async () => {
  await fc.assert(
    fc.asyncProperty(history, (some) =>
      play(lab, new MemoryObjectStore('history'), some, { deps: { lateStatisticsBytes: 0 } }),
    ),
    { seed: seedOf(23), numRuns: 40 },
  );
});
