/**
 * Bytes → records, before any parser sees them. Counts what there is to read independently of the engine, which was
 * seen to lose tens of thousands of rows behind one stray quote without an error.
 */
import { isAscii, isUtf8 } from 'node:buffer';

/** One record with the physical line that it starts on (1 is the first line of the file). */
export interface RawRecord {
  readonly line: number;
  /** Without the line end. May point into a chunk: copy it to keep it. */
  readonly bytes: Buffer;
  /** Why no parser needs to see it, or undefined where it is well-formed as far as can be told here. */
  readonly flaw?: Flaw;
}

export type Flaw = 'bad_quote' | 'bad_encoding' | 'line_too_long';

/** The file as a whole cannot be trusted from here on. */
export class DamagedFile extends Error {
  override readonly name = 'DamagedFile';
  constructor(
    /** Code for the quarantine. */
    readonly rule: 'stray_quote' | 'line_too_long' | 'gzip_damaged' | 'zstd_damaged',
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

export interface RecordRules {
  readonly delimiter: string;
  /** Quote character, or undefined where line ends always end a record (JSON lines). */
  readonly quote?: string;
}

/** A longer record is refused; one that spans lines is the mark of a quote that was never closed. */
export const RECORD_BYTES_MAX = 2_000_000;
/** Bytes without any line end after which a file is no text that we can hold. */
const LINE_BYTES_MAX = 64_000_000;

const LF = 0x0a;
const CR = 0x0d;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** Lines that need no looking at one by one: whole, valid UTF-8, without a quote. Blank ones may be among them. */
export interface PlainLines {
  /** Physical line that the first of them is. */
  readonly line: number;
  /** Each ends with LF or CRLF. May point into a chunk: copy it to keep it. */
  readonly bytes: Buffer;
  /** The reader tells how many lines they were, blank ones included, before it asks for more. */
  passed(lines: number): void;
}

/**
 * Splits a stream of chunks. LF and CRLF end lines, also mixed; a byte order mark and blank lines are passed over;
 * quoted line ends stay inside their record. The first record comes by itself; after it, what is plain comes as lines
 * in bulk, which is most of most files. Keeps no chunk beyond the next: they may be read into the same memory. Throws
 * DamagedFile.
 */
export async function* records(
  chunks: AsyncIterable<Buffer>,
  rules: RecordRules,
): AsyncGenerator<RawRecord[] | PlainLines, void, undefined> {
  const splitter = new Splitter(rules);
  for await (const chunk of chunks) {
    const plain = splitter.plain(chunk);
    if (plain) {
      for (const bytes of plain) yield splitter.passing(bytes);
      continue;
    }
    const found = splitter.push(chunk);
    if (found.length > 0) yield found;
  }
  const last = splitter.end();
  if (last.length > 0) yield last;
}

class Splitter {
  readonly #quote: number | undefined;
  readonly #delimiter: number;
  #rest: Buffer = Buffer.alloc(0);
  #restAscii = true;
  #line = 0;
  /** The lines of a quoted record so far. */
  #open: Buffer[] = [];
  #openBytes = 0;
  #openLine = 0;
  #started = false;

  constructor(rules: RecordRules) {
    this.#quote = rules.quote === undefined ? undefined : rules.quote.charCodeAt(0);
    this.#delimiter = rules.delimiter.charCodeAt(0);
  }

  push(chunk: Buffer): RawRecord[] {
    const ascii = this.#restAscii && isAscii(chunk);
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (!this.#started) {
      if (data.length < BOM.length) {
        this.#rest = Buffer.from(data);
        return [];
      }
      this.#started = true;
      if (data.subarray(0, BOM.length).equals(BOM)) data = data.subarray(BOM.length);
    }
    const found: RawRecord[] = [];
    let start = 0;
    for (let end = data.indexOf(LF); end >= 0; end = data.indexOf(LF, start)) {
      this.#take(data.subarray(start, end), ascii, found);
      start = end + 1;
    }
    this.#rest = Buffer.from(data.subarray(start));
    this.#restAscii = ascii || this.#rest.length === 0;
    if (this.#rest.length > LINE_BYTES_MAX) {
      throw new DamagedFile('line_too_long', `line ${this.#line + 1} is longer than ${LINE_BYTES_MAX} bytes`);
    }
    return found;
  }

  /**
   * The chunk's whole lines where all of them are plain, the one that began in the chunk before by itself; undefined where
   * {@link push} has to look at each.
   */
  plain(chunk: Buffer): Buffer[] | undefined {
    const end = chunk.lastIndexOf(LF) + 1;
    // The first record may be a header and may begin with a mark; a line that could be too long is measured elsewhere.
    if (this.#line === 0 || this.#open.length > 0 || end === 0) return undefined;
    const lines = chunk.subarray(0, end);
    if (this.#rest.length + lines.length > RECORD_BYTES_MAX) return undefined;
    // JSON lines have no quote that matters here; what parts their framed fields must not be in them.
    const special = this.#quote ?? this.#delimiter;
    if (lines.includes(special) || this.#rest.includes(special)) return undefined;
    const first = this.#rest.length === 0 ? 0 : lines.indexOf(LF) + 1;
    const whole = [Buffer.concat([this.#rest, lines.subarray(0, first)]), lines.subarray(first)];
    if (!whole.every((bytes) => isAscii(bytes) || isUtf8(bytes))) return undefined;
    this.#rest = Buffer.from(chunk.subarray(end));
    this.#restAscii = isAscii(this.#rest);
    return whole.filter(({ length }) => length > 0);
  }

  /** Plain lines as the next that there are. */
  passing(bytes: Buffer): PlainLines {
    return {
      line: this.#line + 1,
      bytes,
      passed: (count) => {
        this.#line += count;
      },
    };
  }

  end(): RawRecord[] {
    const found: RawRecord[] = [];
    const rest =
      this.#rest.subarray(0, 3).equals(BOM) && !this.#started ? this.#rest.subarray(3) : this.#rest;
    if (rest.length > 0) this.#take(rest, false, found);
    if (this.#open.length > 0) {
      throw new DamagedFile('stray_quote', `the quote opened on line ${this.#openLine} is never closed`);
    }
    return found;
  }

  /** One physical line, without its LF. */
  #take(text: Buffer, ascii: boolean, found: RawRecord[]): void {
    this.#line++;
    const inside = this.#open.length > 0;
    const quoted = this.#quote !== undefined && (inside || text.includes(this.#quote));
    if (!quoted) {
      const bytes = text[text.length - 1] === CR ? text.subarray(0, -1) : text;
      if (bytes.length > 0) found.push(record(this.#line, bytes, ascii));
      return;
    }
    const state = quotesAfter(text, inside, this.#quote as number, this.#delimiter);
    if (!inside && state === 'open') {
      this.#openLine = this.#line;
      this.#openBytes = 0;
    }
    if (inside || state === 'open') {
      this.#open.push(Buffer.from(text));
      this.#openBytes += text.length + 1;
      if (state === 'malformed' || this.#openBytes > RECORD_BYTES_MAX) {
        throw new DamagedFile(
          'stray_quote',
          `the quote opened on line ${this.#openLine} swallows the lines after it`,
        );
      }
      if (state === 'open') return;
      const whole = Buffer.concat(
        this.#open.flatMap((part, index) => (index === 0 ? [part] : [LINE_END, part])),
      );
      this.#open = [];
      found.push(record(this.#openLine, withoutCr(whole), false));
      return;
    }
    const bytes = withoutCr(text);
    const whole = record(this.#line, bytes, ascii);
    found.push(state === 'malformed' && whole.flaw === undefined ? { ...whole, flaw: 'bad_quote' } : whole);
  }
}

const LINE_END = Buffer.from([LF]);

function withoutCr(bytes: Buffer): Buffer {
  return bytes[bytes.length - 1] === CR ? bytes.subarray(0, -1) : bytes;
}

function record(line: number, bytes: Buffer, ascii: boolean): RawRecord {
  if (bytes.length > RECORD_BYTES_MAX) return { line, bytes, flaw: 'line_too_long' };
  if (!ascii && !isUtf8(bytes)) return { line, bytes, flaw: 'bad_encoding' };
  return { line, bytes };
}

/** Where the quotes stand after a line: all closed, one open, or closed in the middle of a field. */
function quotesAfter(
  text: Buffer,
  inside: boolean,
  quote: number,
  delimiter: number,
): 'closed' | 'open' | 'malformed' {
  let at: 'start' | 'plain' | 'quoted' | 'after' = inside ? 'quoted' : 'start';
  for (let index = 0; index < text.length; index++) {
    const byte = text[index];
    if (at === 'quoted') {
      if (byte === quote) at = 'after';
    } else if (byte === delimiter) {
      at = 'start';
    } else if (at === 'start') {
      at = byte === quote ? 'quoted' : 'plain';
    } else if (at === 'after') {
      if (byte === quote) at = 'quoted';
      else if (byte !== CR || index !== text.length - 1) return 'malformed';
    }
  }
  return at === 'quoted' ? 'open' : 'closed';
}
