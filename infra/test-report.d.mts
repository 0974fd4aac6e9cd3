/** Counts of one tier. */
export interface TierCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly note: string;
}

export const NONE: TierCounts;
export function readReport(file: string, code: number): TierCounts;
export function totals(rows: ReadonlyArray<TierCounts & { readonly tier: string }>): {
  passed: number;
  failed: number;
  skipped: number;
  nothingRan: boolean;
  green: boolean;
};
