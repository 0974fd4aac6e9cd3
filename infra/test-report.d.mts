/** Counts of one tier. */
export interface TierCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly note: string;
  /** A line for each test, or file, that failed. */
  readonly failures: readonly string[];
}

export const NONE: TierCounts;
export function readReport(file: string, code: number): TierCounts;
export function merged(results: readonly TierCounts[]): TierCounts;
export function totals(rows: ReadonlyArray<TierCounts & { readonly tier: string }>): {
  passed: number;
  failed: number;
  skipped: number;
  nothingRan: boolean;
  green: boolean;
};
