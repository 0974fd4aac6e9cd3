/** What we can read and write of the protocol: one registry of table features. */
import type { Metadata, Protocol } from './actions.js';
import { DeltaError } from './errors.js';
import { someType } from './schema-json.js';
import type { StructField, StructType } from './schema.js';

interface Feature {
  /** Whether it stands in `readerFeatures` too. */
  readonly reader: boolean;
  readonly read: boolean;
  /**
   * `when-idle`: writing is allowed while the feature is listed but not in use by the table; `when-checked`: also while it
   * is in use, by operations that check every row that they write.
   */
  readonly write: 'yes' | 'no' | 'when-idle' | 'when-checked';
  /** Versions that imply it for tables without feature lists. */
  readonly legacyReader?: number;
  readonly legacyWriter?: number;
}

export const FEATURES: Readonly<Record<string, Feature>> = {
  appendOnly: { reader: false, read: true, write: 'yes', legacyWriter: 2 },
  invariants: { reader: false, read: true, write: 'when-checked', legacyWriter: 2 },
  checkConstraints: { reader: false, read: true, write: 'when-checked', legacyWriter: 3 },
  changeDataFeed: { reader: false, read: true, write: 'when-idle', legacyWriter: 4 },
  generatedColumns: { reader: false, read: true, write: 'when-idle', legacyWriter: 4 },
  columnMapping: { reader: true, read: true, write: 'when-idle', legacyReader: 2, legacyWriter: 5 },
  identityColumns: { reader: false, read: true, write: 'when-idle', legacyWriter: 6 },
  timestampNtz: { reader: true, read: true, write: 'yes' },
  deletionVectors: { reader: true, read: true, write: 'yes' },
  v2Checkpoint: { reader: true, read: true, write: 'yes' },
  vacuumProtocolCheck: { reader: true, read: true, write: 'yes' },
  allowColumnDefaults: { reader: false, read: true, write: 'when-idle' },
  typeWidening: { reader: true, read: true, write: 'no' },
  'typeWidening-preview': { reader: true, read: true, write: 'no' },
  variantType: { reader: true, read: true, write: 'no' },
  'variantType-preview': { reader: true, read: true, write: 'no' },
  variantShredding: { reader: true, read: true, write: 'no' },
  'variantShredding-preview': { reader: true, read: true, write: 'no' },
  domainMetadata: { reader: false, read: true, write: 'no' },
  inCommitTimestamp: { reader: false, read: true, write: 'no' },
  'inCommitTimestamp-preview': { reader: false, read: true, write: 'no' },
  rowTracking: { reader: false, read: true, write: 'no' },
  clustering: { reader: false, read: true, write: 'no' },
  icebergCompatV1: { reader: false, read: true, write: 'no' },
  icebergCompatV2: { reader: false, read: true, write: 'no' },
  checkpointProtection: { reader: false, read: true, write: 'no' },
  collations: { reader: false, read: true, write: 'no' },
  'collations-preview': { reader: false, read: true, write: 'no' },
};

const READER_FEATURES_VERSION = 3;
const WRITER_FEATURES_VERSION = 7;

/** Throws DELTA_READ_UNSUPPORTED naming every feature that stands in the way, DELTA_LOG_INVALID for a broken protocol. */
export function checkReadable(protocol: Protocol, tableUri: string): void {
  const { minReaderVersion } = protocol;
  if (minReaderVersion > READER_FEATURES_VERSION || minReaderVersion < 1) {
    throw new DeltaError(
      'DELTA_READ_UNSUPPORTED',
      `${tableUri} needs reader version ${minReaderVersion}; versions 1 to ${READER_FEATURES_VERSION} are supported`,
    );
  }
  if (minReaderVersion !== READER_FEATURES_VERSION) return;
  const unsupported = (protocol.readerFeatures ?? []).filter((name) => !FEATURES[name]?.read);
  if (unsupported.length > 0) {
    throw new DeltaError(
      'DELTA_READ_UNSUPPORTED',
      `${tableUri} uses the reader features ${unsupported.join(', ')}, which are not supported`,
    );
  }
}

/**
 * Throws DELTA_WRITE_UNSUPPORTED naming what cannot be honoured. The table must be readable too. `rowsAreChecked`: no row
 * is added, or each was held against the table's constraints.
 */
export function checkWritable(
  protocol: Protocol,
  metadata: Metadata,
  schema: StructType,
  tableUri: string,
  rowsAreChecked = false,
): void {
  checkReadable(protocol, tableUri);
  if (protocol.minWriterVersion > WRITER_FEATURES_VERSION) {
    throw refusal(tableUri, `writer version ${protocol.minWriterVersion}`);
  }
  for (const name of writerFeatures(protocol)) {
    const feature = FEATURES[name];
    if (!feature || feature.write === 'no') throw refusal(tableUri, `the writer feature '${name}'`);
    if (feature.write === 'yes' || (feature.write === 'when-checked' && rowsAreChecked)) continue;
    if (IN_USE[name]?.(metadata, schema)) {
      throw refusal(tableUri, `the writer feature '${name}', which is in use`);
    }
  }
}

