/** One version of a table, immutable. */
import type { Metadata, Protocol, Transaction } from './actions.js';
import type { Snapshot } from './api.js';
import type { LiveFiles } from './files/live-files.js';
import { checkReadable } from './protocol.js';
import { requireComplete, type TableState } from './replay.js';
import { parseSchema } from './schema-json.js';
import type { StructType } from './schema.js';

/** A snapshot over a replayed state. Invariant, checked on making it: the protocol is one that we can read. */
export class TableSnapshot implements Snapshot {
  readonly protocol: Protocol;
  readonly metadata: Metadata;
  readonly partitionColumns: readonly string[];
  #schema: StructType | undefined;

  /** Throws DELTA_LOG_INVALID (no protocol or metaData) or DELTA_READ_UNSUPPORTED. */
  constructor(
    readonly version: number,
    readonly timestampMs: number,
    readonly state: TableState,
    readonly tableUri: string,
    readonly checkpointVersion?: number,
  ) {
    const complete = requireComplete(state, tableUri);
    checkReadable(complete.protocol, tableUri);
    this.protocol = complete.protocol;
    this.metadata = complete.metadata;
    this.partitionColumns = complete.metadata.partitionColumns;
    // Parsed now, so that a type that we do not know is refused before anything is read.
    if (complete.metadata.schemaString !== '') this.#schema = parseSchema(complete.metadata.schemaString);
  }

  /** The same version, with a newer checkpoint known. */
  withCheckpoint(version: number): TableSnapshot {
    return new TableSnapshot(this.version, this.timestampMs, this.state, this.tableUri, version);
  }

  get schema(): StructType {
    this.#schema ??= parseSchema(this.metadata.schemaString);
    return this.#schema;
  }

  get files(): LiveFiles {
    return this.state.files;
  }

  get transactions(): ReadonlyMap<string, Transaction> {
    return this.state.transactions;
  }

  transaction(appId: string): Transaction | undefined {
    return this.state.transactions.get(appId);
  }
}
