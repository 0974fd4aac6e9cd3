/** How far a long operation is. */
export interface Progress {
  /** What is being done: `list`, `rewrite`, `delete`, … */
  readonly phase: string;
  readonly done: number;
  /** 0 where it is not known. */
  readonly total: number;
  readonly unit: 'files' | 'bytes' | 'objects';
}

export interface MaintenanceOptions {
  readonly signal?: AbortSignal;
  readonly progress?: (progress: Progress) => void;
  /** Asked between batches: where it says yes, the rest is left as it is, and the report says how much that is. */
  readonly isOver?: () => boolean;
}
