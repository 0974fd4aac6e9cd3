/** Where a dataset's input comes from, and the port through which it is reached. */

/** One source object as a listing shows it. */
export interface SourceObject {
  /** Full path: `s3://bucket/key`, `file:///folder/file`, `https://host/file` or `kafka://topic/partition`. */
  readonly path: string;
  /** 0 where nobody can tell before reading. */
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** The store's version of the object, where it has one. */
  readonly etag?: string;
  /** Of a Kafka partition: in a listing all that it holds, in a run's manifest what the run takes. */
  readonly offsets?: OffsetRange;
}

/** A stretch of one partition of a Kafka topic. */
export interface OffsetRange {
  readonly clusterId: string;
  readonly topic: string;
  readonly partition: number;
  /** The first offset. */
  readonly from: number;
  /** The offset after the last. */
  readonly to: number;
}

/** A listed source with its identity. */
export interface SourceRef extends SourceObject {
  /** sha256 of the raw bytes, in hex; of a stretch of a Kafka partition, the name of that stretch. */
  readonly sourceId: string;
}

/** A source copied to this machine. */
export interface LocalSource extends SourceRef {
  readonly localPath: string;
  /** sha256 of the bytes at `localPath`, in hex: what whoever reads them must find. */
  readonly contentHash: string;
  /** What a physical line's number is raised by to be the row's `_source_line`. Without it, nothing. */
  readonly lineShift?: number;
}

/** Obligations: `list` is sorted by path; `download` fails with SOURCE_CHANGED when it is not what the listing saw. */
export interface SourceReader {
  list(location: string, options?: { signal?: AbortSignal }): Promise<SourceObject[]>;
  /** Makes the bytes readable at a local path and hashes them in the same pass. Local files are not copied. */
  download(source: SourceObject, directory: string, options?: DownloadOptions): Promise<LocalSource>;
}

export interface DownloadOptions {
  readonly signal?: AbortSignal;
  /** Told of each piece that came, in bytes. A topic's messages are not counted. */
  readonly onBytes?: (bytes: number) => void;
}
