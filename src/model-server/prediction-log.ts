/**
 * What was predicted, left in the lake's inbox as files of JSON lines: a table changes only through a workflow, which takes
 * them from there. What is younger than a flush is lost where the process dies; a lake that is away loses nothing until
 * the memory given to it is full.
 */
import { PREDICTIONS_INBOX, type PredictionRecord } from '../contracts/serving.js';
import { leaveInInbox } from '../lake/inbox.js';
import type { ModelServerDeps } from './deps.js';
import type { Metrics } from './metrics.js';

const FILE_ROWS_MAX = 50_000;

export class PredictionLog {
  private waiting: PredictionRecord[] = [];
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
    return this.waiting.length;
  }

  add(records: readonly PredictionRecord[]): void {
    const { enabled, rowsMax } = this.deps.config.log;
    if (!enabled) return;
    const room = Math.max(0, rowsMax - this.waiting.length);
    for (const record of records.slice(0, room)) this.waiting.push(record);
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
    if (this.waiting.length > 0)
      this.deps.log.error({ predictions: this.waiting.length }, 'not kept: the lake did not take them');
  }

  private async write(): Promise<void> {
    while (this.waiting.length > 0) {
      const records = this.waiting.slice(0, FILE_ROWS_MAX);
      try {
        await leaveInInbox(this.deps.lake.store, PREDICTIONS_INBOX, records, this.deps.clock.nowMs());
      } catch (error) {
        this.deps.log.warn({ err: error, pending: this.waiting.length }, 'predictions wait for the lake');
        return;
      }
      this.waiting.splice(0, records.length);
      this.metrics.logged('written', records.length);
    }
  }
}
