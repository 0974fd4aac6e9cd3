/** Bin-packing: many small files become few of about the target size. Rows stay what they are. */
import type { Action, AddFile } from '../actions.js';
import type { Snapshot, TableHandle } from '../api.js';
import { DeltaError } from '../errors.js';
import { partitionKeyOf, sharedValues } from '../partition-key.js';
import { vectorId } from '../path.js';
import type { MaintenanceOptions } from '../progress.js';
import { prune } from '../prune.js';
import { tableProperties } from '../table-properties.js';
import { writeRows } from '../write-files.js';
import { columnList, replaceActions, tagsKey } from './rewrite.js';
import { inWorkspace, requireWritable, runOperation, shapeOf, type OperationOptions } from './run.js';

export interface OptimizeOptions extends MaintenanceOptions, Pick<OperationOptions, 'info'> {
  /** Only files that may hold rows for which this SQL condition is TRUE. */
  readonly where?: string;
  /** Size to pack files to; the table's `delta.targetFileSize` by default. */
  readonly targetFileBytes?: number;
  /** Bytes that one commit writes again at most, where it writes more than one file. */
  readonly batchBytes?: number;
}

export interface OptimizeReport {
  readonly commits: number;
  readonly version: number;
  readonly filesBefore: number;
  readonly filesAfter: number;
  readonly filesRemoved: number;
  readonly filesAdded: number;
  readonly bytesRemoved: number;
  readonly bytesAdded: number;
  /** Files that were to be packed and that somebody else took in the meantime. */
  readonly filesSkipped: number;
  /** Files that were still to be packed when the time was over. */
  readonly filesLeft: number;
}

/** A file with a greater part of its rows deleted is written again, alone if need be. */
const DELETED_RATIO = 0.05;
const BATCH_BYTES = 1024 ** 3;

interface Bin {
  readonly files: readonly AddFile[];
  readonly bytes: number;
}

/**
 * Packs small files within each partition, one commit per batch, so that a conflict costs one batch. Whatever else
 * happens to the table goes first: files that are no longer there are passed over. Throws DELTA_WRITE_UNSUPPORTED,
 * DELTA_ENGINE_REQUIRED.
 */
export async function optimize(table: TableHandle, options: OptimizeOptions = {}): Promise<OptimizeReport> {
  const first = await table.snapshot();
  requireWritable(first, table, 'append');
  const properties = tableProperties(first.metadata.configuration);
  const bins = await planBins(first, options.where, options.targetFileBytes ?? properties.targetFileBytes);
  const total = bins.reduce((sum, bin) => sum + bin.files.length, 0);
  const report = {
    commits: 0,
    version: first.version,
    filesRemoved: 0,
    filesAdded: 0,
    bytesRemoved: 0,
    bytesAdded: 0,
  };
  let done = 0;
  let skipped = 0;
  for (const batch of batchesOf(bins, options.batchBytes ?? BATCH_BYTES)) {
    options.signal?.throwIfAborted();
    if (done > 0 && options.isOver?.()) break;
    const wanted = batch.reduce((sum, bin) => sum + bin.files.length, 0);
    const result = await packBatch(table, batch, options);
    report.version = result.version;
    report.commits += result.status === 'committed' ? 1 : 0;
    report.filesRemoved += result.filesRemoved;
    report.filesAdded += result.filesAdded;
    report.bytesRemoved += result.bytesRemoved;
    report.bytesAdded += result.bytesAdded;
    skipped += wanted - result.filesRemoved;
    done += wanted;
    options.progress?.({ phase: 'rewrite', done, total, unit: 'files' });
  }
  const { files } = await table.snapshot();
  return {
    ...{ ...report, filesBefore: first.files.length, filesAfter: files.length },
    ...{ filesSkipped: skipped, filesLeft: total - done },
  };
}

