/** Reading rows as a stream of Arrow record batches, a group of files at a time. */
import type { RecordBatch } from 'apache-arrow';
import type { AddFile } from '../actions.js';
import type { Snapshot, TableHandle } from '../api.js';
import { arrowSchema, recordBatch } from '../arrow.js';
import { quoteName } from '../checkpoint-parquet.js';
import { DeltaError } from '../errors.js';
import { prune } from '../prune.js';
import { checkoutScan } from '../scan.js';
import { requireEngine } from '../scratch.js';
import type { StructType } from '../schema.js';
import { requireCondition } from './rewrite.js';

export interface ReadOptions {
  /** The version or the time to read; the newest by default. */
  readonly at?: { readonly version: number } | { readonly timestampMs: number };
  /** Columns to read, in the table's order; all by default. */
  readonly columns?: readonly string[];
  /** SQL condition; only rows for which it is TRUE. */
  readonly where?: string;
  readonly signal?: AbortSignal;
}

/** Local copies at a time: what lies on the disk at once is bounded by it. */
const FILES_AT_ONCE = 32;

/**
 * The rows of one version, in no particular order. Ends with the last row; nothing is held when it is left early. Throws
 * DELTA_TABLE_NOT_FOUND, DELTA_VERSION_NOT_FOUND, DELTA_SCHEMA_INVALID (no such column), DELTA_EXPRESSION_INVALID.
 */
export async function* read(
  table: TableHandle,
  options: ReadOptions = {},
): AsyncGenerator<RecordBatch, void> {
  const snapshot = await table.snapshot(options.at);
  const { whole, some } = await prune(snapshot, options.where);
  const files = [...whole, ...some];
  const schema = narrowed(snapshot, options.columns, table.store.uri);
  if (files.length === 0) {
    yield* readFiles(table, snapshot, [], schema, options);
    return;
  }
  for (let done = 0; done < files.length; done += FILES_AT_ONCE) {
    yield* readFiles(table, snapshot, files.slice(done, done + FILES_AT_ONCE), schema, options);
  }
}

function narrowed({ schema }: Snapshot, columns: readonly string[] | undefined, where: string): StructType {
  if (!columns) return schema;
  const unknown = columns.find((name) => !schema.fields.some((field) => field.name === name));
  if (unknown !== undefined)
    throw new DeltaError('DELTA_SCHEMA_INVALID', `${where} has no column '${unknown}'`);
  return { ...schema, fields: schema.fields.filter(({ name }) => columns.includes(name)) };
}

async function* readFiles(
  { store, deps }: TableHandle,
  snapshot: Snapshot,
  files: readonly AddFile[],
  schema: StructType,
  { where, signal }: ReadOptions,
): AsyncGenerator<RecordBatch, void> {
  const engine = requireEngine(deps, store.uri);
  const how = signal ? { signal } : {};
  const scan = await checkoutScan(store, snapshot, { files, ...how });
  try {
    const session = await engine.open({ inputs: scan.inputs, ...how });
    try {
      const relation = engine.relation(scan.plan);
      if (where !== undefined) await requireCondition(session, relation, where);
      const columns = schema.fields.map(({ name }) => quoteName(name)).join(', ');
      const filter = where === undefined ? '' : ` WHERE (\n${where}\n)`;
      const arrow = arrowSchema(schema);
      for await (const batch of session.stream(`SELECT ${columns} FROM ${relation}${filter}`)) {
        yield recordBatch(arrow, schema, batch);
      }
    } finally {
      await session.close();
    }
  } finally {
    scan.release();
  }
}
