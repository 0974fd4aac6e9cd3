/** Starts the platform: every service that this machine can have, side by side. */
import { existsSync, statfsSync } from 'node:fs';
import { loadConfig } from '../config/config.js';
import { DatalabError } from '../contracts/errors.js';
import { preparationSaid, readLeftOut, writeLeftOut, type LeftOut } from './left-out.js';
import { withLock } from './lock.js';
import { SERVICE_NAMES, type ServiceDefinition, type ServiceName } from './services/definition.js';
import { SERVICES } from './services/index.js';
import { ensureSettings, lakeFolders, saveEnv, type Environment, type Settings } from './settings.js';
import { startService } from './start-service.js';

export interface StartOptions {
  /** Only these services; default: all. */
  readonly only?: readonly ServiceName[];
  readonly without?: readonly ServiceName[];
  /** Called for each service as soon as its outcome is known. */
  readonly onOutcome?: (outcome: StartOutcome) => void;
}

/** `left out`: switched off, or the machine lacks its tool and DataLab runs without it; `failed` says what to show. */
export interface StartOutcome {
  readonly service: ServiceName;
  readonly title: string;
  readonly outcome: 'started' | 'running' | 'left out' | 'failed';
  readonly ms: number;
  readonly detail: string;
}

const MINIMUM_FREE_BYTES = 512 * 1024 * 1024;
/** DataLab runs without these: the lake is a folder, the events stay pending, no model is trained or served. */
const DISPENSABLE: ReadonlySet<ServiceName> = new Set(['s3', 'kafka', 'mlflow', 'model-server']);

/**
 * Starts what does not run yet and waits until all of it answers. Safe to repeat and to interrupt; two starts of one
 * state folder follow each other. Outcomes are returned, also the failed ones; throws DatalabError for what concerns
 * the platform as a whole (STATE_INVALID, DISK_FULL).
 */
export async function startPlatform(
  processEnv: Environment,
  options: StartOptions = {},
): Promise<{ settings: Settings; outcomes: StartOutcome[] }> {
  const { stateDir } = ensureSettings(processEnv);
  assertDiskSpace(stateDir);
  return withLock(stateDir, 180, async () => {
    const chosen = chooseServices(options);
    const fresh = ensureSettings(processEnv);
    const switchedOff = await switchedOffIn(fresh);
    const missing = missingTools(
      chosen.filter((name) => !switchedOff[name]),
      fresh,
    );
    const kept = keptLeftOut(stateDir, options, chosen);
    // What it would serve is in MLflow.
    const noMlflow =
      switchedOff.mlflow ??
      missing.get('mlflow') ??
      (options.without?.includes('mlflow') ? 'started without it' : kept.mlflow);
    if (noMlflow !== undefined && chosen.includes('model-server'))
      missing.set('model-server', `there is no MLflow: ${noMlflow}`);
    const skipped = Object.fromEntries((options.without ?? []).map((name) => [name, 'started without it']));
    const lacking = Object.fromEntries([...missing].filter(([name]) => DISPENSABLE.has(name)));
    const off = { ...kept, ...switchedOff, ...lacking, ...skipped };
    const settings = saveEnv(fresh, withoutServices(fresh, new Set(Object.keys(off) as ServiceName[])));
    writeLeftOut(stateDir, off);
    const begun = new Map<ServiceName, Promise<StartOutcome>>();
    for (const name of chosen) {
      const why = switchedOff[name] ?? missing.get(name);
      const outcome =
        why === undefined ? startOne(name, settings, begun) : Promise.resolve(notStarted(name, why));
      begun.set(
        name,
        outcome.then((known) => {
          options.onOutcome?.(known);
          return known;
        }),
      );
    }
    return { settings, outcomes: await Promise.all(begun.values()) };
  });
}

/** What an earlier start did without stays so where this one is asked for other services only. */
function keptLeftOut(stateDir: string, { only }: StartOptions, chosen: readonly ServiceName[]): LeftOut {
  if (!only) return {};
  return Object.fromEntries(
    Object.entries(readLeftOut(stateDir)).filter(([name]) => !chosen.includes(name as ServiceName)),
  );
}

function chooseServices({ only, without }: StartOptions): ServiceName[] {
  return SERVICE_NAMES.filter((name) => (!only || only.includes(name)) && !without?.includes(name));
}

