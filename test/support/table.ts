/** Small tables for tests: schemas, adds without a data file behind them, commits. */
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { FileColumns } from '../../src/delta/files/file-columns.js';
import { LiveFiles } from '../../src/delta/files/live-files.js';
import type {
  Action,
  AddFile,
  CommitResult,
  Snapshot,
  StructField,
  StructType,
} from '../../src/delta/index.js';
import { createTableActions, type DataType, type DeltaTable } from '../../src/delta/index.js';

export const CLOCK = { nowMs: () => 1_700_000_000_000 };

/** A struct of nullable columns. */
export function struct(fields: Readonly<Record<string, DataType>>): StructType {
  return {
    type: 'struct',
    fields: Object.entries(fields).map(([name, type]): StructField => ({
      name,
      type,
      nullable: true,
      metadata: {},
    })),
  };
}

export const NUMBERS = struct({ n: 'long' });

/** An add whose data file is of no interest. */
export function fakeAdd(path: string, more: Partial<AddFile> = {}): AddFile {
  return {
    path,
    partitionValues: {},
    size: 100,
    modificationTime: 1,
    dataChange: true,
    stats: '{"numRecords":1}',
    ...more,
  };
}

/** Live files that no log names. */
export function liveFiles(files: Iterable<AddFile>): LiveFiles {
  const columns = new FileColumns(tmpdir());
  for (const file of files) columns.add(file);
  return new LiveFiles(columns);
}

/** Protocol and metaData of a new table. */
export function creation(
  options: { schema?: StructType; configuration?: Record<string, string>; partitionColumns?: string[] } = {},
): Action[] {
  return createTableActions({
    schema: options.schema ?? NUMBERS,
    partitionColumns: options.partitionColumns ?? [],
    configuration: options.configuration ?? {},
    clock: CLOCK,
    newId: randomUUID,
  });
}

/** Creates the table with these files. */
export async function createTable(
  table: DeltaTable,
  paths: readonly string[] = [],
  options: Parameters<typeof creation>[0] = {},
): Promise<Snapshot> {
  await table.commit({
    base: null,
    actions: [...creation(options), ...paths.map((path): Action => ({ add: fakeAdd(path) }))],
    operation: 'CREATE TABLE',
    read: 'nothing',
  });
  return table.snapshot();
}

/** A blind append of one file, with application transactions. */
export function append(
  table: DeltaTable,
  base: Snapshot | null,
  path: string,
  txns: Readonly<Record<string, number>> = {},
): Promise<CommitResult> {
  const transactions = Object.entries(txns).map(([appId, version]): Action => ({ txn: { appId, version } }));
  return table.commit({
    base,
    actions: [{ add: fakeAdd(path) }, ...transactions],
    operation: 'WRITE',
    read: 'nothing',
  });
}

export function pathsOf(snapshot: Snapshot): string[] {
  return snapshot.files.map((file) => file.path).sort();
}
