/** A bounded folder of local copies of remote objects. Delta's data files never change, so a copy is never stale. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';

interface Entry {
  readonly path: string;
  /** Users of the copy, those included that wait for it. */
  uses: number;
  /** Undefined until the copy is whole. */
  bytes: number | undefined;
  readonly ready: Promise<void>;
  readonly abort: AbortController;
}

/** One copy in use. */
export interface CachedCopy {
  readonly path: string;
  release(): void;
}

export type Download = (temporaryPath: string, signal: AbortSignal) => Promise<void>;

/**
 * Least recently used copies go first when the folder passes `maxBytes`; a copy in use never goes, so the folder may be
 * larger while more than that is in use at once. Each process has its own sub-folder (two processes would delete each
 * other's copies) and clears those of dead ones on this host.
 */
export class LocalCache {
  readonly #entries = new Map<string, Entry>();
  readonly #folder: string;
  #bytes = 0;
  #started = 0;

  constructor(
    directory: string,
    private readonly maxBytes: number,
  ) {
    const root = resolve(directory);
    this.#folder = join(root, `${hostname()}-${process.pid}`);
    rmSync(this.#folder, { recursive: true, force: true });
    mkdirSync(this.#folder, { recursive: true });
    clearDead(root);
  }

  /** A copy of the object `id`, downloaded once however many ask at the same time. Release it when done. */
  async acquire(id: string, download: Download, signal?: AbortSignal): Promise<CachedCopy> {
    signal?.throwIfAborted();
    let entry = this.#entries.get(id);
    if (!entry) entry = this.#start(id, download);
    // Re-inserting keeps the map in order of last use.
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    entry.uses += 1;
    const used = entry;
    try {
      await orAborted(entry.ready, signal);
    } catch (error) {
      this.#release(id, used);
      throw error;
    }
    this.#evict();
    let released = false;
    return {
      path: entry.path,
      release: () => {
        if (released) return;
        released = true;
        this.#release(id, used);
      },
    };
  }

  /** Bytes of the copies that are kept, for metrics and tests. */
  get sizeBytes(): number {
    return this.#bytes;
  }

  #start(id: string, download: Download): Entry {
    const suffix = /\.[a-z0-9]{1,8}$/.exec(id)?.[0] ?? '';
    const hash = createHash('sha256').update(id).digest('hex').slice(0, 40);
    // The number keeps a new attempt apart from an aborted one that is still being cleared away.
    this.#started += 1;
    const path = join(this.#folder, `${hash}-${this.#started}${suffix}`);
    const abort = new AbortController();
    const entry: Entry = {
      path,
      abort,
      uses: 0,
      bytes: undefined,
      ready: this.#fetch(id, () => entry, download),
    };
    return entry;
  }

  async #fetch(id: string, self: () => Entry, download: Download): Promise<void> {
    // Let the caller put the entry in its place first.
    await Promise.resolve();
    const entry = self();
    try {
      const temporary = `${entry.path}.part`;
      await download(temporary, entry.abort.signal);
      entry.abort.signal.throwIfAborted();
      await rename(temporary, entry.path);
      const { size } = await stat(entry.path);
      if (this.#entries.get(id) !== entry) {
        await rm(entry.path, { force: true });
        throw new Error(`the download of ${id} was given up`);
      }
      entry.bytes = size;
      this.#bytes += size;
    } catch (error) {
      if (this.#entries.get(id) === entry) this.#entries.delete(id);
      await rm(`${entry.path}.part`, { force: true });
      throw error;
    }
  }

  #release(id: string, entry: Entry): void {
    entry.uses -= 1;
    if (entry.uses > 0) return;
    if (entry.bytes === undefined) {
      // Nobody waits for it any more: stop the download, which nobody will hear of.
      if (this.#entries.get(id) === entry) this.#entries.delete(id);
      entry.ready.catch(() => undefined);
      entry.abort.abort();
      return;
    }
    this.#evict();
  }

  #evict(): void {
    for (const [id, entry] of this.#entries) {
      if (this.#bytes <= this.maxBytes) return;
      if (entry.uses > 0 || entry.bytes === undefined) continue;
      this.#entries.delete(id);
      this.#bytes -= entry.bytes;
      rmSync(entry.path, { force: true });
    }
  }
}

function clearDead(root: string): void {
  const mine = `${hostname()}-`;
  for (const name of readdirSync(root)) {
    if (!name.startsWith(mine)) continue;
    const pid = Number(name.slice(mine.length));
    if (Number.isInteger(pid) && pid > 0 && !isAlive(pid))
      rmSync(join(root, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function orAborted(ready: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return ready;
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    await Promise.race([ready, aborted]);
  } finally {
    if (onAbort) signal.removeEventListener('abort', onAbort);
  }
}
