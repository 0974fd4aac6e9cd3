/** What every ObjectStore must do. Run it with a maker of empty stores. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ObjectNotFoundError, type ObjectStore } from '../../src/delta/index.js';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const textOf = (value: Uint8Array): string => Buffer.from(value).toString('utf8');

async function keysOf(store: ObjectStore, prefix: string, startAfter?: string): Promise<string[]> {
  const keys: string[] = [];
  const options = startAfter === undefined ? {} : { startAfter };
  for await (const { key } of store.list(prefix, options)) keys.push(key);
  return keys;
}

export function objectStoreContract(name: string, makeStore: () => Promise<ObjectStore>): void {
  describe(`${name} keeps the contract of ObjectStore`, () => {
    let store: ObjectStore;
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'datalab-store-'));
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));
    beforeEach(async () => {
      store = await makeStore();
    });

    test('gives back what was put, byte for byte, and replaces it', async () => {
      const content = randomBytes(100_000);
      await store.put('a/b.bin', content);
      expect(Buffer.compare(Buffer.from(await store.get('a/b.bin')), content)).toBe(0);
      await store.put('a/b.bin', bytes('new'));
      expect(textOf(await store.get('a/b.bin'))).toBe('new');
      expect(await store.head('a/b.bin')).toMatchObject({ key: 'a/b.bin', sizeBytes: 3 });
    });

    test('says that an object is not there', async () => {
      await expect(store.get('no/such')).rejects.toBeInstanceOf(ObjectNotFoundError);
      await expect(store.get('no/such')).rejects.toMatchObject({ key: 'no/such', storeUri: store.uri });
      expect(await store.head('no/such')).toBeUndefined();
      await expect(store.checkout(['no/such'])).rejects.toBeInstanceOf(ObjectNotFoundError);
      // Of very many too, where a store may ask for all of them at once.
      await store.put('many/one', new Uint8Array([1]));
      const many = [...Array(200).fill('many/one'), 'many/two'] as string[];
      await expect(store.checkout(many)).rejects.toMatchObject({ key: 'many/two' });
      (await store.checkout(many.slice(0, 200))).release();
      await store.put('a/b', bytes('x'));
      expect(await store.head('a')).toBeUndefined();
    });

    test('stamps objects with the time of their writing', async () => {
      const before = Date.now();
      await store.put('a', bytes('x'));
      const modifiedMs = (await store.head('a'))?.modifiedMs ?? 0;
      // S3 knows whole seconds.
      expect(modifiedMs).toBeGreaterThanOrEqual(before - 1000);
      expect(modifiedMs).toBeLessThanOrEqual(Date.now() + 1000);
    });

    test('lists by prefix in the order of UTF-8 bytes', async () => {
      // '-' sorts before '/', so a walk of folders in order of their names would be wrong; U+FFFD and the emoji sort
      // the other way round in UTF-16.
      const keys = ['p/a-1', 'p/a/1', 'p/a/2', 'p/a0', 'p/b', 'p/é', 'p/\ufffd', 'p/😀', 'p/x y%20z', 'q'];
      for (const key of [...keys].reverse()) await store.put(key, bytes(key));
      const sorted = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect(await keysOf(store, '')).toEqual(sorted);
      expect(await keysOf(store, 'p/')).toEqual(sorted.filter((key) => key.startsWith('p/')));
      expect(await keysOf(store, 'p/a')).toEqual(['p/a-1', 'p/a/1', 'p/a/2', 'p/a0']);
      expect(await keysOf(store, 'p/a/')).toEqual(['p/a/1', 'p/a/2']);
      expect(await keysOf(store, 'nothing/')).toEqual([]);
      for (const after of ['p/a', 'p/a/1', 'p/a/15', 'p/a0', 'p/é', 'zzz']) {
        const wanted = sorted.filter((key) => Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0);
        expect(await keysOf(store, '', after)).toEqual(wanted);
      }
    });

    test('lists more than one page', async () => {
      const keys = Array.from({ length: 1100 }, (_, index) => `n/${String(index).padStart(5, '0')}`);
      for (let first = 0; first < keys.length; first += 50) {
        await Promise.all(keys.slice(first, first + 50).map((key) => store.put(key, bytes(key))));
      }
      expect(await keysOf(store, 'n/')).toEqual(keys);
      expect(await keysOf(store, 'n/', 'n/01050')).toEqual(keys.slice(1051));
      await store.delete(keys);
      expect(await keysOf(store, 'n/')).toEqual([]);
    });

    test('creates a key once, and an existing key is an answer', async () => {
      expect(await store.putIfAbsent('log/0.json', bytes('first'))).toBe('created');
      expect(await store.putIfAbsent('log/0.json', bytes('second'))).toBe('exists');
      expect(textOf(await store.get('log/0.json'))).toBe('first');
    });

    test('lets exactly one of many racing writers create a key', async () => {
      for (let round = 0; round < 10; round += 1) {
        const key = `race/${round}`;
        const answers = await Promise.all(
          Array.from({ length: 16 }, (_, writer) => store.putIfAbsent(key, bytes(`writer ${writer}`))),
        );
        expect(answers.filter((answer) => answer === 'created')).toHaveLength(1);
        expect(textOf(await store.get(key))).toBe(`writer ${answers.indexOf('created')}`);
      }
    });

    test('shows an object whole or not at all', async () => {
      const contents = [Buffer.alloc(300_000, 1), Buffer.alloc(500_000, 2)];
      await store.put('whole', contents[0] as Buffer);
      const writing = (async () => {
        for (let i = 0; i < 10; i += 1) await store.put('whole', contents[i % 2] as Buffer);
      })();
      for (let i = 0; i < 10; i += 1) {
        const seen = Buffer.from(await store.get('whole'));
        expect(contents.some((content) => content.equals(seen))).toBe(true);
      }
      await writing;
    });

    test('copies a local file up and down', async () => {
      const content = randomBytes(1_000_000);
      const path = join(folder, 'up.parquet');
      await writeFile(path, content);
      await store.putFile('data/up.parquet', path);
      const local = await store.checkout(['data/up.parquet', 'data/up.parquet']);
      expect(Buffer.compare(await readFile(local.pathOf('data/up.parquet')), content)).toBe(0);
      expect(() => local.pathOf('data/other')).toThrow(/not checked out/);
      local.release();
      local.release();
    });

    test('takes a file that is given away, and keeps it when its maker removes it', async () => {
      const content = randomBytes(100_000);
      const path = join(folder, 'given.parquet');
      await writeFile(path, content);
      await utimes(path, 1, 1);
      const before = Date.now();
      await store.putFile('data/given.parquet', path, { giveAway: true });
      await rm(path);
      const found = await store.head('data/given.parquet');
      expect(found?.sizeBytes).toBe(content.length);
      expect(found?.modifiedMs).toBeGreaterThanOrEqual(before - 1000);
      expect(Buffer.compare(Buffer.from(await store.get('data/given.parquet')), content)).toBe(0);
      expect(await keysOf(store, 'data/')).toEqual(['data/given.parquet']);
      await expect(store.putFile('data/none', path, { giveAway: true })).rejects.toThrow(/ENOENT/);
    });

    test('copies a file in parts when it is big', async () => {
      const content = randomBytes(40 * 1024 * 1024 + 17);
      const path = join(folder, 'big.bin');
      await writeFile(path, content);
      await store.putFile('data/big.bin', path);
      expect((await store.head('data/big.bin'))?.sizeBytes).toBe(content.length);
      const local = await store.checkout(['data/big.bin']);
      expect(Buffer.compare(await readFile(local.pathOf('data/big.bin')), content)).toBe(0);
      local.release();
    });

    test.each([1000, 20 * 1024 * 1024])('creates a key from a file of %i bytes once', async (size) => {
      const paths = ['one.bin', 'two.bin'].map((name) => join(folder, name));
      for (const path of paths) await writeFile(path, randomBytes(size));
      const [first = '', second = ''] = paths;
      expect(await store.putFileIfAbsent('data/once.bin', first)).toBe('created');
      expect(await store.putFileIfAbsent('data/once.bin', second)).toBe('exists');
      expect(Buffer.compare(Buffer.from(await store.get('data/once.bin')), await readFile(first))).toBe(0);
    });

    test('deletes, and passes over what is not there', async () => {
      await store.put('a', bytes('x'));
      await store.put('b/c', bytes('x'));
      await store.delete(['a', 'b/c', 'nothing', 'no/such']);
      expect(await keysOf(store, '')).toEqual([]);
      await store.delete([]);
    });

    test('is the same store when it is rooted deeper', async () => {
      const deeper = store.at('x/y');
      await deeper.put('z', bytes('deep'));
      expect(textOf(await store.get('x/y/z'))).toBe('deep');
      expect(await keysOf(deeper, '')).toEqual(['z']);
      expect(deeper.uri).toBe(`${store.uri}/x/y`);
      await store.put('x/yy', bytes('a neighbour'));
      expect(await keysOf(deeper, '')).toEqual(['z']);
    });

    test('refuses keys that leave the root or mean nothing', async () => {
      for (const key of ['../up', 'a/../../up', '/abs', '', 'a//b', './a', 'a/', 'nul\0']) {
        await expect(async () => store.put(key, bytes('x'))).rejects.toThrow(/is not a key/);
        await expect(async () => store.get(key)).rejects.toThrow(/is not a key/);
      }
      expect(() => store.at('../up')).toThrow(/is not a key/);
    });
  });
}
