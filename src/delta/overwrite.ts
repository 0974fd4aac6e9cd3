/** Replacing all rows of a table. */
import type { Action, AddFile, RemoveFile } from './actions.js';
import type { Snapshot } from './api.js';
import { changeTableActions } from './create.js';
import type { Clock } from './ports.js';
import type { StructType } from './schema.js';

/**
 * Actions that leave exactly the given files in the table: the change of schema and properties where there is one,
 * a remove for every live file, and the adds. Commit them with `read: 'table'`.
 */
export function overwriteActions(
  base: Snapshot,
  adds: readonly AddFile[],
  options: {
    readonly clock: Clock;
    readonly schema?: StructType;
    readonly configuration?: Readonly<Record<string, string>>;
  },
): Action[] {
  const nowMs = options.clock.nowMs();
  return [
    ...changeTableActions(base, options),
    ...base.files.map((file): Action => ({ remove: removeOf(file, nowMs) })),
    ...adds.map((add): Action => ({ add })),
  ];
}

/** The tombstone of a live file, with all that later readers and VACUUM need to know of it. */
export function removeOf(file: AddFile, deletionTimestamp: number, dataChange = true): RemoveFile {
  const { path, partitionValues, size, deletionVector, baseRowId, defaultRowCommitVersion, tags } = file;
  return {
    path,
    dataChange,
    deletionTimestamp,
    extendedFileMetadata: true,
    partitionValues,
    size,
    ...(tags === undefined ? {} : { tags }),
    ...(deletionVector === undefined ? {} : { deletionVector }),
    ...(baseRowId === undefined ? {} : { baseRowId }),
    ...(defaultRowCommitVersion === undefined ? {} : { defaultRowCommitVersion }),
  };
}
