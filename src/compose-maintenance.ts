/** The part of the composition root that maintenance needs: configuration and Temporal → its activities' ports. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Client } from '@temporalio/client';
import type { ActivityDeps } from './activities/deps.js';
import type { MaintenanceDeps } from './activities/maintenance/index.js';
import type { LoadedConfig } from './config/config.js';
import { listDatasets } from './config/datasets.js';
import { resolveLakeUri } from './connectors/lake-uri.js';
import { openObjectStore } from './connectors/object-store/index.js';
import type { ObjectStore } from './delta/index.js';
import { SEARCH_ATTRIBUTES, type WorkflowType } from './contracts/flows.js';

/** Flows that write the tables of one dataset, which they name in a search attribute. */
const WRITERS: readonly WorkflowType[] = ['medallionEtl', 'quarantineReplay'];

export function composeMaintenanceDeps(
  base: ActivityDeps,
  loaded: LoadedConfig,
  client: Client,
): MaintenanceDeps {
  const { config, projectDirectory } = loaded;
  const { uri } = config.maintenance.backup;
  const open = (address: string): ObjectStore =>
    openObjectStore(resolveLakeUri(address, projectDirectory), {
      s3: config.s3,
      cacheDirectory: path.resolve(projectDirectory, config.worker.cacheDirectory),
      cacheBytes: config.worker.cacheGb * 2 ** 30,
    });
  return {
    ...base,
    datasetNames: () => listDatasets(path.resolve(projectDirectory, config.datasets.directory)),
    runningDatasets: () => runningDatasets(client),
    backup: uri === '' ? null : open(uri),
    openStore: open,
    extras: () => projectFiles(loaded),
  };
}

/** Files in `datalab.yaml`, the datasets' folder and what is included by name. Never `.env`: secrets stay where they are. */
async function projectFiles({
  config,
  projectDirectory,
}: LoadedConfig): Promise<{ files: Array<{ key: string; localPath: string }>; problems: string[] }> {
  const files: Array<{ key: string; localPath: string }> = [];
  const problems: string[] = [];
  const wanted = ['datalab.yaml', config.datasets.directory, ...config.maintenance.backup.include];
  for (const name of wanted) {
    const root = path.resolve(projectDirectory, name);
    const found = await stat(root).catch(() => undefined);
    if (!found) {
      if (name !== 'datalab.yaml') problems.push(`${name} is not there, and not in the backup`);
      continue;
    }
    const all = found.isDirectory() ? await readdir(root, { recursive: true, withFileTypes: true }) : [];
    const paths = found.isDirectory()
      ? all.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name))
      : [root];
    const base = path.basename(root);
    for (const localPath of paths)
      files.push({ key: path.posix.join(base, path.relative(root, localPath)), localPath });
  }
  return { files, problems };
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
