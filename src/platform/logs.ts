/** The log files of the services: `logs/<service>.log`, with one older generation. */
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ROTATE_BYTES = 20 * 1024 * 1024;

export function logFile(stateDir: string, service: string): string {
  return path.join(stateDir, 'logs', `${service}.log`);
}

/** Opens the log for appending, after putting a large one aside. The caller closes the descriptor. */
export function openLog(stateDir: string, service: string): { descriptor: number; start: number } {
  const file = logFile(stateDir, service);
  mkdirSync(path.dirname(file), { recursive: true });
  if (existsSync(file) && statSync(file).size > ROTATE_BYTES) renameSync(file, `${file}.1`);
  const descriptor = openSync(file, 'a', 0o600);
  return { descriptor, start: fstatSync(descriptor).size };
}

/** The log from an offset in bytes to its end, at most the last `limit` bytes of it. Empty where there is none. */
export function readLog(stateDir: string, service: string, from: number, limit = 1024 * 1024): string {
  const file = logFile(stateDir, service);
  if (!existsSync(file)) return '';
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const start = Math.max(from > size ? 0 : from, size - limit);
    const bytes = Buffer.alloc(size - start);
    return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, start)).toString('utf8');
  } finally {
    closeSync(descriptor);
  }
}

/** The last lines of a text, without the empty one at its end. */
export function lastLines(text: string, count: number): string[] {
  return text.replace(/\n$/, '').split('\n').slice(-count);
}

/** Hands over what is appended to a log, until the signal; survives a rotation. */
export async function followLog(
  stateDir: string,
  service: string,
  onText: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const size = (): number => statSync(logFile(stateDir, service), { throwIfNoEntry: false })?.size ?? 0;
  let offset = size();
  while (!signal.aborted) {
    await sleep(300, undefined, { signal }).catch(() => undefined);
    const now = size();
    if (now === offset) continue;
    onText(readLog(stateDir, service, offset, ROTATE_BYTES));
    offset = now;
  }
}
