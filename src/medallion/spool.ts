/** A scratch file that grows, and can be cut back to where a source began. */
import { open, type FileHandle } from 'node:fs/promises';

const FLUSH_BYTES = 1 << 20;

export class Spool {
  #buffers: Buffer[] = [];
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
      const bytes = Buffer.from(part as Buffer);
      this.#buffers.push(bytes);
      this.#buffered += bytes.length;
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
    const bytes = Buffer.concat(this.#buffers);
    this.#buffers = [];
    this.#buffered = 0;
    let offset = 0;
    while (offset < bytes.length) {
      const { bytesWritten } = await this.file.write(bytes, offset, bytes.length - offset, this.#written);
      offset += bytesWritten;
      this.#written += bytesWritten;
    }
  }
}
