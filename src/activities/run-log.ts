/**
 * The log of a step, kept with its run: what the step says while it works, how it began and ended, one object of JSON
 * lines per attempt below `_runs/<runId>/` in the lake. A log that cannot be kept never fails its step.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { CancelledFailure, Context } from '@temporalio/activity';
import type { Config } from '../config/config.js';
import { runLogPrefix, type LogLevel, type LogLine } from '../contracts/run-log.js';
import { DatalabError } from '../contracts/errors.js';
import type { StepRecord } from '../contracts/run.js';
import { DeltaError } from '../delta/index.js';
import type { ActivityDeps } from './deps.js';

/** Lines of one attempt; what comes in between the first and the last of them is counted and left out. */
const LINES_MAX = 400;
const TEXT_MAX = 2000;
const FIELDS_MAX = 20;
const LINE_BYTES_MAX = 16_000;
/** A lake that does not answer must not hold up a step that is done. */
const KEEP_WITHIN_MS = 10_000;
/** A step that is tried for a day keeps its first attempts, and then a sample. */
const EVERY_ATTEMPT_UNTIL = 50;

/** The steps of one worker with their logs. */
export class RunLogs {
  readonly #current = new AsyncLocalStorage<StepLog>();
  readonly #redact: (value: unknown, key?: string) => unknown;

  constructor(private readonly deps: Pick<ActivityDeps, 'config' | 'lake' | 'log'>) {
    this.#redact = redactor(deps.config);
  }

  /** Logs as `deps.log` does, and into the log of the step that is running. */
  readonly log: ActivityDeps['log'] = (fields, message, level = 'info') => {
    this.deps.log(fields, message, level);
    this.#current.getStore()?.add(level, message, fields);
  };

  /** Runs a step's body and keeps its log, also when it fails. */
  async keep<Result>(activity: string, runId: string, body: () => Promise<Result>): Promise<Result> {
    const { info } = Context.current();
    const log = new StepLog(activity, info.attempt, this.#redact);
    log.add('info', 'started', { worker_queue: info.taskQueue });
    try {
      const result = await this.#current.run(log, body);
      for (const record of recordsOf(result)) {
        const { step, outcome, detail, rows, bytes } = record;
        const took_ms = Date.parse(record.finishedAt) - Date.parse(record.startedAt);
        log.add(outcome === 'conflict' ? 'warn' : 'info', `${step}: ${detail}`, {
          outcome,
          rows,
          bytes,
          took_ms,
        });
      }
      return result;
    } catch (error) {
      if (error instanceof CancelledFailure) log.add('warn', 'cancelled', {});
      else log.add('error', messageOf(error), errorFields(error));
      throw error;
    } finally {
      if (info.attempt <= EVERY_ATTEMPT_UNTIL || info.attempt % EVERY_ATTEMPT_UNTIL === 0) {
        await this.#store(log, runId);
      }
    }
  }

  async #store(log: StepLog, runId: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('the lake does not answer')), KEEP_WITHIN_MS);
    });
    try {
      const putting = this.deps.lake.put(`${runLogPrefix(runId)}${log.name}.jsonl`, log.bytes());
      // Whoever loses the race below must not fail without anybody listening.
      putting.catch(() => undefined);
      await Promise.race([putting, tooLate]);
    } catch (error) {
      this.deps.log({ run: runId, step: log.activity }, `its log was not kept: ${messageOf(error)}`, 'warn');
    } finally {
      clearTimeout(timer);
    }
  }
}

class StepLog {
  readonly name: string;
  readonly #first: string[] = [];
  readonly #last: string[] = [];
  #leftOut = 0;

  constructor(
    readonly activity: string,
    private readonly attempt: number,
    private readonly redact: (value: unknown) => unknown,
  ) {
    const time = new Date().toISOString().replace(/[-:.]/g, '');
    this.name = `${time}-${activity}-${attempt}-${randomUUID().slice(0, 8)}`;
  }

  add(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): void {
    const time = new Date().toISOString();
    const { activity, attempt } = this;
    const shown = this.redact(Object.fromEntries(Object.entries(fields).slice(0, FIELDS_MAX))) as object;
    const line: LogLine = {
      ...{ time, level, activity, attempt, message: this.redact(message) as string },
      ...(Object.keys(shown).length > 0 && { fields: shown as Record<string, unknown> }),
    };
    let text = JSON.stringify(line);
    if (Buffer.byteLength(text) > LINE_BYTES_MAX)
      text = JSON.stringify({ ...line, fields: { left_out: 'too long' } });
    if (this.#first.length < LINES_MAX / 2) {
      this.#first.push(text);
      return;
    }
    this.#last.push(text);
    if (this.#last.length > LINES_MAX / 2) {
      this.#last.shift();
      this.#leftOut += 1;
    }
  }

  bytes(): Uint8Array {
    const { activity, attempt } = this;
    const gap: LogLine = {
      ...{ time: new Date().toISOString(), level: 'warn', activity, attempt },
      message: `${this.#leftOut} lines are left out here`,
    };
    const lines = [...this.#first, ...(this.#leftOut > 0 ? [JSON.stringify(gap)] : []), ...this.#last];
    return Buffer.from(`${lines.join('\n')}\n`);
  }
}

/** Activities answer with a step's record, or with something that has one. */
function recordsOf(result: unknown): StepRecord[] {
  if (typeof result !== 'object' || result === null) return [];
  const { step } = result as { step?: unknown };
  if (typeof step === 'string') return [result as StepRecord];
  return typeof step === 'object' && step !== null ? [step as StepRecord] : [];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function errorFields(error: unknown): Record<string, unknown> {
  if (error instanceof DatalabError || error instanceof DeltaError) {
    const { code, retry, remedy } = error;
    return { code, retry, remedy };
  }
  return error instanceof Error ? { name: error.name, stack: error.stack ?? '' } : {};
}

const SECRET_KEY = /secret|password|api_?key|token|authorization|credential/i;
/** Shorter values would take harmless words out of every text. */
const SECRET_LENGTH_MIN = 4;

/** Takes the configured secrets, and what looks like one by its name, out of texts and fields; cuts long texts. */
function redactor(config: Config): (value: unknown, key?: string) => unknown {
  const secrets = secretsOf(config);
  const text = (value: string): string => {
    let shown = secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), value);
    shown = shown.replace(/:\/\/[^\s/@:]+:[^\s/@]+@/g, '://***@');
    return shown.length > TEXT_MAX ? `${shown.slice(0, TEXT_MAX)}…` : shown;
  };
  const redact = (value: unknown, key = '', depth = 0): unknown => {
    if (typeof value === 'string') return SECRET_KEY.test(key) ? '***' : text(value);
    if (typeof value === 'bigint') return String(value);
    if (value instanceof Error) return text(value.message);
    if (typeof value !== 'object' || value === null) return value;
    if (depth > 3) return '…';
    if (Array.isArray(value)) return value.slice(0, FIELDS_MAX).map((item) => redact(item, key, depth + 1));
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, redact(item, name, depth + 1)]),
    );
  };
  return redact;
}

function secretsOf(value: unknown, key = ''): string[] {
  if (typeof value === 'string')
    return SECRET_KEY.test(key) && value.length >= SECRET_LENGTH_MIN ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) => secretsOf(item, name));
}
