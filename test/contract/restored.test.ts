/** A lake that was deleted whole and restored from a backup: delta-rs reads every table of it as before, and goes on. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openObjectStore } from '../../src/connectors/object-store/index.js';
import type { ObjectStore } from '../../src/delta/index.js';
import { BackupLab, TABLES } from '../activities/backup-lab.js';
import { appendWithDeltaRs, readWithDeltaRs, TEST_PYTHON } from '../support/delta-rs.js';
import { testStack } from '../support/stack.js';

const folder = mkdtempSync(path.join(tmpdir(), 'datalab-restored-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Place {
  readonly lake?: ObjectStore;
  readonly backup?: ObjectStore;
  readonly storage: Record<string, string>;
}

async function place(kind: 'local files' | 'S3'): Promise<Place> {
  if (kind === 'local files') return { storage: {} };
  const { endpoint, region, accessKeyId, secretAccessKey, bucket } = (await testStack('s3')).s3;
  const open = (name: string): ObjectStore =>
    openObjectStore(`s3://${bucket}/restored/${randomUUID()}/${name}`, {
      s3: { endpoint, region, accessKeyId, secretAccessKey },
      cacheDirectory: path.join(folder, name),
      cacheBytes: 1e8,
    });
  const storage = {
    ...{ AWS_ENDPOINT_URL: endpoint, AWS_REGION: region, AWS_ALLOW_HTTP: 'true' },
    ...{ AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
  };
  return { lake: open('lake'), backup: open('backup'), storage };
}

describe.skipIf(!TEST_PYTHON)('delta-rs (skipped without DATALAB_TEST_PYTHON)', () => {
  it.each(['local files', 'S3'] as const)('reads a lake restored on %s as it was', async (kind) => {
    const { lake, backup, storage } = await place(kind);
    const backups = new BackupLab({ ...(lake && { deps: { lake } }), ...(backup && { backup }) });
    try {
      await backups.someRuns();
      await backups.someLife();
      const uriOf = (name: string): string => backups.lab.store(name).uri.replace(/^file:\/\//, '');
      const theirs = (): Promise<unknown[]> =>
        Promise.all(
          TABLES.map(async (name) => {
            const { version, rows } = await readWithDeltaRs(uriOf(name), 'SELECT * FROM t', { storage });
            return { version, rows: rows.map((row) => JSON.stringify(row)).sort() };
          }),
        );
      const before = (await theirs()) as Array<{ rows: string[] }>;
      expect(before.map(({ rows }) => rows.length)).toEqual([6, 3, 3, 1, 3]);
      await backups.create();
      expect(await backups.deleteLake()).toBeGreaterThan(20);
      await expect(theirs()).rejects.toThrow();
      await backups.restore();
      expect(await theirs()).toEqual(before);
      await appendWithDeltaRs(uriOf('gold/sizes'), [{ size: 9 }], storage);
      expect(await backups.lab.rows('gold/sizes', 'size', 'ORDER BY size')).toEqual([
        { size: 3n },
        { size: 9n },
      ]);
    } finally {
      backups.close();
    }
  });
});
