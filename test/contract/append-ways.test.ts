/** Whichever way rows are appended, delta-rs reads them, on local files and on S3. */
import { describe, expect, test } from 'vitest';
import { appendSteps, WAYS } from '../support/append-ways.js';
import { appendWithDeltaRs, readWithDeltaRs, TEST_PYTHON } from '../support/delta-rs.js';
import { deltaLab } from '../support/delta-lab.js';
import { deltaPlace } from '../support/delta-place.js';

const lab = deltaLab();

describe.skipIf(!TEST_PYTHON)('delta-rs (skipped without DATALAB_TEST_PYTHON)', () => {
  describe.each(['local files', 'S3'] as const)('on %s', (kind) => {
    test.each(WAYS)('reads rows that were appended by %s', async (way) => {
      const { store, storage } = await deltaPlace(lab, kind, 'append-ways');
      const uri = store.uri.replace(/^file:\/\//, '');
      await appendSteps(way, lab, store, async ({ step, rows }, table) => {
        const theirs = await readWithDeltaRs(uri, 'SELECT * FROM t ORDER BY id', { storage, apps: ['sink'] });
        expect(theirs.version, step).toBe((await table.snapshot()).version);
        expect(theirs.transactions, step).toEqual({ sink: 1 });
        const asTheirs = rows.map((row) => ({
          ...row,
          id: Number(row['id']),
          at: (row['at'] as string | null)?.replace(/Z$/, '+00:00') ?? null,
          ...('more' in row ? { more: row['more'] === null ? null : Number(row['more']) } : {}),
        }));
        expect(theirs.rows, step).toEqual(asTheirs);
        // Their own way of finding rows by our statistics and partitions.
        const some = await readWithDeltaRs(uri, `SELECT id FROM t WHERE day = DATE '1969-12-31' AND x < 0`, {
          storage,
        });
        expect(some.rows.length, step).toBe(rows.filter(({ x }) => x === -0.5).length);
      });
      await appendWithDeltaRs(uri, [{ id: 900, s: 'theirs' }], storage);
      expect(await lab.rows(lab.table(store), 'id')).toHaveLength(6);
    });
  });
});
