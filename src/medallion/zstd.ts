/**
 * Zstandard (RFC 8878), frame by frame. The library unpacks blocks; what it passes over is held here: that nothing is cut off, that
 * every frame has the length and the checksum that it says, and that nobody is made to set gigabytes aside.
 */
import { Decompress } from 'fzstd';
import createHasher from 'xxhash-wasm';

/** The data cannot be unpacked, or is not what was packed. */
export class ZstdError extends Error {
  override readonly name = 'ZstdError';
}

const FRAME = 0xfd2fb528;
/** Sixteen of them: the last four bits are free. */
const SKIPPABLE = 0x184d2a50;
const BLOCK_BYTES_MAX = 1 << 17;
/** What `zstd` itself unpacks unless it is told otherwise. */
const WINDOW_BYTES_MAX = 1 << 27;
const RLE = 1;
const RESERVED = 3;

export function isZstd(head: Uint8Array): boolean {
  if (head.length < 4) return false;
  const magic = view(head).getUint32(0, true);
  return magic === FRAME || isSkippable(magic);
}

/** The bytes of all frames. Throws ZstdError. */
export async function* unzstd(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  const hasher = await createHasher();
  const packed = new Packed(source);
  do {
    const magic = await packed.number(4);
    if (isSkippable(magic)) await packed.skip(await packed.number(4));
    else if (magic === FRAME) yield* unpackFrame(packed, hasher.create64());
    else throw new ZstdError('something else follows the data');
  } while (!(await packed.isAtEnd()));
}

const isSkippable = (magic: number): boolean => magic >>> 4 === SKIPPABLE >>> 4;
const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

interface Hash {
  update(bytes: Uint8Array): unknown;
  digest(): bigint;
}

async function* unpackFrame(packed: Packed, hash: Hash): AsyncGenerator<Buffer, void, undefined> {
  const { bytes, contentBytes, hasChecksum } = await frameHeader(packed);
  const blocks: Uint8Array[] = [];
  const unpacker = new Decompress((block) => blocks.push(block));
  let length = 0;
  const unpack = function* (more: Uint8Array, isEnd: boolean): Generator<Buffer> {
    try {
      unpacker.push(more, isEnd);
    } catch (error) {
      throw new ZstdError((error as Error).message, { cause: error });
    }
    for (const block of blocks.splice(0)) {
      if (block.length === 0) continue;
      hash.update(block);
      length += block.length;
      yield Buffer.from(block.buffer, block.byteOffset, block.byteLength);
    }
  };
  yield* unpack(bytes, false);
  for (let isLast = false; !isLast;) {
    const head = await packed.number(3);
    const size = head >>> 3;
    const type = (head >>> 1) & 3;
    if (type === RESERVED || size > BLOCK_BYTES_MAX) throw new ZstdError('a block has no valid head');
    const body = await packed.take(type === RLE ? 1 : size);
    yield* unpack(Buffer.concat([littleEndian(head, 3), body]), false);
    isLast = (head & 1) === 1;
  }
  const checksum = await packed.take(hasChecksum ? 4 : 0);
  yield* unpack(checksum, true);
  if (contentBytes !== undefined && BigInt(length) !== contentBytes)
    throw new ZstdError(`${contentBytes} bytes were packed and ${length} came out`);
  if (hasChecksum && view(checksum).getUint32(0, true) !== Number(hash.digest() & 0xffff_ffffn))
    throw new ZstdError('the checksum is another one');
}

interface FrameHeader {
  readonly bytes: Uint8Array;
  /** Undefined where the frame does not say. */
  readonly contentBytes: bigint | undefined;
  readonly hasChecksum: boolean;
}

async function frameHeader(packed: Packed): Promise<FrameHeader> {
  const descriptor = await packed.number(1);
  if (descriptor & 8) throw new ZstdError('a reserved bit is set');
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const windowBytes = isSingleSegment ? 0 : 1;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const flag = descriptor >>> 6;
  const sizeBytes = flag === 0 ? Number(isSingleSegment) : 1 << flag;
  const rest = await packed.take(windowBytes + dictionaryBytes + sizeBytes);
  if (rest.subarray(windowBytes, windowBytes + dictionaryBytes).some((byte) => byte !== 0))
    throw new ZstdError('it was packed with a dictionary, which is not here');
  const content = unsigned(rest.subarray(windowBytes + dictionaryBytes)) + (flag === 1 ? 256n : 0n);
  const window = isSingleSegment ? content : windowOf(rest[0] ?? 0);
  if (window > BigInt(WINDOW_BYTES_MAX))
    throw new ZstdError(
      `unpacking needs ${window} bytes of earlier data at hand, and 128 MiB are allowed: pack it without --long or --ultra`,
    );
  return {
    bytes: Buffer.concat([littleEndian(FRAME, 4), Buffer.of(descriptor), rest]),
    contentBytes: sizeBytes === 0 ? undefined : content,
    hasChecksum: (descriptor & 4) !== 0,
  };
}

function windowOf(byte: number): bigint {
  const base = 1n << BigInt(10 + (byte >>> 3));
  return base + (base / 8n) * BigInt(byte & 7);
}

function unsigned(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function littleEndian(value: number, count: number): Buffer {
  const bytes = Buffer.alloc(count);
  bytes.writeUIntLE(value, 0, count);
  return bytes;
}

/** Bytes in pieces of the wanted length, whatever the chunks that they come in. */
class Packed {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  async isAtEnd(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#chunks.next();
      if (done) return true;
      this.#rest = value;
    }
    return false;
  }

  async take(count: number): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for (let missing = count; missing > 0;) {
      if (await this.isAtEnd()) throw new ZstdError('the end is missing');
      const piece = this.#rest.subarray(0, missing);
      this.#rest = this.#rest.subarray(piece.length);
      missing -= piece.length;
      pieces.push(piece);
    }
    return pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces);
  }

  /** An unsigned one, the lowest byte first. */
  async number(count: 1 | 3 | 4): Promise<number> {
    return Number(unsigned(await this.take(count)));
  }

  async skip(count: number): Promise<void> {
    for (let missing = count; missing > 0;) missing -= (await this.take(Math.min(missing, 1 << 16))).length;
  }
}
