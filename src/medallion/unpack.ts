/** A source's bytes, unpacked. The engine's own gzip reader accepts truncated and corrupt files; zlib does not. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { DamagedFile } from './records.js';

const CHUNK_BYTES = 1 << 20;
const HEAD_BYTES = 1 << 14;

/**
 * Chunks of the file, gunzipped where its first bytes say gzip, whatever its name. `onChunk` sees every chunk as
 * it comes from disk. Throws DamagedFile `gzip_damaged` where the checksum or the length is wrong or the end is missing.
 */
export async function* unpacked(
  path: string,
  onChunk: (chunk: Buffer) => void,
  signal?: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const head = await firstBytes(path);
  const zipped = head[0] === 0x1f && head[1] === 0x8b;
  if (!zipped && head.length < HEAD_BYTES) {
    // Tiny files, of which there may be thousands, are here already.
    onChunk(head);
    if (head.length > 0) yield head;
    return;
  }
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  file.on('data', (chunk) => onChunk(chunk as Buffer));
  // Errors of the pipeline reach the loop below through the stream that it reads.
  const stream = zipped ? pipeline(file, createGunzip({ chunkSize: CHUNK_BYTES }), () => undefined) : file;
  try {
    for await (const chunk of stream) {
      signal?.throwIfAborted();
      yield chunk as Buffer;
    }
  } catch (error) {
    if (!zipped || !isZlibError(error)) throw error;
    throw new DamagedFile(
      'gzip_damaged',
      `the gzip data is cut off or corrupt (${(error as Error).message})`,
      {
        cause: error,
      },
    );
  } finally {
    file.destroy();
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
