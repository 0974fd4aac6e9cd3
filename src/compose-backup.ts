/** What belongs into a backup beside the tables: configuration, datasets, and on one machine the stores of its services. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { ExtraFile, MaintenanceDeps } from './activities/maintenance/index.js';
import type { LoadedConfig } from './config/config.js';
import { copySqlite, isSqlite } from './connectors/sqlite-copy.js';

/** The stores of a platform that was started on this machine, below its state folder. */
const STORES = ['data/mlflow', 'data/temporal'];
/** Parts of a database that its copy has in it. */
const SQLITE_SIDE = /-(wal|shm|journal)$/;

/**
 * `datalab.yaml`, the datasets' folder, MLflow's store and Temporal's database where this machine has them, and what the
 * configuration includes by name. Never `.env`: secrets stay where they are.
 */
export async function projectExtras(
  { config, projectDirectory }: LoadedConfig,
  stateDirectory: string,
): ReturnType<MaintenanceDeps['extras']> {
  const wanted = [
    ...[
      { name: 'datalab.yaml', needed: false },
      { name: config.datasets.directory, needed: true },
    ],
    ...STORES.map((name) => ({ name: path.join(stateDirectory, name), needed: false })),
    ...config.maintenance.backup.include.map((name) => ({ name, needed: true })),
  ];
  const files = new Map<string, ExtraFile>();
  const problems: string[] = [];
  for (const { name, needed } of wanted) {
    const root = path.resolve(projectDirectory, name);
    const found = await stat(root).catch(() => undefined);
    if (found) {
      for (const file of await filesBelow(root, found.isDirectory())) files.set(file.localPath, file);
    } else if (needed) problems.push(`${name} is not there, and not in the backup`);
  }
  return { files: [...files.values()], problems };
}

async function filesBelow(root: string, isDirectory: boolean): Promise<ExtraFile[]> {
  const entries = isDirectory ? await readdir(root, { recursive: true, withFileTypes: true }) : [];
  const paths = isDirectory
    ? entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name))
    : [root];
  const base = path.basename(root);
  const found = await Promise.all(
    paths.sort().map(async (localPath): Promise<ExtraFile[]> => {
      const key = path.posix.join(base, path.relative(root, localPath));
      const database = await isSqlite(localPath).catch(() => false);
      return [{ key, localPath, ...(database && { copy: (to: string) => copySqlite(localPath, to) }) }];
    }),
  );
  const databases = new Set(found.flat().flatMap(({ localPath, copy }) => (copy ? [localPath] : [])));
  return found
    .flat()
    .filter(
      ({ localPath }) => !databases.has(localPath.replace(SQLITE_SIDE, '')) || databases.has(localPath),
    );
}
