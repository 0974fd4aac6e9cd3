/** Measured numbers → verdict. Pure. */
import type {
  BadRow,
  CheckDefinition,
  CheckResult,
  CheckUnit,
  DistributionCheck,
  FreshnessCheck,
  Limit,
  QualityVerdict,
  RowCountCheck,
  SchemaCheck,
  ScorePolicy,
  Severity,
  VolumeCheck,
} from '../contracts/quality.js';
import type { Measurement } from './measure.js';
import { isRowCheck, reasonOf } from './predicate.js';
import { median } from './median.js';

/** What the numbers of a batch are judged in. */
export interface JudgeContext {
  /** Rows that the published table has already. */
  readonly publishedRows: number;
  /** Rows of this batch. With none, every check is skipped: there is nothing to judge. */
  readonly newRows: number;
  /** ISO instant that the run is for. */
  readonly logicalTime: string;
  /** Newest published value of a column in milliseconds since 1970, by column. */
  readonly publishedNewest?: ReadonlyMap<string, number>;
  /** Differences between the columns of the sources and the declared ones, as sentences. */
  readonly columnDifferences?: readonly string[];
  /** Figures of earlier runs by name of the check, newest first. */
  readonly history?: ReadonlyMap<string, readonly number[]>;
  readonly score?: ScorePolicy;
}

/** What a check weighs in the score: what may stop a publish counts most. */
export const WEIGHTS: Readonly<Record<Severity, number>> = Object.freeze({
  block: 3,
  quarantine: 2,
  warn: 1,
});

const DAY_MS = 86_400_000;

/**
 * Judges every check, then the score. `measurements` and `examples` are in the order of `checks`; without rows there may
 * be none. Throws RangeError where a check was not measured.
 */
export function judge(
  checks: readonly CheckDefinition[],
  measurements: readonly Measurement[],
  context: JudgeContext,
  examples: ReadonlyArray<readonly BadRow[]> = [],
): QualityVerdict {
  const results = checks.map((check, index): CheckResult => {
    const { name, kind, severity } = check;
    const base = { name, kind, severity, examples: examples[index] ?? [], observed: null };
    if (context.newRows === 0) return { ...base, ...skipped(check, 0, 'nothing new to judge') };
    const measurement = measurements[index];
    if (measurement === undefined) throw new RangeError(`check '${name}' was not measured`);
    return { ...base, ...judgeOne(check, measurement, context) };
  });
  const score = scoreOf(results);
  const judged = context.score ? [...results, judgeScore(score, context.score)] : results;
  return {
    score,
    blocked: judged.some((result) => result.outcome === 'failed' && result.severity === 'block'),
    results: judged,
  };
}

/**
 * The weighted mean of the checks that were not skipped. A check is worth half for being passed and half for its share
 * of what was promised, so that one bad row in a million and all rows bad do not look alike. null where all were skipped.
 */
export function scoreOf(
  results: ReadonlyArray<Pick<CheckResult, 'outcome' | 'severity' | 'share'> & { readonly kind: string }>,
): number | null {
  const judged = results.filter((result) => result.outcome !== 'skipped' && result.kind !== 'score');
  if (judged.length === 0) return null;
  const weight = judged.reduce((sum, result) => sum + WEIGHTS[result.severity], 0);
  const worth = judged.reduce((sum, result) => {
    const passed = result.outcome === 'passed' ? 1 : 0;
    return sum + (WEIGHTS[result.severity] * (passed + result.share)) / 2;
  }, 0);
  return worth / weight;
}

type Judged = Omit<CheckResult, 'name' | 'kind' | 'severity' | 'examples' | 'observed'> & {
  readonly observed?: number | null;
};

function judgeOne(check: CheckDefinition, measurement: Measurement, context: JudgeContext): Judged {
  if (isRowCheck(check)) return badRows(check.max, measurement, reasonOf(check));
  switch (check.kind) {
    case 'duplicates':
      return badRows(check.max, measurement, `${check.columns.join(', ')} repeats an earlier row`);
    case 'unique':
      return badRows(check.max, measurement, `${check.columns.join(', ')} is not unique`);
    case 'sql':
      return badRows(check.max, measurement, 'the rule is broken');
    case 'schema':
      return judgeSchema(check, measurement, context);
    case 'row_count':
      return judgeRowCount(check, measurement, context);
    case 'freshness':
      return judgeFreshness(check, measurement, context);
    case 'volume':
      return judgeShift(check, measurement, measurement.rows, context);
    case 'distribution':
      return judgeShift(check, measurement, measurement.value, context);
  }
}

/** A check that counts bad rows: as a count or as a share, as its limit says. */
function badRows(max: Limit, { rows, badRows: bad }: Measurement, reason: string): Judged {
  const ratio = rows === 0 ? 0 : Math.min(1, bad / rows);
  const measured = max.unit === 'rows' ? bad : ratio;
  const allowed = max.unit === 'rows' ? `${max.value}` : percent(max.value);
  return {
    outcome: measured <= max.value ? 'passed' : 'failed',
    measured,
    threshold: max.value,
    unit: max.unit,
    rows,
    badRows: bad,
    share: 1 - ratio,
    detail: `${reason} in ${bad} of ${rows} rows (${percent(ratio)}), at most ${allowed} allowed`,
  };
}

