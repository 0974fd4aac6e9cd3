/**
 * The short way of the commonest question: rows as plain JSON, answered without the framework, whose hooks, wrappers and validation
 * take longer than the prediction. It knows one outcome, an answer; whatever else a request turns out to be is handed to
 * the framework with the bytes that were read, so that every refusal is said in one place.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { ModelServerDeps } from './deps.js';
import type { Metrics } from './metrics.js';
import { predictRows, type Row } from './predict.js';
import type { PredictionLog } from './prediction-log.js';
import type { Shelf } from './shelf.js';

const ROUTE = '/predict';

export interface QuickContext {
  readonly deps: ModelServerDeps;
  readonly shelf: Shelf;
  readonly metrics: Metrics;
  readonly log: PredictionLog;
}

export class QuickWay {
  /** Bodies that were read here of requests that the framework answers. */
  private readonly read = new WeakMap<IncomingMessage, Buffer>();
  private readonly bytesMax: number;
  private second = { at: NaN, text: '' };
  /** From now on the framework answers all: it tells callers to take their next question elsewhere. */
  closing = false;

  constructor(private readonly context: QuickContext) {
    this.bytesMax = Math.floor(context.deps.config.bodyMb * 2 ** 20);
  }

  /** The body of a request once more, for whoever answers it after all. */
  body(request: IncomingMessage): Readable | undefined {
    const bytes = this.read.get(request);
    return bytes && Readable.from([bytes]);
  }

  before(otherwise: RequestListener): RequestListener {
    return (request, reply) => {
      const { url, method, headers } = request;
      const size = Number(headers['content-length'] ?? NaN);
      const isCommon =
        url === ROUTE &&
        method === 'POST' &&
        headers['content-type'] === 'application/json' &&
        headers['content-encoding'] === undefined &&
        size <= this.bytesMax;
      if (!isCommon || this.closing) return void otherwise(request, reply);
      const begun = performance.now();
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const bytes = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
        const text = this.answer(bytes);
        if (text === undefined) {
          this.read.set(request, bytes);
          return void otherwise(request, reply);
        }
        send(reply, text);
        this.context.metrics.answered(ROUTE, 200, (performance.now() - begun) / 1000);
      });
    };
  }

  /** Now, as an ISO instant: written anew for each second, since the calendar costs as much as a prediction. */
  private instant(): string {
    const now = Math.floor(this.context.deps.clock.nowMs());
    const ms = now % 1000;
    if (now - ms !== this.second.at)
      this.second = { at: now - ms, text: new Date(now - ms).toISOString().slice(0, -4) };
    return `${this.second.text}${String(ms).padStart(3, '0')}Z`;
  }

  /** The answer's text; undefined where there is more to say than a prediction. */
  private answer(bytes: Buffer): string | undefined {
    const { deps, shelf, metrics, log } = this.context;
    try {
      const asked = rowsOf(JSON.parse(bytes.toString()));
      if (!asked || asked.rows.length > deps.config.rowsMax) return undefined;
      const { answer, records } = predictRows(shelf.served(asked.model), asked.rows, this.instant());
      const text = JSON.stringify(answer);
      metrics.predicted(answer.model, answer.version, 'row', records.length);
      log.add(records);
      return text;
    } catch {
      return undefined;
    }
  }
}

function send(reply: ServerResponse, text: string): void {
  reply.writeHead(200, [
    'content-type',
    'application/json; charset=utf-8',
    'content-length',
    String(Buffer.byteLength(text)),
  ]);
  reply.end(text);
}

interface Asked {
  readonly model: string;
  readonly rows: readonly Row[];
}

/** What the schema of the route takes of a body with rows, and the same body; undefined of all that it refuses, and of keys. */
export function rowsOf(body: unknown): Asked | undefined {
  if (!isRecord(body)) return undefined;
  const { model, rows } = body;
  for (const name in body) if (name !== 'model' && name !== 'rows') return undefined;
  if (typeof model !== 'string' || model === '' || !Array.isArray(rows) || rows.length === 0)
    return undefined;
  for (const row of rows as readonly unknown[]) if (!isRow(row)) return undefined;
  return { model, rows: rows as readonly Row[] };
}

function isRow(row: unknown): boolean {
  if (!isRecord(row)) return false;
  for (const name in row) if (row[name] !== null && !Number.isFinite(row[name])) return false;
  return true;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
