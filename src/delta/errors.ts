/**
 * Errors of the Delta layer. It imports nothing from the rest of the house, so it has its own codes; the seam
 * (`activities`) passes code, retry and remedy on. Every message says what happened and in which table.
 */
interface DeltaErrorEntry {
  /** Whether trying the same thing again may help. */
  readonly retry: boolean;
  readonly remedy: string;
}

export const DELTA_ERRORS = {
  DELTA_TABLE_NOT_FOUND: {
    retry: false,
    remedy: 'Check the table path; a run of the dataset creates its tables.',
  },
  DELTA_VERSION_NOT_FOUND: {
    retry: false,
    remedy: 'Ask for a version that the log still holds; `history` lists them.',
  },
  DELTA_LOG_INVALID: {
    retry: false,
    remedy:
      'The log breaks the protocol. Restore the missing or damaged object of `_delta_log` from a backup.',
  },
  DELTA_CHECKPOINT_UNREADABLE: {
    retry: false,
    remedy: 'Restore the checkpoint or the commits below it from a backup.',
  },
  DELTA_STATISTICS_UNREAD: {
    retry: false,
    remedy:
      'This is a bug of the caller: the statistics of a large checkpoint are read by `await snapshot.files.readStatistics()`.',
  },
  DELTA_CHECKPOINT_INVALID: {
    retry: true,
    remedy:
      'The checkpoint was not published and the table is as it was; the next commits try again. If it stays so, run `fsck`.',
  },
  DELTA_ENGINE_REQUIRED: {
    retry: false,
    remedy: 'Open the table with an engine: it reads and writes Parquet.',
  },
  DELTA_READ_UNSUPPORTED: {
    retry: false,
    remedy: 'The table uses a feature that this version cannot read. Read it with the writer that made it.',
  },
  DELTA_WRITE_UNSUPPORTED: {
    retry: false,
    remedy:
      'The table uses a feature that this version cannot honour when writing. Write with the tool that made it.',
  },
  DELTA_PROPERTY_INVALID: { retry: false, remedy: 'Correct the table property named in the message.' },
  DELTA_RETENTION_TOO_SHORT: {
    retry: false,
    remedy:
      'Keep files at least as long as the longest writer and reader need. Where nobody else is at work, lower the table property `delta.deletedFileRetentionDuration`, which VACUUM goes by; in a program `force` overrides it.',
  },
  DELTA_SCHEMA_INVALID: { retry: false, remedy: 'Correct the schema named in the message.' },
  DELTA_COMMIT_INVALID: {
    retry: false,
    remedy: 'This is a bug of the caller: the actions would break the protocol. Nothing was committed.',
  },
  DELTA_COMMIT_CONTENDED: {
    retry: true,
    remedy: 'Too many writers at once. Try again, or let fewer writers commit to this table.',
  },
  DELTA_CONCURRENT_CHANGE: {
    retry: true,
    remedy: 'Somebody else changed what this operation had read. Nothing was changed; run it again.',
  },
  DELTA_CONSTRAINT_VIOLATED: {
    retry: false,
    remedy: 'Correct the rows, or the constraint named in the message. Nothing was written.',
  },
  DELTA_EXPRESSION_INVALID: {
    retry: false,
    remedy: 'Correct the SQL expression named in the message. Nothing was written.',
  },
  DELTA_MERGE_AMBIGUOUS: {
    retry: false,
    remedy: 'Let at most one source row match each target row: deduplicate the source, or narrow `on`.',
  },
  DELTA_STAGED_MISSING: { retry: false, remedy: 'Write the files again; nothing was published.' },
  DELTA_PATH_OUTSIDE: {
    retry: false,
    remedy: 'The log names a file outside the table. Such tables (clones) are not supported.',
  },
  DELTA_DELETION_VECTOR_INVALID: {
    retry: false,
    remedy:
      'The deletion vector is damaged. Restore it from a backup; reading without it would show deleted rows.',
  },
  DELTA_VALUE_UNSUPPORTED: {
    retry: false,
    remedy: 'Change the value or the column type named in the message.',
  },
} as const satisfies Record<string, DeltaErrorEntry>;

export type DeltaErrorCode = keyof typeof DELTA_ERRORS;

/** An error of the Delta layer: a code from {@link DELTA_ERRORS}, what happened, and where. */
export class DeltaError extends Error {
  override readonly name = 'DeltaError';
  constructor(
    readonly code: DeltaErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }

  get retry(): boolean {
    return DELTA_ERRORS[this.code].retry;
  }

  get remedy(): string {
    return DELTA_ERRORS[this.code].remedy;
  }
}
