/** Appending a few rows without the engine, for tables of records. */
import type { Action } from './actions.js';
import type { Snapshot } from './api.js';
import { changeTableActions, createTableActions } from './create.js';
import { DeltaError } from './errors.js';
import type { RowParquet, RowValue } from './ports.js';
import type { StructField, StructType } from './schema.js';
import { stageBytes } from './stage.js';
import type { DeltaTable } from './table.js';

export type Row = Readonly<Record<string, RowValue>>;

export interface AppendRowsOptions {
  /** Columns of these rows. The table gets those that it lacks, as nullable ones. */
  readonly schema: StructType;
  /** Makes the append once only: where the table knows this transaction already, nothing is written. */
  readonly transaction?: { readonly appId: string; readonly version: number };
  readonly operation?: string;
  /** Own fields of `commitInfo`. */
  readonly info?: Readonly<Record<string, unknown>>;
}

/** `repeated`: the transaction was there already. `empty`: there were no rows. */
export type AppendRowsResult =
  { readonly status: 'appended' | 'repeated'; readonly version: number } | { readonly status: 'empty' };

const ROUNDS_MAX = 20;

/**
 * Appends rows to a table without partitions, making it and adding columns to it where needed. Other appends at the
 * same time do not disturb. Throws DELTA_SCHEMA_INVALID (a column has another type in the table),
 * DELTA_VALUE_UNSUPPORTED (NULL in a required column), DELTA_COMMIT_CONTENDED.
 */
export async function appendRows(
  table: DeltaTable,
  port: RowParquet,
  rows: readonly Row[],
  options: AppendRowsOptions,
): Promise<AppendRowsResult> {
  const { schema, transaction, info } = options;
  const { clock, newId } = table.deps;
  requireValues(schema, rows, table.store.uri);
  const known = (base: Snapshot | null): boolean =>
    transaction !== undefined && (base?.transaction(transaction.appId)?.version ?? -1) >= transaction.version;
  let base = await table.snapshotIfExists();
  if (base && known(base)) return { status: 'repeated', version: base.version };
  if (rows.length === 0) return { status: 'empty' };
  const file = await port.write(schema, rows);
  const add = await stageBytes(table.store, file, { schema, partitionValues: {}, clock, newId });
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const change = base
      ? changeTableActions(base, { schema: widenSchema(base.schema, schema, table.store.uri) })
      : createTableActions({ schema, partitionColumns: [], configuration: {}, clock, newId });
    const txn: Action[] = transaction ? [{ txn: { ...transaction, lastUpdated: clock.nowMs() } }] : [];
    const result = await table.commit({
      base,
      actions: [...change, { add }, ...txn],
      operation: options.operation ?? 'WRITE',
      operationParameters: { mode: 'Append', partitionBy: '[]' },
      operationMetrics: { numFiles: '1', numOutputRows: String(rows.length) },
      read: 'nothing',
      ...(info ? { info } : {}),
    });
    if (result.status === 'committed') return { status: 'appended', version: result.version };
    base = await table.snapshotIfExists();
    if (base && known(base)) return { status: 'repeated', version: base.version };
  }
  throw new DeltaError(
    'DELTA_COMMIT_CONTENDED',
    `${table.store.uri}: ${ROUNDS_MAX} changes of the table came first`,
  );
}

/** The table's columns, then those that only the rows have, as nullable ones. Throws DELTA_SCHEMA_INVALID. */
export function widenSchema(current: StructType, wanted: StructType, where: string): StructType {
  const byName = new Map(current.fields.map((field) => [field.name.toLowerCase(), field]));
  const added: StructField[] = [];
  for (const field of wanted.fields) {
    const known = byName.get(field.name.toLowerCase());
    if (!known) {
      added.push({ ...field, nullable: true });
      continue;
    }
    if (known.name !== field.name || typeText(known) !== typeText(field)) {
      throw new DeltaError(
        'DELTA_SCHEMA_INVALID',
        `${where} has the column '${known.name}' as ${typeText(known)}, the rows have '${field.name}' as ${typeText(field)}`,
      );
    }
  }
  const missing = current.fields.find(
    (field) => !field.nullable && !wanted.fields.some(({ name }) => name === field.name),
  );
  if (missing) {
    throw new DeltaError(
      'DELTA_SCHEMA_INVALID',
      `${where} requires column '${missing.name}', the rows lack it`,
    );
  }
  return added.length === 0 ? current : { type: 'struct', fields: [...current.fields, ...added] };
}

function typeText({ type }: StructField): string {
  return typeof type === 'string' ? type : JSON.stringify(type);
}

function requireValues(schema: StructType, rows: readonly Row[], where: string): void {
  for (const { name, nullable } of schema.fields) {
    if (nullable) continue;
    const index = rows.findIndex((row) => row[name] === null || row[name] === undefined);
    if (index >= 0) {
      throw new DeltaError(
        'DELTA_VALUE_UNSUPPORTED',
        `row ${index} for ${where} has no '${name}', which is required`,
      );
    }
  }
  const names = new Set(schema.fields.map(({ name }) => name));
  for (const row of rows) {
    const extra = Object.keys(row).find((name) => !names.has(name));
    if (extra !== undefined) {
      throw new DeltaError(
        'DELTA_SCHEMA_INVALID',
        `a row for ${where} has '${extra}', which its schema lacks`,
      );
    }
  }
}
