/** Going back: the table holds again what it held at an earlier version. The versions in between stay readable. */
import type { Action, AddFile } from '../actions.js';
import type { Snapshot, TableHandle } from '../api.js';
import { DeltaError } from '../errors.js';
import { mapLimited } from '../limit.js';
import { keyOfPath, vectorId } from '../path.js';
import { replaceActions } from './rewrite.js';
import {
  requireTable,
  requireWritable,
  runOperation,
  type OperationOptions,
  type OperationReport,
} from './run.js';

const PARALLEL_HEADS = 16;

export interface RestoreOptions extends OperationOptions {
  readonly to: { readonly version: number } | { readonly timestampMs: number };
}

/**
 * Restores rows, schema and properties; the protocol is never taken back, and neither are application transactions.
 * Throws DELTA_VERSION_NOT_FOUND, DELTA_STAGED_MISSING (VACUUM took a file that the version needs), DELTA_WRITE_UNSUPPORTED.
 */
export function restore(table: TableHandle, options: RestoreOptions): Promise<OperationReport> {
  return runOperation(table, options, async (found) => {
    const base = requireTable(found, table);
    requireWritable(base, table, 'any');
    const wanted = await table.snapshot(options.to);
    const [gone, back] = [without(base, wanted), without(wanted, base)];
    // What comes back comes with its statistics.
    if (back.length > 0) await wanted.files.readStatistics();
    await requireThere(table, back, wanted.version);
    const change = restoredMetadata(base, wanted);
    if (gone.length === 0 && back.length === 0 && change.length === 0) return undefined;
    return {
      actions: [...change, ...replaceActions(gone, back, table.deps)],
      operation: 'RESTORE',
      parameters:
        'version' in options.to
          ? { version: String(options.to.version) }
          : { timestamp: new Date(options.to.timestampMs).toISOString() },
      read: 'table',
    };
  });
}

/** Files of one version that the other does not have, deletion vectors included. */
function without(some: Snapshot, other: Snapshot): AddFile[] {
  return some.files.filter((file) => {
    const known = other.files.find(file.path);
    return !known || vectorId(known.deletionVector) !== vectorId(file.deletionVector);
  });
}

function restoredMetadata(base: Snapshot, wanted: Snapshot): Action[] {
  const { metadata } = wanted;
  return JSON.stringify(metadata) === JSON.stringify(base.metadata) ? [] : [{ metaData: metadata }];
}

async function requireThere(
  { store }: TableHandle,
  files: readonly AddFile[],
  version: number,
): Promise<void> {
  await mapLimited(files, PARALLEL_HEADS, async (file) => {
    if (await store.head(keyOfPath(file.path, store.uri))) return;
    throw new DeltaError(
      'DELTA_STAGED_MISSING',
      `version ${version} of ${store.uri} cannot be restored: its file '${file.path}' is gone`,
    );
  });
}
