/** One candidate: every combination judged by walking forward, then the best one trained on all that comes before the holdout. */
import { LOSSES, type CandidateDefinition, type ModelDefinition } from '../contracts/model.js';
import type { Figures, Parameters, TrainedCandidate, TrainingProgress } from '../contracts/training.js';
import { combinations, trainOne } from './candidates.js';
import type { Booster, BoosterEngine, TrainData } from './engine.js';
import { takeRows, type FeatureRows } from './matrix.js';
import { measure, type Metrics } from './metrics.js';
import { holdoutSplit, walkForward, type Split } from './splits.js';

export interface TrainOptions {
  readonly nowMs: () => number;
  readonly progress: (progress: TrainingProgress) => void;
}

interface Tried {
  readonly parameters: Parameters;
  readonly score: number;
  readonly folds: TrainedCandidate['folds'];
}

/** Trains a candidate. The caller closes the booster. The same rows, definition and engine give the same bytes. */
export function trainCandidate(
  engine: BoosterEngine,
  data: FeatureRows,
  model: ModelDefinition,
  candidate: CandidateDefinition,
  options: TrainOptions,
): { readonly trained: TrainedCandidate; readonly booster: Booster } {
  const all = combinations(candidate, model.seed);
  const folds = walkForward(data, model.splits);
  const total = all.length * folds.length + 1;
  let done = 0;
  const tick = (): void => options.progress({ phase: candidate.name, done, total, unit: 'fits' });
  const until = options.nowMs() + (candidate.search?.seconds ?? Infinity) * 1000;
  const tried: Tried[] = [];
  for (const parameters of all) {
    if (tried.length > 0 && options.nowMs() > until) break;
    const judged = folds.map((split) => {
      const metrics = judge(engine, data, model, candidate, parameters, split, tick);
      done += 1;
      return {
        from: new Date(split.from).toISOString(),
        train: split.train.length,
        test: split.test.length,
        metrics,
      };
    });
    tried.push({
      parameters,
      folds: judged,
      score: meanOf(judged.map(({ metrics }) => metrics))[model.metric] ?? NaN,
    });
  }
  const best = tried.reduce((one, other) => (isBetter(model.metric, other.score, one.score) ? other : one));
  const { train } = holdoutSplit(data, model.splits);
  const booster = trainOne(
    engine,
    candidate.kind,
    model.target,
    best.parameters,
    matrixOf(data, train),
    model.seed,
    tick,
  );
  const trained = {
    ...{ name: candidate.name, kind: candidate.kind, parameters: best.parameters, folds: best.folds },
    validation: meanOf(best.folds.map(({ metrics }) => metrics)),
    ...{ tried: tried.length, leftOut: all.length - tried.length, engine: engine.version },
  };
  return { trained, booster };
}

function judge(
  engine: BoosterEngine,
  data: FeatureRows,
  model: ModelDefinition,
  candidate: CandidateDefinition,
  parameters: Parameters,
  { train, test }: Split,
  onRound: () => void,
): Figures {
  const { kind, threshold } = model.target;
  const booster = trainOne(
    engine,
    candidate.kind,
    model.target,
    parameters,
    matrixOf(data, train),
    model.seed,
    onRound,
  );
  try {
    const { x, y } = takeRows(data, test);
    return figures(measure(kind, y, Float64Array.from(booster.predict(x, data.names.length)), threshold));
  } finally {
    booster.close();
  }
}

export function matrixOf(data: FeatureRows, rows: readonly number[]): TrainData {
  const { x, y } = takeRows(data, rows);
  return { x, y: Float32Array.from(y), names: data.names };
}

/** Whether a figure of the metric is better than another; anything is better than none. */
export function isBetter(metric: string, one: number, other: number): boolean {
  if (!Number.isFinite(one)) return false;
  if (!Number.isFinite(other)) return true;
  return LOSSES.has(metric) ? one < other : one > other;
}

export function figures(metrics: Metrics): Figures {
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, value]));
}

function meanOf(folds: readonly Figures[]): Figures {
  const names = [...new Set(folds.flatMap((fold) => Object.keys(fold)))];
  return Object.fromEntries(
    names.map((name) => {
      const values = folds.flatMap((fold) => (fold[name] === undefined ? [] : [fold[name]]));
      return [name, values.reduce((sum, value) => sum + value, 0) / values.length];
    }),
  );
}
