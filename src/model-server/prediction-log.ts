/**
 * What was predicted, left in the lake's inbox as files of JSON lines: a table changes only through a workflow, which takes
 * them from there. What is younger than a flush is lost where the process dies; a lake that is away loses nothing until
 * the memory given to it is full. What waits is kept as bytes: thousands of objects a second that outlive their request
 * would have to be moved and marked by the collector, and written as text all at once when they leave. A file is one piece of
 * memory of half a MiB: larger ones would be put together, or signed for S3, while requests wait.
 */
import { PREDICTIONS_INBOX, type PredictionRecord } from '../contracts/serving.js';
import { inboxLine, leaveLines } from '../lake/inbox.js';
import type { ModelServerDeps } from './deps.js';
import type { Metrics } from './metrics.js';

const FILE_BYTES = 512 * 1024;

/** What becomes one file. */
interface Lines {
  readonly bytes: Buffer;
  rows: number;
  used: number;
  /** It is being written: what comes now goes into the next one. */
  leaving: boolean;
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
    // A character takes three bytes at most.
    const most = line.length * 3;
    let lines = this.waiting.at(-1);
    if (!lines || lines.leaving || lines.bytes.length - lines.used < most) {
      lines = { bytes: Buffer.allocUnsafeSlow(Math.max(FILE_BYTES, most)), rows: 0, used: 0, leaving: false };
      this.waiting.push(lines);
    }
    lines.used += lines.bytes.write(line, lines.used);
    lines.rows += 1;
    this.rows += 1;
  }

  /** What is predicted meanwhile waits for the next time: a file for every few rows would be thousands of files. */
  private async write(): Promise<void> {
    for (let files = this.waiting.length; files > 0; files -= 1) {
      const [lines] = this.waiting;
      if (!lines) return;
      lines.leaving = true;
      const bytes = lines.bytes.subarray(0, lines.used);
      try {
        await leaveLines(this.deps.lake.store, PREDICTIONS_INBOX, bytes, this.deps.clock.nowMs());
      } catch (error) {
        lines.leaving = false;
        this.deps.log.warn({ err: error, pending: this.rows }, 'predictions wait for the lake');
        return;
      }
      this.waiting.shift();
      this.rows -= lines.rows;
      this.metrics.logged('written', lines.rows);
    }
  }
}
