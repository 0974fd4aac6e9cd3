/** Objects in memory: for tests of everything above the port, and held to the same contract as the real stores. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock, LocalFiles, ObjectInfo, ObjectStore, PutFileOptions } from '../../delta/ports.js';
import { ObjectMissingError } from './errors.js';
import { compareKeys, joinKey, requireKey, requirePrefix } from './keys.js';

interface StoredObject {
  readonly bytes: Uint8Array;
  readonly modifiedMs: number;
}

export class MemoryObjectStore implements ObjectStore {
  readonly #objects: Map<string, StoredObject>;
  readonly #root: string;

  constructor(
    readonly name = 'memory',
    private readonly clock: Clock = { nowMs: () => Date.now() },
    shared?: { readonly objects: Map<string, StoredObject>; readonly root: string },
  ) {
    this.#objects = shared?.objects ?? new Map();
    this.#root = shared?.root ?? '';
  }

  get uri(): string {
    return `memory://${joinKey(this.name, this.#root).replace(/\/$/, '')}`;
  }

  async *list(
    prefix: string,
    options: { startAfter?: string; signal?: AbortSignal } = {},
  ): AsyncIterable<ObjectInfo> {
    requirePrefix(prefix);
    const root = this.#root === '' ? '' : `${this.#root}/`;
    const keys = [...this.#objects.keys()].filter((key) => key.startsWith(root + prefix)).sort(compareKeys);
    for (const full of keys) {
      options.signal?.throwIfAborted();
      const key = full.slice(root.length);
      if (options.startAfter !== undefined && compareKeys(key, options.startAfter) <= 0) continue;
      const info = await this.head(key);
      if (info) yield info;
    }
  }

  async get(key: string, options: { signal?: AbortSignal } = {}): Promise<Uint8Array> {
    options.signal?.throwIfAborted();
    const object = this.#objects.get(this.#full(key));
    if (!object) throw new ObjectMissingError(key, this.uri);
    return Promise.resolve(object.bytes.slice());
  }

  head(key: string): Promise<ObjectInfo | undefined> {
    const object = this.#objects.get(this.#full(key));
    return Promise.resolve(
      object && { key, sizeBytes: object.bytes.byteLength, modifiedMs: object.modifiedMs },
    );
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    this.#objects.set(this.#full(key), { bytes: bytes.slice(), modifiedMs: this.clock.nowMs() });
    return Promise.resolve();
  }

  async putIfAbsent(key: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
    if (this.#objects.has(this.#full(key))) return 'exists';
    await this.put(key, bytes);
    return 'created';
  }

  async putFile(key: string, localPath: string, options: PutFileOptions = {}): Promise<void> {
    await this.put(key, await readFile(localPath, { signal: options.signal }));
  }

  async putFileIfAbsent(
    key: string,
    localPath: string,
    options: { signal?: AbortSignal } = {},
  ): Promise<'created' | 'exists'> {
    return this.putIfAbsent(key, await readFile(localPath, { signal: options.signal }));
  }

  async checkout(keys: readonly string[]): Promise<LocalFiles> {
    const bytes = await Promise.all(keys.map((key) => this.get(key)));
    const directory = await mkdtemp(join(tmpdir(), 'datalab-memory-'));
    const paths = new Map<string, string>();
    for (const [index, key] of keys.entries()) {
      const path = join(directory, `${index}${/\.[a-z]+$/.exec(key)?.[0] ?? ''}`);
      await writeFile(path, bytes[index] as Uint8Array);
      paths.set(key, path);
    }
    return {
      pathOf: (key) => {
        const path = paths.get(key);
        if (path === undefined) throw new Error(`'${key}' was not checked out`);
        return path;
      },
      release: () => void rm(directory, { recursive: true, force: true }),
    };
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.#objects.delete(this.#full(key));
    return Promise.resolve();
  }

  at(prefix: string): MemoryObjectStore {
    const root = joinKey(this.#root, requireKey(prefix));
    return new MemoryObjectStore(this.name, this.clock, { objects: this.#objects, root });
  }

  #full(key: string): string {
    return joinKey(this.#root, requireKey(key));
  }
}
