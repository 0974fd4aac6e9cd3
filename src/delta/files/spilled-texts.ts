/**
 * Texts that are seldom read, one after the other: the first megabytes in memory, all more in a file that has no name any
 * more. It goes when nothing refers to it, or the process ends.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const IN_MEMORY_BYTES = 8 << 20;
const WINDOW_BYTES = 256 << 10;

const closer = new FinalizationRegistry<number>((descriptor) => closeSync(descriptor));

export class SpilledTexts {
  #end = Buffer.alloc(0);
  /** Bytes in use of `#end`, and bytes before it, which are in the file. */
  #used = 0;
  #written = 0;
  #descriptor: number | undefined;
  #window = Buffer.alloc(0);
  #windowAt = 0;
  #windowBytes = 0;

  constructor(private readonly folder: string) {}

  /** What is returned finds the text again, with its length in bytes. */
  add(text: string): { readonly address: number; readonly bytes: number } {
    // Three bytes a character are enough for any; to count them would cost as much as writing them.
    this.#makeRoom(text.length * 3);
    const address = this.#written + this.#used;
    const bytes = this.#end.write(text, this.#used);
    this.#used += bytes;
    return { address, bytes };
  }

  /** The same for a part of a buffer that holds UTF-8. */
  addBytes(from: Buffer, start: number, end: number): number {
    this.#makeRoom(end - start);
    const address = this.#written + this.#used;
    this.#used += from.copy(this.#end, this.#used, start, end);
    return address;
  }

  text(address: number, bytes: number): string {
    if (address >= this.#written) {
      const start = address - this.#written;
      return this.#end.toString('utf8', start, start + bytes);
    }
    if (address < this.#windowAt || address + bytes > this.#windowAt + this.#windowBytes)
      this.#read(address, bytes);
    const start = address - this.#windowAt;
    return this.#window.toString('utf8', start, start + bytes);
  }

  #makeRoom(bytes: number): void {
    if (this.#used + bytes <= this.#end.length) return;
    if (this.#end.length >= IN_MEMORY_BYTES) this.#spill();
    if (this.#used + bytes <= this.#end.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(4096, this.#end.length * 2, this.#used + bytes));
    this.#end.copy(larger, 0, 0, this.#used);
    this.#end = larger;
  }

  #spill(): void {
    this.#descriptor ??= this.#open();
    for (let done = 0; done < this.#used;)
      done += writeSync(this.#descriptor, this.#end, done, this.#used - done, this.#written + done);
    this.#written += this.#used;
    this.#used = 0;
  }

  #open(): number {
    mkdirSync(this.folder, { recursive: true });
    const path = join(this.folder, `datalab-delta-texts-${randomUUID()}`);
    const descriptor = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    closer.register(this, descriptor);
    return descriptor;
  }

  #read(address: number, bytes: number): void {
    const wanted = Math.max(WINDOW_BYTES, bytes);
    if (this.#window.length < wanted) this.#window = Buffer.allocUnsafeSlow(wanted);
    const most = Math.min(wanted, this.#written - address);
    let done = 0;
    while (this.#descriptor !== undefined && done < most) {
      const read = readSync(this.#descriptor, this.#window, done, most - done, address + done);
      if (read === 0) break;
      done += read;
    }
    if (done < bytes) throw new Error(`${bytes} bytes at ${address} are no longer in the scratch file`);
    [this.#windowAt, this.#windowBytes] = [address, done];
  }
}
