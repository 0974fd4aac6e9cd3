/** The part of the composition root that maintenance needs: configuration and Temporal → its activities' ports. */
import path from 'node:path';
import type { Client } from '@temporalio/client';
import type { ActivityDeps } from './activities/deps.js';
import type { MaintenanceDeps } from './activities/maintenance/index.js';
import type { LoadedConfig } from './config/config.js';
import { listDatasets } from './config/datasets.js';
import { resolveLakeUri } from './connectors/lake-uri.js';
import { openObjectStore } from './connectors/object-store/index.js';
import { projectExtras } from './compose-backup.js';
import { createDuckDbEngine } from './connectors/duckdb/engine.js';
import type { Engine, ObjectStore } from './delta/index.js';
import { SEARCH_ATTRIBUTES, type WorkflowType } from './contracts/flows.js';

/** Flows that write the tables of one dataset, which they name in a search attribute. */
const WRITERS: readonly WorkflowType[] = ['medallionEtl', 'quarantineReplay'];

export function composeMaintenanceDeps(
  base: ActivityDeps,
  loaded: LoadedConfig,
  client: Client,
  stateDirectory: string,
): MaintenanceDeps {
  const { config, projectDirectory } = loaded;
  const open = (address: string): ObjectStore =>
    openObjectStore(resolveLakeUri(address, projectDirectory), {
      s3: config.s3,
      cacheDirectory: path.resolve(projectDirectory, config.worker.cacheDirectory),
      cacheBytes: config.worker.cacheGb * 2 ** 30,
    });
  return {
    ...base,
    engine: maintenanceEngine(loaded),
    datasetNames: () => listDatasets(path.resolve(projectDirectory, config.datasets.directory)),
    runningDatasets: () => runningDatasets(client),
    openStore: open,
    extras: () => projectExtras(loaded, stateDirectory),
  };
}

/** One session's share of the flow's limits: the steps of a worker that may run at once share the memory. */
export function maintenanceEngine({ config, projectDirectory }: LoadedConfig): Engine {
  const { memoryGb, cores } = config.limits.maintenance;
  const share = Math.floor((memoryGb * 1024) / config.worker.concurrency.maintenance);
  return createDuckDbEngine({
    memoryLimit: `${Math.max(256, share)}MB`,
    threads: cores,
    spillDirectory: path.resolve(projectDirectory, config.worker.scratchDirectory, 'spill'),
  });
}

async function runningDatasets(client: Client): Promise<ReadonlySet<string>> {
  const types = WRITERS.map((type) => `'${type}'`).join(', ');
  const query = `ExecutionStatus = 'Running' AND WorkflowType IN (${types})`;
  const found = new Set<string>();
  for await (const { searchAttributes } of client.workflow.list({ query })) {
    const [dataset] = searchAttributes?.[SEARCH_ATTRIBUTES.dataset.name] ?? [];
    if (typeof dataset === 'string') found.add(dataset);
  }
  return found;
}