function judgeSchema(check: SchemaCheck, { rows }: Measurement, context: JudgeContext): Judged {
  const differences = context.columnDifferences ?? [];
  const { maxDifferences, columns } = check;
  const which = differences.length === 0 ? '' : `: ${differences.slice(0, 20).join('; ')}`;
  return {
    outcome: outcomeOf(differences.length <= maxDifferences),
    measured: differences.length,
    threshold: maxDifferences,
    unit: 'columns',
    rows,
    badRows: 0,
    share: columns.length / (columns.length + differences.length),
    detail: `${differences.length} differences from the ${columns.length} declared columns${which}`,
  };
}

function judgeRowCount({ min, max }: RowCountCheck, { rows }: Measurement, context: JudgeContext): Judged {
  const { publishedRows, newRows } = context;
  const total = publishedRows + newRows;
  const over = max !== undefined && total > max;
  const wanted = max === undefined ? `at least ${min}` : `${min} to ${max}`;
  return {
    outcome: outcomeOf(total >= min && !over),
    measured: total,
    threshold: over ? max : min,
    unit: 'rows',
    rows,
    badRows: 0,
    share: over ? max / total : min === 0 ? 1 : Math.min(1, total / min),
    detail: `${total} rows (${publishedRows} published, ${newRows} new), ${wanted} wanted`,
  };
}

function judgeFreshness(check: FreshnessCheck, { rows, value }: Measurement, context: JudgeContext): Judged {
  const { column, maxAgeDays } = check;
  const known = [value, context.publishedNewest?.get(column)].filter((ms) => typeof ms === 'number');
  const base = { threshold: maxAgeDays, unit: 'days', rows, badRows: 0 } as const;
  if (known.length === 0) {
    const detail = `no row has a date in ${column}`;
    return { ...base, outcome: 'failed', measured: null, share: 0, detail };
  }
  const newestMs = Math.max(...known);
  const age = Math.max(0, (Date.parse(context.logicalTime) - newestMs) / DAY_MS);
  const newest = new Date(newestMs).toISOString().replace(/T00:00:00\.000Z$/, '');
  return {
    ...base,
    outcome: outcomeOf(age <= maxAgeDays),
    measured: age,
    share: age <= maxAgeDays ? 1 : maxAgeDays / age,
    detail: `the newest ${column} is ${newest}, ${short(age)} days before ${context.logicalTime}, at most ${maxAgeDays} allowed`,
  };
}

function judgeShift(
  check: VolumeCheck | DistributionCheck,
  { rows }: Measurement,
  value: number | null,
  context: JudgeContext,
): Judged {
  const figure =
    check.kind === 'volume'
      ? 'rows'
      : `${check.statistic} ${check.quantile ?? ''} of ${check.column}`.replace('  ', ' ');
  const history = (context.history?.get(check.name) ?? []).slice(0, check.history);
  if (history.length < check.minHistory || value === null) {
    const why =
      value === null
        ? `no row has a value to take the ${figure} of`
        : `${history.length} of ${check.minHistory} runs of history; ${figure} is ${short(value)}`;
    return { ...skipped(check, rows, why), observed: value };
  }
  const usual = median(history);
  const isAbsolute = check.kind === 'distribution' && check.statistic === 'null_ratio';
  const shift = isAbsolute ? Math.abs(value - usual) : relativeShift(value, usual);
  const passed = shift !== null && shift <= check.maxShift;
  const away = shift === null ? 'not comparable with 0' : `${percent(shift)} away`;
  return {
    outcome: outcomeOf(passed),
    measured: shift,
    threshold: check.maxShift,
    unit: 'ratio',
    rows,
    badRows: 0,
    share: passed ? 1 : shift === null ? 0 : check.maxShift / shift,
    observed: value,
    detail: `${figure} is ${short(value)}, the median of ${history.length} runs ${short(usual)}: ${away}, at most ${percent(check.maxShift)} allowed`,
  };
}

/** Share of the usual value; null where that is 0 and the value is not, since no share says how far that is. */
function relativeShift(value: number, usual: number): number | null {
  if (value === usual) return 0;
  return usual === 0 ? null : Math.abs(value - usual) / Math.abs(usual);
}

/** The score is held against its minimum like any check, and does not count in itself. */
function judgeScore(score: number | null, { min, severity }: ScorePolicy): CheckResult {
  const passed = score === null || score >= min;
  return {
    name: 'score',
    kind: 'score',
    severity,
    outcome: score === null ? 'skipped' : outcomeOf(passed),
    measured: score,
    threshold: min,
    unit: 'score',
    rows: 0,
    badRows: 0,
    share: score ?? 1,
    observed: null,
    examples: [],
    detail: score === null ? 'nothing to score' : `the score is ${score.toFixed(3)}, at least ${min} wanted`,
  };
}

function skipped(check: CheckDefinition, rows: number, detail: string): Judged {
  return { ...limitOf(check), outcome: 'skipped', measured: null, rows, badRows: 0, share: 1, detail };
}

/** The limit of a check that was not judged. */
function limitOf(check: CheckDefinition): { threshold: number; unit: CheckUnit } {
  switch (check.kind) {
    case 'row_count':
      return { threshold: check.min, unit: 'rows' };
    case 'schema':
      return { threshold: check.maxDifferences, unit: 'columns' };
    case 'freshness':
      return { threshold: check.maxAgeDays, unit: 'days' };
    case 'volume':
    case 'distribution':
      return { threshold: check.maxShift, unit: 'ratio' };
    default:
      return { threshold: check.max.value, unit: check.max.unit };
  }
}

function outcomeOf(passed: boolean): 'passed' | 'failed' {
  return passed ? 'passed' : 'failed';
}

function percent(ratio: number): string {
  return `${short(ratio * 100)} %`;
}

/** Three digits that count. */
function short(value: number): string {
  return String(Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3)));
}
