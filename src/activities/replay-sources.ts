/** The sources of refused rows, brought here once more: the same bytes, or what the quarantine kept of them. */
import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { DatasetDefinition } from '../contracts/dataset.js';
import { DatalabError } from '../contracts/errors.js';
import type { ReplayFigures } from '../contracts/replay.js';
import { hasPlaces, locationAtAnyTime } from '../contracts/source-location.js';
import type { LocalSource, SourceObject } from '../contracts/sources.js';
import { mapLimited, type EngineSession } from '../delta/index.js';
import { identified } from '../medallion/identity.js';
import { OWED_LINES, type OwedSource } from '../medallion/replay.js';
import type { ActivityDeps } from './deps.js';
import type { StepContext } from './step.js';

/** Sources that can be read again, and why the others cannot. */
export interface Reached {
  readonly sources: readonly LocalSource[];
  readonly unreachable: ReadonlyArray<{ readonly source: OwedSource; readonly problem: string }>;
}

const PARALLEL_DOWNLOADS = 8;
const PROBLEMS_MAX = 20;

/** For the figures: rows that are out of reach, and the first reasons. */
export function unreachableOf({ unreachable }: Reached): Pick<ReplayFigures, 'unreachable' | 'problems'> {
  return {
    unreachable: unreachable.reduce((sum, { source }) => sum + source.lines, 0),
    problems: unreachable
      .slice(0, PROBLEMS_MAX)
      .map(({ source: { path: from }, problem }) => ({ path: from, problem })),
  };
}

/**
 * Fetches the sources where they were. One whose bytes are others by now is another source: its rows are not those that
 * were refused.
 */
export async function fetchAgain(
  deps: ActivityDeps,
  dataset: DatasetDefinition,
  owed: readonly OwedSource[],
  directory: string,
  { signal }: StepContext,
): Promise<Reached> {
  const anywhere = await Promise.all(
    placesOf(dataset.source.location, owed).map((place) => listAll(deps, place, signal)),
  );
  const listed = new Map(anywhere.flat().map((object) => [object.path, object]));
  const sources: LocalSource[] = [];
  const unreachable: Array<{ source: OwedSource; problem: string }> = [];
  await mapLimited(owed, PARALLEL_DOWNLOADS, async (source) => {
    const object = listed.get(source.path);
    if (!object) return unreachable.push({ source, problem: 'it is not where it was' });
    try {
      const found = await deps.sources.download(object, directory, { signal });
      const local = identified(dataset, { ...found, modifiedMs: source.modifiedMs });
      const problem = 'it holds other bytes than when its rows were refused';
      if (local.sourceId !== source.id) return unreachable.push({ source, problem });
      return sources.push(local);
    } catch (error) {
      if (!(error instanceof DatalabError) || !GONE.has(error.code)) throw error;
      return unreachable.push({ source, problem: error.message });
    }
  });
  return { sources, unreachable };
}

/** Where the sources may be. An address knows no globs, so there each source is asked for by itself. */
function placesOf(location: string, owed: readonly OwedSource[]): string[] {
  if (!hasPlaces(location)) return [location];
  return /^https?:/.test(location) ? owed.map((source) => source.path) : [locationAtAnyTime(location)];
}

const GONE: ReadonlySet<string> = new Set(['SOURCE_NOT_FOUND', 'SOURCE_CHANGED']);

async function listAll(deps: ActivityDeps, location: string, signal: AbortSignal): Promise<SourceObject[]> {
  try {
    return await deps.sources.list(location, { signal });
  } catch (error) {
    if (error instanceof DatalabError && error.code === 'SOURCE_NOT_FOUND') return [];
    throw error;
  }
}

/**
 * JSON lines need no header and no file around them: what the quarantine kept is all there is to read, also where the
 * file or the messages are gone. Lines that it could not keep byte for byte are out of reach.
 */
export async function linesAgain(
  session: EngineSession,
  owed: readonly OwedSource[],
  directory: string,
): Promise<Reached> {
  const byId = new Map(owed.map((source) => [source.id, source]));
  const files = new LineFiles(directory);
  try {
    for await (const { rows, columns } of session.stream(OWED_LINES)) {
      for (let row = 0; row < rows; row++) {
        const [id, line, raw] = columns.map((column) => column[row]) as [string, bigint, string];
        await files.take(id, Number(line), raw);
      }
    }
  } finally {
    await files.close();
  }
  const sources = files.done.map(({ id, ...file }): LocalSource => {
    const { path: from, modifiedMs } = byId.get(id) as OwedSource;
    return { sourceId: id, path: from, modifiedMs, ...file };
  });
  const kept = new Map(files.done.map(({ id, lines }) => [id, lines]));
  const problem = 'the quarantine does not have every byte of it';
  const unreachable = owed.flatMap((source) => {
    const lines = source.lines - (kept.get(source.id) ?? 0);
    return lines > 0 ? [{ source: { ...source, lines }, problem }] : [];
  });
  return { sources, unreachable };
}

interface LineFile {
  readonly id: string;
  readonly localPath: string;
  readonly sizeBytes: number;
  readonly contentHash: string;
  readonly lineShift: number;
  readonly lines: number;
}

interface OpenFile {
  readonly id: string;
  readonly file: HashedFile;
  readonly first: number;
  next: number;
  lines: number;
}

/** One file per source, each line where its number says, the lines between them empty. */
class LineFiles {
  readonly done: LineFile[] = [];
  #open: OpenFile | undefined;

  constructor(private readonly directory: string) {}

  async take(id: string, line: number, raw: string): Promise<void> {
    const open = this.#open?.id === id ? this.#open : await this.#begin(id, line);
    await open.file.write(`${'\n'.repeat(line - open.next)}${raw}\n`);
    open.next = line + 1;
    open.lines++;
  }

  async #begin(id: string, line: number): Promise<OpenFile> {
    await this.close();
    const localPath = path.join(this.directory, `again-${this.done.length}.source`);
    const open = { id, file: await HashedFile.create(localPath), first: line, next: line, lines: 0 };
    this.#open = open;
    // The first line is empty, so that no line is taken for the beginning of a packed file.
    await open.file.write('\n');
    return open;
  }

  async close(): Promise<void> {
    const open = this.#open;
    if (!open) return;
    this.#open = undefined;
    const { id, file, first, lines } = open;
    this.done.push({ id, ...(await file.close()), lineShift: first - 2, lines });
  }
}

const FLUSH_CHARACTERS = 1 << 20;

/** A file that knows its hash when it is complete. */
class HashedFile {
  readonly #hash = createHash('sha256');
  #size = 0;
  #text: string[] = [];
  #waiting = 0;

  private constructor(
    private readonly localPath: string,
    private readonly file: FileHandle,
  ) {}

  static async create(localPath: string): Promise<HashedFile> {
    return new HashedFile(localPath, await open(localPath, 'wx'));
  }

  async write(text: string): Promise<void> {
    this.#text.push(text);
    this.#waiting += text.length;
    if (this.#waiting > FLUSH_CHARACTERS) await this.#flush();
  }

  async close(): Promise<Pick<LineFile, 'localPath' | 'sizeBytes' | 'contentHash'>> {
    await this.#flush();
    await this.file.close();
    return { localPath: this.localPath, sizeBytes: this.#size, contentHash: this.#hash.digest('hex') };
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.from(this.#text.join(''));
    this.#text = [];
    this.#waiting = 0;
    this.#hash.update(bytes);
    this.#size += bytes.length;
    await this.file.appendFile(bytes);
  }
}
