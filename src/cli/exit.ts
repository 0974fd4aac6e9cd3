/** Exit codes that scripts can rely on. */
export const EXIT = Object.freeze({
  ok: 0,
  /** The work was done and the answer is bad: a failed run, a failed check. */
  failed: 1,
  /** The command line or the configuration is wrong; nothing was done. */
  usage: 2,
  /** A service that the command needs did not answer; nothing was done. */
  unavailable: 3,
});

/** Ctrl-C stopped the command before it was done. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  /** As shells count a process that SIGINT ended. */
  readonly exitCode = 130;
}

/** Codes of DatalabError that mean "a service is away". */
const UNAVAILABLE = new Set([
  'TEMPORAL_UNAVAILABLE',
  'EVENTS_UNAVAILABLE',
  'STORE_UNAVAILABLE',
  'FLOWS_IDLE',
  'MLFLOW_UNAVAILABLE',
]);
const USAGE = new Set([
  'CONFIG_INVALID',
  'DATASET_UNKNOWN',
  'DATASET_INVALID',
  'TABLE_UNKNOWN',
  'ENGINE_SQL_FAILED',
  'ENGINE_NOT_A_SELECT',
  'ENGINE_ACCESS_DENIED',
  'DELTA_TABLE_NOT_FOUND',
  'DELTA_VERSION_NOT_FOUND',
  'SCHEDULE_UNKNOWN',
  'RUN_UNKNOWN',
  'REPORT_MISSING',
  'INPUT_INVALID',
  'MODEL_UNKNOWN',
  'MODEL_INVALID',
  'MODEL_VERSION_UNKNOWN',
  'MLFLOW_OFF',
]);

export function exitCodeOf(errorCode: string): number {
  if (UNAVAILABLE.has(errorCode)) return EXIT.unavailable;
  return USAGE.has(errorCode) ? EXIT.usage : EXIT.failed;
}
