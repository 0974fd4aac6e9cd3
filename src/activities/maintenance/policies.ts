/** What the configuration and the datasets say of one table: how long its rows stay, and how long its files. */
import type { MaintenanceRun } from '../../contracts/lake-maintenance.js';
import { DatalabError } from '../../contracts/errors.js';
import type { DatasetDefinition } from '../../contracts/dataset.js';
import type { Snapshot } from '../../delta/index.js';
import { tableProperties } from '../../delta/index.js';
import type { TableName } from '../../lake/tables.js';
import { retentionOf } from '../../maintenance/index.js';
import { BackupStore } from '../../lake/backup-store.js';
import { STAGED_AGE_MAX_MS } from '../publish.js';
import type { MaintenanceDeps } from './deps.js';

const DAY_MS = 86_400_000;

/** What is declared for the tables of the lake, read once per step. */
export interface DeclaredTables {
  /** The dataset that a table belongs to; undefined for `meta` and for what no declared dataset names. */
  datasetOf(name: TableName): string | undefined;
  /** The definition that the table is made by; undefined where none could be read. */
  definitionOf(name: TableName): DatasetDefinition | undefined;
  retentionOf(name: TableName): { readonly column: string; readonly days: number } | null;
}

export async function declaredTables(deps: MaintenanceDeps): Promise<DeclaredTables> {
  const names = await deps.datasetNames();
  // A dataset that cannot be read declares nothing, so its tables go by the layers' policies.
  const loaded = await Promise.all(names.map((name) => deps.loadDataset(name).catch(() => undefined)));
  const datasets = new Map(loaded.flatMap((one) => (one ? [[one.name, one] as const] : [])));
  const goldOf = new Map(
    [...datasets.values()].flatMap(({ name, gold }) => gold.map(({ table }) => [table, name] as const)),
  );
  const datasetOf = ({ layer, table }: TableName): string | undefined =>
    layer === 'meta' ? undefined : layer === 'gold' ? goldOf.get(table) : table;
  return {
    datasetOf,
    definitionOf: (name) => datasets.get(datasetOf(name) ?? ''),
    retentionOf: (name) => {
      const dataset = datasets.get(datasetOf(name) ?? '');
      return retentionOf(name, deps.config.maintenance.retention, declaredOf(dataset, name));
    },
  };
}

function declaredOf(dataset: DatasetDefinition | undefined, { layer, table }: TableName) {
  const { retention } = dataset ?? {};
  if (retention === undefined || layer === 'meta') return undefined;
  const own = layer === 'gold' ? retention.gold?.[table] : retention[layer];
  return { ...own, ...(retention.hold && { hold: true }) };
}

/** ISO instant before which rows of a policy are past their time. */
export function cutoffOf({ at }: MaintenanceRun, days: number): string {
  return new Date(Date.parse(at) - days * DAY_MS).toISOString();
}

/**
 * How long files stay that left the table. Never shorter than the table says, than the oldest staged file that may still
 * be published (twice its age, DESIGN law 3), or than the configuration asks; and what left since the last backup stays
 * until there is another (DESIGN law 12).
 */
export function fileRetentionMs(
  deps: Pick<MaintenanceDeps, 'config' | 'clock'>,
  snapshot: Snapshot,
  lastBackupMs: number | null,
): number {
  return Math.max(
    lastBackupMs === null ? 0 : deps.clock.nowMs() - lastBackupMs,
    tableProperties(snapshot.metadata.configuration).deletedFileRetentionMs,
    2 * STAGED_AGE_MAX_MS,
    deps.config.maintenance.keepFilesDays * DAY_MS,
  );
}

/** The condition for rows past the policy; null where the table has no such column of a type with time. */
export function expiredRows(snapshot: Snapshot, column: string, before: string): string | null {
  const field = snapshot.schema.fields.find(({ name }) => name === column);
  const name = `"${column.replaceAll('"', '""')}"`;
  switch (field?.type) {
    case 'timestamp':
      return `${name} < TIMESTAMPTZ '${before}'`;
    case 'date':
      return `${name} < DATE '${before.slice(0, 10)}'`;
    default:
      return null;
  }
}

/** When the newest backup began; null where none is configured. Throws BACKUP_UNKNOWN where one is, and none was made. */
export async function lastBackupMs(deps: Pick<MaintenanceDeps, 'backup'>): Promise<number | null> {
  if (!deps.backup) return null;
  const newest = await new BackupStore(deps.backup).newest();
  if (newest) return Date.parse(newest.at);
  throw new DatalabError('BACKUP_UNKNOWN', `${deps.backup.uri} is where backups go, and holds none yet`);
}
