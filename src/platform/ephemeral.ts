/** Platforms that live in a temporary folder on free ports, for tests and trials, and end with their owner. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePorts } from './ports.js';
import { identify, isAlive, type ProcessIdentity } from './process.js';
import { PORTS, type Environment } from './settings.js';
import { stopPlatform } from './stop.js';

/** Environment entries (DATALAB_STATE_DIR and the ports) that make any platform command act on the ephemeral one. */
export type EphemeralEnvironment = Readonly<Record<string, string>>;

const PREFIX = 'datalab-ephemeral-';

/** Sets a folder and ports aside; nothing is started. Ephemeral platforms whose owner is gone are ended first. */
export async function createEphemeral(): Promise<EphemeralEnvironment> {
  await reapEphemeral();
  const stateDir = mkdtempSync(path.join(tmpdir(), PREFIX));
  writeFileSync(path.join(stateDir, 'owner.json'), JSON.stringify(identify(process.pid)));
  const names = Object.values(PORTS);
  const ports = await freePorts(names.length);
  return {
    DATALAB_STATE_DIR: stateDir,
    ...Object.fromEntries(names.map(({ variable }, index) => [variable, String(ports[index])])),
  };
}

/** Stops what was started on it and deletes its folder. Safe to repeat. */
export async function destroyEphemeral(env: Environment): Promise<void> {
  const stateDir = env['DATALAB_STATE_DIR'];
  if (!stateDir || !path.basename(stateDir).startsWith(PREFIX)) return;
  await stopPlatform({ stateDir });
  rmSync(stateDir, { recursive: true, force: true });
}

/** Ends ephemeral platforms whose owner was killed before it could. */
export async function reapEphemeral(): Promise<void> {
  const folders = readdirSync(tmpdir()).filter((name) => name.startsWith(PREFIX));
  for (const name of folders) {
    const stateDir = path.join(tmpdir(), name);
    const owner = readOwner(stateDir);
    if (owner && !isAlive(owner)) await destroyEphemeral({ DATALAB_STATE_DIR: stateDir });
  }
}

/** Undefined where the file is not there yet: the folder is being made. */
function readOwner(stateDir: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(path.join(stateDir, 'owner.json'), 'utf8')) as ProcessIdentity;
  } catch {
    return undefined;
  }
}
