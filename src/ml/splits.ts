/** Which rows teach and which judge: always in order of time, and never a target that reaches into what judges. */
import type { ModelDefinition } from '../contracts/model.js';
import type { FeatureRows } from './matrix.js';

export interface Split {
  readonly train: readonly number[];
  readonly test: readonly number[];
  /** First time of the rows that judge, in milliseconds since 1970. */
  readonly from: number;
}

type Times = Pick<FeatureRows, 'time' | 'targetTime' | 'rows'>;

/** The holdout: the last share of the distinct times. */
export function holdoutSplit(data: Times, { holdout, embargo }: ModelDefinition['splits']): Split {
  const times = distinct(data.time);
  const at = Math.min(times.length - 1, Math.max(1, Math.floor(times.length * (1 - holdout))));
  return splitAt(data, times, at, times.length, embargo);
}

/** Walk-forward folds over what comes before the holdout: each learns from all times before its own stretch. */
export function walkForward(data: Times, splits: ModelDefinition['splits']): Split[] {
  const { from } = holdoutSplit(data, splits);
  const times = distinct(data.time).filter((time) => time < from);
  const edges = Array.from({ length: splits.folds + 2 }, (_, index) =>
    Math.round((times.length * index) / (splits.folds + 1)),
  );
  return Array.from({ length: splits.folds }, (_, fold) =>
    splitAt(data, times, edges[fold + 1] ?? 0, edges[fold + 2] ?? 0, splits.embargo, from),
  ).filter(({ train, test }) => train.length > 0 && test.length > 0);
}

function splitAt(
  { time, targetTime, rows }: Times,
  times: readonly number[],
  start: number,
  end: number,
  embargo: number,
  before = Infinity,
): Split {
  const from = times[start] ?? Infinity;
  const to = times[end] ?? Infinity;
  const last = times[Math.max(0, start - embargo)] ?? from;
  const train: number[] = [];
  const test: number[] = [];
  for (let row = 0; row < rows; row += 1) {
    const at = time[row] ?? NaN;
    // A row of which the target is known only when judging has begun would tell of it. The same holds at the end.
    if (at < last && (targetTime[row] ?? NaN) < from) train.push(row);
    else if (at >= from && at < to && (before === Infinity || (targetTime[row] ?? NaN) < before))
      test.push(row);
  }
  return { train, test, from };
}

/** Rows come in order of time. */
function distinct(times: Float64Array): number[] {
  const found: number[] = [];
  for (const time of times) if (time !== found.at(-1)) found.push(time);
  return found;
}
