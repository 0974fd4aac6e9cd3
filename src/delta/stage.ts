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

/** A written file that is in the store, where no reader looks for it. */
export interface UploadedFile {
  readonly key: string;
  readonly sizeBytes: number;
  readonly written: WrittenFile;
}

/**
 * Uploads a written file under a name that nobody else uses. The file is given away: it may only be read or removed from
 * then on. The name says nothing of the partition: readers take the values from the log.
 */
export async function uploadFile(
  store: ObjectStore,
  written: WrittenFile,
  { newId, signal }: Pick<StageOptions, 'newId' | 'signal'>,
): Promise<UploadedFile> {
  const key = dataFileName(newId());
  // The size on disk, so that the log cannot disagree with the object.
  const { size } = await stat(written.localPath);
  await store.putFile(key, written.localPath, { giveAway: true, ...(signal && { signal }) });
  return { key, sizeBytes: size, written };
}

/** The add that would publish an uploaded file. */
export function addOf(
  { key, sizeBytes, written }: UploadedFile,
  options: Omit<StageOptions, 'newId' | 'signal'>,
): AddFile {
  return makeAdd(key, sizeBytes, written, options);
}

/** Uploads a written file, as {@link uploadFile} does, and returns the add that would publish it. */
export async function stageFile(
  store: ObjectStore,
  written: WrittenFile,
  options: StageOptions,
): Promise<AddFile> {
  return addOf(await uploadFile(store, written, options), options);
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
  { schema, partitionValues, statistics, clock }: Omit<StageOptions, 'newId' | 'signal'>,
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
