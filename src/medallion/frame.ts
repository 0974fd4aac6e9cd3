/**
 * Sources → framed scratch files that the engine reads: every record with its source's number and its physical line in
 * front, small sources with the same header in one file, large ones in several. So ten thousand tiny files are one scan,
 * a huge one is never here whole, line numbers need no arithmetic, and a refused line brings its origin with it.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatasetDefinition } from '../contracts/dataset.js';
import { DatalabError } from '../contracts/errors.js';
import type { Progress } from '../contracts/flows.js';
import type { LocalSource } from '../contracts/sources.js';
import {
  DamagedFile,
  RECORD_BYTES_MAX,
  records,
  type Flaw,
  type PlainLines,
  type RawRecord,
  type RecordRules,
} from './records.js';
import { requireHeader, undeclared } from './columns.js';
import { Spool } from './spool.js';
import { unpacked } from './unpack.js';

/** Parts the fields of a framed JSON line: JSON allows no raw control characters, so no well-formed line has it. */
export const UNIT_SEPARATOR = '\u001f';

/** A framed file that is complete: records of sources that share a header. */
export interface FramePart {
  readonly path: string;
  /** Column names in file order; empty for JSON lines. */
  readonly header: readonly string[];
  /** Records in it. */
  readonly records: number;
  /** Position in the input of the one source whose records these are, where they are of one only. */
  readonly only: number | undefined;
  /** Whether an underscore is in it. */
  readonly underscores: boolean;
}

export interface Framed {
  /** JSON lines `{i, line, rule, reason, raw}`: what was refused without the engine. */
  readonly refusedPath: string;
  /** Records per source, by its position in the input; a damaged file counts as one. */
  readonly read: readonly number[];
  /** How many of them are in the refused file. */
  readonly refused: readonly number[];
  /** Sources that proved damaged after parts of theirs were handed over: what came of those does not count. */
  readonly retracted: ReadonlySet<number>;
  /** Columns that are in a header and not declared, by source path. */
  readonly unknownColumns: ReadonlyArray<{ readonly path: string; readonly columns: readonly string[] }>;
}

export interface FrameOptions {
  readonly dataset: DatasetDefinition;
  readonly sources: readonly LocalSource[];
  /** Folder for the framed files. */
  readonly directory: string;
  /**
   * Takes each part as it is complete, while the next is framed. The part's file is removed when the promise resolves;
   * one part is taken at a time.
   */
  readonly onPart: (part: FramePart) => Promise<void>;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

/** A part is handed over at this size: the engine has work while the next is framed, and files hold about a million rows. */
const PART_BYTES = 64_000_000;
/** The first part of a source is smaller: until it is there, the engine has nothing to do. */
const FIRST_PART_BYTES = 16_000_000;
/** A larger source has parts of its own, so that they can be taken back when it proves damaged at its end. */
const OWN_PARTS_BYTES = 2_000_000;

const FLAWS: Readonly<Record<Flaw | 'bad_json', string>> = {
  bad_quote: 'a quoted field goes on after its closing quote',
  bad_encoding: 'the line is not valid UTF-8; bytes that are not are shown as \\xNN',
  line_too_long: 'the line is longer than 2,000,000 bytes, after which it is cut here',
  bad_json: 'the line is not a JSON object',
};

/** Frames all sources. Throws SOURCE_HEADER_MISMATCH where a required column is not in a header, and what `onPart` throws. */
export async function frame(options: FrameOptions): Promise<Framed> {
  const framer = await Framer.create(options);
  try {
    for (const [index, source] of options.sources.entries()) await framer.take(index, source);
    await framer.handOverAll();
  } finally {
    await framer.close();
  }
  return framer.result();
}

/** A part that still grows. */
interface OpenPart {
  readonly spool: Spool;
  readonly header: readonly string[];
  /** Sources with records in it. */
  readonly sources: Set<number>;
  records: number;
  underscores: boolean;
}

class Framer {
  readonly #shared = new Map<string, OpenPart>();
  readonly #read: number[] = [];
  readonly #refusedCounts: number[] = [];
  readonly #retracted = new Set<number>();
  readonly #unknown: Array<{ path: string; columns: string[] }> = [];
  readonly #rules: RecordRules;
  readonly #separator: string;
  readonly #bytesTotal: number;
  #bytesBefore = 0;
  #parts = 0;
  /** The part that is being taken. */
  #taking: Promise<void> = Promise.resolve();

  private constructor(
    private readonly options: FrameOptions,
    private readonly refused: Spool,
  ) {
    const { format, csv } = options.dataset.source;
    this.#rules = format === 'csv' ? csv : { delimiter: UNIT_SEPARATOR };
    this.#separator = format === 'csv' ? csv.delimiter : UNIT_SEPARATOR;
    this.#bytesTotal = options.sources.reduce((sum, source) => sum + source.sizeBytes, 0);
  }