/** What {@link optimize} would pack if it ran now: files, and their bytes. */
export async function packable(
  snapshot: Snapshot,
): Promise<{ readonly files: number; readonly bytes: number }> {
  const { targetFileBytes } = tableProperties(snapshot.metadata.configuration);
  const bins = await planBins(snapshot, undefined, targetFileBytes);
  return {
    files: bins.reduce((sum, { files }) => sum + files.length, 0),
    bytes: bins.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

async function planBins(snapshot: Snapshot, where: string | undefined, targetBytes: number): Promise<Bin[]> {
  const { whole, some } = await prune(snapshot, where);
  const groups = new Map<string, AddFile[]>();
  const partitionKey = partitionKeyOf(snapshot);
  // How much of a file its deletion vector takes away is known by its count of rows.
  if (snapshot.files.some((file) => file.deletionVector !== undefined)) await snapshot.files.readStatistics();
  for (const file of [...whole, ...some]) {
    if (file.size >= targetBytes && !isWorn(file)) continue;
    const key = `${partitionKey(file)}\n${tagsKey(file)}`;
    const group = groups.get(key);
    if (group) group.push(file);
    else groups.set(key, [file]);
  }
  return [...groups.values()].flatMap((files) => packSmallest(files, targetBytes));
}

function isWorn(file: AddFile): boolean {
  // A file without one is not asked for its statistics, which may not have been read.
  if (!file.deletionVector) return false;
  const rows = Number(/"numRecords":\s*(\d+)/.exec(file.stats ?? '')?.[1] ?? 0);
  return rows === 0 || file.deletionVector.cardinality / rows > DELETED_RATIO;
}

/** Small files first, each into the bin that is being filled. A bin of one file is left alone, unless it is worn. */
function packSmallest(files: readonly AddFile[], targetBytes: number): Bin[] {
  const bins: Array<{ files: AddFile[]; bytes: number }> = [];
  for (const file of [...files].sort((a, b) => a.size - b.size)) {
    const bin = bins.at(-1);
    if (bin && bin.bytes + file.size <= targetBytes) {
      bin.files.push(file);
      bin.bytes += file.size;
    } else bins.push({ files: [file], bytes: file.size });
  }
  return bins.filter(({ files: some }) => some.length > 1 || some.some(isWorn));
}

function batchesOf(bins: readonly Bin[], batchBytes: number): Bin[][] {
  const batches: Bin[][] = [];
  let bytes = 0;
  for (const bin of bins) {
    const batch = batches.at(-1);
    if (batch && bytes + bin.bytes <= batchBytes) batch.push(bin);
    else {
      batches.push([bin]);
      bytes = 0;
    }
    bytes += bin.bytes;
  }
  return batches;
}

function packBatch(
  table: TableHandle,
  bins: readonly Bin[],
  { signal, info }: OptimizeOptions,
): ReturnType<typeof runOperation> {
  const how = { ...(signal ? { signal } : {}), ...(info ? { info } : {}) };
  return runOperation(table, how, async (base, uploads) => {
    if (!base) throw new DeltaError('DELTA_TABLE_NOT_FOUND', `there is no Delta table at ${table.store.uri}`);
    const isLive = (file: AddFile): boolean => {
      const live = base.files.find(file.path);
      return live !== undefined && vectorId(live.deletionVector) === vectorId(file.deletionVector);
    };
    const whole = bins.filter(({ files }) => files.every(isLive));
    if (whole.length === 0) return undefined;
    const files = whole.flatMap((bin) => bin.files);
    const added = await inWorkspace(
      table,
      uploads,
      { base, files, signal, rowId: false, rearranges: true },
      async (workspace) => {
        const shape = { ...shapeOf(base, table.store.uri), constraints: [] };
        const names = columnList(base.schema.fields.map(({ name }) => name));
        const adds: AddFile[] = [];
        for (const bin of whole) {
          const select = `SELECT ${names} FROM ${workspace.relation(bin.files)}`;
          const [first] = bin.files;
          const written = await writeRows(
            { ...workspace, isOwn: true },
            shape,
            select,
            sharedValues(bin.files),
          );
          adds.push(...written.map((add) => (first?.tags ? { ...add, tags: first.tags } : add)));
        }
        return adds;
      },
    );
    const actions: Action[] = replaceActions(files, added, table.deps, false);
    return {
      actions,
      operation: 'OPTIMIZE',
      parameters: { predicate: '[]', zOrderBy: '[]' },
      read: { files, wouldRead: () => false },
    };
  });
}
