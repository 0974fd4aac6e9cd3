/** Asks every service in its own protocol, and says beside it what monitoring found last. */
import { readLeftOut, type LeftOut } from './left-out.js';
import { newestCycle } from './newest-cycle.js';
import { pictureOf, type PlatformPicture, type ServiceLine } from './picture.js';
import { livingRecord } from './record.js';
import { SERVICE_NAMES, type ServiceName } from './services/definition.js';
import { SERVICES } from './services/index.js';
import type { Settings } from './settings.js';

export interface ServiceHealth extends ServiceLine {
  readonly service: ServiceName;
}

/** The health of all services. `healthy` is false when a required one is down. */
export async function checkHealth(
  settings: Settings,
): Promise<{ healthy: boolean; services: ServiceHealth[] }> {
  const leftOut = readLeftOut(settings.stateDir);
  const services = await Promise.all(SERVICE_NAMES.map((name) => checkService(name, settings, leftOut)));
  return { healthy: services.every(({ state, required }) => state !== 'down' || !required), services };
}

/** The services asked now, and what the newest cycle of monitoring found. */
export async function healthPicture(settings: Settings): Promise<PlatformPicture> {
  const [{ services }, newest] = await Promise.all([
    checkHealth(settings),
    newestCycle(settings).then(
      (summary) => ({ summary, problem: undefined }),
      (error: unknown) => ({
        summary: null,
        problem: `what monitoring found cannot be read from Temporal: ${(error as Error).message.split('\n')[0]}`,
      }),
    ),
  ]);
  return pictureOf(services, newest.summary, Date.now(), newest.problem);
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
