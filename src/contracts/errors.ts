/**
 * Every error of DataLab has a code from this table, says what happened and where, and what to do about it.
 * `docs/reference/errors.md` lists the table; a test keeps the two equal. `retry` tells Temporal whether trying the
 * same thing again may help.
 */
export const ERRORS = {
  CONFIG_INVALID: {
    retry: false,
    remedy: 'Correct the keys named in the message; `datalab doctor` checks the file.',
  },
  DATASET_UNKNOWN: {
    retry: false,
    remedy: 'Run `datalab datasets list` to see the datasets; check `datasets.directory`.',
  },
  DATASET_INVALID: {
    retry: false,
    remedy: 'Correct the keys named in the message; `datalab datasets validate` checks the folder.',
  },
} as const satisfies Record<string, ErrorEntry>;

interface ErrorEntry {
  readonly retry: boolean;
  readonly remedy: string;
}

export type ErrorCode = keyof typeof ERRORS;

/** An error of DataLab: a code from {@link ERRORS}, what happened, and where. */
export class DatalabError extends Error {
  override readonly name = 'DatalabError';
  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }

  get retry(): boolean {
    return ERRORS[this.code].retry;
  }

  get remedy(): string {
    return ERRORS[this.code].remedy;
  }
}
