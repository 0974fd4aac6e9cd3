/** Many short texts as UTF-8 outside of the heap: a million paths are some large buffers, and no strings until they are asked for. */

const BLOCK_BYTES = 1 << 20;
/** An address is the number of a block and the place in it: whole blocks can be taken over as they were read. */
const PLACES = 2 ** 32;

export class TextBlocks {
  readonly #blocks: Buffer[] = [];
  readonly #views: DataView[] = [];
  #used = 0;

  /** Copies a text; what is returned finds it again, with its length in bytes. */
  add(text: string): { readonly address: number; readonly bytes: number } {
    // Three bytes a character are enough for any; to count them would cost as much as writing them.
    const most = text.length * 3;
    let block = this.#blocks[this.#blocks.length - 1];
    if (!block || this.#used + most > block.length) {
      block = Buffer.allocUnsafeSlow(Math.max(this.#blocks.length === 0 ? 4096 : BLOCK_BYTES, most));
      this.#blocks.push(block);
      this.#used = 0;
    }
    const address = (this.#blocks.length - 1) * PLACES + this.#used;
    const bytes = block.write(text, this.#used);
    this.#used += bytes;
    return { address, bytes };
  }

  /** Takes over a buffer that nobody changes any more. A text at a place of it is at the returned address plus that place. */
  adopt(block: Buffer): number {
    this.#blocks.push(block);
    this.#used = block.length;
    return (this.#blocks.length - 1) * PLACES;
  }

  text(address: number, bytes: number): string {
    const start = placeOf(address);
    return this.#blockOf(address).toString('utf8', start, start + bytes);
  }

  /** Whether two texts are the same, byte by byte. */
  equal(one: number, other: number, bytes: number): boolean {
    const [a, b] = [placeOf(one), placeOf(other)];
    return this.#blockOf(one).compare(this.#blockOf(other), b, b + bytes, a, a + bytes) === 0;
  }

  /** Whether the text is the one in these bytes. */
  is(address: number, bytes: number, wanted: Uint8Array): boolean {
    const start = placeOf(address);
    return (
      bytes === wanted.length && this.#blockOf(address).compare(wanted, 0, bytes, start, start + bytes) === 0
    );
  }

  /** The hash of {@link hashOf} over the text. */
  hash(address: number, bytes: number): number {
    const start = placeOf(address);
    const number = Math.floor(address / PLACES);
    const view = (this.#views[number] ??= viewOf(this.#blockOf(address)));
    return hashOf(view, start, start + bytes);
  }

  #blockOf(address: number): Buffer {
    const block = this.#blocks[Math.floor(address / PLACES)];
    if (!block) throw new RangeError(`no text is at ${address}`);
    return block;
  }
}

/** Without the remainder of floating point, which costs as much as hashing the text. */
function placeOf(address: number): number {
  return address - Math.floor(address / PLACES) * PLACES;
}

/**
 * A hash of 31 bits, four bytes at a time. Negative where the text has a `%` or a `:`, so that it may be one of several
 * spellings of a path.
 */
export function hashOf(view: DataView, start: number, end: number): number {
  let hash = end - start;
  let odd = 0;
  let at = start;
  for (const last = end - 4; at <= last; at += 4) {
    const word = view.getInt32(at, true);
    odd |= hasZero(word ^ PERCENTS) | hasZero(word ^ COLONS);
    hash = Math.imul(hash ^ word, PRIME);
    hash ^= hash >>> 15;
  }
  for (; at < end; at += 1) {
    const byte = view.getUint8(at);
    if (byte === PERCENT || byte === COLON) odd = -1;
    hash = Math.imul(hash ^ byte, PRIME);
    hash ^= hash >>> 15;
  }
  return (hash & 0x7fffffff) | (odd === 0 ? 0 : ODD);
}

/** Not 0 where one of the four bytes is. */
function hasZero(word: number): number {
  return (word - 0x01010101) & ~word & 0x80808080;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const PERCENT = 0x25;
const COLON = 0x3a;
const PERCENTS = 0x25252525;
const COLONS = 0x3a3a3a3a;
const PRIME = 0x9e3779b1 | 0;
const ODD = 0x80000000 | 0;
