/** A folder of one operation alone, gone when it ends. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { DeltaDeps } from './deps.js';
import { DeltaError } from './errors.js';
import type { Engine } from './ports.js';

/** Runs the work with a fresh folder. */
export async function withScratch<Result>(
  { scratchDirectory }: Pick<DeltaDeps, 'scratchDirectory'>,
  work: (folder: string) => Promise<Result>,
): Promise<Result> {
  await mkdir(scratchDirectory, { recursive: true });
  const folder = await mkdtemp(join(resolve(scratchDirectory), 'datalab-delta-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Throws DELTA_ENGINE_REQUIRED where the table was opened without one. */
export function requireEngine({ engine }: DeltaDeps, tableUri: string): Engine {
  if (engine) return engine;
  throw new DeltaError('DELTA_ENGINE_REQUIRED', `${tableUri} was opened without an engine`);
}
