/** Deletes what a platform keeps. */
import { existsSync, readdirSync, rmSync, rmdirSync } from 'node:fs';
import path from 'node:path';
import type { Settings } from './settings.js';

/** What the platform makes in its state folder; anything else there is left alone. */
const OWN = ['data', 'logs', 'run', 'cache', 'scratch', 'lake', 'env'];

/** The entries of the state folder that {@link cleanState} would delete. */
export function ownEntries(settings: Pick<Settings, 'stateDir'>): string[] {
  return OWN.map((name) => path.join(settings.stateDir, name)).filter((entry) => existsSync(entry));
}

/** Deletes data, logs, secrets and caches of a stopped platform; and the folder when nothing else is in it. */
export function cleanState(settings: Pick<Settings, 'stateDir'>): string[] {
  const deleted = ownEntries(settings);
  for (const entry of deleted) rmSync(entry, { recursive: true, force: true });
  if (existsSync(settings.stateDir) && readdirSync(settings.stateDir).length === 0)
    rmdirSync(settings.stateDir);
  return deleted;
}
