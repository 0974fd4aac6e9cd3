/** What a table lost and gained between two versions, row by row, reading only the files that both do not share. */
import { checkoutScan, type AddFile, type Snapshot } from '../delta/index.js';
import { nameOf, tableOf, type LakeReader, type TableName } from './tables.js';
import type { QueryResult } from './query.js';

export interface VersionDiff {
  readonly table: string;
  readonly from: number;
  readonly to: number;
  readonly lost: DiffSide;
  readonly gained: DiffSide;
}

export interface DiffSide {
  /** Rows, equal ones counted each. */
  readonly total: number;
  readonly sample: Pick<QueryResult, 'columns' | 'rows'>;
}

/**
 * Compares two versions; `to` is the newest where it is not given. A column that one of them lacks is NULL there. Throws
 * DELTA_TABLE_NOT_FOUND, DELTA_VERSION_NOT_FOUND.
 */
export async function diffVersions(
  lake: LakeReader,
  name: TableName,
  options: { readonly from: number; readonly to?: number; readonly limit: number },
): Promise<VersionDiff> {
  const table = tableOf(lake, name);
  const before = await table.snapshot({ version: options.from });
  const after = await table.snapshot(options.to === undefined ? undefined : { version: options.to });
  const scans = [
    await checkoutScan(table.store, before, { files: without(before, after) }),
    await checkoutScan(table.store, after, { files: without(after, before) }),
  ] as const;
  try {
    const session = await lake.engine.open({ inputs: scans.flatMap(({ inputs }) => inputs) });
    try {
      const [old, fresh] = scans.map(({ plan }) => `SELECT * FROM ${lake.engine.relation(plan)}`);
      // By name, so that each side has the columns of both.
      await session.run(
        `CREATE TABLE old_rows AS ${old} UNION ALL BY NAME (${fresh} WHERE false); ` +
          `CREATE TABLE new_rows AS ${fresh} UNION ALL BY NAME (${old} WHERE false)`,
      );
      const side = async (some: string, other: string): Promise<DiffSide> => {
        const columns = await session.describe(`SELECT * FROM ${some}`);
        const names = columns.map((column) => `"${column.name.replaceAll('"', '""')}"`).join(', ');
        const rows = `SELECT ${names} FROM ${some} EXCEPT ALL SELECT ${names} FROM ${other}`;
        const [count] = await session.rows<{ n: bigint }>(`SELECT count(*) AS n FROM (${rows})`);
        const found = await session.rows<Record<string, unknown>>(
          `${rows} ORDER BY ALL LIMIT ${options.limit}`,
        );
        const cells = found.map((row) => columns.map((column) => row[column.name]));
        return { total: Number(count?.n ?? 0n), sample: { columns, rows: cells } };
      };
      return {
        ...{ table: nameOf(name), from: before.version, to: after.version },
        lost: await side('old_rows', 'new_rows'),
        gained: await side('new_rows', 'old_rows'),
      };
    } finally {
      await session.close();
    }
  } finally {
    for (const scan of scans) scan.release();
  }
}

/** Files of one version that the other does not have as they are, deleted rows included. */
function without(some: Snapshot, other: Snapshot): AddFile[] {
  const known = new Map(other.files.map((file) => [file.path, vectorOf(file)]));
  return some.files.filter((file) => known.get(file.path) !== vectorOf(file));
}

function vectorOf({ deletionVector }: AddFile): string {
  return JSON.stringify(deletionVector ?? null);
}
