/**
 * Sources → framed scratch files that the engine reads: every record with its source's number and its physical line in
 * front, all sources with the same header in one file. So ten thousand tiny files are one scan, line numbers need no
 * arithmetic, and a refused line brings its origin with it.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
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
  type RawRecord,
  type RecordRules,
} from './records.js';
import { Spool } from './spool.js';
import { unpacked } from './unpack.js';

/** Parts the fields of a framed JSON line: JSON allows no raw control characters, so no well-formed line has it. */
export const UNIT_SEPARATOR = '\u001f';

/** Sources that share a header. */
export interface FrameGroup {
  readonly path: string;
  /** Column names in file order; empty for JSON lines. */
  readonly header: readonly string[];
}

export interface Framed {
  readonly groups: readonly FrameGroup[];
  /** JSON lines `{i, line, rule, reason, raw}`: what was refused without the engine. */
  readonly refusedPath: string;
  /** Records per source, by its position in the input; a damaged file counts as one. */
  readonly read: readonly number[];
  /** How many of them are in the refused file. */
  readonly refused: readonly number[];
  /** Columns that are in a header and not declared, by source path. */
  readonly unknownColumns: ReadonlyArray<{ readonly path: string; readonly columns: readonly string[] }>;
}

export interface FrameOptions {
  readonly dataset: DatasetDefinition;
  readonly sources: readonly LocalSource[];
  readonly scratchDirectory: string;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

const FLAWS: Readonly<Record<Flaw | 'bad_json', string>> = {
  bad_quote: 'a quoted field goes on after its closing quote',
  bad_encoding: 'the line is not valid UTF-8; bytes that are not are shown as \\xNN',
  line_too_long: 'the line is longer than 2,000,000 bytes, after which it is cut here',
  bad_json: 'the line is not a JSON object',
};

/** Frames all sources. Throws SOURCE_HEADER_MISMATCH where a required column is not in a header. */
export async function frame(options: FrameOptions): Promise<Framed> {
  const framer = await Framer.create(options);
  try {
    for (const [index, source] of options.sources.entries()) await framer.take(index, source);
  } finally {
    await framer.close();
  }
  return framer.result();
}

class Framer {
  readonly #groups = new Map<string, { spool: Spool; header: readonly string[] }>();
  readonly #read: number[] = [];
  readonly #refusedCounts: number[] = [];
  readonly #unknown: Array<{ path: string; columns: string[] }> = [];
  readonly #rules: RecordRules;
  readonly #separator: string;
  readonly #bytesTotal: number;
  #bytesBefore = 0;

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
    return new Framer(options, await Spool.create(join(options.scratchDirectory, 'refused.jsonl')));
  }

  async take(index: number, source: LocalSource): Promise<void> {
    const refusedBefore = this.refused.position;
    const state: SourceState = { index, read: 0, refused: 0 };
    const seen = { hash: createHash('sha256'), bytes: 0 };
    try {
      const onChunk = (chunk: Buffer): void => {
        seen.hash.update(chunk);
        seen.bytes += chunk.length;
        this.#progress(seen.bytes);
      };
      const chunks = unpacked(source.localPath, onChunk, this.options.signal);
      for await (const batch of records(chunks, this.#rules)) {
        const first = state.group === undefined ? await this.#begin(batch, source, state) : 0;
        for (let at = first; at < batch.length; at++) this.#takeRecord(batch[at] as RawRecord, state);
        await state.group?.flushIfFull();
        await this.refused.flushIfFull();
      }
      requireSame(source, seen.hash.digest('hex'));
    } catch (error) {
      if (!(error instanceof DamagedFile)) throw error;
      requireSame(source, await sha256(source.localPath));
      if (state.group && state.groupStart !== undefined) await state.group.cutBack(state.groupStart);
      await this.refused.cutBack(refusedBefore);
      this.#refuse(index, null, error.rule, `the file is quarantined as a whole: ${error.message}`, null);
      state.read = 1;
      state.refused = 1;
    }
    this.#read[index] = state.read;
    this.#refusedCounts[index] = state.refused;
    this.#bytesBefore += source.sizeBytes;
  }

  async close(): Promise<void> {
    const spools = [this.refused, ...[...this.#groups.values()].map((group) => group.spool)];
    await Promise.all(spools.map((spool) => spool.close()));
  }

  result(): Framed {
    return {
      groups: [...this.#groups.values()].map(({ spool, header }) => ({ path: spool.path, header })),
      refusedPath: this.refused.path,
      read: this.#read,
      refused: this.#refusedCounts,
      unknownColumns: this.#unknown,
    };
  }

  /** Finds the group that the source's header belongs to. Returns how many records the header took. */
  async #begin(batch: readonly RawRecord[], source: LocalSource, state: SourceState): Promise<number> {
    const isCsv = this.options.dataset.source.format === 'csv';
    const group = await this.#group(isCsv ? this.#header(batch[0] as RawRecord, source) : []);
    state.group = group;
    state.groupStart = group.position;
    return isCsv ? 1 : 0;
  }

  #takeRecord(record: RawRecord, state: SourceState): void {
    state.read++;
    const flaw = record.flaw ?? this.#jsonFlaw(record);
    if (flaw === undefined) {
      state.group?.append(
        `${state.index}${this.#separator}${record.line}${this.#separator}`,
        record.bytes,
        '\n',
      );
    } else {
      state.refused++;
      this.#refuse(state.index, record.line, flaw, FLAWS[flaw], rawText(record));
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
    const declared = this.options.dataset.columns;
    const missing = declared.filter((column) => column.required && !names.includes(column.name));
    const twice = names.filter((name, index) => names.indexOf(name) !== index);
    const problems = [
      ...missing.map((column) => `the required column '${column.name}' is missing`),
      ...twice.map((name) => `the column '${name}' is there twice`),
    ];
    if (problems.length > 0) {
      throw new DatalabError(
        'SOURCE_HEADER_MISMATCH',
        `${source.path}: ${problems.join(', ')}; its header, read with the delimiter '${csv.delimiter}', is: ` +
          names
            .map((name) => `'${name.slice(0, 60)}'`)
            .join(', ')
            .slice(0, 1000),
      );
    }
    const unknown = names.filter((name) => !declared.some((column) => column.name === name));
    if (unknown.length > 0) this.#unknown.push({ path: source.path, columns: unknown });
    return names;
  }

  async #group(header: readonly string[]): Promise<Spool> {
    const key = JSON.stringify(header);
    const known = this.#groups.get(key);
    if (known) return known.spool;
    const path = join(this.options.scratchDirectory, `frame-${this.#groups.size}.txt`);
    const spool = await Spool.create(path);
    this.#groups.set(key, { spool, header });
    return spool;
  }

  #progress(bytes: number): void {
    const done = this.#bytesBefore + bytes;
    this.options.onProgress?.({ phase: 'reading sources', done, total: this.#bytesTotal, unit: 'bytes' });
  }
}

interface SourceState {
  readonly index: number;
  read: number;
  refused: number;
  group?: Spool;
  /** Where this source begins in its group's file. */
  groupStart?: number;
}

/** The bytes must be those that were hashed: their identity goes into the commit. */
function requireSame(source: LocalSource, sourceId: string): void {
  if (sourceId === source.sourceId) return;
  throw new DatalabError('SOURCE_CHANGED', `${source.path} changed while it was read`);
}

async function sha256(path: string): Promise<string> {
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
