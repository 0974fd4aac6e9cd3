/** A scratch file that grows, and can be cut back to where a source began. */
import { open, type FileHandle } from 'node:fs/promises';

const FLUSH_BYTES = 1 << 20;

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
