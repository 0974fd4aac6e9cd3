/** Reads a lake table as an outsider would: its Delta log names the files, DuckDB reads them. */
import { DuckDBInstance } from '@duckdb/node-api';
import { openObjectStore } from '../../src/connectors/object-store/index.js';
import { checkoutScan, DeltaTable } from '../../src/delta/index.js';
import type { TestStack } from './stack.js';
import type { OwnLake } from './worker-process.js';

/** `select` is given what goes after FROM. Values arrive as DuckDB's JSON: BIGINT and DATE as text. */
export async function queryLake<Row extends object>(
  stack: TestStack,
  lake: OwnLake,
  table: string,
  select: (from: string) => string,
): Promise<Row[]> {
  const store = openObjectStore(lake.lakeUri, {
    s3: stack.s3,
    cacheDirectory: lake.env['DATALAB_CACHE_DIRECTORY'] ?? '',
    cacheBytes: 2 ** 30,
  }).at(table);
  const scan = await checkoutScan(store, await new DeltaTable(store).snapshot());
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const files = scan.inputs.map((file) => `'${file}'`).join(', ');
    const reader = await connection.runAndReadAll(select(`read_parquet([${files}])`));
    return reader.getRowObjectsJson() as Row[];
  } finally {
    connection.closeSync();
    scan.release();
  }
}