async function startOne(
  name: ServiceName,
  settings: Settings,
  begun: ReadonlyMap<ServiceName, Promise<StartOutcome>>,
): Promise<StartOutcome> {
  const service = SERVICES[name];
  const needed = await Promise.all(service.needs.flatMap((other) => begun.get(other) ?? []));
  const broken = needed.filter(({ outcome }) => outcome === 'failed').map(({ title }) => title);
  const started = Date.now();
  const report = (outcome: StartOutcome['outcome'], detail: string): StartOutcome => ({
    service: name,
    title: service.title,
    outcome,
    ms: Date.now() - started,
    detail,
  });
  if (broken.length > 0)
    return report('failed', `${service.title}: not started, because ${broken.join(', ')} failed`);
  try {
    const { outcome } = await startService(service, settings);
    return report(outcome, addressOf(service, settings));
  } catch (error) {
    if (error instanceof DatalabError) return report('failed', error.message);
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw diskFull(settings.stateDir, 0, error);
    throw error;
  }
}

function addressOf(service: ServiceDefinition, settings: Settings): string {
  return service.ports.length === 0 ? '' : `127.0.0.1:${settings.ports[service.ports[0] as 'temporal']}`;
}

/** Services that the user's own configuration switches off, each with the key that does. */
async function switchedOffIn({ root, processEnv }: Settings): Promise<Partial<Record<ServiceName, string>>> {
  const { config } = await loadConfig({ projectDirectory: root, env: processEnv, platform: false });
  return {
    ...(config.kafka.enabled ? {} : { kafka: 'switched off by kafka.enabled; events stay pending' }),
    ...(config.mlflow.enabled ? {} : { mlflow: 'switched off by mlflow.enabled; no model is trained' }),
    ...(config.modelServer.enabled ? {} : { 'model-server': 'switched off by modelServer.enabled' }),
  };
}

/** Services whose tool is not there, with the sentence that says what it would take. */
function missingTools(chosen: readonly ServiceName[], settings: Settings): Map<ServiceName, string> {
  const missing = new Map<ServiceName, string>();
  for (const name of chosen) {
    try {
      SERVICES[name].command(settings);
    } catch (error) {
      if (!(error instanceof DatalabError && error.code === 'TOOL_MISSING')) throw error;
      missing.set(name, preparationSaid(settings.stateDir, name) ?? error.message);
    }
  }
  return missing;
}

function notStarted(service: ServiceName, detail: string): StartOutcome {
  const outcome = DISPENSABLE.has(service) ? 'left out' : 'failed';
  return { service, title: SERVICES[service].title, outcome, ms: 0, detail };
}

/**
 * The `env` file's entries for a platform that lacks services. A lake that is in the gateway already is not silently
 * exchanged for an empty folder: that throws DatalabError TOOL_MISSING.
 */
export function withoutServices(settings: Settings, off: ReadonlySet<ServiceName>): Record<string, string> {
  const env: Record<string, string> = { ...settings.env };
  if (off.has('kafka')) env['DATALAB_KAFKA_ENABLED'] = 'false';
  if (off.has('mlflow')) env['DATALAB_MLFLOW_ENABLED'] = 'false';
  if (off.has('s3')) {
    const { inGateway, alone } = lakeFolders(settings);
    if (existsSync(inGateway))
      throw new DatalabError(
        'TOOL_MISSING',
        `the lake is in the S3 gateway's folder ${inGateway}, so it cannot do without the gateway`,
      );
    env['DATALAB_LAKE_URI'] = `file://${alone}`;
  }
  return env;
}

function assertDiskSpace(stateDir: string): void {
  const { blocks, bavail, bsize } = statfsSync(stateDir);
  // A file system without a fixed size reports none at all.
  if (blocks > 0 && bavail * bsize < MINIMUM_FREE_BYTES) throw diskFull(stateDir, bavail * bsize);
}

function diskFull(stateDir: string, freeBytes: number, cause?: unknown): DatalabError {
  const free = Math.floor(freeBytes / 1024 / 1024);
  return new DatalabError(
    'DISK_FULL',
    `the disk of ${stateDir} has ${free} MB free: free at least 512 MB, or set DATALAB_STATE_DIR to a folder on another disk`,
    { cause },
  );
}
