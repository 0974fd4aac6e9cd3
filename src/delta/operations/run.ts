/** What every operation that changes a table has in common: decide on a snapshot, commit, decide again where overtaken. */
import type { Action, AddFile } from '../actions.js';
import type { ReadScope, Snapshot, TableHandle } from '../api.js';
import { constraintsOf } from '../constraints.js';
import { DeltaError } from '../errors.js';
import { keyOfPath } from '../path.js';
import type { EngineSession } from '../ports.js';
import { checkWritable } from '../protocol.js';
import { checkoutScan } from '../scan.js';
import { requireEngine, withScratch } from '../scratch.js';
import { prepareSource, type DataSource } from '../source.js';
import { tableProperties } from '../table-properties.js';
import type { TableShape, WriteContext } from '../write-files.js';

export interface OperationOptions {
  /** Makes the operation once only: where the table knows this transaction already, nothing is done. */
  readonly transaction?: { readonly appId: string; readonly version: number };
  /** Own fields of `commitInfo`. */
  readonly info?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
  /** How often the operation is decided anew when somebody else changed what it had read (default 5). */
  readonly attempts?: number;
}

/** What an operation did. Counts that an operation does not know are absent. */
export interface OperationReport {
  /** `unchanged`: there was nothing to do. `repeated`: the transaction was there already. */
  readonly status: 'committed' | 'unchanged' | 'repeated';
  readonly version: number;
  readonly filesAdded: number;
  readonly filesRemoved: number;
  readonly bytesAdded: number;
  readonly bytesRemoved: number;
  readonly rowsInserted?: number;
  readonly rowsUpdated?: number;
  readonly rowsDeleted?: number;
  /** Rows that were written again unchanged, beside others of their file. */
  readonly rowsCopied?: number;
}

export type RowCounts = Pick<OperationReport, 'rowsInserted' | 'rowsUpdated' | 'rowsDeleted' | 'rowsCopied'>;

/** What an attempt decided: the commit, but for what is the same for all. */
export interface Decision {
  readonly actions: readonly Action[];
  readonly operation: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly read: 'nothing' | 'table' | ReadScope;
  readonly rows?: RowCounts;
}

/**
 * Runs attempts until one is committed, or there is nothing to do. Files of an attempt that surely is not in the table
 * are taken away; where the outcome of a commit is unknown they stay, and VACUUM decides. Throws
 * DELTA_CONCURRENT_CHANGE after the last attempt.
 */
export async function runOperation(
  table: TableHandle,
  options: OperationOptions,
  attempt: (base: Snapshot | null, uploads: AddFile[]) => Promise<Decision | undefined>,
): Promise<OperationReport> {
  const { transaction, attempts = 5 } = options;
  let last = '';
  for (let round = 0; round < attempts; round += 1) {
    options.signal?.throwIfAborted();
    const base = await table.snapshotIfExists();
    if (base && transaction && (base.transaction(transaction.appId)?.version ?? -1) >= transaction.version) {
      return nothing('repeated', base);
    }
    const uploads: AddFile[] = [];
    const decision = await attempt(base, uploads).catch(async (error: unknown) => {
      await discard(table, uploads);
      throw error;
    });
    if (!decision) return nothing('unchanged', base);
    const result = await table.commit({
      base,
      actions: [...decision.actions, ...txnOf(table, options)],
      operation: decision.operation,
      operationParameters: decision.parameters,
      operationMetrics: metricsOf(decision),
      read: decision.read,
      rowsAreChecked: true,
      ...(options.info ? { info: options.info } : {}),
    });
    if (result.status === 'committed') return reportOf(base, decision, result.version);
    await discard(table, uploads);
    last = `${result.check} at version ${result.version}: ${result.detail}`;
  }
  throw new DeltaError(
    'DELTA_CONCURRENT_CHANGE',
    `${table.store.uri}: overtaken ${attempts} times, last by ${last}`,
  );
}

function txnOf(table: TableHandle, { transaction }: OperationOptions): Action[] {
  return transaction ? [{ txn: { ...transaction, lastUpdated: table.deps.clock.nowMs() } }] : [];
}

function nothing(status: 'unchanged' | 'repeated', base: Snapshot | null): OperationReport {
  const none = { filesAdded: 0, filesRemoved: 0, bytesAdded: 0, bytesRemoved: 0 };
  return { status, version: base?.version ?? -1, ...none };
}

function sizesOf(
  base: Snapshot | null,
  actions: readonly Action[],
): Omit<OperationReport, 'status' | 'version'> {
  const adds = actions.flatMap((action) => ('add' in action ? [action.add.size] : []));
  const removes = actions.flatMap((action) =>
    'remove' in action ? [action.remove.size ?? base?.files.find(action.remove.path)?.size ?? 0] : [],
  );
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, size) => total + size, 0);
  return {
    filesAdded: adds.length,
    filesRemoved: removes.length,
    bytesAdded: sum(adds),
    bytesRemoved: sum(removes),
  };
}

