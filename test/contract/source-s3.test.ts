/** Sources in the real S3 gateway. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openObjectStore } from '../../src/connectors/object-store/index.js';
import { openSources } from '../../src/connectors/sources/index.js';
import type { SourceReader } from '../../src/contracts/sources.js';
import type { ObjectStore } from '../../src/delta/ports.js';
import { testStack } from '../support/stack.js';

const folder = mkdtempSync(join(tmpdir(), 'datalab-sources-'));
let store: ObjectStore;
let reader: SourceReader;
let closed: SourceReader;
beforeAll(async () => {
  const { s3 } = await testStack('s3');
  const { endpoint, region, accessKeyId, secretAccessKey, bucket } = s3;
  const access = { endpoint, region, accessKeyId, secretAccessKey };
  store = openObjectStore(`s3://${bucket}/sources/${randomUUID()}`, {
    s3: access,
    cacheDirectory: join(folder, 'cache'),
    cacheBytes: 1e9,
  });
  reader = openSources({ projectDirectory: folder, s3: access });
  closed = openSources({ projectDirectory: folder, s3: { ...access, endpoint: 'http://127.0.0.1:1' } });
  for (const key of ['in/a.csv', 'in/b c.csv', 'in/é.csv', 'in/deep/d.csv', 'in/x.txt', 'inner/z.csv']) {
    await store.put(key, Buffer.from(`bytes of ${key}`));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function keys(location: string): Promise<string[]> {
  const listed = await reader.list(`${store.uri}/${location}`);
  return listed.map(({ path }) => path.slice(store.uri.length + 1));
}

describe('sources in S3', () => {
  it('lists a key, a prefix or a glob, sorted by path', async () => {
    expect(await keys('in/a.csv')).toEqual(['in/a.csv']);
    expect(await keys('in/')).toEqual(['in/a.csv', 'in/b c.csv', 'in/deep/d.csv', 'in/x.txt', 'in/é.csv']);
    expect(await keys('in')).toEqual(await keys('in/'));
    expect(await keys('in/*.csv')).toEqual(['in/a.csv', 'in/b c.csv', 'in/é.csv']);
    expect(await keys('in/**/*.csv')).toEqual(['in/a.csv', 'in/b c.csv', 'in/deep/d.csv', 'in/é.csv']);
    expect(await keys('in/*.parquet')).toEqual([]);
    await expect(keys('in/none.csv')).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
    await expect(reader.list(`s3://no-such-bucket-${randomUUID()}/x`)).rejects.toMatchObject({
      code: 'SOURCE_NOT_FOUND',
    });
  });

  it('downloads the bytes to a file of their own and hashes them', async () => {
    for (const source of await reader.list(`${store.uri}/in/*.csv`)) {
      const local = await reader.download(source, folder);
      const expected = `bytes of ${source.path.slice(store.uri.length + 1)}`;
      expect(readFileSync(local.localPath, 'utf8')).toBe(expected);
      expect(local.sourceId).toBe(createHash('sha256').update(expected).digest('hex'));
    }
  });

  it('fails when the object is not what was listed, and leaves no file', async () => {
    const directory = mkdtempSync(join(folder, 'changed-'));
    const [source] = await reader.list(`${store.uri}/in/x.txt`);
    if (!source) throw new Error('not listed');
    await store.put('in/x.txt', Buffer.from('other'));
    await expect(reader.download(source, directory)).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
    await store.delete(['in/x.txt']);
    await expect(reader.download(source, directory)).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
    expect(readdirSync(directory)).toEqual([]);
  });

  it('says when S3 cannot be reached, and stops when told', async () => {
    await expect(closed.list('s3://bucket/x')).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      retry: true,
    });
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(reader.list(`${store.uri}/in/`, { signal })).rejects.toThrow('enough');
  });
});
