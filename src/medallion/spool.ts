/** A scratch file that grows, and can be cut back to where a source began. */
import { open, type FileHandle } from 'node:fs/promises';

const FLUSH_BYTES = 1 << 20;

const LF = 0x0a;
const CR = 0x0d;
const DIGITS_MAX = 16;

/** A number as its digits: counting up changes the last digit most of the time, where printing would make a text. */
class LineNumber {
  #digits: Buffer;

  constructor(first: number) {
    this.#digits = Buffer.from(String(first));
  }

  write(target: Buffer, at: number): number {
    const digits = this.#digits;
    for (let index = 0; index < digits.length; index++) target[at++] = digits[index] as number;
    return at;
  }

  next(): void {
    const digits = this.#digits;
    for (let index = digits.length - 1; index >= 0; index--) {
      const digit = digits[index] as number;
      if (digit !== NINE) {
        digits[index] = digit + 1;
        return;
      }
      digits[index] = ZERO;
    }
    this.#digits = Buffer.concat([Buffer.from('1'), digits]);
  }
}

const ZERO = 0x30;
const NINE = 0x39;

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
    const lead = Buffer.from(before);
    const tail = Buffer.from(after);
    // At worst every line is one character, with its number in front.
    this.#reserve(lines.length * (1 + lead.length + DIGITS_MAX + tail.length));
    const number = new LineNumber(firstLine);
    const block = this.#block;
    let at = this.#buffered;
    let records = 0;
    let count = 0;
    for (let from = 0; from < lines.length; count++) {
      const start = at;
      for (let index = 0; index < lead.length; index++) block[at++] = lead[index] as number;
      at = number.write(block, at);
      for (let index = 0; index < tail.length; index++) block[at++] = tail[index] as number;
      const text = at;
      let byte: number;
      do block[at++] = byte = lines[from++] as number;
      while (byte !== LF);
      if (block[at - 2] === CR && at - 2 >= text) block[at-- - 2] = LF;
      if (at === text + 1) at = start;
      else records++;
      number.next();
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
