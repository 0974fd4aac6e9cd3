/** The first actions of a table, and the change of its schema or properties. */
import type { Action, Metadata, Protocol } from './actions.js';
import type { Snapshot } from './api.js';
import { DeltaError } from './errors.js';
import type { Clock } from './ports.js';
import { protocolFor } from './protocol.js';
import { checkSchema, serialiseSchema } from './schema-json.js';
import type { StructType } from './schema.js';

export interface CreateTableOptions {
  readonly schema: StructType;
  readonly partitionColumns: readonly string[];
  /** Table properties, `delta.…` or our own. */
  readonly configuration: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly name?: string;
  readonly description?: string;
}

/** Types whose values have no text that could be a partition value. */
const UNSAFE_PARTITION_TYPES = new Set(['variant', 'void']);

/** `[protocol, metaData]`, on the weakest protocol that the schema needs. Throws DELTA_SCHEMA_INVALID. */
export function createTableActions(options: CreateTableOptions): Action[] {
  const { schema, partitionColumns, configuration, clock, newId, name, description } = options;
  checkSchema(schema);
  for (const column of partitionColumns) {
    const type = schema.fields.find((field) => field.name === column)?.type;
    if (type === undefined) {
      throw new DeltaError('DELTA_SCHEMA_INVALID', `partition column '${column}' is not in the schema`);
    }
    if (typeof type !== 'string' || UNSAFE_PARTITION_TYPES.has(type)) {
      throw new DeltaError(
        'DELTA_SCHEMA_INVALID',
        `column '${column}' cannot partition the table by its type`,
      );
    }
  }
  const metaData: Metadata = {
    id: newId(),
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    format: { provider: 'parquet', options: {} },
    schemaString: serialiseSchema(schema),
    partitionColumns,
    configuration,
    createdTime: clock.nowMs(),
  };
  return [{ protocol: protocolFor(schema) }, { metaData }];
}

/**
 * What turns the base's schema and properties into those asked for: nothing, `[metaData]`, or `[protocol, metaData]`
 * where a new column needs a newer protocol. Properties that are not named stay.
 */
export function changeTableActions(
  base: Snapshot,
  change: { readonly schema?: StructType; readonly configuration?: Readonly<Record<string, string>> },
): Action[] {
  const schema = change.schema ?? base.schema;
  checkSchema(schema);
  const configuration = { ...base.metadata.configuration, ...change.configuration };
  const sameSchema = serialiseSchema(schema) === serialiseSchema(base.schema);
  const sameProperties = Object.entries(configuration).every(
    ([key, value]) => base.metadata.configuration[key] === value,
  );
  if (sameSchema && sameProperties) return [];
  const metaData = { ...base.metadata, schemaString: serialiseSchema(schema), configuration };
  const protocol = widenProtocol(base.protocol, protocolFor(schema));
  return protocol ? [{ protocol }, { metaData }] : [{ metaData }];
}

/** The base's protocol with the features of the other added; undefined where it has them. Features are never dropped. */
function widenProtocol(base: Protocol, wanted: Protocol): Protocol | undefined {
  const missing = (wanted.readerFeatures ?? []).filter((name) => !base.readerFeatures?.includes(name));
  if (missing.length === 0) return undefined;
  if (base.minWriterVersion > 2 && base.minWriterVersion < 7) {
    throw new DeltaError(
      'DELTA_WRITE_UNSUPPORTED',
      `a table of writer version ${base.minWriterVersion} cannot be given the feature ${missing.join(', ')} here`,
    );
  }
  const union = (a: readonly string[] = [], b: readonly string[] = []): string[] => [
    ...new Set([...a, ...b]),
  ];
  return {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: union(base.readerFeatures, wanted.readerFeatures),
    writerFeatures: union(base.writerFeatures, wanted.writerFeatures),
  };
}
