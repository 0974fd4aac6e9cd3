/** Objects as files in a folder. A lake on `file://` needs nothing else. */
import { constants, stat as statOf, unlink } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { LocalFiles, ObjectInfo, ObjectStore, PutFileOptions } from '../../delta/ports.js';
import { ObjectMissingError } from './errors.js';
import { compareKeys, requireKey, requirePrefix } from './keys.js';
import { forEachLimited } from './limit.js';

/** Half-written files have such names, in the folder of their target; no listing shows them. */
const TEMPORARY = /^\.tmp-[0-9a-f-]{36}$/;
const PARALLEL_FILES = 16;
/** So many files at most are looked at ahead of who reads a listing: one after the other, each waits for the disk. */
const HEADS_AHEAD = 256;
/** From so many on, whether files are there is asked of their folders. */
const LISTED_FROM = 100;
const folderOf = (key: string): string => key.slice(0, key.lastIndexOf('/') + 1);

/**
 * A folder as an object store. An object appears whole or not at all: it is written beside its place, flushed, and then
 * linked (`putIfAbsent`: the file system lets one of all racing links win) or renamed into it.
 */
export class LocalObjectStore implements ObjectStore {
  readonly uri: string;
  readonly #root: string;

  /** The folder need not exist yet. */
  constructor(root: string) {
    this.#root = resolve(root);
    this.uri = pathToFileURL(this.#root).href;
  }

  async *list(
    prefix: string,
    options: { startAfter?: string; signal?: AbortSignal } = {},
  ): AsyncIterable<ObjectInfo> {
    requirePrefix(prefix);
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    let ahead = 1;
    for await (const keys of this.#walk(folder, prefix, options.startAfter)) {
      for (let done = 0; done < keys.length;) {
        options.signal?.throwIfAborted();
        const some = keys.slice(done, done + ahead);
        done += some.length;
        ahead = Math.min(ahead * 2, HEADS_AHEAD);
        yield* await this.#infos(some);
      }
    }
  }

  /** By callbacks: promises of a hundred thousand files cost as much as asking for them. */
  async #infos(keys: readonly string[]): Promise<ObjectInfo[]> {
    const found = new Array<ObjectInfo | undefined>(keys.length);
    await forAll(keys, (key, index, done) => {
      statOf(join(this.#root, key), (error, info) => {
        if (error) return done(isMissing(error) ? null : error);
        if (info.isFile()) found[index] = { key, sizeBytes: info.size, modifiedMs: Math.floor(info.mtimeMs) };
        done(null);
      });
    });
    return found.filter((info) => info !== undefined);
  }

