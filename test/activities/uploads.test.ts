/** Uploads that begin while a step computes: what is handed out is there, and what is not leaves nothing behind. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Uploads, withUploads } from '../../src/activities/uploads.js';
import { LocalObjectStore } from '../../src/connectors/object-store/index.js';
import type { PutFileOptions, WrittenFile } from '../../src/delta/index.js';

const schema = { type: 'struct', fields: [] } as const;
const signal = new AbortController().signal;
let folder: string;
let ids: number;
const deps = { clock: { nowMs: () => 7 }, newId: () => `id-${++ids}` };

/** A store in a folder that refuses files with a word in their name. */
class Store extends LocalObjectStore {
  override async putFile(key: string, localPath: string, options?: PutFileOptions): Promise<void> {
    if (localPath.includes('refused')) throw new Error('no room');
    return super.putFile(key, localPath, options);
  }
}

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'datalab-uploads-'));
  ids = 0;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const open = (): Store => new Store(path.join(folder, 'lake'));

async function written(name: string): Promise<WrittenFile> {
  const localPath = path.join(folder, name);
  await writeFile(localPath, name);
  return { localPath, rows: 1, sizeBytes: name.length, columns: {} };
}

async function keysOf(store: Store): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list('')) keys.push(key);
  return keys.sort();
}

it('uploads each file once, whether it was begun before or not, and tells the adds in order', async () => {
  const store = open();
  const uploads = new Uploads(deps, store, signal);
  const [early, late] = [await written('early'), await written('much later')];
  uploads.begin(early);
  const adds = await uploads.adds([late, early], { schema });
  expect(adds.map(({ size }) => size)).toEqual(['much later'.length, 'early'.length]);
  expect(await keysOf(store)).toEqual(adds.map((add) => add.path).sort());
  for (const { path: key, size } of adds) expect((await store.get(key)).byteLength).toBe(size);
});

it('removes what was begun and is not wanted in the end', async () => {
  const store = open();
  const uploads = new Uploads(deps, store, signal);
  const [kept, retracted] = [await written('kept'), await written('retracted')];
  uploads.begin(kept);
  uploads.begin(retracted);
  const adds = await uploads.adds([kept], { schema });
  expect(await keysOf(store)).toEqual(adds.map((add) => add.path));
});

it('leaves nothing behind when the work fails, and what it handed out when it does not', async () => {
  const store = open();
  const failing = withUploads(deps, store, signal, async (uploads) => {
    uploads.begin(await written('early'));
    throw new Error('the engine gave up');
  });
  await expect(failing).rejects.toThrow('the engine gave up');
  expect(await keysOf(store)).toEqual([]);
  const handedOut = await withUploads(deps, store, signal, async (uploads) =>
    uploads.adds([await written('one')], { schema }),
  );
  expect(await keysOf(store)).toEqual(handedOut.map((add) => add.path));
});

it('fails with the upload that failed, and takes back the others', async () => {
  const store = open();
  const work = withUploads(deps, store, signal, async (uploads) => {
    const files = [await written('first'), await written('refused'), await written('third')];
    files.forEach((file) => uploads.begin(file));
    return uploads.adds(files, { schema });
  });
  await expect(work).rejects.toThrow('no room');
  expect(await keysOf(store)).toEqual([]);
});

it('uploads nothing more once the step is cancelled', async () => {
  const store = open();
  const cancelled = new AbortController();
  const work = withUploads(deps, store, cancelled.signal, async (uploads) => {
    uploads.begin(await written('before'));
    cancelled.abort(new Error('cancelled'));
    return uploads.adds([await written('after')], { schema });
  });
  await expect(work).rejects.toThrow('cancelled');
  expect(await keysOf(store)).toEqual([]);
});
