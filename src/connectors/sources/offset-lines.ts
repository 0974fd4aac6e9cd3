/** Messages of a Kafka partition as a file of lines: one for each offset, whether or not there is a message. */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';

const LF = Buffer.from('\n');
/** A message without a value is no object, and refused as such where the lines are read. */
const NOTHING = Buffer.from('null');
const EMPTY = Buffer.from('""');
const FLUSH_BYTES = 1 << 20;

/**
 * Takes messages in the order of their offsets. What is outside of the range or was taken before is passed over. Within a
 * value, line ends become blanks, which are the same to JSON.
 */
export class OffsetLines {
  /** What a line's number is raised by to be an offset: the first line is empty, so that no value is taken for gzip. */
  readonly lineShift: number;
  readonly #hash = createHash('sha256');
  readonly #to: number;
  #next: number;
  #firstGap: number | undefined;
  #parts: Buffer[] = [LF];
  #bytes = LF.length;
  #closed = false;

  constructor(
    private readonly file: FileHandle,
    { from, to }: { readonly from: number; readonly to: number },
  ) {
    this.lineShift = from - 2;
    this.#next = from;
    this.#to = to;
  }

  /** The next offset to take. */
  get next(): number {
    return this.#next;
  }

  get isComplete(): boolean {
    return this.#next >= this.#to;
  }

  /** The first offset that had no message. */
  get firstGap(): number | undefined {
    return this.#firstGap;
  }

  take(offset: number, value: Buffer | null): void {
    if (offset < this.#next || this.isComplete) return;
    this.passOver(offset);
    if (this.isComplete) return;
    this.#append(oneLine(value), LF);
    this.#next++;
  }

  /** There is no message before this offset that was not taken. */
  passOver(next: number): void {
    const end = Math.min(next, this.#to);
    if (end <= this.#next) return;
    this.#firstGap ??= this.#next;
    this.#append(Buffer.alloc(end - this.#next, LF));
    this.#next = end;
  }

  /** Writes what has gathered, where it is enough to be worth it. */
  async flush(): Promise<void> {
    if (this.#bytes >= FLUSH_BYTES) await this.#write();
  }

  /** Writes the rest and closes the file. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.#write();
    } finally {
      await this.file.close();
    }
  }

  /** sha256 of everything written, in hex. To be asked once, after closing. */
  hash(): string {
    return this.#hash.digest('hex');
  }

  #append(...parts: readonly Buffer[]): void {
    for (const part of parts) {
      this.#parts.push(part);
      this.#bytes += part.length;
    }
  }

  async #write(): Promise<void> {
    const all = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    this.#hash.update(all);
    await this.file.writeFile(all);
  }
}

function oneLine(value: Buffer | null): Buffer {
  if (value === null) return NOTHING;
  if (value.length === 0) return EMPTY;
  if (!value.includes(0x0a) && !value.includes(0x0d)) return value;
  return Buffer.from(value.map((byte) => (byte === 0x0a || byte === 0x0d ? 0x20 : byte)));
}
