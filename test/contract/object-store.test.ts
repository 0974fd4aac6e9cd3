/** The three object stores, held to one contract; S3 against the real gateway. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  LocalObjectStore,
  MemoryObjectStore,
  openObjectStore,
} from '../../src/connectors/object-store/index.js';
import { testStack } from '../support/stack.js';
import { objectStoreContract } from './object-store.case.js';

const folder = mkdtempSync(join(tmpdir(), 'datalab-stores-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const localStore = (): LocalObjectStore => new LocalObjectStore(join(folder, randomUUID()));

async function s3Store(cacheBytes = 1e9) {
  const { s3 } = await testStack('s3');
  const { endpoint, region, accessKeyId, secretAccessKey, bucket } = s3;
  return openObjectStore(`s3://${bucket}/contract/${randomUUID()}`, {
    s3: { endpoint, region, accessKeyId, secretAccessKey },
    cacheDirectory: join(folder, `cache-${cacheBytes}`),
    cacheBytes,
  });
}

objectStoreContract('memory', () => Promise.resolve(new MemoryObjectStore()));
objectStoreContract('local files', () => Promise.resolve(localStore()));
objectStoreContract('S3', () => s3Store());

describe('local files', () => {
  test('hide what is half written', async () => {
    const store = localStore();
    await store.put('a/b', Buffer.from('x'));
    const root = new URL(store.uri).pathname;
    writeFileSync(join(root, 'a', `.tmp-${randomUUID()}`), 'half');
    const keys = [];
    for await (const { key } of store.list('')) keys.push(key);
    expect(keys).toEqual(['a/b']);
  });

  test('leave no temporary file behind, whoever wins', async () => {
    const store = localStore();
    await Promise.all(Array.from({ length: 8 }, () => store.putIfAbsent('k', Buffer.from('x'))));
    expect(readdirSync(new URL(store.uri).pathname)).toEqual(['k']);
  });
});

describe('openObjectStore', () => {
  test('says which URIs it knows', () => {
    const options = { cacheDirectory: join(folder, 'none'), cacheBytes: 1 };
    expect(() => openObjectStore('gs://bucket', options)).toThrow(/file:\/\/\/folder or s3/);
    expect(() => openObjectStore('s3://', options)).toThrow(/names no bucket/);
    expect(openObjectStore('file:///tmp/lake', options).uri).toBe('file:///tmp/lake');
  });
});
