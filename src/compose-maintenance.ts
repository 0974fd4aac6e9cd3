/** The part of the composition root that maintenance needs: configuration and Temporal → its activities' ports. */
import path from 'node:path';
import type { Client } from '@temporalio/client';
import type { ActivityDeps } from './activities/deps.js';
import type { MaintenanceDeps } from './activities/maintenance/index.js';
import type { LoadedConfig } from './config/config.js';
import { listDatasets } from './config/datasets.js';
import { SEARCH_ATTRIBUTES, type WorkflowType } from './contracts/flows.js';

/** Flows that write the tables of one dataset, which they name in a search attribute. */
const WRITERS: readonly WorkflowType[] = ['medallionEtl', 'quarantineReplay'];

export function composeMaintenanceDeps(
  base: ActivityDeps,
  { config, projectDirectory }: LoadedConfig,
  client: Client,
): MaintenanceDeps {
  return {
    ...base,
    datasetNames: () => listDatasets(path.resolve(projectDirectory, config.datasets.directory)),
    runningDatasets: () => runningDatasets(client),
  };
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
