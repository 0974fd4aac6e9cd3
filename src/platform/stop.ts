/** Stops the platform: the worker first, so that it can hand back its work, then the services side by side. */
import { withLock } from './lock.js';
import { endGroup } from './process.js';
import { readRecord, removeRecord } from './record.js';
import { SERVICE_NAMES, type ServiceName } from './services/definition.js';
import { SERVICES } from './services/index.js';
import type { Settings } from './settings.js';

export interface StopOutcome {
  readonly service: ServiceName;
  readonly title: string;
  /** `killed`: it did not end within its grace. */
  readonly outcome: 'gone' | 'stopped' | 'killed';
}

/** Stops the services (default: all). Safe to repeat and to interrupt. */
export async function stopPlatform(
  settings: Pick<Settings, 'stateDir'>,
  only: readonly ServiceName[] = SERVICE_NAMES,
): Promise<StopOutcome[]> {
  return withLock(settings.stateDir, 180, async () => {
    const worker = only.includes('worker') ? [await stopOne('worker', settings.stateDir)] : [];
    const others = only.filter((name) => name !== 'worker');
    return [...worker, ...(await Promise.all(others.map((name) => stopOne(name, settings.stateDir))))];
  });
}

async function stopOne(service: ServiceName, stateDir: string): Promise<StopOutcome> {
  const { title, stopSeconds } = SERVICES[service];
  const record = readRecord(stateDir, service);
  const outcome = record ? await endGroup(record, stopSeconds) : 'gone';
  removeRecord(stateDir, service);
  return { service, title, outcome };
}
