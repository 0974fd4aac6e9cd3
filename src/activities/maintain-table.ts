/** One task of maintenance on one table. Each is one the Delta layer does; here it gets its limits and its words. */
import { DatalabError } from '../contracts/errors.js';
import type { Layer } from '../contracts/run.js';
import type { TableMaintained, TableMaintenanceInput, TableTask } from '../contracts/table-maintenance.js';
import { tableProperties, type DeltaTable } from '../delta/index.js';
import type { ActivityDeps } from './deps.js';
import { lastBackupMs } from './maintenance/policies.js';
import { runStep, type StepContext } from './step.js';
import type { LakeTables } from './tables.js';

const HOUR_MS = 3_600_000;
/** Results stay in histories: of a list its first entries are enough to go and look. */
const LIST_MAX = 20;

export async function maintainTable(
  deps: ActivityDeps,
  tables: LakeTables,
  { table: name, task, runId }: TableMaintenanceInput & { readonly runId: string },
): Promise<TableMaintained> {
  const [layer = '', tableName = ''] = name.split('.');
  const table = tables.table(layer as Layer, tableName);
  const before = await table.snapshotIfExists();
  if (!before) throw new DatalabError('TABLE_UNKNOWN', `there is no table ${name} in ${deps.lake.uri}`);
  const { value } = await runStep(`${task.operation} ${name}`, deps.scratchDirectory, async (context) => {
    const figures = cut(await perform(deps, table, task, context, runId));
    const after = await table.snapshot();
    deps.log({ run: runId, table: name, ...figures }, `${task.operation} ${name}`);
    const value: TableMaintained = {
      ...{ table: name, operation: task.operation, figures },
      ...{ versionBefore: before.version, versionAfter: after.version },
    };
    return { rows: 0, bytes: 0, detail: task.operation, value };
  });
  return value;
}

async function perform(
  deps: ActivityDeps,
  table: DeltaTable,
  task: TableTask,
  { signal, progress }: StepContext,
  runId: string,
): Promise<object> {
  const options = { signal, progress };
  const info = { datalab: { kind: 'maintenance', runId } };
  switch (task.operation) {
    case 'optimize':
      return table.optimize({ ...options, info });
    case 'vacuum': {
      const { retentionHours, dryRun = false } = task;
      const retentionMs = await vacuumRetentionMs(deps, table, retentionHours);
      return table.vacuum({ ...options, dryRun, ...(retentionMs !== undefined && { retentionMs }) });
    }
    case 'clean-log':
      return table.cleanLog({ ...options, dryRun: task.dryRun ?? false });
    case 'checkpoint':
      return table.checkpoint();
    case 'fsck':
      return table.fsck({ ...options, repair: task.repair ?? false, statistics: task.statistics ?? false });
    case 'restore':
      return table.restore({
        ...{ signal, info },
        to:
          task.version !== undefined
            ? { version: task.version }
            : { timestampMs: Date.parse(task.time ?? '') },
      });
  }
}

/**
 * How long files stay: as the table says, or longer where that is asked for; and what left the table since the last backup
 * stays until there is another one (DESIGN law 12). Throws BACKUP_OUTDATED where less is asked for, BACKUP_UNKNOWN.
 */
async function vacuumRetentionMs(
  deps: ActivityDeps,
  table: DeltaTable,
  hours: number | undefined,
): Promise<number | undefined> {
  const asked = hours === undefined ? undefined : hours * HOUR_MS;
  const backedUpMs = await lastBackupMs(deps);
  if (backedUpMs === null) return asked;
  const least = Math.max(0, deps.clock.nowMs() - backedUpMs);
  if (asked !== undefined && asked < least)
    throw new DatalabError(
      'BACKUP_OUTDATED',
      `files that left ${table.store.uri} since the last backup of ${new Date(backedUpMs).toISOString()} stay until there is another: ` +
        `a retention of ${hours} hours would take some of them`,
    );
  const { metadata } = await table.snapshot();
  return asked ?? Math.max(least, tableProperties(metadata.configuration).deletedFileRetentionMs);
}

/** The figures with every list cut, its length told beside it. */
function cut(report: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(report).flatMap(([key, value]: [string, unknown]) =>
      Array.isArray(value) && value.length > LIST_MAX
        ? [
            [key, value.slice(0, LIST_MAX)],
            [`${key}Total`, value.length],
          ]
        : [[key, value]],
    ),
  );
}
