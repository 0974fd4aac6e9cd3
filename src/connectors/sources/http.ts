/** Sources behind an address: one file at `https://…` or `http://…`. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DatalabError } from '../../contracts/errors.js';
import type { DownloadOptions, LocalSource, SourceObject } from '../../contracts/sources.js';

export interface HttpSourceOptions {
  /** How long an answer, or the next bytes of one, may take. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 30_000;
const REDIRECTS_MAX = 5;

/**
 * The one source at the location, as the server's headers tell of it. Asked with HEAD, and with GET where the server has no
 * HEAD. Throws SOURCE_NOT_FOUND (404, 410), SOURCE_UNREACHABLE.
 */
export async function listHttp(
  { timeoutMs = TIMEOUT_MS }: HttpSourceOptions,
  location: string,
  signal?: AbortSignal,
): Promise<SourceObject[]> {
  const idle = new Idle(timeoutMs, signal);
  try {
    return await reach(location, signal, async () => {
      let response = await request(location, 'HEAD', idle);
      if (response.status === 405 || response.status === 501) {
        response = await request(location, 'GET', idle);
        await response.body?.cancel();
      }
      if (response.status === 404 || response.status === 410)
        throw new DatalabError(
          'SOURCE_NOT_FOUND',
          `${shown(location)}: the server has it not (${response.status})`,
        );
      requireOk(location, response);
      return [{ path: location, ...described(response) }];
    });
  } finally {
    idle.close();
  }
}

/** Streams the body to a file of its own in `directory`, hashing it. Throws SOURCE_CHANGED, SOURCE_UNREACHABLE. */
export async function downloadHttp(
  { timeoutMs = TIMEOUT_MS }: HttpSourceOptions,
  source: SourceObject,
  directory: string,
  { signal, onBytes }: DownloadOptions = {},
): Promise<LocalSource> {
  const name = createHash('sha256').update(source.path).digest('hex').slice(0, 32);
  const localPath = path.join(directory, `${name}.source`);
  const idle = new Idle(timeoutMs, signal);
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    await reach(source.path, signal, async () => {
      const response = await request(source.path, 'GET', idle);
      if (response.status === 404 || response.status === 410)
        throw new DatalabError('SOURCE_CHANGED', `${shown(source.path)} went away since it was listed`);
      requireOk(source.path, response);
      requireListed(source, response);
      async function* seen(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
        for await (const chunk of body) {
          idle.sawSomething();
          hash.update(chunk);
          bytes += chunk.length;
          onBytes?.(chunk.length);
          yield chunk;
        }
      }
      const body = Readable.from(response.body ?? []) as AsyncIterable<Uint8Array>;
      await pipeline(body, seen, createWriteStream(localPath), { signal: idle.signal });
      if (source.sizeBytes > 0 && bytes !== source.sizeBytes)
        throw new DatalabError(
          'SOURCE_CHANGED',
          `${shown(source.path)} was listed with ${source.sizeBytes} bytes and has ${bytes}`,
        );
    });
  } catch (error) {
    await rm(localPath, { force: true });
    throw error;
  } finally {
    idle.close();
  }
  const contentHash = hash.digest('hex');
  return { ...source, sizeBytes: bytes, localPath, sourceId: contentHash, contentHash };
}

/** Follows redirects itself: a bounded number, to http and https only, and never from https down to http. */
async function request(location: string, method: 'HEAD' | 'GET', idle: Idle): Promise<Response> {
  let url = new URL(location);
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      signal: idle.signal,
      // The bytes as they are stored: their number is then the one that the headers tell.
      headers: { 'accept-encoding': 'identity' },
    });
    idle.sawSomething();
    const next = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null;
    if (next === null) return response;
    await response.body?.cancel();
    const target = new URL(next, url);
    const isAllowed =
      target.protocol === 'https:' || (target.protocol === 'http:' && url.protocol === 'http:');
    if (!isAllowed) throw new Error(`it redirects to ${target.protocol}, which is not followed`);
    url = target;
  }
  throw new Error(`it redirects more than ${REDIRECTS_MAX} times`);
}

function described({ headers }: Response): Omit<SourceObject, 'path'> {
  const etag = headers.get('etag');
  const modified = Date.parse(headers.get('last-modified') ?? '');
  return {
    sizeBytes: headers.get('content-encoding') === null ? Number(headers.get('content-length') ?? 0) : 0,
    // A server that does not tell the time has no version that could be known: it is fetched anew by every run.
    modifiedMs: Number.isNaN(modified) ? Date.now() : modified,
    ...(etag === null ? {} : { etag }),
  };
}

/** What either of them does not tell cannot differ. */
function requireListed(source: SourceObject, response: Response): void {
  const now = described(response);
  const differs =
    (source.etag ?? '') !== (now.etag ?? '') ||
    (response.headers.has('last-modified') && source.modifiedMs !== now.modifiedMs) ||
    (source.sizeBytes > 0 && now.sizeBytes > 0 && source.sizeBytes !== now.sizeBytes);
  if (differs) throw new DatalabError('SOURCE_CHANGED', `${shown(source.path)} changed since it was listed`);
}

function requireOk(location: string, { ok, status }: Response): void {
  if (!ok) throw new DatalabError('SOURCE_UNREACHABLE', `${shown(location)}: the server answers ${status}`);
}

/** Aborts with the run, and when nothing came for too long. */
class Idle {
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  readonly signal: AbortSignal;

  constructor(
    private readonly timeoutMs: number,
    outer?: AbortSignal,
  ) {
    this.signal = outer ? AbortSignal.any([this.#controller.signal, outer]) : this.#controller.signal;
    this.sawSomething();
  }

  sawSomething(): void {
    clearTimeout(this.#timer);
    const reason = new Error(`nothing came for ${this.timeoutMs / 1000} s`);
    this.#timer = setTimeout(() => this.#controller.abort(reason), this.timeoutMs);
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}

async function reach<Result>(
  location: string,
  signal: AbortSignal | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof DatalabError) throw error;
    const { message, cause } = error as Error;
    const why = cause instanceof Error ? cause.message : message;
    throw new DatalabError('SOURCE_UNREACHABLE', `${shown(location)}: ${why}`, { cause: error });
  }
}

/** An address for people: what follows the question mark may be a key. */
function shown(location: string): string {
  return location.split('?')[0] ?? location;
}
