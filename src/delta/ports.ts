/**
 * The two ports through which `src/delta` touches the world: an ObjectStore that keeps bytes under keys, and an Engine
 * that understands SQL and Parquet. Everything else in this folder is pure.
 */
import type { DataType, StructType } from './schema.js';

/** What a listing or a head request says of one object. */
export interface ObjectInfo {
  /** Key relative to the store's root: no leading slash, `/` between the parts. */
  readonly key: string;
  readonly sizeBytes: number;
  /** Last modification by the store's clock, in milliseconds since the epoch. */
  readonly modifiedMs: number;
}

/** Local copies of objects that stay on disk until they are released. */
export interface LocalFiles {
  /** Absolute path of a local file with exactly the object's bytes. It must not be changed. */
  pathOf(key: string): string;
  /** Gives the copies back to the cache. Safe to call more than once. */
  release(): void;
}

export interface PutFileOptions {
  readonly signal?: AbortSignal;
  /** The file may become the object itself, instead of being copied: it is only read or removed from then on. */
  readonly giveAway?: boolean;
}

/**
 * Bytes under keys. Obligations, held by `test/contract/object-store.case.ts` for every implementation:
 * `list` yields in ascending order of the key's UTF-8 bytes; `putIfAbsent` is atomic among any number of racing writers
 * of one key, and is durable when it returns; a reader sees an object whole or not at all; deleting what is not there
 * is no error.
 */
export interface ObjectStore {
  /** Where the root is, for people and messages: `s3://bucket/prefix`, `file:///folder`, `memory://name`. */
  readonly uri: string;
  /** Objects whose key starts with `prefix` (and sorts after `startAfter`, where given), sorted by key. */
  list(prefix: string, options?: { startAfter?: string; signal?: AbortSignal }): AsyncIterable<ObjectInfo>;
  /** The whole object. Throws {@link ObjectNotFoundError}. */
  get(key: string, options?: { signal?: AbortSignal }): Promise<Uint8Array>;
  /** What is known of the object, or undefined where there is none. */
  head(key: string): Promise<ObjectInfo | undefined>;
  /** Writes the object, replacing what is there. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** Writes the object unless the key exists. An existing key is an answer, not an error. */
  putIfAbsent(key: string, bytes: Uint8Array): Promise<'created' | 'exists'>;
  /**
   * Copies a local file to a new key, streaming; never loads it whole.
   */
  putFile(key: string, localPath: string, options?: PutFileOptions): Promise<void>;
  /** The same unless the key exists, atomic and durable as {@link putIfAbsent} is. */
  putFileIfAbsent(
    key: string,
    localPath: string,
    options?: { signal?: AbortSignal },
  ): Promise<'created' | 'exists'>;
  /** Local copies of the objects, downloaded in parallel where needed. Throws {@link ObjectNotFoundError}. */
  checkout(keys: readonly string[], options?: { signal?: AbortSignal }): Promise<LocalFiles>;
  /** Deletes the objects; those that are not there are passed over. */
  delete(keys: readonly string[]): Promise<void>;
  /** The same store rooted deeper. */
  at(prefix: string): ObjectStore;
}

/** The object was asked for by key and is not there. */
export class ObjectNotFoundError extends Error {
  override readonly name = 'ObjectNotFoundError';
  constructor(
    readonly key: string,
    readonly storeUri: string,
    options?: { cause?: unknown },
  ) {
    super(`no object '${key}' in ${storeUri}`, options);
  }

