/** The lake for commands that only read: no service but the object store has to run. */
import path from 'node:path';
import { loadConfig } from '../config/config.js';
import { createDuckDbEngine } from '../connectors/duckdb/engine.js';
import { resolveLakeUri } from '../connectors/lake-uri.js';
import { openObjectStore } from '../connectors/object-store/index.js';
import type { LakeReader } from '../lake/tables.js';
import { Interrupted } from './exit.js';

/** Memory that one look at the lake may take beside a worker on the same machine. */
const MEMORY_GB_MAX = 2;

/** Runs `body` with the configured lake. Its signal fires at Ctrl-C. */
export async function withLake<T>(
  body: (lake: LakeReader & { readonly signal: AbortSignal }) => Promise<T>,
): Promise<T> {
  const { config, projectDirectory } = await loadConfig({
    projectDirectory: process.cwd(),
    env: process.env,
  });
  const inProject = (folder: string): string => path.resolve(projectDirectory, folder);
  const { memoryGb, cores } = config.limits.etl;
  const stopped = new AbortController();
  const stop = (): void => stopped.abort(new Interrupted());
  process.once('SIGINT', stop);
  try {
    return await body({
      store: openObjectStore(resolveLakeUri(config.lake.uri, projectDirectory), {
        s3: config.s3,
        cacheDirectory: inProject(config.worker.cacheDirectory),
        cacheBytes: config.worker.cacheGb * 2 ** 30,
      }),
      engine: createDuckDbEngine({
        memoryLimit: `${Math.max(256, Math.floor(Math.min(memoryGb, MEMORY_GB_MAX) * 1024))}MB`,
        threads: cores,
        spillDirectory: path.join(inProject(config.worker.scratchDirectory), 'spill'),
      }),
      signal: stopped.signal,
    });
  } finally {
    process.removeListener('SIGINT', stop);
  }
}
