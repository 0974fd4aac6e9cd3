/**
 * What was predicted, left in the lake's inbox as files of JSON lines: a table changes only through a workflow, which takes
 * them from there. What is younger than a flush is lost where the process dies; a lake that is away loses nothing until
 * the memory given to it is full. What waits is kept as bytes: thousands of objects a second that outlive their request
 * would have to be moved and marked by the collector, and written as text all at once when they leave.
 */
import { PREDICTIONS_INBOX, type PredictionRecord } from '../contracts/serving.js';
import { inboxLine, leaveLines } from '../lake/inbox.js';
import type { ModelServerDeps } from './deps.js';
import type { Metrics } from './metrics.js';

const FILE_ROWS_MAX = 50_000;
const PART_BYTES = 256 * 1024;

/** What becomes one file. */
interface Lines {
  rows: number;
  readonly parts: Array<{ readonly bytes: Buffer; used: number }>;
}

export class PredictionLog {
  private readonly waiting: Lines[] = [];
  private rows = 0;
  private flushing: Promise<void> = Promise.resolve();
  private readonly timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly deps: ModelServerDeps,
    private readonly metrics: Metrics,
  ) {
    const { enabled, flushSeconds } = deps.config.log;
    if (!enabled) return;
    this.timer = setInterval(() => void this.flush(), flushSeconds * 1000);
    this.timer.unref();
  }

  /** Predictions that are not in the lake yet. */
  get pending(): number {
    return this.rows;
  }

  add(records: readonly PredictionRecord[]): void {
    const { enabled, rowsMax } = this.deps.config.log;
    if (!enabled) return;
    const room = Math.max(0, rowsMax - this.rows);
    for (const record of records.length > room ? records.slice(0, room) : records)
      this.append(inboxLine(record));
    if (records.length > room) this.metrics.logged('dropped', records.length - room);
  }

  /** Writes what waits. A lake that is away keeps it waiting. */
  flush(): Promise<void> {
    this.flushing = this.flushing.then(() => this.write());
    return this.flushing;
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
    if (this.rows > 0)
      this.deps.log.error({ predictions: this.rows }, 'not kept: the lake did not take them');
  }

  private append(line: string): void {
    let lines = this.waiting.at(-1);
    if (!lines || lines.rows >= FILE_ROWS_MAX) this.waiting.push((lines = { rows: 0, parts: [] }));
    let part = lines.parts.at(-1);
    // A character takes three bytes at most.
    if (!part || part.bytes.length - part.used < line.length * 3) {
      part = { bytes: Buffer.allocUnsafe(Math.max(PART_BYTES, line.length * 3)), used: 0 };
      lines.parts.push(part);
    }
    part.used += part.bytes.write(line, part.used);
    lines.rows += 1;
    this.rows += 1;
  }

  /** What is predicted meanwhile waits for the next time: a file for every few rows would be thousands of files. */
  private async write(): Promise<void> {
    for (let files = this.waiting.length; files > 0; files -= 1) {
      const [lines] = this.waiting;
      if (!lines || lines.rows === 0) return;
      if (this.waiting.length === 1) this.waiting.push({ rows: 0, parts: [] });
      const bytes = Buffer.concat(lines.parts.map((part) => part.bytes.subarray(0, part.used)));
      try {
        await leaveLines(this.deps.lake.store, PREDICTIONS_INBOX, bytes, this.deps.clock.nowMs());
      } catch (error) {
        this.deps.log.warn({ err: error, pending: this.rows }, 'predictions wait for the lake');
        return;
      }
      this.waiting.shift();
      this.rows -= lines.rows;
      this.metrics.logged('written', lines.rows);
    }
  }
}
