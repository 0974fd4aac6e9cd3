/** The log of a run as it lies in the lake: whole for a terminal, by page for a browser. */
import { runLogPrefix, type LogLevel, type LogLine } from '../contracts/run-log.js';
import { mapLimited } from '../delta/index.js';
import type { LakeReader } from './tables.js';

type Store = LakeReader['store'];

const PARALLEL_READS = 16;
/** Files of one run that a page is made of: the newest. */
const FILES_MAX = 2000;
/** Runs whose lines are kept between two pages. */
const RUNS_KEPT = 4;

/** All lines, in the order in which they were said. */
export async function readRunLog(lake: Store, runId: string): Promise<LogLine[]> {
  return readFiles(lake, await keysOf(lake, runId));
}

export interface LogFilter {
  /** The activity that said it. */
  readonly activity?: string | undefined;
  readonly level?: LogLevel | undefined;
  /** Part of the message, of the activity's name or of a field. */
  readonly search?: string | undefined;
}

export interface LogPage {
  /** Lines that match. */
  readonly total: number;
  /** Every activity that said something, in the order of their first lines. */
  readonly activities: readonly string[];
  /** Files of steps beyond those that are looked at, the oldest. */
  readonly leftOut: number;
  readonly lines: readonly LogLine[];
}

interface Kept {
  readonly files: ReadonlySet<string>;
  readonly leftOut: number;
  readonly lines: readonly LogLine[];
}

/** Pages of logs. A file never changes once it is there, so that only those that are new are read. */
export class RunLogPages {
  readonly #kept = new Map<string, Kept>();

  constructor(private readonly lake: Store) {}

  async page(
    runId: string,
    { activity, level, search = '' }: LogFilter,
    { offset, limit }: { readonly offset: number; readonly limit: number },
  ): Promise<LogPage> {
    const { lines, leftOut } = await this.#all(runId);
    const wanted = search.toLowerCase();
    const found = lines.filter(
      (line) =>
        (activity === undefined || line.activity === activity) &&
        (level === undefined || line.level === level) &&
        (wanted === '' || textOf(line).includes(wanted)),
    );
    return {
      ...{ total: found.length, leftOut, activities: [...new Set(lines.map((line) => line.activity))] },
      lines: found.slice(offset, offset + limit),
    };
  }

  async #all(runId: string): Promise<Kept> {
    const keys = await keysOf(this.lake, runId);
    // Names begin with the time of their step.
    const wanted = keys.slice(-FILES_MAX);
    const before = this.#kept.get(runId);
    const unread = wanted.filter((key) => !before?.files.has(key));
    const lines = unread.length === 0 ? [] : await readFiles(this.lake, unread);
    const kept: Kept = {
      files: new Set(wanted),
      leftOut: keys.length - wanted.length,
      lines: lines.length === 0 ? (before?.lines ?? []) : inOrder([...(before?.lines ?? []), ...lines]),
    };
    this.#kept.delete(runId);
    this.#kept.set(runId, kept);
    for (const [oldest] of [...this.#kept].slice(0, -RUNS_KEPT)) this.#kept.delete(oldest);
    return kept;
  }
}

async function keysOf(lake: Store, runId: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of lake.list(runLogPrefix(runId))) keys.push(key);
  return keys.sort();
}

async function readFiles(lake: Store, keys: readonly string[]): Promise<LogLine[]> {
  const texts = await mapLimited(keys, PARALLEL_READS, async (key) =>
    Buffer.from(await lake.get(key)).toString(),
  );
  return inOrder(
    texts.flatMap((text) =>
      text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as LogLine),
    ),
  );
}

/** Stable: lines of one moment stay as their step said them. */
function inOrder(lines: LogLine[]): LogLine[] {
  return lines.sort((left, right) => (left.time < right.time ? -1 : left.time > right.time ? 1 : 0));
}

function textOf({ activity, message, fields }: LogLine): string {
  return `${activity} ${message} ${fields ? JSON.stringify(fields) : ''}`.toLowerCase();
}
