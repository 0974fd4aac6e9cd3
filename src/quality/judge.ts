/** Measured numbers → verdict. Pure. */
import type { CheckDefinition, CheckResult, QualityVerdict, Severity } from '../contracts/quality.js';
import { badColumn, type Measured } from './measure.js';

/** What the numbers of a batch are judged in. */
export interface JudgeContext {
  /** Rows that the published table has already. */
  readonly publishedRows: number;
  /** Rows of this batch. With none, every check is skipped: there is nothing to judge. */
  readonly newRows: number;
}

/** What a check weighs in the score: what may stop a publish counts most. */
export const WEIGHTS: Readonly<Record<Severity, number>> = Object.freeze({
  block: 3,
  quarantine: 2,
  warn: 1,
});

/** Judges every check. Throws RangeError where `measured` lacks a number that a check needs. */
export function judge(
  checks: readonly CheckDefinition[],
  measured: Measured,
  context: JudgeContext,
): QualityVerdict {
  const results = checks.map((check, index) => judgeOne(check, index, measured, context));
  return {
    score: scoreOf(results),
    blocked: results.some((result) => result.outcome === 'failed' && result.severity === 'block'),
    results,
  };
}

/**
 * The weighted mean of the checks that were not skipped. A check is worth half for being passed and half for its share
 * of good rows, so that one bad row in a million and all rows bad do not look alike. null where all were skipped.
 */
export function scoreOf(results: readonly CheckResult[]): number | null {
  const judged = results.filter((result) => result.outcome !== 'skipped');
  if (judged.length === 0) return null;
  const weight = judged.reduce((sum, result) => sum + WEIGHTS[result.severity], 0);
  const worth = judged.reduce((sum, result) => sum + WEIGHTS[result.severity] * worthOf(result), 0);
  return worth / weight;
}

function worthOf({ outcome, rows, badRows, kind, measured, threshold }: CheckResult): number {
  const passed = outcome === 'passed' ? 1 : 0;
  // A count of rows has no bad rows: what is there of what is wanted stands for them.
  const share =
    kind === 'row_count'
      ? Math.min(1, threshold ? (measured ?? 0) / threshold : 1)
      : rows === 0
        ? 1
        : 1 - badRows / rows;
  return (passed + share) / 2;
}

function judgeOne(
  check: CheckDefinition,
  index: number,
  measured: Measured,
  context: JudgeContext,
): CheckResult {
  const { name, kind, severity } = check;
  const base = { name, kind, severity } as const;
  if (context.newRows === 0) {
    const threshold = check.kind === 'row_count' ? check.min : check.maxRatio;
    return {
      ...base,
      outcome: 'skipped',
      measured: null,
      threshold,
      rows: 0,
      badRows: 0,
      detail: 'nothing new to judge',
    };
  }
  const rows = numberOf(measured, 'rows');
  switch (check.kind) {
    case 'row_count': {
      const total = context.publishedRows + context.newRows;
      const passed = total >= check.min;
      const detail = `${total} rows (${context.publishedRows} published, ${context.newRows} new), at least ${check.min} wanted`;
      return {
        ...base,
        outcome: outcomeOf(passed),
        measured: total,
        threshold: check.min,
        rows,
        badRows: 0,
        detail,
      };
    }
    case 'nulls': {
      const badRows = numberOf(measured, badColumn(index));
      const ratio = rows === 0 ? 0 : badRows / rows;
      const detail = `${badRows} of ${rows} rows have no ${check.column} (${percent(ratio)}), at most ${percent(check.maxRatio)} allowed`;
      const outcome = outcomeOf(ratio <= check.maxRatio);
      return { ...base, outcome, measured: ratio, threshold: check.maxRatio, rows, badRows, detail };
    }
  }
}

function outcomeOf(passed: boolean): 'passed' | 'failed' {
  return passed ? 'passed' : 'failed';
}

function percent(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(3))} %`;
}

function numberOf(measured: Measured, column: string): number {
  const value = measured[column];
  if (value === undefined) throw new RangeError(`the measurement has no column '${column}'`);
  return Number(value);
}
