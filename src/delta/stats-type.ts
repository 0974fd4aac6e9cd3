/** The type of statistics as columns of a checkpoint. */
import type { Snapshot } from './api.js';
import { quoteName } from './checkpoint-parquet.js';
import { physicalName } from './physical-name.js';
import type { Engine } from './ports.js';
import { decimalOf } from './schema-json.js';
import type { DataType, StructField } from './schema.js';
import { indexedFields } from './stats.js';
import type { TableProperties } from './table-properties.js';

/** Types whose bounds mean nothing, or are not written. */
const WITHOUT_BOUNDS = new Set<unknown>(['boolean', 'binary', 'variant', 'void']);

/** SQL type of `stats_parsed`, by physical names, for the columns that have statistics. */
export function parsedStatsType(engine: Engine, snapshot: Snapshot, properties: TableProperties): string {
  const nameOf = (field: StructField): string => physicalName(snapshot, field);
  const bounds = (field: StructField): string | undefined =>
    member(field, nameOf, (type) => (hasBounds(type) ? engine.sqlType(type) : undefined));
  const nulls = (field: StructField): string | undefined => member(field, nameOf, () => 'BIGINT');
  const fields = indexedFields(snapshot.schema, snapshot.partitionColumns, properties);
  const members = ['numRecords BIGINT'];
  for (const [name, typeOf] of [
    ['minValues', bounds],
    ['maxValues', bounds],
    ['nullCount', nulls],
  ] as const) {
    const columns = fields.flatMap((field) => typeOf(field) ?? []);
    if (columns.length > 0) members.push(`${name} STRUCT(${columns.join(', ')})`);
  }
  return `STRUCT(${members.join(', ')}, tightBounds BOOLEAN)`;
}

/** The engine reads numbers of JSON as doubles: of a decimal with more digits than those hold it would make another. */
const EXACT_DIGITS = 15;

function hasBounds(type: DataType): boolean {
  return !WITHOUT_BOUNDS.has(type) && (decimalOf(type)?.precision ?? 0) <= EXACT_DIGITS;
}

/** A column with its type, members of structs included; lists and maps have no statistics. */
function member(
  field: StructField,
  nameOf: (field: StructField) => string,
  leaf: (type: DataType) => string | undefined,
): string | undefined {
  const type = typeOfMember(field.type, nameOf, leaf);
  return type && `${quoteName(nameOf(field))} ${type}`;
}

function typeOfMember(
  type: DataType,
  nameOf: (field: StructField) => string,
  leaf: (type: DataType) => string | undefined,
): string | undefined {
  if (typeof type === 'string') return leaf(type);
  if (type.type !== 'struct') return undefined;
  const members = type.fields.flatMap((field) => member(field, nameOf, leaf) ?? []);
  return members.length > 0 ? `STRUCT(${members.join(', ')})` : undefined;
}
