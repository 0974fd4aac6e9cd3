/** Where a dataset's input comes from, and the port through which it is reached. */

/** One source object as a listing shows it. */
export interface SourceObject {
  /** Full path: `s3://bucket/key` or `file:///folder/file`. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** The store's version of the object, where it has one. */
  readonly etag?: string;
}

/** A listed source with the identity that its bytes give it. */
export interface SourceRef extends SourceObject {
  /** sha256 of the raw bytes, in hex. */
  readonly sourceId: string;
}

/** A source copied to this machine. */
export interface LocalSource extends SourceRef {
  readonly localPath: string;
}

/** Obligations: `list` is sorted by path; `download` fails with SOURCE_CHANGED when size or etag differ from the listing. */
export interface SourceReader {
  list(location: string, options?: { signal?: AbortSignal }): Promise<SourceObject[]>;
  /** Makes the bytes readable at a local path and hashes them in the same pass. Local files are not copied. */
  download(source: SourceObject, directory: string, options?: { signal?: AbortSignal }): Promise<LocalSource>;
}
