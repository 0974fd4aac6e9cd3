/**
 * An object store that fails on purpose. The layer above must survive each of these: an answer that is lost after the
 * work was done, the same with our own repetition finding `exists`, a refusal before the work, a listing that is stale.
 */
import { readFile } from 'node:fs/promises';
import type { LocalFiles, ObjectInfo, ObjectStore, PutFileOptions } from '../../src/delta/index.js';

export type Fault =
  /** The write happens, the caller gets an error. */
  | 'lost response'
  /** The write happens, the client repeats it and is told that the key exists. */
  | 'own object exists'
  /** Nothing happens, the caller gets an error: 503, when the store's own tries have run out. */
  | 'refused'
  /** The same with 409: the store could not decide between writers of one key. */
  | 'undecided';

export class FaultyObjectStore implements ObjectStore {
  /** How often each operation was called. */
  readonly calls = { get: 0, head: 0, list: 0, put: 0, putIfAbsent: 0 };
  /** Objects that a listing does not show yet. */
  readonly hiddenFromLists = new Set<string>();

  /** `nextFault` is asked before every conditional write. */
  constructor(
    protected readonly inner: ObjectStore,
    private readonly nextFault: () => Fault | undefined = () => undefined,
  ) {}

  get uri(): string {
    return this.inner.uri;
  }

  async *list(prefix: string, options?: { startAfter?: string }): AsyncIterable<ObjectInfo> {
    this.calls.list += 1;
    for await (const object of this.inner.list(prefix, options)) {
      if (!this.hiddenFromLists.has(object.key)) yield object;
    }
  }

  get(key: string): Promise<Uint8Array> {
    this.calls.get += 1;
    return this.inner.get(key);
  }

  head(key: string): Promise<ObjectInfo | undefined> {
    this.calls.head += 1;
    return this.inner.head(key);
  }

  put(key: string, bytes: Uint8Array): Promise<void> {
    this.calls.put += 1;
    return this.inner.put(key, bytes);
  }

  async putIfAbsent(key: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
    this.calls.putIfAbsent += 1;
    const fault = this.nextFault();
    if (fault === 'refused') throw new Error('503 slow down');
    if (fault === 'undecided') throw new Error('409 conditional request conflict');
    const answer = await this.inner.putIfAbsent(key, bytes);
    if (fault === 'lost response') throw new Error('socket hang up');
    return fault === 'own object exists' ? 'exists' : answer;
  }

  putFile(key: string, localPath: string, options?: PutFileOptions): Promise<void> {
    return this.inner.putFile(key, localPath, options);
  }

  async putFileIfAbsent(key: string, localPath: string): Promise<'created' | 'exists'> {
    return this.putIfAbsent(key, await readFile(localPath));
  }

  checkout(keys: readonly string[]): Promise<LocalFiles> {
    return this.inner.checkout(keys);
  }

  delete(keys: readonly string[]): Promise<void> {
    return this.inner.delete(keys);
  }

  at(prefix: string): ObjectStore {
    return new FaultyObjectStore(this.inner.at(prefix), this.nextFault);
  }
}
