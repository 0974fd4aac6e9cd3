/** A source's bytes, unpacked. The engine's own readers accept truncated and corrupt files; those here do not. */
import { createReadStream, type ReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { DamagedFile } from './records.js';
import { isZstd, unzstd, ZstdError } from './zstd.js';

const CHUNK_BYTES = 1 << 20;
const HEAD_BYTES = 1 << 14;

/** How the bytes of a file are packed, and what the quarantine calls one that is damaged. */
interface Packing {
  readonly name: string;
  readonly rule: DamagedFile['rule'];
  unpack(chunks: AsyncIterable<Buffer>): AsyncIterable<unknown>;
  isDamage(error: unknown): boolean;
}

const GZIP: Packing = {
  name: 'gzip',
  rule: 'gzip_damaged',
  // Errors of the pipeline reach whoever reads the stream.
  unpack: (chunks) => pipeline(chunks, createGunzip({ chunkSize: CHUNK_BYTES }), () => undefined),
  isDamage: isZlibError,
};
const ZSTD: Packing = {
  name: 'zstd',
  rule: 'zstd_damaged',
  unpack: unzstd,
  isDamage: (error) => error instanceof ZstdError,
};

function packingOf(head: Buffer): Packing | undefined {
  if (head[0] === 0x1f && head[1] === 0x8b) return GZIP;
  return isZstd(head) ? ZSTD : undefined;
}

/**
 * Chunks of the file, unpacked where its first bytes say gzip or zstd, whatever its name; each is good until the next is
 * asked for. `onChunk` sees every chunk as it comes from disk. Throws DamagedFile `gzip_damaged` or `zstd_damaged` where the checksum or the length is wrong or the end
 * is missing.
 */
export async function* unpacked(
  path: string,
  onChunk: (chunk: Buffer) => void,
  signal?: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const head = await firstBytes(path);
  const packing = packingOf(head);
  if (!packing && head.length < HEAD_BYTES) {
    // Tiny files, of which there may be thousands, are here already.
    onChunk(head);
    if (head.length > 0) yield head;
    return;
  }
  if (!packing) {
    yield* plainChunks(path, onChunk, signal);
    return;
  }
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  try {
    for await (const chunk of packing.unpack(chunksOf(file, onChunk))) {
      signal?.throwIfAborted();
      yield chunk as Buffer;
    }
  } catch (error) {
    if (!packing.isDamage(error)) throw error;
    const said = (error as Error).message;
    throw new DamagedFile(packing.rule, `the ${packing.name} data is cut off or corrupt (${said})`, {
      cause: error,
    });
  } finally {
    file.destroy();
  }
}

/** Chunks as they lie in the file, two in turn in the same memory: while one is looked at the next is read. */
async function* plainChunks(
  path: string,
  onChunk: (chunk: Buffer) => void,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  const file = await open(path);
  const [even, odd] = [Buffer.allocUnsafe(CHUNK_BYTES), Buffer.allocUnsafe(CHUNK_BYTES)];
  const readAt = (turn: number, position: number): Promise<{ bytesRead: number; buffer: Buffer }> => {
    const reading = file.read(turn % 2 === 0 ? even : odd, 0, CHUNK_BYTES, position);
    // Whoever waits for it hears of a failure; until then it has an owner here.
    reading.catch(() => undefined);
    return reading;
  };
  let reading = readAt(0, 0);
  try {
    for (let turn = 1, position = 0; ; turn++) {
      signal?.throwIfAborted();
      const { bytesRead, buffer } = await reading;
      if (bytesRead === 0) return;
      position += bytesRead;
      reading = readAt(turn, position);
      const chunk = buffer.subarray(0, bytesRead);
      onChunk(chunk);
      yield chunk;
    }
  } finally {
    await reading.catch(() => undefined);
    await file.close();
  }
}

async function* chunksOf(file: ReadStream, onChunk: (chunk: Buffer) => void): AsyncGenerator<Buffer> {
  for await (const chunk of file) {
    onChunk(chunk as Buffer);
    yield chunk as Buffer;
  }
}

/** The first {@link HEAD_BYTES}; the whole file where it is shorter. */
async function firstBytes(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(head, length, HEAD_BYTES - length, length);
      length += bytesRead;
      if (bytesRead === 0 || length === HEAD_BYTES) return head.subarray(0, length);
    }
  } finally {
    await file.close();
  }
}

function isZlibError(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return code.startsWith('Z_') || code === 'ERR_TRAILING_JUNK_AFTER_STREAM_END';
}