  static async create(options: FrameOptions): Promise<Framer> {
    return new Framer(options, await Spool.create(join(options.directory, 'refused.jsonl')));
  }

  async take(index: number, source: LocalSource): Promise<void> {
    const refusedBefore = this.refused.position;
    const state: SourceState = {
      index,
      own: source.sizeBytes >= OWN_PARTS_BYTES,
      lineShift: source.lineShift ?? 0,
      read: 0,
      refused: 0,
    };
    const seen = { hash: createHash('sha256'), bytes: 0 };
    try {
      const onChunk = (chunk: Buffer): void => {
        seen.hash.update(chunk);
        seen.bytes += chunk.length;
        this.#progress(seen.bytes);
      };
      const chunks = unpacked(source.localPath, onChunk, this.options.signal);
      for await (const found of records(chunks, this.#rules)) {
        if ('passed' in found) this.#takeLines(found, state);
        else await this.#takeRecords(found, source, state);
        await state.part?.spool.flushIfFull();
        await this.refused.flushIfFull();
        if (state.own && state.part) await this.#rollOver(state, state.part);
      }
      requireSame(source, seen.hash.digest('hex'));
    } catch (error) {
      if (!(error instanceof DamagedFile)) throw error;
      requireSame(source, await sha256(source.localPath));
      await this.#takeBack(state);
      await this.refused.cutBack(refusedBefore);
      this.#refuse(index, null, error.rule, `the file is quarantined as a whole: ${error.message}`, null);
      state.read = 1;
      state.refused = 1;
    }
    if (state.own && state.part) await this.#handOver(state.part);
    else if (state.part && state.part.spool.position >= PART_BYTES) await this.#handOverShared(state.part);
    this.#read[index] = state.read;
    this.#refusedCounts[index] = state.refused;
    this.#bytesBefore += source.sizeBytes;
  }

  async handOverAll(): Promise<void> {
    for (const part of [...this.#shared.values()]) await this.#handOverShared(part);
    await this.#taking;
  }

  async close(): Promise<void> {
    const spools = [this.refused, ...[...this.#shared.values()].map((part) => part.spool)];
    await Promise.all([...spools.map((spool) => spool.close()), this.#taking.catch(() => undefined)]);
  }

  result(): Framed {
    return {
      refusedPath: this.refused.path,
      read: this.#read,
      refused: this.#refusedCounts,
      retracted: this.#retracted,
      unknownColumns: this.#unknown,
    };
  }

  async #takeRecords(batch: readonly RawRecord[], source: LocalSource, state: SourceState): Promise<void> {
    const isCsv = this.options.dataset.source.format === 'csv';
    let from = 0;
    if (state.part === undefined) {
      // The first record of a CSV file says which part its records belong to, and is none itself.
      await this.#begin(isCsv ? this.#header(batch[0] as RawRecord, source) : [], state);
      from = isCsv ? 1 : 0;
    }
    for (let at = from; at < batch.length; at++) this.#takeRecord(batch[at] as RawRecord, state);
  }

  /** Finds or makes the part that the source's records go to. */
  async #begin(header: readonly string[], state: SourceState): Promise<void> {
    const key = JSON.stringify(header);
    const part = (state.own ? undefined : this.#shared.get(key)) ?? (await this.#newPart(header));
    if (!state.own) this.#shared.set(key, part);
    part.sources.add(state.index);
    state.part = part;
    state.before = { position: part.spool.position, records: part.records };
  }

  async #newPart(header: readonly string[]): Promise<OpenPart> {
    const path = join(this.options.directory, `frame-${this.#parts++}.txt`);
    return { spool: await Spool.create(path), header, sources: new Set(), records: 0, underscores: false };
  }

  /** A full part of a source goes on its way, and another takes its place. */
  async #rollOver(state: SourceState, part: OpenPart): Promise<void> {
    if (part.spool.position < (state.handedOver ? PART_BYTES : FIRST_PART_BYTES)) return;
    const next = await this.#newPart(part.header);
    next.sources.add(state.index);
    state.part = next;
    state.handedOver = true;
    await this.#handOver(part);
  }

  /** Waits for the part before: two parts in the engine at once would be two parts in memory at once. */
  async #handOver(part: OpenPart): Promise<void> {
    const { spool, header, records: count, underscores, sources } = part;
    await spool.close();
    await this.#taking;
    const [only] = sources.size === 1 ? sources : [];
    const ready: FramePart = { path: spool.path, header, records: count, only, underscores };
    const taking = count === 0 ? Promise.resolve() : this.options.onPart(ready);
    this.#taking = taking.finally(() => rm(spool.path, { force: true }));
    // Whoever waits next hears of a failure; until then it has an owner here.
    this.#taking.catch(() => undefined);
  }

  async #handOverShared(part: OpenPart): Promise<void> {
    this.#shared.delete(JSON.stringify(part.header));
    await this.#handOver(part);
  }

  /** Nothing of a damaged source counts, wherever its records have got to. */
  async #takeBack(state: SourceState): Promise<void> {
    const { part, before } = state;
    if (!part || !before) return;
    if (state.handedOver) this.#retracted.add(state.index);
    await part.spool.cutBack(state.own ? 0 : before.position);
    part.records = state.own ? 0 : before.records;
    part.sources.delete(state.index);
  }

  #takeLines({ line, bytes, passed }: PlainLines, state: SourceState): void {
    const part = state.part as OpenPart;
    const firstLine = line + state.lineShift;
    const numbers = { before: `${state.index}${this.#separator}`, firstLine, after: this.#separator };
    const { lines, records: count } = part.spool.appendNumbered(bytes, numbers);
    passed(lines);
    state.read += count;
    part.records += count;
    part.underscores ||= bytes.includes(UNDERSCORE);
  }

  #takeRecord(record: RawRecord, state: SourceState): void {
    const part = state.part as OpenPart;
    const line = record.line + state.lineShift;
    state.read++;
    const flaw = record.flaw ?? this.#jsonFlaw(record);
    if (flaw === undefined) {
      const { bytes } = record;
      part.spool.append(`${state.index}${this.#separator}${line}${this.#separator}`, bytes, '\n');
      part.records++;
      part.underscores ||= bytes.includes(UNDERSCORE);
    } else {
      state.refused++;
      this.#refuse(state.index, line, flaw, FLAWS[flaw], rawText(record));
    }
  }

