/** What to read of a snapshot. */
import type { AddFile, Metadata, Protocol } from './actions.js';
import { loadDeletedRows } from './deletion-vector.js';
import { DeltaError } from './errors.js';
import { canonicalPath, keyOfPath } from './path.js';
import type { ObjectStore, ScanPlan } from './ports.js';
import { columnMappingMode } from './protocol.js';
import type { StructType } from './schema.js';

/** The part of a snapshot that a scan needs; staged files that are not published yet can be scanned too. */
export interface ScanSource {
  readonly schema: StructType;
  readonly partitionColumns: readonly string[];
  readonly files: Iterable<AddFile>;
  readonly protocol?: Protocol;
  readonly metadata?: Metadata;
}

/** Positions of deleted rows by canonical path of the data file, as {@link loadDeletedRows} gives them. */
export type DeletedRows = ReadonlyMap<string, readonly number[]>;

/**
 * The plan that an engine renders. `localPathOf` gives the local copy of a key. Files with deletion vectors need
 * `deletedRows`: leaving them out would bring deleted rows back, so it is refused (DELTA_DELETION_VECTOR_INVALID).
 */
export function scanPlan(
  source: ScanSource,
  localPathOf: (key: string) => string,
  options: {
    readonly columns?: readonly string[];
    readonly deletedRows?: DeletedRows;
    readonly tableUri?: string;
    readonly rowId?: boolean;
  } = {},
): ScanPlan {
  const { schema, partitionColumns, files, protocol, metadata } = source;
  return {
    schema,
    partitionColumns,
    ...(options.columns ? { columns: options.columns } : {}),
    ...(options.rowId ? { rowId: true } : {}),
    columnMapping: protocol && metadata ? columnMappingMode(protocol, metadata.configuration) : 'none',
    files: Array.from(files, (file) => {
      const deletedRows = options.deletedRows?.get(canonicalPath(file.path));
      if (file.deletionVector && !deletedRows) {
        throw new DeltaError(
          'DELTA_DELETION_VECTOR_INVALID',
          `the deletion vector of '${file.path}' was not loaded`,
        );
      }
      return {
        localPath: localPathOf(keyOfPath(file.path, options.tableUri ?? '')),
        partitionValues: file.partitionValues,
        ...(deletedRows ? { deletedRows } : {}),
      };
    }),
  };
}

/** A plan with everything that it reads on the local disk. */
export interface CheckedOutScan {
  readonly plan: ScanPlan;
  /** Local files that the plan reads: the `inputs` of an engine session. */
  readonly inputs: readonly string[];
  /** Gives the local copies back. Call it when the session is closed. */
  release(): void;
}

/** Downloads what a scan reads, deletion vectors included, and plans it. `files` narrows it to some of the files. */
export async function checkoutScan(
  store: ObjectStore,
  source: ScanSource,
  options: {
    readonly columns?: readonly string[];
    readonly files?: readonly AddFile[];
    readonly rowId?: boolean;
    readonly signal?: AbortSignal;
  } = {},
): Promise<CheckedOutScan> {
  const files = options.files ?? [...source.files];
  const deletedRows = await loadDeletedRows(store, files);
  const keys = files.map((file) => keyOfPath(file.path, store.uri));
  const local = await store.checkout(keys, options.signal ? { signal: options.signal } : {});
  const { schema, partitionColumns, protocol, metadata } = source;
  const narrowed = {
    schema,
    partitionColumns,
    files,
    ...(protocol && metadata ? { protocol, metadata } : {}),
  };
  const plan = scanPlan(narrowed, (key) => local.pathOf(key), {
    deletedRows,
    tableUri: store.uri,
    ...(options.rowId ? { rowId: true } : {}),
    ...(options.columns ? { columns: options.columns } : {}),
  });
  return { plan, inputs: plan.files.map(({ localPath }) => localPath), release: () => local.release() };
}
