/** Whichever way rows are appended, delta-rs reads them, on local files and on S3. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LocalObjectStore, openObjectStore } from '../../src/connectors/object-store/index.js';
import type { ObjectStore } from '../../src/delta/index.js';
import { appendSteps, WAYS } from '../support/append-ways.js';
import { appendWithDeltaRs, readWithDeltaRs, TEST_PYTHON } from '../support/delta-rs.js';
import { deltaLab } from '../support/delta-lab.js';
import { testStack } from '../support/stack.js';

const lab = deltaLab();

async function place(
  kind: 'local files' | 'S3',
): Promise<{ store: ObjectStore; storage: Record<string, string> }> {
  if (kind === 'local files')
    return { store: new LocalObjectStore(join(lab.folder, randomUUID())), storage: {} };
  const { s3 } = await testStack('s3');
  const { endpoint, region, accessKeyId, secretAccessKey, bucket } = s3;
  const store = openObjectStore(`s3://${bucket}/append-ways/${randomUUID()}`, {
    s3: { endpoint, region, accessKeyId, secretAccessKey },
    cacheDirectory: join(lab.folder, 'cache'),
    cacheBytes: 1e8,
  });
  const keys = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  const storage = { AWS_ENDPOINT_URL: endpoint, AWS_REGION: region, AWS_ALLOW_HTTP: 'true', ...keys };
  return { store, storage };
}

describe.skipIf(!TEST_PYTHON)('delta-rs (skipped without DATALAB_TEST_PYTHON)', () => {
  describe.each(['local files', 'S3'] as const)('on %s', (kind) => {
    test.each(WAYS)('reads rows that were appended by %s', async (way) => {
      const { store, storage } = await place(kind);
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
