/** The log of a run as it lies in the lake: JSON lines, one object per attempt of a step. */

export type LogLevel = 'info' | 'warn' | 'error';

export interface LogLine {
  /** ISO instant of the worker's clock. */
  readonly time: string;
  readonly level: LogLevel;
  /** Name of the activity. */
  readonly activity: string;
  readonly attempt: number;
  readonly message: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** Where in the lake the logs of a run are. */
export function runLogPrefix(runId: string): string {
  return `_runs/${runId}/`;
}