  /** By name: adapters know this room by type only and bring their own class of that name. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'ObjectNotFoundError';
  }
}

/** Text statistics of one column of one Parquet file, as the engine reports them; converted by `stats.ts`. */
export interface ColumnTextStats {
  /** Smallest and largest value as text, or undefined where the engine gave no bound. They are bounds, not values. */
  readonly min?: string;
  readonly max?: string;
  readonly nullCount?: number;
  readonly hasNan?: boolean;
}

/** One Parquet file that the engine wrote to the local disk. */
export interface WrittenFile {
  readonly localPath: string;
  readonly sizeBytes: number;
  readonly rows: number;
  /** Top-level columns by name. Nested columns are left out. */
  readonly columns: Readonly<Record<string, ColumnTextStats>>;
}

/** One file of a scan: where its bytes are and what the log adds to them. */
export interface ScanFile {
  readonly localPath: string;
  /** Serialised partition values by *physical* column name, as in the `add` action. */
  readonly partitionValues: Readonly<Record<string, string | null>>;
  /** Row positions to leave out, ascending, or undefined. */
  readonly deletedRows?: readonly number[];
}

/** Columns that a scan with `rowId` has besides the table's: the file's local path, and the row's position in it. */
export const ROW_ID = { file: '__datalab_file', row: '__datalab_row' } as const;

/** What to read: pure data made by `src/delta`, rendered to SQL by the engine. */
export interface ScanPlan {
  /** The table's schema (logical names), partition columns included, in order. */
  readonly schema: StructType;
  readonly partitionColumns: readonly string[];
  readonly files: readonly ScanFile[];
  /** Columns to read, by logical name; all where undefined. */
  readonly columns?: readonly string[];
  /** Adds the columns of {@link ROW_ID}, which name each row by its file and its position there. */
  readonly rowId?: boolean;
  /** How file columns are found: by logical name, or by column mapping. */
  readonly columnMapping: 'none' | 'name' | 'id';
}

/** How an engine session is confined. What is not named here cannot be read or written by any SQL in the session. */
export interface SessionOptions {
  /** Exact local files that SQL may read. */
  readonly inputs: readonly string[];
  /** The one folder that SQL may write to. */
  readonly outputDirectory?: string;
  /** Aborting interrupts the running statement and rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Over how many sessions that work side by side the engine's memory and threads are spread. Default 1. */
  readonly lanes?: number;
  /**
   * `as written`: a join looks up in its right side, whatever the engine thinks of the sizes. So the rows of the left side
   * keep about their order, which makes sorting them cheap. Default: as the engine likes.
   */
  readonly joins?: 'as written';
  /**
   * Rows may come in any order where nothing asks for one. Keeping the order of many small files costs as much as reading
   * them.
   */
  readonly unordered?: boolean;
  /**
   * SQL may call `median_and_mad(DOUBLE[])`: a STRUCT with the `center` of some finite numbers and their `spread`, the median
   * of their distances from it; the same numbers as `median` and `mad` give, sooner.
   */
  readonly medians?: boolean;
  /** Nothing but statements of our own runs in the session: many inputs may then be named by their folders. */
  readonly isOwn?: boolean;
}

/** SQL and Parquet. The memory, threads and spill folder are the engine's own configuration. */
export interface Engine {
  /** Threads of a session, and so how many sessions of one thread it is worth to have side by side. */
  readonly threads: number;
  /** A confined, isolated session. Close it when done. */
  open(options: SessionOptions): Promise<EngineSession>;
  /** What the engine calls a Delta type, in a CAST. Throws RangeError for one that it has no type for. */
  sqlType(type: DataType): string;
  /** A SQL relation (usable after FROM) with the plan's columns under their logical names, typed by its schema. */
  relation(plan: ScanPlan): string;
}

/** The signs of `writeText`: one character each. */
export interface TextSigns {
  /** Between the values of a row. */
  readonly field: string;
  /** Around a value that has one of these signs, or a line end; twice for each that it has itself. */
  readonly quote: string;
}

/** One isolated SQL session: nothing in it is seen by others, and nothing of it stays. */
export interface EngineSession {
  /** Runs statements of our own and drops their results. */
  run(sql: string): Promise<void>;
  /** Rows of one statement, for small results. BIGINT arrives as bigint, DATE and TIMESTAMP as ISO text. */
  rows<Row extends object>(sql: string): Promise<Row[]>;
  /** The rows of one SELECT, batch by batch, so that a result of any size needs the memory of one. */
  stream(select: string): AsyncIterable<ColumnBatch>;
  /**
   * Writes the result of one SELECT to a single Parquet file in the session's output folder, with statistics.
   * An empty result writes nothing and returns undefined. `isOwn`: the text is ours and its columns are a table's, so that
   * nothing is to be proved of it; over ten thousand files the proof costs as much as the work. `rowGroupRows`: so many rows
   * are gathered by each thread before they are written; long rows need fewer.
   */
  writeParquet(
    select: string,
    fileName: string,
    options?: { readonly isOwn?: boolean; readonly rowGroupRows?: number },
  ): Promise<WrittenFile | undefined>;
  /**
   * The same to as many files as the rows need, in the order of the rows: about a million each. They are in a folder of
   * that name, which must not exist yet.
   */
  writeParquetFiles(select: string, folderName: string): Promise<WrittenFile[]>;
  /**
   * Writes the rows of one SELECT as text to a file in the session's output folder: each value as the engine casts it to text,
   * parted and quoted by the signs, a line feed after each row. NULL is nothing, and an empty text is quoted.
   */
  writeText(select: string, fileName: string, signs: TextSigns): Promise<void>;
  /** Columns and engine types of a SELECT, without running it. Also proves that the text is one single SELECT. */
  describe(select: string): Promise<ReadonlyArray<{ name: string; type: string }>>;
  close(): Promise<void>;
}

/**
 * Some rows, column by column: BIGINT as bigint, DATE as days and TIMESTAMP as bigint microseconds since the epoch, DECIMAL
 * as the bigint of its digits, BLOB as Uint8Array, lists as arrays, structs as objects, maps as arrays of `{key, value}`, variants as
 * JSON text.
 */
export interface ColumnBatch {
  readonly rows: number;
  readonly columns: ReadonlyArray<readonly unknown[]>;
}

/** Time, so that tests can hold it. */
export interface Clock {
  nowMs(): number;
}

/** A value of a row that is written without the engine. Dates and timestamps as ISO text (a zone-less one is UTC) or Date. */
export type RowValue = string | number | bigint | boolean | Date | null | undefined;

/** A few rows as one Parquet file in memory, with its statistics; held by `test/contract/row-parquet.case.ts`. */
export interface RowParquet {
  /**
   * Columns by name; an absent one is NULL. Throws an error with the code `ROW_UNSUPPORTED` for a type that it does not
   * write, and for a value that would not come back as it is: one that does not fit its type, or that it would round.
   */
  write(schema: StructType, rows: ReadonlyArray<Readonly<Record<string, RowValue>>>): Promise<EncodedRows>;
}

export interface EncodedRows {
  readonly bytes: Uint8Array;
  readonly rows: number;
  readonly columns: Readonly<Record<string, ColumnTextStats>>;
}
