/** Reading what `EngineSession.writeText` wrote: rows of texts, cut apart where they lie, with no string made of what nobody asks for. */
import { open } from 'node:fs/promises';
import type { TextSigns } from '../ports.js';

/** The signs that the engine is to write with: values seldom have them. */
export const ENGINE_TEXT: TextSigns = { field: '\u001f', quote: '\u001e' };

const BLOCK_BYTES = 4 << 20;
const FIELD = ENGINE_TEXT.field.charCodeAt(0);
const QUOTE = ENGINE_TEXT.quote.charCodeAt(0);
const NEWLINE = 0x0a;
const ZERO = 0x30;
const MINUS = 0x2d;
const EXACT_DIGITS = 15;

/** The row at hand. It is the same object for all rows; its block is not changed any more. */
export class TextRow {
  block = Buffer.alloc(0);
  readonly #start: number[];
  readonly #end: number[];
  readonly #quoted: boolean[];

  constructor(readonly fields: number) {
    this.#start = new Array<number>(fields).fill(0);
    this.#end = new Array<number>(fields).fill(0);
    this.#quoted = new Array<boolean>(fields).fill(false);
  }

  /** Whether the field's bytes lie in the block as they are, from its start to its end. */
  isPlain(field: number): boolean {
    return !this.#quoted[field];
  }
  start(field: number): number {
    return this.#start[field] ?? 0;
  }
  end(field: number): number {
    return this.#end[field] ?? 0;
  }

  isNull(field: number): boolean {
    return this.#start[field] === this.#end[field] && !this.#quoted[field];
  }

  text(field: number): string {
    const text = this.block.toString('utf8', this.#start[field], this.#end[field]);
    return this.#quoted[field]
      ? text.replaceAll(ENGINE_TEXT.quote + ENGINE_TEXT.quote, ENGINE_TEXT.quote)
      : text;
  }

  /** A whole number; 0 where there is none. */
  number(field: number): number {
    const { block } = this;
    const end = this.#end[field] as number;
    let at = this.#start[field] as number;
    const negative = block[at] === MINUS;
    if (negative) at += 1;
    // Beyond it a sum of digits is rounded more than once.
    if (end - at > EXACT_DIGITS) return Number(block.toString('latin1', this.#start[field], end));
    let value = 0;
    for (; at < end; at += 1) value = value * 10 + ((block[at] as number) - ZERO);
    return negative ? -value : value;
  }

  /** Cuts the row that starts at a place of the block. Where the next one starts, or undefined: the block ends too early. */
  cut(at: number, end: number): number | undefined {
    const { block } = this;
    for (let field = 0; field < this.fields; field += 1) {
      const isLast = field === this.fields - 1;
      const quoted = block[at] === QUOTE;
      this.#quoted[field] = quoted;
      if (quoted) {
        at += 1;
        this.#start[field] = at;
        for (;;) {
          at = block.indexOf(QUOTE, at);
          if (at < 0 || at + 1 >= end) return undefined;
          if (block[at + 1] !== QUOTE) break;
          at += 2;
        }
        this.#end[field] = at;
        at += 1;
      } else {
        this.#start[field] = at;
        if (isLast) {
          at = block.indexOf(NEWLINE, at);
          if (at < 0 || at >= end) return undefined;
        } else {
          while (at < end && block[at] !== FIELD) at += 1;
          if (at === end) return undefined;
        }
        this.#end[field] = at;
      }
      at += 1;
    }
    return at;
  }
}

/** Calls `each` for every row of the file. */
export async function eachRow(path: string, fields: number, each: (row: TextRow) => void): Promise<void> {
  const row = new TextRow(fields);
  const file = await open(path);
  try {
    let left = (await file.stat()).size;
    let rest = Buffer.alloc(0);
    while (left > 0) {
      // A row that is longer than a block makes the next one larger.
      const size = rest.length + Math.min(left, Math.max(BLOCK_BYTES - rest.length, BLOCK_BYTES >> 1));
      const block = Buffer.allocUnsafeSlow(size);
      rest.copy(block);
      let end = rest.length;
      while (end < size) {
        const { bytesRead } = await file.read(block, end, size - end);
        if (bytesRead === 0) throw new Error(`${path} ended ${left} bytes early`);
        end += bytesRead;
        left -= bytesRead;
      }
      row.block = block;
      let at = 0;
      for (let next = row.cut(at, end); next !== undefined; next = at < end ? row.cut(at, end) : undefined) {
        each(row);
        at = next;
      }
      rest = block.subarray(at, end);
    }
    if (rest.length > 0) throw new Error(`${path} ends within a row`);
  } finally {
    await file.close();
  }
}