function reportOf(base: Snapshot | null, { actions, rows }: Decision, version: number): OperationReport {
  return { status: 'committed', version, ...sizesOf(base, actions), ...rows };
}

function metricsOf({ actions, rows = {} }: Decision): Record<string, string> {
  const { filesAdded, filesRemoved, bytesAdded, bytesRemoved } = sizesOf(null, actions);
  const named: Record<string, number | undefined> = {
    numAddedFiles: filesAdded,
    numRemovedFiles: filesRemoved,
    numAddedBytes: bytesAdded,
    numRemovedBytes: bytesRemoved,
    numOutputRows: rows.rowsInserted,
    numUpdatedRows: rows.rowsUpdated,
    numDeletedRows: rows.rowsDeleted,
    numCopiedRows: rows.rowsCopied,
  };
  return Object.fromEntries(
    Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}

/** Best effort: what stays is VACUUM's. */
async function discard({ store }: TableHandle, uploads: readonly AddFile[]): Promise<void> {
  if (uploads.length === 0) return;
  await store.delete(uploads.map((add) => keyOfPath(add.path, store.uri))).catch(() => undefined);
}

/** Throws DELTA_TABLE_NOT_FOUND. */
export function requireTable(base: Snapshot | null, table: TableHandle): Snapshot {
  if (base) return base;
  throw new DeltaError('DELTA_TABLE_NOT_FOUND', `there is no Delta table at ${table.store.uri}`);
}

/** Throws DELTA_WRITE_UNSUPPORTED before any work is done, where the commit could not be made. */
export function requireWritable(base: Snapshot, table: TableHandle, change: 'append' | 'any'): void {
  checkWritable(base.protocol, base.metadata, base.schema, table.store.uri, true);
  if (change === 'any' && tableProperties(base.metadata.configuration).appendOnly) {
    throw new DeltaError('DELTA_WRITE_UNSUPPORTED', `${table.store.uri} is append-only (delta.appendOnly)`);
  }
}

/** The table as rows must be written for it. */
export function shapeOf(
  { schema, partitionColumns, metadata }: Pick<Snapshot, 'schema' | 'partitionColumns' | 'metadata'>,
  where: string,
): TableShape {
  return {
    schema,
    partitionColumns,
    constraints: constraintsOf({ schema, metadata }, where),
    statistics: tableProperties(metadata.configuration),
  };
}

/** What an attempt works with: a session that sees its files and nothing else. */
export interface Workspace extends WriteContext {
  readonly session: EngineSession;
  /** The files that were asked for, as a relation with their row ids; empty where there are none. */
  readonly target: string;
  /** The file behind a local path, as the row ids name it. */
  readonly fileAt: (localPath: string) => AddFile;
  /** A relation over some of the files. */
  readonly relation: (files: readonly AddFile[]) => string;
  /** The source's SELECT; empty where there is none. */
  readonly source: string;
}

/** Opens a session over some files of the table and a source, and takes all of it away afterwards. */
export async function inWorkspace<Result>(
  table: TableHandle,
  uploads: AddFile[],
  needs: {
    readonly base: Snapshot | null;
    readonly files: readonly AddFile[];
    readonly source?: DataSource;
    readonly signal?: AbortSignal | undefined;
    /** Rows need no name of their own: nothing is looked for in the files. */
    readonly rowId?: boolean;
    /** Nothing but rows is to be written again, by statements of our own: see `SessionOptions`. */
    readonly rearranges?: boolean;
  },
  work: (workspace: Workspace) => Promise<Result>,
): Promise<Result> {
  const { store, deps } = table;
  const { base, files, signal, rowId = true, rearranges = false } = needs;
  const engine = requireEngine(deps, store.uri);
  return withScratch(deps, async (folder) => {
    const source = needs.source ? await prepareSource(needs.source, engine, folder, base?.schema) : undefined;
    const how = { files, rowId, ...(signal ? { signal } : {}) };
    const scan = base ? await checkoutScan(store, base, how) : undefined;
    try {
      const inputs = [...(scan?.inputs ?? []), ...(source?.inputs ?? [])];
      const session = await engine.open({
        ...{ inputs, outputDirectory: folder, unordered: rearranges, isOwn: rearranges },
        ...(signal ? { signal } : {}),
      });
      const paths = new Map(scan?.plan.files.map((file, index) => [file.localPath, files[index]]));
      const plans = new Map(scan?.plan.files.map((file, index) => [files[index], file]));
      try {
        return await work({
          ...{ store, deps, engine, session, signal, uploads },
          source: source?.sql ?? '',
          target: scan ? engine.relation(scan.plan) : '',
          fileAt: (path) => paths.get(path) ?? unknownFile(path),
          relation: (some) =>
            scan
              ? engine.relation({
                  ...scan.plan,
                  files: some.map((file) => plans.get(file) ?? unknownFile(file.path)),
                })
              : '',
        });
      } finally {
        await session.close();
      }
    } finally {
      scan?.release();
    }
  });
}

function unknownFile(path: string): never {
  throw new Error(`'${path}' is not in this workspace`);
}