  /** Keys below a folder (empty, or ending in `/`) in order of their bytes, those between two folders at once. */
  async *#walk(
    folder: string,
    prefix: string,
    startAfter: string | undefined,
  ): AsyncIterable<readonly string[]> {
    const entries = await readdir(join(this.#root, folder), { withFileTypes: true }).catch(noneIfMissing);
    // A folder sorts as if its name ended in '/', for so do the keys in it.
    const names = entries
      .filter((entry) => entry.isDirectory() || !TEMPORARY.test(entry.name))
      .map((entry) => `${folder}${entry.name}${entry.isDirectory() ? '/' : ''}`)
      .sort(compareKeys);
    let keys: string[] = [];
    for (const name of names) {
      if (name.endsWith('/')) {
        if (keys.length > 0) yield keys;
        keys = [];
        const wanted = name.startsWith(prefix) || prefix.startsWith(name);
        const passed =
          startAfter !== undefined && !startAfter.startsWith(name) && compareKeys(name, startAfter) < 0;
        if (wanted && !passed) yield* this.#walk(name, prefix, startAfter);
      } else if (name.startsWith(prefix) && (startAfter === undefined || compareKeys(name, startAfter) > 0)) {
        keys.push(name);
      }
    }
    if (keys.length > 0) yield keys;
  }

  async get(key: string, options: { signal?: AbortSignal } = {}): Promise<Uint8Array> {
    try {
      return await readFile(this.#path(key), { signal: options.signal });
    } catch (error) {
      throw isMissing(error) || codeOf(error) === 'EISDIR'
        ? new ObjectMissingError(key, this.uri, { cause: error })
        : error;
    }
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    try {
      const info = await stat(this.#path(key));
      if (!info.isFile()) return undefined;
      return { key, sizeBytes: info.size, modifiedMs: Math.floor(info.mtimeMs) };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#publish(key, (temporary) => writeFlushed(temporary, bytes), rename);
  }

  async putIfAbsent(key: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
    return this.#create(key, (temporary) => writeFlushed(temporary, bytes));
  }

  async putFile(key: string, localPath: string, options: PutFileOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    const write = options.giveAway ? linkFlushed : copyFlushed;
    await this.#publish(key, (temporary) => write(localPath, temporary), rename);
  }

  async putFileIfAbsent(
    key: string,
    localPath: string,
    options: { signal?: AbortSignal } = {},
  ): Promise<'created' | 'exists'> {
    options.signal?.throwIfAborted();
    return this.#create(key, (temporary) => copyFlushed(localPath, temporary));
  }

  /** The files themselves; nothing is copied, and releasing them does nothing. */
  async checkout(keys: readonly string[]): Promise<LocalFiles> {
    const wanted = new Set(keys);
    const listed = keys.length < LISTED_FROM ? undefined : await this.#filesIn(new Set(keys.map(folderOf)));
    await forEachLimited(keys, PARALLEL_FILES, async (key) => {
      if (!listed?.has(key) && !(await this.head(key))) throw new ObjectMissingError(key, this.uri);
    });
    return {
      pathOf: (key) => {
        if (!wanted.has(key)) throw new Error(`'${key}' was not checked out`);
        return this.#path(key);
      },
      release: () => undefined,
    };
  }

  /** Keys of the plain files in some folders: one listing asks for many files at once. */
  async #filesIn(folders: ReadonlySet<string>): Promise<Set<string>> {
    const found = new Set<string>();
    for (const folder of folders) {
      const entries = await readdir(join(this.#root, folder), { withFileTypes: true }).catch(noneIfMissing);
      for (const entry of entries) if (entry.isFile()) found.add(`${folder}${entry.name}`);
    }
    return found;
  }

  async delete(keys: readonly string[]): Promise<void> {
    const paths = keys.map((key) => this.#path(key));
    for (let done = 0; done < paths.length; done += HEADS_AHEAD) {
      await forAll(paths.slice(done, done + HEADS_AHEAD), (path, _, next) => {
        unlink(path, (error) => next(isMissing(error) ? null : error));
      });
    }
  }

  at(prefix: string): LocalObjectStore {
    return new LocalObjectStore(join(this.#root, requireKey(prefix)));
  }

  #path(key: string): string {
    return join(this.#root, requireKey(key));
  }

  async #create(key: string, write: (temporary: string) => Promise<void>): Promise<'created' | 'exists'> {
    // A quick look saves the loser of an old race the writing; the link below decides.
    if (await this.head(key)) return 'exists';
    try {
      await this.#publish(key, write, link);
      return 'created';
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return 'exists';
      throw error;
    }
  }

  /** Writes beside the target, then puts it in place; flushed to the disk, folder entries included. */
  async #publish(
    key: string,
    write: (temporary: string) => Promise<void>,
    place: (from: string, to: string) => Promise<void>,
  ): Promise<void> {
    const target = this.#path(key);
    const folder = dirname(target);
    const firstMade = await mkdir(folder, { recursive: true });
    const temporary = join(folder, `.tmp-${randomUUID()}`);
    try {
      await write(temporary);
      await place(temporary, target);
    } finally {
      // After a rename there is nothing left; after a link or a failure the temporary name goes.
      await rm(temporary, { force: true });
    }
    await flush(folder);
    for (
      let made = folder;
      firstMade !== undefined && made.length >= firstMade.length;
      made = dirname(made)
    ) {
      await flush(dirname(made));
    }
  }
}

/** Begins the work for all of them, and waits until each called back. Rejects with the first error, when all are done. */
function forAll<Item>(
  items: readonly Item[],
  work: (item: Item, index: number, done: (error: Error | null) => void) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = items.length;
    let failure: Error | null = null;
    if (left === 0) resolve();
    const done = (error: Error | null): void => {
      failure ??= error;
      left -= 1;
      if (left > 0) return;
      if (failure) reject(failure);
      else resolve();
    };
    items.forEach((item, index) => work(item, index, done));
  });
}

async function writeFlushed(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function copyFlushed(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  await flush(to);
}

/** The same file under another name, or a copy where the file system knows no such thing, as between two disks. */
async function linkFlushed(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (isMissing(error)) throw error;
    return copyFlushed(from, to);
  }
  // It is an object from now on, whenever it was written.
  const now = new Date();
  await utimes(to, now, now);
  await flush(to);
}

/** fsync of a file or a folder. */
async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function noneIfMissing(error: unknown): [] {
  if (isMissing(error)) return [];
  throw error;
}

function isMissing(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | null)?.code;
}
