/** Deleting data files that no version within the retention needs. */
import type { TableHandle } from '../api.js';
import { DeltaError } from '../errors.js';
import type { MaintenanceOptions } from '../progress.js';
import { checkVacuumable } from '../protocol.js';
import { tableProperties } from '../table-properties.js';
import { DELETE_BATCH, deleteObjects, wouldDelete } from './delete-objects.js';
import { dataObjects, referencesOf } from './references.js';

export interface VacuumOptions extends MaintenanceOptions {
  /** How long files stay after they left the table; the table's `delta.deletedFileRetentionDuration` by default. */
  readonly retentionMs?: number;
  /** Takes a retention below the table's: files that others are writing or reading may then go. */
  readonly force?: boolean;
  /** Deletes nothing. */
  readonly dryRun?: boolean;
}

export interface VacuumReport {
  readonly dryRun: boolean;
  /** Data files that lie in the folder, and those that stay. */
  readonly listed: number;
  readonly kept: number;
  /** Files that went, or would have gone. */
  readonly deleted: number;
  readonly deletedBytes: number;
  /** Files that would have gone too, had there been time. */
  readonly left: number;
  /** The first of their keys. */
  readonly sample: readonly string[];
}

const SAMPLE = 100;

/**
 * Deletes files that the table no longer refers to and that are older than the retention, which alone protects what is
 * being written. Throws DELTA_RETENTION_TOO_SHORT, DELTA_WRITE_UNSUPPORTED (an unknown feature may refer to files).
 */
export async function vacuum(table: TableHandle, options: VacuumOptions = {}): Promise<VacuumReport> {
  const { store, deps } = table;
  const { dryRun = false, force = false, signal, progress } = options;
  const first = await table.snapshot();
  checkVacuumable(first.protocol, store.uri);
  const least = tableProperties(first.metadata.configuration).deletedFileRetentionMs;
  const retentionMs = options.retentionMs ?? least;
  if (retentionMs < least && !force) {
    throw new DeltaError(
      'DELTA_RETENTION_TOO_SHORT',
      `${store.uri} keeps files for ${hours(least)}, and ${hours(retentionMs)} were asked for`,
    );
  }
  const cutoffMs = deps.clock.nowMs() - retentionMs;
  const old: Array<{ readonly key: string; readonly sizeBytes: number }> = [];
  let listed = 0;
  for await (const { key, sizeBytes, modifiedMs } of dataObjects(store, signal)) {
    listed += 1;
    if (modifiedMs < cutoffMs) old.push({ key, sizeBytes });
    if (listed % DELETE_BATCH === 0) progress?.({ phase: 'list', done: listed, total: 0, unit: 'objects' });
  }
  // Read after the listing: a file that was listed and has been committed since is seen.
  const snapshot = await table.snapshot();
  checkVacuumable(snapshot.protocol, store.uri);
  const references = await referencesOf(table, snapshot, cutoffMs);
  const gone = old.filter(({ key }) => !references.has(key));
  const done = dryRun ? wouldDelete(gone) : await deleteObjects(store, gone, options);
  return {
    ...{ dryRun, listed, kept: listed - done.deleted, ...done },
    sample: gone.slice(0, SAMPLE).map(({ key }) => key),
  };
}

function hours(ms: number): string {
  return `${Math.round(ms / 36_000) / 100} hours`;
}
