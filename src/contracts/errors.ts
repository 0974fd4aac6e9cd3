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
  EVENTS_UNAVAILABLE: {
    retry: true,
    remedy:
      'Nothing is lost: the events stay in the tables. Start Kafka (`./manage.sh start`) and the next run sends them.',
  },
  TEMPORAL_UNAVAILABLE: {
    retry: true,
    remedy:
      'Start it (`./manage.sh start`) or set TEMPORAL_ADDRESS; `./manage.sh health` shows what answers.',
  },
  PORT_TAKEN: {
    retry: false,
    remedy: 'Stop the program that holds the port, or set the variable named in the message to a free port.',
  },
  TOOL_MISSING: {
    retry: false,
    remedy: 'Run `./manage.sh start`, which prepares what this machine can have and says what it cannot.',
  },
  SERVICE_FAILED: {
    retry: false,
    remedy: 'Read the service log named in the message (`./manage.sh logs <service>`).',
  },
  STATE_INVALID: {
    retry: false,
    remedy: 'Correct or delete the file named in the message, then `./manage.sh restart`.',
  },
  DISK_FULL: {
    retry: false,
    remedy: 'Free space, or set DATALAB_STATE_DIR to a folder on another disk.',
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
