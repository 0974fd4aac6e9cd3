/** Asks services in their own protocol: how long they take, or why they do not answer. */
import { connect } from 'node:net';
import type { Client } from '@temporalio/client';
import { type Connection } from '@temporalio/client';
import type { Measurement } from '../../contracts/monitoring.js';

/** What a service said of itself. */
export interface Answer {
  /** A line for people. */
  readonly detail: string;
  /** Of HTTP: the status. */
  readonly status?: number;
}

/** One service. `ask` returns what it said, or a line about it, and throws the reason why it is down. */
export interface AskedService {
  readonly service: string;
  ask(signal: AbortSignal): Promise<string | Answer>;
}

/** It answered, and what it answered says that it is not well. */
class StatusError extends Error {
  constructor(readonly status: number) {
    super(`it answered ${status}`);
  }
}

/** Asks all of them at once, each for at most `timeoutMs`. A service that is down is an answer. */
export async function askServices(
  services: readonly AskedService[],
  timeoutMs: number,
): Promise<readonly Measurement[]> {
  const answers = await Promise.all(services.map((service) => askOne(service, timeoutMs)));
  return answers.flat();
}

async function askOne({ service, ask }: AskedService, timeoutMs: number): Promise<Measurement[]> {
  const started = performance.now();
  const signal = AbortSignal.timeout(timeoutMs);
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error(`no answer within ${timeoutMs / 1000} s`)));
  });
  try {
    const answer = await Promise.race([ask(signal), late]);
    const ms = Math.round(performance.now() - started);
    const { detail, status } = typeof answer === 'string' ? { detail: answer } : answer;
    return [
      { metric: 'service.up', labels: { service }, value: 1, detail },
      { metric: 'service.response_ms', labels: { service }, value: ms },
      ...statusFigure(service, status),
    ];
  } catch (error) {
    return [
      { metric: 'service.up', labels: { service }, value: 0, detail: reasonOf(error).slice(0, 300) },
      ...statusFigure(service, error instanceof StatusError ? error.status : undefined),
    ];
  }
}

function statusFigure(service: string, status: number | undefined): Measurement[] {
  return status === undefined ? [] : [{ metric: 'service.status', labels: { service }, value: status }];
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // `fetch failed` says nothing; the reason is in the cause.
  const cause = error.cause instanceof Error && error.cause.message ? error.cause : error;
  return (cause.message || cause.name).split('\n')[0] ?? '';
}

/** Up when it answers with a status below 400. Says its version where the answer does. */
export async function askHttp(url: string, signal: AbortSignal): Promise<Answer> {
  const response = await fetch(url, { signal, redirect: 'manual' });
  const { status } = response;
  if (status >= 400) {
    await response.body?.cancel();
    throw new StatusError(status);
  }
  const version = await versionOf(response);
  return { status, detail: version === '' ? `status ${status}` : `status ${status}, version ${version}` };
}

/** Answers of this size are read for the version of who gave them. */
const READ_MAX = 64 * 1024;
const VERSION_HEADERS = ['x-version', 'x-app-version', 'server'];

/** `version` of a JSON object, else a header that is there for that; empty where nothing says it. */
async function versionOf(response: Response): Promise<string> {
  const told = VERSION_HEADERS.map((name) => response.headers.get(name)).find(Boolean) ?? '';
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  const text = isJson ? await startOf(response) : '';
  if (!isJson) await response.body?.cancel();
  try {
    const { version } = JSON.parse(text) as { readonly version?: unknown };
    return cut(typeof version === 'string' || typeof version === 'number' ? String(version) : told);
  } catch {
    return cut(told);
  }
}

/** What comes from outside may hold anything, and is shown on a terminal. */
const cut = (text: string): string => text.replace(/[^\x20-\x7e]/g, '').slice(0, 60);

async function startOf(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  while (reader && text.length <= READ_MAX) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += decoder.decode(value, { stream: true });
  }
  await reader?.cancel();
  return '';
}

