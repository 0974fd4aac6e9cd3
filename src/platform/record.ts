/** `run/<service>.json`: which process a service is. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { isAlive } from './process.js';

const recordSchema = z.object({
  pid: z.number().int().positive(),
  startTicks: z.number(),
  bootId: z.string(),
  /** ISO instant. */
  startedAt: z.string(),
  ports: z.record(z.string(), z.number()),
  /** What the process was started from; a different one means that it is out of date. */
  version: z.string(),
  /** Size of the log in bytes before the process wrote to it. */
  logStart: z.number(),
});
export type ServiceRecord = z.output<typeof recordSchema>;

/** The record of a service whose process runs, else undefined. An unreadable record counts as none. */
export function livingRecord(stateDir: string, service: string): ServiceRecord | undefined {
  const record = readRecord(stateDir, service);
  return record && isAlive(record) ? record : undefined;
}

/** The record of the last start, whether or not the process runs. */
export function readRecord(stateDir: string, service: string): ServiceRecord | undefined {
  try {
    return recordSchema.parse(JSON.parse(readFileSync(recordFile(stateDir, service), 'utf8')));
  } catch {
    return undefined;
  }
}

/** Writes the record in one rename, so that an interruption leaves the old one or the new one. */
export function writeRecord(stateDir: string, service: string, record: ServiceRecord): void {
  const file = recordFile(stateDir, service);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(`${file}.tmp`, `${JSON.stringify(record, null, 2)}\n`);
  renameSync(`${file}.tmp`, file);
}

export function removeRecord(stateDir: string, service: string): void {
  rmSync(recordFile(stateDir, service), { force: true });
}

function recordFile(stateDir: string, service: string): string {
  return path.join(stateDir, 'run', `${service}.json`);
}
