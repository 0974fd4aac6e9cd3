/** Random histories of operations, with concurrent writers and faults, on memory and on local files. */
import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'vitest';
import { LocalObjectStore, MemoryObjectStore } from '../../../src/connectors/object-store/index.js';
import { history, play } from '../../support/delta-history.js';
import { deltaLab } from '../../support/delta-lab.js';
import { seedOf } from '../../support/seed.js';

const lab = deltaLab();

test('in memory, every history is what its landed operations give one after the other', async () => {
  await fc.assert(
    fc.asyncProperty(history, async (some) => {
      const clock = { nowMs: Date.UTC(2024, 0, 1) };
      await play(lab, new MemoryObjectStore('history', { nowMs: () => clock.nowMs }), some, clock);
    }),
    { seed: seedOf(23), numRuns: 30 },
  );
});

test('on local files too', async () => {
  await fc.assert(
    fc.asyncProperty(history, (some) =>
      play(lab, new LocalObjectStore(join(lab.folder, randomUUID())), some),
    ),
    { seed: seedOf(23), numRuns: 10 },
  );
});
