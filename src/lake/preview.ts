/** A look into a table: some rows of any version. */
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
function enoughFor(files: Iterable<AddFile>, rows: number): AddFile[] {
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
