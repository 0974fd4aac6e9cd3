/** What the dashboard reads from, made of the configuration. Everything connects when it is first asked, not before. */
import path from 'node:path';
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { DatalabClient } from '../../client/index.js';
import type { Config, LoadedConfig } from '../../config/config.js';
import { createDuckDbEngine } from '../../connectors/duckdb/engine.js';
import { resolveLakeUri } from '../../connectors/lake-uri.js';
import { openObjectStore } from '../../connectors/object-store/index.js';
import { lazyTemporal } from '../../connectors/temporal.js';
import type { LakeReader } from '../../lake/tables.js';
import { Store } from './store.js';

export interface DashboardDeps {
  readonly config: Config;
  readonly projectDirectory: string;
  readonly temporal: Client;
  readonly datalab: DatalabClient;
  readonly lake: LakeReader;
  readonly lakeUri: string;
  readonly store: Store;
  readonly log: Logger;
  close(): Promise<void>;
}

/** Memory that looks at the lake may take beside a worker on the same machine. */
const MEMORY_MB = 1024;

export async function composeDashboard(loaded: LoadedConfig, log: Logger): Promise<DashboardDeps> {
  const { config, projectDirectory } = loaded;
  const inProject = (folder: string): string => path.resolve(projectDirectory, folder);
  const lakeUri = resolveLakeUri(config.lake.uri, projectDirectory);
  const temporal = lazyTemporal(config.temporal);
  const store = await Store.open(inProject(config.dashboard.directory));
  return {
    ...{ config, projectDirectory, temporal, lakeUri, store, log },
    datalab: new DatalabClient(temporal),
    lake: {
      store: openObjectStore(lakeUri, {
        s3: config.s3,
        cacheDirectory: path.join(inProject(config.worker.cacheDirectory), 'dashboard'),
        cacheBytes: (config.worker.cacheGb / 4) * 2 ** 30,
      }),
      engine: createDuckDbEngine({
        memoryLimit: `${MEMORY_MB}MB`,
        threads: 1,
        spillDirectory: path.join(inProject(config.worker.scratchDirectory), 'dashboard-spill'),
      }),
    },
    close: async () => {
      await temporal.connection.close();
      store.close();
    },
  };
}
