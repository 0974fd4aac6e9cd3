/** Asks every service in its own protocol. */
import { readLeftOut, type LeftOut } from './left-out.js';
import { livingRecord } from './record.js';
import { SERVICE_NAMES, type ServiceName } from './services/definition.js';
import { SERVICES } from './services/index.js';
import type { Settings } from './settings.js';

export interface ServiceHealth {
  readonly service: ServiceName;
  readonly title: string;
  /** `off`: this platform runs without it. */
  readonly state: 'up' | 'down' | 'off';
  readonly required: boolean;
  /** Response time in milliseconds; null where nothing was asked. */
  readonly ms: number | null;
  readonly detail: string;
}

/** The health of all services. `healthy` is false when a required one is down. */
export async function checkHealth(
  settings: Settings,
): Promise<{ healthy: boolean; services: ServiceHealth[] }> {
  const leftOut = readLeftOut(settings.stateDir);
  const services = await Promise.all(SERVICE_NAMES.map((name) => checkService(name, settings, leftOut)));
  return { healthy: services.every(({ state, required }) => state !== 'down' || !required), services };
}

async function checkService(name: ServiceName, settings: Settings, leftOut: LeftOut): Promise<ServiceHealth> {
  const { title, required, probe } = SERVICES[name];
  const base = { service: name, title, required };
  const why = leftOut[name];
  if (why !== undefined && name !== 'worker' && name !== 'temporal' && name !== 'dashboard')
    return { ...base, state: 'off', ms: null, detail: why };
  if (!livingRecord(settings.stateDir, name))
    return { ...base, state: 'down', ms: null, detail: 'not running: `./manage.sh start`' };
  const started = performance.now();
  try {
    const detail = await probe(settings);
    return { ...base, state: 'up', ms: Math.round(performance.now() - started), detail };
  } catch (error) {
    const detail = (error as Error).message.split('\n')[0] ?? '';
    return { ...base, state: 'down', ms: Math.round(performance.now() - started), detail };
  }
}
