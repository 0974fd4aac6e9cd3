/** Asks services in their own protocol: how long they take, or why they do not answer. */
import { connect } from 'node:net';
import type { Client } from '@temporalio/client';
import { type Connection } from '@temporalio/client';
import type { Measurement } from '../../contracts/monitoring.js';

/** One service. `ask` returns a line about it, and throws the reason why it is down. */
export interface AskedService {
  readonly service: string;
  ask(signal: AbortSignal): Promise<string>;
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
    const detail = await Promise.race([ask(signal), late]);
    const ms = Math.round(performance.now() - started);
    return [
      { metric: 'service.up', labels: { service }, value: 1, detail },
      { metric: 'service.response_ms', labels: { service }, value: ms },
    ];
  } catch (error) {
    return [{ metric: 'service.up', labels: { service }, value: 0, detail: reasonOf(error).slice(0, 300) }];
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // `fetch failed` says nothing; the reason is in the cause.
  const cause = error.cause instanceof Error && error.cause.message ? error.cause : error;
  return (cause.message || cause.name).split('\n')[0] ?? '';
}

/** Up when it answers with a status below 400. */
export async function askHttp(url: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, { signal, redirect: 'manual' });
  await response.body?.cancel();
  if (response.status >= 400) throw new Error(`it answered ${response.status}`);
  return `status ${response.status}`;
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

/** Pollers, and what waits, of one task queue. Workflow and activity tasks together. */
export async function measurePool(client: Client, pool: string, taskQueue: string): Promise<Measurement[]> {
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
  return [
    { metric: 'pool.pollers', labels, value: new Set(recent.map(({ identity }) => identity)).size },
    { metric: 'pool.backlog', labels, value: waiting },
    { metric: 'pool.backlog_age_seconds', labels, value: age },
  ];
}