  #jsonFlaw(record: RawRecord): 'bad_json' | undefined {
    if (this.options.dataset.source.format === 'csv') return undefined;
    return record.bytes.includes(UNIT_SEPARATOR) ? 'bad_json' : undefined;
  }

  #refuse(i: number, line: number | null, rule: string, reason: string, raw: string | null): void {
    this.refused.append(`${JSON.stringify({ i, line, rule, reason, raw })}\n`);
  }

  #header(record: RawRecord, source: LocalSource): string[] {
    const { csv } = this.options.dataset.source;
    const names = splitHeader(record.bytes.toString('utf8'), csv.delimiter, csv.quote);
    requireHeader(this.options.dataset, source, names, `read with the delimiter '${csv.delimiter}'`);
    const unknown = undeclared(this.options.dataset, names);
    if (unknown.length > 0) this.#unknown.push({ path: source.path, columns: unknown });
    return names;
  }

  #progress(bytes: number): void {
    const done = this.#bytesBefore + bytes;
    this.options.onProgress?.({ phase: 'reading sources', done, total: this.#bytesTotal, unit: 'bytes' });
  }
}

interface SourceState {
  readonly index: number;
  /** Whether its records go into parts of its own. */
  readonly own: boolean;
  readonly lineShift: number;
  read: number;
  refused: number;
  part?: OpenPart;
  /** The part as it was before this source. */
  before?: { readonly position: number; readonly records: number };
  /** Whether a part of it is on its way. */
  handedOver?: boolean;
}

const UNDERSCORE = 0x5f;

/** The bytes must be those that were hashed: their identity goes into the commit. Throws SOURCE_CHANGED. */
export function requireSame(source: LocalSource, contentHash: string): void {
  if (contentHash === source.contentHash) return;
  throw new DatalabError('SOURCE_CHANGED', `${source.path} changed while it was read`);
}

export async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Names of a header line, without quotes and surrounding spaces. */
function splitHeader(line: string, delimiter: string, quote: string): string[] {
  const names: string[] = [];
  let name = '';
  let quoted = false;
  for (const char of line) {
    if (char === quote) quoted = !quoted;
    else if (char === delimiter && !quoted) {
      names.push(name.trim());
      name = '';
    } else name += char;
  }
  return [...names, name.trim()];
}

/** The record as text that loses nothing: bytes that are not UTF-8 as `\xNN`. */
function rawText({ bytes, flaw }: RawRecord): string {
  if (flaw === 'line_too_long') return bytes.subarray(0, RECORD_BYTES_MAX).toString('utf8');
  if (flaw !== 'bad_encoding') return bytes.toString('utf8');
  let text = '';
  for (const part of utf8Runs(bytes)) text += part.valid ? part.bytes.toString('utf8') : hex(part.bytes);
  return text;
}

function hex(bytes: Buffer): string {
  return [...bytes].map((byte) => `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

/** Runs of ASCII, and runs of everything else, each told valid or not. */
function* utf8Runs(bytes: Buffer): Generator<{ bytes: Buffer; valid: boolean }> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const isValid = (run: Buffer): boolean => {
    try {
      decoder.decode(run);
      return true;
    } catch {
      return false;
    }
  };
  let start = 0;
  while (start < bytes.length) {
    const high = (bytes[start] as number) >= 0x80;
    let end = start;
    while (end < bytes.length && (bytes[end] as number) >= 0x80 === high) end++;
    const run = bytes.subarray(start, end);
    yield { bytes: run, valid: !high || isValid(run) };
    start = end;
  }
}
