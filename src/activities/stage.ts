/** Uploading what a write step made, for the publish step to find. */
import type { AddFile, ObjectStore, StructType, WrittenFile } from '../delta/index.js';
import type { ActivityDeps } from './deps.js';
import { GENERATION_TAG, type StagedQuarantine } from './staging.js';
import type { StepContext } from './step.js';
import { withUploads, type StagedTable } from './uploads.js';

/** Uploads the files side by side and returns their adds, in order. */
export function stageAll(
  deps: ActivityDeps,
  store: ObjectStore,
  files: readonly WrittenFile[],
  table: StagedTable,
  { signal }: StepContext,
): Promise<AddFile[]> {
  return withUploads(deps, store, signal, (uploads) => uploads.adds(files, table));
}

/** The rows that a layer refused, with what tells them from those of other attempts and times. */
export interface Refused {
  readonly files: readonly WrittenFile[];
  readonly schema: StructType;
  readonly generation: number;
  readonly replaces: boolean;
}

/** Uploads refused rows. The generation goes into the file's tags: it stays with the file whatever its log becomes. */
export async function stageRefused(
  deps: ActivityDeps,
  store: ObjectStore,
  layer: 'bronze' | 'silver',
  { files, schema, generation, replaces }: Refused,
  context: StepContext,
): Promise<StagedQuarantine> {
  const adds = await stageAll(deps, store, files, { schema, partitionValues: { layer } }, context);
  const tags = { [GENERATION_TAG]: String(generation) };
  return { schema, generation, replaces, adds: adds.map((add) => ({ ...add, tags })) };
}

/** Rows and bytes of written files. */
export function sizeOf(files: readonly WrittenFile[]): { rows: number; bytes: number } {
  return {
    rows: files.reduce((sum, file) => sum + file.rows, 0),
    bytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
  };
}
