/** A look into a table: some rows of any version, and what each column holds. */
import { checkoutScan, type AddFile } from '../delta/index.js';
import { nameOf, tableOf, type LakeReader, type TableName } from './tables.js';
import type { QueryResult } from './query.js';

/** Rows in the order of the files; only as many files are read as the rows need. Throws DELTA_VERSION_NOT_FOUND. */
export async function previewTable(
  lake: LakeReader,
  name: TableName,
  { version, limit }: { readonly version?: number | undefined; readonly limit: number },
): Promise<QueryResult> {
  const table = tableOf(lake, name);
  const snapshot = await table.snapshot(version === undefined ? undefined : { version });
  const files = enoughFor(snapshot.files, limit + 1);
  const scan = await checkoutScan(table.store, snapshot, { files });
  try {
    const session = await lake.engine.open({ inputs: scan.inputs });
    try {
      const select = `SELECT * FROM ${lake.engine.relation(scan.plan)}`;
      const columns = await session.describe(select);
      const found = await session.rows<Record<string, unknown>>(`${select} LIMIT ${limit + 1}`);
      return {
        columns,
        rows: found.slice(0, limit).map((row) => columns.map((column) => row[column.name])),
        truncated: found.length > limit || files.length < snapshot.files.length,
        tables: [{ name: nameOf(name), version: snapshot.version }],
      };
    } finally {
      await session.close();
    }
  } finally {
    scan.release();
  }
}

/** The first files that hold so many rows; one without statistics counts as none. */
function enoughFor(files: readonly AddFile[], rows: number): AddFile[] {
  const chosen: AddFile[] = [];
  let known = 0;
  for (const file of files) {
    if (known >= rows) break;
    chosen.push(file);
    const count =
      file.stats === undefined ? 0 : ((JSON.parse(file.stats) as { numRecords?: number }).numRecords ?? 0);
    known += Math.max(0, count - (file.deletionVector?.cardinality ?? 0));
  }
  return chosen;
}

export interface ColumnProfile {
  readonly name: string;
  readonly type: string;
  readonly nulls: number;
  /** By HyperLogLog: about. */
  readonly distinct: number;
  readonly min: string | null;
  readonly max: string | null;
}

export interface TableProfile {
  readonly table: string;
  readonly version: number;
  /** Rows that were read: all, or those of the first files of a large table. */
  readonly rows: number;
  readonly complete: boolean;
  readonly columns: readonly ColumnProfile[];
}

/** A profile of more than this would take the machine for itself. */
const PROFILE_BYTES_MAX = 512 * 2 ** 20;

/** Reads the table, or as much of it as may be read for a look. */
export async function profileTable(lake: LakeReader, name: TableName): Promise<TableProfile> {
  const table = tableOf(lake, name);
  const snapshot = await table.snapshot();
  const files: AddFile[] = [];
  for (let bytes = 0; files.length < snapshot.files.length;) {
    const file = snapshot.files[files.length] as AddFile;
    bytes += file.size;
    if (files.length > 0 && bytes > PROFILE_BYTES_MAX) break;
    files.push(file);
  }
  const scan = await checkoutScan(table.store, snapshot, { files });
  try {
    const session = await lake.engine.open({ inputs: scan.inputs });
    try {
      const select = `SELECT * FROM ${lake.engine.relation(scan.plan)}`;
      const columns = await session.describe(select);
      const figures = columns.flatMap(({ name: column, type }, index) => {
        const quoted = `"${column.replaceAll('"', '""')}"`;
        const ordered = !/\[|STRUCT|MAP|BLOB/.test(type);
        const edge = (fold: string): string =>
          ordered ? `left(CAST(${fold}(${quoted}) AS VARCHAR), 80)` : 'NULL';
        return [
          `count(*) - count(${quoted}) AS nulls_${index}`,
          `approx_count_distinct(${ordered ? quoted : `CAST(${quoted} AS VARCHAR)`}) AS distinct_${index}`,
          `${edge('min')} AS min_${index}`,
          `${edge('max')} AS max_${index}`,
        ];
      });
      const [row] = await session.rows<Record<string, unknown>>(
        `SELECT count(*) AS n, ${figures.join(', ')} FROM (${select})`,
      );
      const text = (key: string): string | null => (row?.[key] == null ? null : String(row[key]));
      return {
        table: nameOf(name),
        version: snapshot.version,
        rows: Number(row?.['n'] ?? 0),
        complete: files.length === snapshot.files.length,
        columns: columns.map(({ name: column, type }, index) => ({
          ...{ name: column, type },
          nulls: Number(row?.[`nulls_${index}`] ?? 0),
          distinct: Number(row?.[`distinct_${index}`] ?? 0),
          min: text(`min_${index}`),
          max: text(`max_${index}`),
        })),
      };
    } finally {
      await session.close();
    }
  } finally {
    scan.release();
  }
}
