/** Uploading what a write step made, for the publish step to find. */
import type { AddFile, ObjectStore, StructType, WrittenFile } from '../delta/index.js';
import { stageFile } from '../delta/index.js';
import type { ActivityDeps } from './deps.js';
import type { StepContext } from './step.js';

/** Uploads the files side by side and returns their adds, in order. */
export function stageAll(
  deps: ActivityDeps,
  store: ObjectStore,
  files: readonly WrittenFile[],
  table: { schema: StructType; partitionValues?: Readonly<Record<string, string | null>> },
  { signal }: StepContext,
): Promise<AddFile[]> {
  const { clock, newId } = deps;
  const { schema, partitionValues = {} } = table;
  return Promise.all(
    files.map((file) => stageFile(store, file, { schema, partitionValues, clock, newId, signal })),
  );
}

/** Rows and bytes of written files. */
export function sizeOf(files: readonly WrittenFile[]): { rows: number; bytes: number } {
  return {
    rows: files.reduce((sum, file) => sum + file.rows, 0),
    bytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
  };
}
