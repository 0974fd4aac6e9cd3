/** Starts one service and waits until it answers. */
import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatalabError } from '../contracts/errors.js';
import { lastLines, logFile, openLog, readLog } from './logs.js';
import { assertFree } from './ports.js';
import { endGroup, identify, isAlive } from './process.js';
import { readRecord, writeRecord, type ServiceRecord } from './record.js';
import type { ServiceDefinition } from './services/definition.js';
import type { PortName, Settings } from './settings.js';

export interface Started {
  /** `running`: it was there already. */
  readonly outcome: 'started' | 'running';
  readonly pid: number;
}

const POLL_MS = 100;

/**
 * Starts the service unless it runs, in a process group of its own that outlives this process, and waits until it
 * answers in its protocol and is furnished. One that runs on other ports or from an older build is replaced. Throws
 * DatalabError TOOL_MISSING, PORT_TAKEN or SERVICE_FAILED.
 */
export async function startService(service: ServiceDefinition, settings: Settings): Promise<Started> {
  const before = readRecord(settings.stateDir, service.name);
  if (before && isAlive(before) && isCurrent(before, service, settings)) {
    try {
      await waitReady(service, settings, before);
      return { outcome: 'running', pid: before.pid };
    } catch (error) {
      // One that was ending when it was found is started anew.
      if (isAlive(before)) throw error;
    }
  }
  // Also what is left of one that was killed: its own remains must not keep its port from it.
  if (before) await endGroup(before, service.stopSeconds);
  for (const port of service.ports) await assertFree(service.title, port, settings);
  await service.prepare?.(settings);
  let record = launch(service, settings);
  try {
    await waitReady(service, settings, record);
  } catch (error) {
    const log = readLog(settings.stateDir, service.name, record.logStart);
    if (isAlive(record) || !service.recover?.(settings, log)) {
      await endGroup(record, service.stopSeconds);
      throw error;
    }
    record = launch(service, settings);
    await waitReady(service, settings, record);
  }
  return { outcome: 'started', pid: record.pid };
}

function isCurrent(record: ServiceRecord, service: ServiceDefinition, settings: Settings): boolean {
  return (
    service.ports.every((port) => record.ports[port] === settings.ports[port]) &&
    record.version === (service.version?.(settings) ?? '')
  );
}

/** Spawns the program and records it before anything else happens, so that an interrupted start is found again. */
function launch(service: ServiceDefinition, settings: Settings): ServiceRecord {
  const { file, args, env } = service.command(settings);
  const { descriptor, start } = openLog(settings.stateDir, service.name);
  let spawnError: Error | undefined;
  const child = spawn(file, [...args], {
    cwd: settings.root,
    env: { ...env },
    detached: true,
    stdio: ['ignore', descriptor, descriptor],
  });
  child.on('error', (error) => (spawnError = error));
  child.unref();
  closeSync(descriptor);
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  if (!identity) {
    const why = spawnError?.message ?? 'it ended at once';
    throw failed(service, settings, start, `${file} could not be started: ${why}`);
  }
  const ports = Object.fromEntries(service.ports.map((port: PortName) => [port, settings.ports[port]]));
  const version = service.version?.(settings) ?? '';
  const record = { ...identity, startedAt: new Date().toISOString(), ports, version, logStart: start };
  writeRecord(settings.stateDir, service.name, record);
  return record;
}

async function waitReady(
  service: ServiceDefinition,
  settings: Settings,
  record: ServiceRecord,
): Promise<void> {
  const deadline = Date.now() + service.startSeconds * 1000;
  let last = 'no answer';
  for (;;) {
    // Looked at before the probe: an answer from a port whose server is gone would be somebody else's.
    const alive = isAlive(record);
    if (!alive) throw failed(service, settings, record.logStart, 'it ended before it was ready');
    try {
      if (
        service.readyInLog &&
        !service.readyInLog(readLog(settings.stateDir, service.name, record.logStart))
      )
        throw new Error('it has not reported that it is ready');
      await service.probe(settings);
      await service.furnish?.(settings);
      return;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    if (Date.now() > deadline)
      throw failed(service, settings, record.logStart, `no answer within ${service.startSeconds} s: ${last}`);
    await sleep(POLL_MS);
  }
}

function failed(
  service: ServiceDefinition,
  settings: Settings,
  logStart: number,
  what: string,
): DatalabError {
  const tail = lastLines(readLog(settings.stateDir, service.name, logStart), 5).filter(Boolean);
  const said = tail.length > 0 ? `\n  ${tail.join('\n  ')}` : '';
  return new DatalabError(
    'SERVICE_FAILED',
    `${service.title}: ${what}. Log: ${logFile(settings.stateDir, service.name)}${said}`,
  );
}
