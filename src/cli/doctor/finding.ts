/** One answer of `doctor`. */
export interface Finding {
  /** What was asked: `Node`, `port 9000 (S3 gateway)`. */
  readonly check: string;
  /** `note`: DataLab works, with less or not for long. `problem`: it does not. */
  readonly state: 'ok' | 'note' | 'problem';
  /** One sentence: what was found, and where it is not ok what to do. */
  readonly detail: string;
}

export const ok = (check: string, detail: string): Finding => ({ check, state: 'ok', detail });
export const note = (check: string, detail: string): Finding => ({ check, state: 'note', detail });
export const problem = (check: string, detail: string): Finding => ({ check, state: 'problem', detail });

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
