/** The data files of a table and its partitions, page by page, from the log alone. */
import type { AddFile } from '../delta/index.js';
import { tableOf, type LakeReader, type TableName } from './tables.js';

const MB = 1_000_000;
/** A file below this is small: OPTIMIZE packs it. */
const SMALL_MB = 32;
const SIZES: ReadonlyArray<number | null> = [MB / 10, MB, 8 * MB, SMALL_MB * MB, 128 * MB, 512 * MB, null];

export interface Page {
  readonly limit: number;
  readonly offset: number;
}

/** Files, the smallest or the largest first, and how their sizes are spread. Throws DELTA_TABLE_NOT_FOUND. */
export async function tableFiles(
  lake: LakeReader,
  name: TableName,
  { limit, offset, order }: Page & { readonly order: 'smallest' | 'largest' | 'newest' },
) {
  const { files } = await tableOf(lake, name).snapshot();
  const by = {
    smallest: (a: AddFile, b: AddFile) => a.size - b.size,
    largest: (a: AddFile, b: AddFile) => b.size - a.size,
    newest: (a: AddFile, b: AddFile) => b.modificationTime - a.modificationTime,
  }[order];
  const small = files.filter(({ size }) => size < SMALL_MB * MB);
  return {
    total: files.length,
    sizes: SIZES.map((upTo, index) => {
      const from = SIZES[index - 1] ?? 0;
      const own = files.filter(({ size }) => size >= from && (upTo === null || size < upTo));
      return { upTo, files: own.length, bytes: sumOf(own) };
    }),
    small: { files: small.length, bytes: sumOf(small), belowMb: SMALL_MB },
    rows: [...files]
      .sort(by)
      .slice(offset, offset + limit)
      .map((file) => ({
        path: file.path,
        bytes: file.size,
        rows: rowsOf(file),
        deletedRows: file.deletionVector?.cardinality ?? 0,
        modifiedAt: new Date(file.modificationTime).toISOString(),
        partition: { ...file.partitionValues },
      })),
  };
}

/** Partitions by their values; none where the table is not partitioned. Throws DELTA_TABLE_NOT_FOUND. */
export async function tablePartitions(lake: LakeReader, name: TableName, { limit, offset }: Page) {
  const { files, partitionColumns } = await tableOf(lake, name).snapshot();
  const groups = new Map<string, AddFile[]>();
  if (partitionColumns.length > 0)
    for (const file of files) {
      const key = JSON.stringify(partitionColumns.map((column) => file.partitionValues[column] ?? null));
      const group = groups.get(key);
      if (group) group.push(file);
      else groups.set(key, [file]);
    }
  const keys = [...groups.keys()].sort().reverse();
  return {
    columns: [...partitionColumns],
    total: keys.length,
    rows: keys.slice(offset, offset + limit).map((key) => {
      const own = groups.get(key) ?? [];
      const counts = own.map(rowsOf);
      return {
        values: { ...own[0]?.partitionValues },
        files: own.length,
        bytes: sumOf(own),
        rows: counts.reduce((sum, rows) => (sum === null || rows === null ? null : sum + rows), 0),
        changedAt: new Date(
          own.reduce((newest, file) => Math.max(newest, file.modificationTime), 0),
        ).toISOString(),
      };
    }),
  };
}

const sumOf = (files: readonly AddFile[]): number => files.reduce((sum, { size }) => sum + size, 0);

/** By the statistics in the log; null where there are none. */
function rowsOf({ stats, deletionVector }: AddFile): number | null {
  const rows = stats === undefined ? undefined : (JSON.parse(stats) as { numRecords?: number }).numRecords;
  return rows === undefined ? null : rows - (deletionVector?.cardinality ?? 0);
}
