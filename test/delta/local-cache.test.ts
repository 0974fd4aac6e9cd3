/** The folder of local copies: bounded, shared, never taking away what is in use. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LocalCache } from '../../src/connectors/object-store/cache.js';

let folder: string;
let downloads: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'datalab-cache-'));
  downloads = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const kilobyte = (id: string) => async (path: string) => {
  downloads.push(id);
  await writeFile(path, id.padEnd(1000, '.'));
};

test('keeps the least recently used copies only as long as there is room', async () => {
  const cache = new LocalCache(folder, 2500);
  for (const id of ['a', 'b', 'a', 'c', 'a', 'b']) (await cache.acquire(id, kilobyte(id))).release();
  // 'c' takes the place of 'b', which was used less recently than 'a'.
  expect(downloads).toEqual(['a', 'b', 'c', 'b']);
  expect(cache.sizeBytes).toBe(2000);
});

test('never takes away a copy in use, and makes room when it is released', async () => {
  const cache = new LocalCache(folder, 1500);
  const held = await Promise.all(['a', 'b', 'c'].map((id) => cache.acquire(id, kilobyte(id))));
  expect(held.map(({ path }) => readFileSync(path, 'utf8')[0])).toEqual(['a', 'b', 'c']);
  expect(cache.sizeBytes).toBe(3000);
  for (const copy of held) copy.release();
  expect(cache.sizeBytes).toBe(1000);
  expect(held.filter(({ path }) => existsSync(path))).toHaveLength(1);
});

test('downloads once for all who ask at the same time', async () => {
  const cache = new LocalCache(folder, 10_000);
  const copies = await Promise.all(Array.from({ length: 10 }, () => cache.acquire('a', kilobyte('a'))));
  expect(downloads).toEqual(['a']);
  expect(new Set(copies.map(({ path }) => path)).size).toBe(1);
});

test('a failed download is told to all, and tried again by the next', async () => {
  const cache = new LocalCache(folder, 10_000);
  let tries = 0;
  const flaky = async (path: string) => {
    tries += 1;
    if (tries === 1) throw new Error('connection lost');
    await writeFile(path, 'whole');
  };
  const answers = await Promise.allSettled([cache.acquire('a', flaky), cache.acquire('a', flaky)]);
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(readFileSync((await cache.acquire('a', flaky)).path, 'utf8')).toBe('whole');
});

test('one who gives up does not stop the download for the others; the last one does', async () => {
  const cache = new LocalCache(folder, 10_000);
  let seen: AbortSignal | undefined;
  let finish = (): void => undefined;
  const slow = async (path: string, signal: AbortSignal) => {
    seen = signal;
    await new Promise<void>((resolve, reject) => {
      finish = resolve;
      signal.addEventListener('abort', () => reject(new Error('aborted')));
    });
    await writeFile(path, 'whole');
  };
  const impatient = new AbortController();
  const first = cache.acquire('a', slow, impatient.signal);
  const second = cache.acquire('a', slow);
  await Promise.resolve();
  impatient.abort(new Error('no time'));
  await expect(first).rejects.toThrow('no time');
  expect(seen?.aborted).toBe(false);
  finish();
  expect(readFileSync((await second).path, 'utf8')).toBe('whole');

  const alone = new AbortController();
  const only = cache.acquire('b', slow, alone.signal);
  await Promise.resolve();
  alone.abort(new Error('no time'));
  await expect(only).rejects.toThrow('no time');
  expect(seen?.aborted).toBe(true);
});