/**
 * Whether files may be deleted from such a table: every feature of it must be known, for an unknown one may refer to files
 * in ways of its own. Throws DELTA_WRITE_UNSUPPORTED, DELTA_READ_UNSUPPORTED.
 */
export function checkVacuumable(protocol: Protocol, tableUri: string): void {
  checkReadable(protocol, tableUri);
  if (protocol.minWriterVersion > WRITER_FEATURES_VERSION) {
    throw refusal(tableUri, `writer version ${protocol.minWriterVersion}`);
  }
  const unknown = writerFeatures(protocol).find((name) => FEATURES[name] === undefined);
  if (unknown !== undefined) throw refusal(tableUri, `the writer feature '${unknown}'`);
}

/** Features that a writer must honour: listed, or implied by the version. */
export function writerFeatures(protocol: Protocol): readonly string[] {
  if (protocol.minWriterVersion === WRITER_FEATURES_VERSION) return protocol.writerFeatures ?? [];
  return Object.entries(FEATURES)
    .filter(([, { legacyWriter }]) => legacyWriter !== undefined && legacyWriter <= protocol.minWriterVersion)
    .map(([name]) => name);
}

const hasFieldMetadata = (schema: StructType, test: (key: string) => boolean): boolean =>
  schema.fields.some((field) => fieldHas(field, test));

function fieldHas(field: StructField, test: (key: string) => boolean): boolean {
  if (Object.keys(field.metadata).some(test)) return true;
  return (
    typeof field.type !== 'string' &&
    someType({ type: 'struct', fields: [field] }, (type) =>
      typeof type !== 'string' && type.type === 'struct' ? hasFieldMetadata(type, test) : false,
    )
  );
}

/** How each `when-idle` feature shows that it is in use. */
const IN_USE: Readonly<Record<string, (metadata: Metadata, schema: StructType) => boolean>> = {
  invariants: (_, schema) => hasFieldMetadata(schema, (key) => key === 'delta.invariants'),
  checkConstraints: ({ configuration }) =>
    Object.keys(configuration).some((key) => key.startsWith('delta.constraints.')),
  // Appends need no change files, but overwrites and merges would; until those are written, neither is done.
  changeDataFeed: ({ configuration }) => configuration['delta.enableChangeDataFeed'] === 'true',
  generatedColumns: (_, schema) => hasFieldMetadata(schema, (key) => key === 'delta.generationExpression'),
  columnMapping: ({ configuration }) => (configuration['delta.columnMapping.mode'] ?? 'none') !== 'none',
  identityColumns: (_, schema) => hasFieldMetadata(schema, (key) => key.startsWith('delta.identity.')),
  allowColumnDefaults: (_, schema) => hasFieldMetadata(schema, (key) => key === 'CURRENT_DEFAULT'),
};

function refusal(tableUri: string, what: string): DeltaError {
  return new DeltaError('DELTA_WRITE_UNSUPPORTED', `${tableUri} needs ${what}; this writer cannot honour it`);
}

/** Column mapping mode in force: the property counts only where the protocol has the feature. */
export function columnMappingMode(
  protocol: Protocol,
  configuration: Readonly<Record<string, string>>,
): 'none' | 'name' | 'id' {
  const supported =
    protocol.minReaderVersion === 2 ||
    (protocol.readerFeatures?.includes('columnMapping') ?? false) ||
    (protocol.writerFeatures?.includes('columnMapping') ?? false);
  const mode = configuration['delta.columnMapping.mode'];
  return supported && (mode === 'name' || mode === 'id') ? mode : 'none';
}

/** The weakest protocol that a new table with this schema needs. Throws DELTA_SCHEMA_INVALID for what we do not write. */
export function protocolFor(schema: StructType): Protocol {
  if (someType(schema, (type) => type === 'variant'))
    throw new DeltaError('DELTA_SCHEMA_INVALID', "columns of type 'variant' are read, and not written");
  if (!someType(schema, (type) => type === 'timestamp_ntz'))
    return { minReaderVersion: 1, minWriterVersion: 2 };
  return {
    minReaderVersion: READER_FEATURES_VERSION,
    minWriterVersion: WRITER_FEATURES_VERSION,
    readerFeatures: ['timestampNtz'],
    writerFeatures: ['timestampNtz', 'appendOnly', 'invariants'],
  };
}
