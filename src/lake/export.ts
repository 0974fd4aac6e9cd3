/** The result of a SELECT as a file to take away: Parquet by the engine, Arrow by the batch. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Table, tableToIPC, type RecordBatch } from 'apache-arrow';
import { DatalabError } from '../contracts/errors.js';
import { identifier } from '../contracts/sql-text.js';
import { arrowSchema, recordBatch, type DataType, type StructType } from '../delta/index.js';
import { withSelect, type QueryOptions, type QueryResult } from './query.js';
import type { LakeReader } from './tables.js';

export const EXPORT_FORMATS = ['parquet', 'arrow'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface ExportResult {
  readonly bytes: Uint8Array;
  readonly rows: number;
  readonly tables: QueryResult['tables'];
}

/**
 * Runs one SELECT and returns the file's bytes, of at most `limit` rows. What neither format has a type for (intervals,
 * UUIDs, nested values, …) is text in it; integers of more than 64 bits are decimals. Throws as {@link queryLake} does,
 * and INPUT_INVALID where there is no row to write.
 */
export async function exportLake(
  lake: LakeReader,
  sql: string,
  { limit, signal, format }: QueryOptions & { readonly format: ExportFormat },
): Promise<ExportResult> {
  const folder = await mkdtemp(path.join(tmpdir(), 'datalab-export-'));
  try {
    const options = { outputDirectory: folder, ...(signal && { signal }) };
    return await withSelect(lake, sql, options, async (session, select, tables) => {
      const columns = (await session.describe(select)).map(portable);
      const shown = columns.map(({ name, cast }) => {
        const quoted = identifier(name);
        return cast === null ? quoted : `CAST(${quoted} AS ${cast}) AS ${quoted}`;
      });
      const cut = `SELECT ${shown.join(', ')} FROM (\n${select}\n) LIMIT ${limit}`;
      if (format === 'parquet') {
        const file = await session.writeParquet(cut, 'query.parquet');
        if (!file) throw new DatalabError('INPUT_INVALID', 'the result has no row to write');
        return { bytes: await readFile(file.localPath), rows: file.rows, tables };
      }
      const schema: StructType = {
        type: 'struct',
        fields: columns.map(({ name, type }) => ({ name, type, nullable: true, metadata: {} })),
      };
      const arrow = arrowSchema(schema);
      const batches: RecordBatch[] = [];
      for await (const batch of session.stream(cut)) batches.push(recordBatch(arrow, schema, batch));
      const table = new Table(arrow, batches);
      return { bytes: tableToIPC(table, 'file'), rows: table.numRows, tables };
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const TYPES: Readonly<Record<string, DataType>> = {
  BIGINT: 'long',
  INTEGER: 'integer',
  SMALLINT: 'short',
  TINYINT: 'byte',
  DOUBLE: 'double',
  FLOAT: 'float',
  BOOLEAN: 'boolean',
  VARCHAR: 'string',
  BLOB: 'binary',
  DATE: 'date',
  TIMESTAMP: 'timestamp_ntz',
  'TIMESTAMP WITH TIME ZONE': 'timestamp',
};
const WIDER: Readonly<Record<string, readonly [DataType, string]>> = {
  UTINYINT: ['short', 'SMALLINT'],
  USMALLINT: ['integer', 'INTEGER'],
  UINTEGER: ['long', 'BIGINT'],
  UBIGINT: ['decimal(20,0)', 'DECIMAL(20,0)'],
  HUGEINT: ['decimal(38,0)', 'DECIMAL(38,0)'],
};

/** A column as both formats can carry it, and the cast that it takes; null: as it is. */
function portable({ name, type }: { name: string; type: string }): {
  name: string;
  type: DataType;
  cast: string | null;
} {
  const same = TYPES[type];
  if (same !== undefined) return { name, type: same, cast: null };
  const decimal = /^DECIMAL\((\d+),\s*(\d+)\)$/.exec(type);
  if (decimal) return { name, type: `decimal(${decimal[1]},${decimal[2]})` as DataType, cast: null };
  const [wider, cast] = WIDER[type] ?? (['string', 'VARCHAR'] as const);
  return { name, type: wider, cast };
}