/** MLflow says `OK`, and which version it is. */
export async function askMlflow(trackingUri: string, signal: AbortSignal): Promise<string> {
  const read = async (path: string): Promise<string> => {
    const response = await fetch(`${trackingUri}${path}`, { signal });
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    return (await response.text()).trim();
  };
  const health = await read('/health');
  if (health !== 'OK') throw new Error(`/health answered '${health.slice(0, 80)}' instead of OK`);
  return `version ${await read('/version')}`;
}

/** Up when it takes a connection. `address` is host:port. */
export function askTcp(address: string, signal: AbortSignal): Promise<string> {
  const at = address.lastIndexOf(':');
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: address.slice(0, at).replace(/^\[|\]$/g, ''),
      port: Number(address.slice(at + 1)),
    });
    signal.addEventListener('abort', () => socket.destroy());
    socket.once('connect', () => {
      socket.destroy();
      resolve('it takes connections');
    });
    socket.once('error', reject);
  });
}

/** The server's health and version. */
export async function askTemporal(client: Client): Promise<string> {
  const connection = client.connection as Connection;
  const health = await connection.healthService.check({});
  if (health.status !== 1) throw new Error(`health status ${health.status}`);
  const info = await connection.workflowService.getSystemInfo({});
  return `server ${info.serverVersion ?? '?'}`;
}

/** A worker that polls asks again about every minute. */
const POLLED_WITHIN_MS = 120_000;
const KINDS = [1, 2] as const;

/** A process that polls a task queue. */
export interface Poller {
  /** `pid@host`, unless it was given another. */
  readonly identity: string;
  /** What its program calls itself. */
  readonly build: string;
  /** When it asked last, ISO. */
  readonly seenAt: string;
}

/** What Temporal says of one task queue. */
export interface PoolState {
  readonly measurements: readonly Measurement[];
  readonly pollers: readonly Poller[];
  /** Tasks handed to workers, by the second. */
  readonly perSecond: number;
}

/** Pollers, and what waits, of one task queue. Workflow and activity tasks together. */
export async function measurePool(client: Client, pool: string, taskQueue: string): Promise<Measurement[]> {
  return [...(await describePool(client, pool, taskQueue)).measurements];
}

/** As {@link measurePool}, and who polls. */
export async function describePool(client: Client, pool: string, taskQueue: string): Promise<PoolState> {
  const { workflowService } = client.connection as Connection;
  const answers = await Promise.all(
    KINDS.map((taskQueueType) =>
      workflowService.describeTaskQueue({
        namespace: client.options.namespace,
        taskQueue: { name: taskQueue },
        taskQueueType,
        reportStats: true,
      }),
    ),
  );
  const recent = answers
    .flatMap(({ pollers }) => pollers ?? [])
    .filter(
      ({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1000 > Date.now() - POLLED_WITHIN_MS,
    );
  const stats = answers.map((answer) => answer.stats);
  const waiting = stats.reduce((sum, one) => sum + Number(one?.approximateBacklogCount ?? 0), 0);
  const age = Math.max(0, ...stats.map((one) => Number(one?.approximateBacklogAge?.seconds ?? 0)));
  const labels = { pool, task_queue: taskQueue };
  const pollers = new Map<string, Poller>();
  for (const { identity, lastAccessTime, workerVersionCapabilities } of recent) {
    const seenAt = new Date(Number(lastAccessTime?.seconds ?? 0) * 1000).toISOString();
    const known = pollers.get(identity ?? '');
    if (!known || known.seenAt < seenAt)
      pollers.set(identity ?? '', {
        ...{ identity: identity ?? '', seenAt, build: workerVersionCapabilities?.buildId ?? '' },
      });
  }
  return {
    pollers: [...pollers.values()],
    perSecond: stats.reduce((sum, one) => sum + (one?.tasksDispatchRate ?? 0), 0),
    measurements: [
      { metric: 'pool.pollers', labels, value: pollers.size },
      { metric: 'pool.backlog', labels, value: waiting },
      { metric: 'pool.backlog_age_seconds', labels, value: age },
    ],
  };
}
