/** The data files of a table and its partitions, page by page, from the log alone. */
import { partitionKeyOf, physicalName, sharedValues, type AddFile, type Snapshot } from '../delta/index.js';
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
  const snapshot = await tableOf(lake, name).snapshot();
  const { files } = snapshot;
  const valuesOf = partitionValuesOf(snapshot);
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
        partition: valuesOf(file.partitionValues),
      })),
  };
}

/** Partitions by their values; none where the table is not partitioned. Throws DELTA_TABLE_NOT_FOUND. */
export async function tablePartitions(lake: LakeReader, name: TableName, { limit, offset }: Page) {
  const snapshot = await tableOf(lake, name).snapshot();
  const { files, partitionColumns } = snapshot;
  const keyOf = partitionKeyOf(snapshot);
  const valuesOf = partitionValuesOf(snapshot);
  const groups = new Map<string, AddFile[]>();
  if (partitionColumns.length > 0)
    for (const file of files) {
      const key = keyOf(file);
      const group = groups.get(key);
      if (group) group.push(file);
      else groups.set(key, [file]);
    }
  const partitions = [...groups.values()]
    .map((own) => {
      const values = valuesOf(sharedValues(own));
      return { own, values, text: JSON.stringify(Object.values(values)) };
    })
    .sort((left, right) => (left.text < right.text ? 1 : -1));
  return {
    columns: [...partitionColumns],
    total: partitions.length,
    rows: partitions.slice(offset, offset + limit).map(({ own, values }) => {
      const counts = own.map(rowsOf);
      return {
        values,
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

type Values = Readonly<Record<string, string | null>>;

/** A file's partition values by the names that the table's users know, which its log may not. */
function partitionValuesOf(snapshot: Snapshot): (values: Values) => Record<string, string | null> {
  const names = snapshot.partitionColumns.map((name): [string, string] => {
    const field = snapshot.schema.fields.find((each) => each.name === name);
    return [name, field ? physicalName(snapshot, field) : name];
  });
  return (values) => Object.fromEntries(names.map(([name, physical]) => [name, values[physical] ?? null]));
}

const sumOf = (files: readonly AddFile[]): number => files.reduce((sum, { size }) => sum + size, 0);

/** By the statistics in the log; null where there are none. */
function rowsOf({ stats, deletionVector }: AddFile): number | null {
  const rows = stats === undefined ? undefined : (JSON.parse(stats) as { numRecords?: number }).numRecords;
  return rows === undefined ? null : rows - (deletionVector?.cardinality ?? 0);
}
