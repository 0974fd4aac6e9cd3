/** Schemas of the layers, and the engine's types as Delta's. */
import type { ColumnType, DatasetDefinition } from '../contracts/dataset.js';
import { DatalabError } from '../contracts/errors.js';
import { deltaTypeOf } from '../delta/engine-type.js';
import { DeltaError } from '../delta/errors.js';
import type { DataType, StructField, StructType } from '../delta/schema.js';

/** Where a row came from and when: every Bronze and Silver row carries these. */
export const LINEAGE_COLUMNS = [
  '_source_id',
  '_source_file',
  '_source_line',
  '_source_modified_at',
  '_ingested_at',
  '_run_id',
] as const;

const LINEAGE: readonly StructField[] = [
  field('_source_id', 'string'),
  field('_source_file', 'string'),
  field('_source_line', 'long'),
  field('_source_modified_at', 'timestamp'),
  field('_ingested_at', 'timestamp'),
  field('_run_id', 'string'),
];

/**
 * Refused rows of every layer. `layer` is the partition column: it is in the log and not in the files. `rule` is a code
 * that programs can count by, `reason` a sentence, `raw` the line or row as text (NULL where a whole file was refused).
 */
export const QUARANTINE_SCHEMA: StructType = {
  type: 'struct',
  fields: [
    field('_source_id', 'string'),
    field('_source_file', 'string'),
    field('_source_line', 'long'),
    field('layer', 'string'),
    field('rule', 'string'),
    field('reason', 'string'),
    field('raw', 'string'),
    field('_ingested_at', 'timestamp'),
    field('_run_id', 'string'),
  ],
};

/**
 * The Bronze table of a dataset: its declared columns, `_extra` (a JSON object with what the source has besides them, or
 * NULL), then {@link LINEAGE_COLUMNS}.
 */
export function bronzeSchema(dataset: DatasetDefinition): StructType {
  const declared = dataset.columns.map((column) => field(column.name, column.type, column.description));
  return { type: 'struct', fields: [...declared, field('_extra', 'string'), ...LINEAGE] };
}

/** Columns and engine types, as `EngineSession.describe` gives them, as a Delta schema. Every field is nullable. */
export function schemaOf(columns: ReadonlyArray<{ name: string; type: string }>): StructType {
  return { type: 'struct', fields: columns.map(({ name, type }) => field(name, deltaType(type))) };
}

/**
 * The Delta type of an engine type as it writes it: `DECIMAL(9,2)`, `STRUCT("a" INTEGER)[]`, `MAP(VARCHAR, DOUBLE)`.
 * Throws ENGINE_TYPE_UNSUPPORTED for types that Delta lacks (unsigned and 128-bit integers, TIME, INTERVAL, UUID, …).
 */
export function deltaType(engineType: string): DataType {
  if (/^ENUM\(.*\)$/s.test(engineType.trim())) return 'string';
  try {
    return deltaTypeOf(engineType);
  } catch (error) {
    if (!(error instanceof DeltaError)) throw error;
    throw new DatalabError('ENGINE_TYPE_UNSUPPORTED', error.message, { cause: error });
  }
}

function field(name: string, type: ColumnType | DataType, comment?: string): StructField {
  return { name, type, nullable: true, metadata: comment === undefined ? {} : { comment } };
}
