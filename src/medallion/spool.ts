/** A scratch file that grows, and can be cut back to where a source began. */
import { open, type FileHandle } from 'node:fs/promises';

const FLUSH_BYTES = 1 << 20;

const LF = 0x0a;
const CR = 0x0d;
const DIGITS_MAX = 16;

const WORD = 4;
/** A line end in each byte of a word. */
const LINE_ENDS = 0x0a0a0a0a;
const ZERO = 0x30;
const NINE = 0x39;

/** Whether one of the four bytes is LF: a byte that is zero borrows from its highest bit. */
function holdsLineEnd(word: number): boolean {
  const difference = word ^ LINE_ENDS;
  return ((difference - 0x01010101) & ~difference & 0x80808080) !== 0;
}

/** What stands before each line, with the line's number as digits: counting up changes the last one most of the time. */
class NumberedLead {
  /** Filled up to whole words. */
  #view: DataView;
  #length: number;

  constructor(
    private readonly before: Buffer,
    first: number,
    private readonly after: Buffer,
  ) {
    [this.#view, this.#length] = this.#print(String(first));
  }

  get length(): number {
    return this.#length;
  }

  /** Writes whole words: up to three bytes behind it are spoiled. */
  write(target: DataView, at: number): void {
    for (let index = 0; index < this.#length; index += WORD) {
      target.setInt32(at + index, this.#view.getInt32(index));
    }
  }

  next(): void {
    const first = this.before.length;
    for (let index = this.#length - this.after.length - 1; index >= first; index--) {
      const digit = this.#view.getUint8(index);
      if (digit !== NINE) {
        this.#view.setUint8(index, digit + 1);
        return;
      }
      this.#view.setUint8(index, ZERO);
    }
    const digits = this.#length - first - this.after.length;
    [this.#view, this.#length] = this.#print(`1${'0'.repeat(digits)}`);
  }

  #print(number: string): [DataView, number] {
    const text = Buffer.concat([this.before, Buffer.from(number), this.after]);
    const words = new Uint8Array(Math.ceil(text.length / WORD) * WORD);
    words.set(text);
    return [new DataView(words.buffer), text.length];
  }
}

export class Spool {
  #block = Buffer.allocUnsafe(2 * FLUSH_BYTES);
  #buffered = 0;
  #written = 0;

  private constructor(
    readonly path: string,
    private readonly file: FileHandle,
  ) {}

  /** Creates the file. It must not exist. */
  static async create(path: string): Promise<Spool> {
    return new Spool(path, await open(path, 'wx'));
  }

  /** Bytes appended so far. */
  get position(): number {
    return this.#written + this.#buffered;
  }

  /** Keeps copies: the caller may reuse its buffers. Call {@link flushIfFull} now and then. */
  append(...parts: ReadonlyArray<Buffer | string>): void {
    for (const part of parts) {
      // A character takes at most three bytes per UTF-16 unit.
      this.#reserve(typeof part === 'string' ? part.length * 3 : part.length);
      this.#buffered +=
        typeof part === 'string'
          ? this.#block.write(part, this.#buffered)
          : part.copy(this.#block, this.#buffered);
    }
  }

  /**
   * Appends lines, each with `before`, its number and `after` in front, and with LF at its end whatever ended it. Blank
   * lines are left out and counted. `lines` ends with a line end. Returns how many lines there were, and how many were
   * not blank.
   */
  appendNumbered(
    lines: Buffer,
    { before, firstLine, after }: { before: string; firstLine: number; after: string },
  ): { lines: number; records: number } {
    const [front, back] = [Buffer.from(before), Buffer.from(after)];
    // At worst every line is one character, with its number in front.
    this.#reserve(lines.length * (1 + front.length + DIGITS_MAX + back.length) + WORD);
    const lead = new NumberedLead(front, firstLine, back);
    const block = this.#block;
    const target = new DataView(block.buffer, block.byteOffset, block.length);
    const source = new DataView(lines.buffer, lines.byteOffset, lines.length);
    const lastWord = lines.length - WORD;
    let at = this.#buffered;
    let records = 0;
    let count = 0;
    for (let from = 0; from < lines.length; count++) {
      const start = at;
      lead.write(target, at);
      at += lead.length;
      const text = at;
      for (let word: number; from <= lastWord; from += WORD, at += WORD) {
        word = source.getInt32(from);
        if (holdsLineEnd(word)) break;
        target.setInt32(at, word);
      }
      let byte: number;
      do block[at++] = byte = lines[from++] as number;
      while (byte !== LF);
      if (block[at - 2] === CR && at - 2 >= text) block[at-- - 2] = LF;
      if (at === text + 1) at = start;
      else records++;
      lead.next();
    }
    this.#buffered = at;
    return { lines: count, records };
  }

  async flushIfFull(): Promise<void> {
    if (this.#buffered >= FLUSH_BYTES) await this.#flush();
  }

  /** Forgets everything after `position`. */
  async cutBack(position: number): Promise<void> {
    await this.#flush();
    await this.file.truncate(position);
    this.#written = position;
  }

  async close(): Promise<void> {
    try {
      await this.#flush();
    } finally {
      await this.file.close();
    }
  }

  async #flush(): Promise<void> {
    if (this.#buffered === 0) return;
    const length = this.#buffered;
    this.#buffered = 0;
    let offset = 0;
    while (offset < length) {
      const { bytesWritten } = await this.file.write(this.#block, offset, length - offset, this.#written);
      offset += bytesWritten;
      this.#written += bytesWritten;
    }
  }

  #reserve(bytes: number): void {
    const needed = this.#buffered + bytes;
    if (needed <= this.#block.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#block.length));
    this.#block.copy(larger, 0, 0, this.#buffered);
    this.#block = larger;
  }
}
