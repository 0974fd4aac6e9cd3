/** The objects that one version of a table consists of: what a copy needs to be that version, and nothing else. */
import type { Snapshot, TableHandle } from '../api.js';
import { vectorPath } from '../deletion-vector.js';
import { DeltaError } from '../errors.js';
import { LOG_DIRECTORY, parseLogPath, SIDECAR_DIRECTORY } from '../log-path.js';
import { keyOfPath } from '../path.js';

export interface TableObject {
  readonly key: string;
  /** Undefined for a deletion vector's file, whose length the log does not say. */
  readonly sizeBytes: number | undefined;
}

export interface TableObjects {
  readonly snapshot: Snapshot;
  /** Live files and their deletion vectors. */
  readonly data: readonly TableObject[];
  /** Checkpoint first, then commits in their order: written so, a copy is whole at every moment. */
  readonly log: readonly TableObject[];
}

/** Of the newest version. Throws DELTA_TABLE_NOT_FOUND, DELTA_PATH_OUTSIDE, DELTA_CONCURRENT_CHANGE. */
export async function tableObjects(table: TableHandle): Promise<TableObjects> {
  const snapshot = await table.snapshot();
  const { uri } = table.store;
  const start = snapshot.checkpointVersion;
  const vectors = new Set<string>();
  const data = snapshot.files.map(({ path, size, deletionVector }): TableObject => {
    const vector = deletionVector && vectorPath(deletionVector);
    if (vector !== undefined) vectors.add(keyOfPath(vector, uri));
    return { key: keyOfPath(path, uri), sizeBytes: size };
  });
  const checkpoints: TableObject[] = [];
  const commits: TableObject[] = [];
  for await (const { key, sizeBytes } of table.store.list(`${LOG_DIRECTORY}/`)) {
    const path = parseLogPath(key);
    if (path.kind === 'commit' && path.version <= snapshot.version && path.version >= (start ?? 0))
      commits.push({ key, sizeBytes });
    else if (path.kind === 'checkpoint' && path.version === start) checkpoints.push({ key, sizeBytes });
    else if (start !== undefined && key.startsWith(`${SIDECAR_DIRECTORY}/`))
      checkpoints.push({ key, sizeBytes });
  }
  const wanted = snapshot.version - (start ?? 0) + 1;
  if (commits.length !== wanted) {
    throw new DeltaError(
      'DELTA_CONCURRENT_CHANGE',
      `${uri}: ${commits.length} of ${wanted} commits were listed; the log is being cleaned`,
    );
  }
  const more = [...vectors].map((key): TableObject => ({ key, sizeBytes: undefined }));
  return { snapshot, data: [...data, ...more], log: [...checkpoints, ...commits] };
}
