/** Write: data files go where no reader looks for them, until a commit names them. */
import { stat } from 'node:fs/promises';
import type { AddFile } from './actions.js';
import { DeltaError } from './errors.js';
import { mapLimited } from './limit.js';
import { encodePath, keyOfPath } from './path.js';
import type { Clock, ObjectStore, WrittenFile } from './ports.js';
import type { StructType } from './schema.js';
import { statsJson, type StatsColumns } from './stats.js';

const PARALLEL_HEADS = 16;

export interface StageOptions {
  readonly schema: StructType;
  /** Serialised, one for every partition column (see `partitionValue`). */
  readonly partitionValues: Readonly<Record<string, string | null>>;
  /** Which columns get statistics; the first ones where nothing is said. */
  readonly statistics?: Partial<StatsColumns>;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly signal?: AbortSignal;
}

/**
 * Uploads a written file under a name that nobody else uses and returns the add that would publish it. The name says
 * nothing of the partition: readers take the values from the log.
 */
export async function stageFile(
  store: ObjectStore,
  written: WrittenFile,
  options: StageOptions,
): Promise<AddFile> {
  const key = dataFileName(options.newId());
  // The size on disk, so that the log cannot disagree with the object.
  const { size } = await stat(written.localPath);
  await store.putFile(key, written.localPath, options.signal ? { signal: options.signal } : {});
  return makeAdd(key, size, written, options);
}

/** The same for a file in memory. */
export async function stageBytes(
  store: ObjectStore,
  file: { readonly bytes: Uint8Array; readonly rows: number; readonly columns: WrittenFile['columns'] },
  options: StageOptions,
): Promise<AddFile> {
  const key = dataFileName(options.newId());
  await store.put(key, file.bytes);
  return makeAdd(key, file.bytes.byteLength, file, options);
}

function makeAdd(
  key: string,
  size: number,
  measured: { readonly rows: number; readonly columns: WrittenFile['columns'] },
  { schema, partitionValues, statistics, clock }: StageOptions,
): AddFile {
  return {
    path: encodePath(key),
    partitionValues,
    size,
    modificationTime: clock.nowMs(),
    dataChange: true,
    stats: statsJson(measured, schema, { ...statistics, partitionColumns: Object.keys(partitionValues) }),
  };
}

function dataFileName(id: string): string {
  return `part-00000-${id}.parquet`;
}

/** Checks that the staged files are still there, whole. Throws DELTA_STAGED_MISSING naming the first that is not. */
export async function verifyStaged(store: ObjectStore, adds: readonly AddFile[]): Promise<void> {
  await mapLimited(adds, PARALLEL_HEADS, async (add) => {
    const info = await store.head(keyOfPath(add.path, store.uri));
    if (!info)
      throw new DeltaError('DELTA_STAGED_MISSING', `the staged file ${store.uri}/${add.path} is gone`);
    if (info.sizeBytes === add.size) return;
    throw new DeltaError(
      'DELTA_STAGED_MISSING',
      `the staged file ${store.uri}/${add.path} has ${info.sizeBytes} bytes, ${add.size} were written`,
    );
  });
}
