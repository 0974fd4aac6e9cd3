/** What training hands from process to process: jobs by reference, results as plain figures. */
import type { CandidateDefinition, MetricName, ModelDefinition } from './model.js';

export type Figures = Readonly<Record<string, number>>;

/** One way of training: XGBoost's parameters, or the penalty of a linear model. */
export type Parameters = Readonly<Record<string, number>>;

export interface TrainJob {
  readonly kind: 'train';
  /** Local path of the feature file. */
  readonly features: string;
  readonly model: ModelDefinition;
  readonly candidate: CandidateDefinition;
  /** Folder for `model.json`, and `model.ubj` where the library is there. */
  readonly output: string;
  /** Null where XGBoost's library is not on this machine: only linear models are trained then. */
  readonly library: string | null;
}

/** What became of one candidate. */
export interface TrainedCandidate {
  readonly name: string;
  readonly kind: CandidateDefinition['kind'];
  readonly parameters: Parameters;
  /** Means over the folds, of the best parameters. */
  readonly validation: Figures;
  readonly folds: ReadonlyArray<{
    readonly from: string;
    readonly train: number;
    readonly test: number;
    readonly metrics: Figures;
  }>;
  readonly tried: number;
  /** Combinations that the time budget left out. */
  readonly leftOut: number;
  readonly engine: string;
}

export interface EvaluateJob {
  readonly kind: 'evaluate';
  readonly features: string;
  readonly model: ModelDefinition;
  readonly library: string | null;
  /** Local paths of the candidates' folders; the best by validation is judged. */
  readonly candidates: ReadonlyArray<{ readonly trained: TrainedCandidate; readonly folder: string }>;
  /** The champion's model.json, where it takes the same features. */
  readonly champion: { readonly version: string; readonly json: string } | null;
}

export interface Judged {
  readonly name: string;
  readonly metrics: Figures;
}

/** The holdout's verdict on the best candidate. */
export interface Evaluation {
  readonly winner: string;
  readonly metric: MetricName;
  readonly rows: {
    readonly train: number;
    readonly holdout: number;
    readonly from: string;
    readonly to: string;
  };
  readonly metrics: Figures;
  readonly interval: { readonly low: number; readonly high: number } | null;
  readonly baselines: readonly Judged[];
  /** Interval of the difference to the best naive baseline in the metric. */
  readonly difference: { readonly to: string; readonly low: number; readonly high: number } | null;
  readonly champion: (Judged & { readonly version: string }) | null;
  /** All candidates on the holdout, for people; none is chosen by it. */
  readonly candidates: readonly Judged[];
  readonly byKey: readonly Judged[];
  readonly byPeriod: readonly Judged[];
  readonly importance: ReadonlyArray<{ readonly feature: string; readonly loss: number }>;
  readonly drift: ReadonlyArray<{ readonly feature: string; readonly psi: number }>;
  readonly confusion: {
    readonly tp: number;
    readonly fp: number;
    readonly tn: number;
    readonly fn: number;
    /** From which probability on yes was said; what was judged before 30 November 2026 has none, and was at one half. */
    readonly threshold?: number;
  } | null;
  /** Of several classes: their names, and how many rows of each (first) were said to be which (second). */
  readonly classes?: {
    readonly names: readonly string[];
    readonly confusion: ReadonlyArray<readonly number[]>;
  };
  /** Of several classes: the probability of the class that was said, and how often it was the right one. */
  readonly calibration: ReadonlyArray<{
    readonly predicted: number;
    readonly observed: number;
    readonly rows: number;
  }>;
  /** Greatest difference between the native and our own prediction on the holdout; null where the library was not there. */
  readonly parity: number | null;
  /** A few holdout rows with their predictions, for smoke tests. */
  readonly smoke: ReadonlyArray<{
    readonly features: Readonly<Record<string, number | null>>;
    /** Of several classes the place of the likeliest. */
    readonly prediction: number;
    readonly probabilities?: readonly number[];
  }>;
}

/** The library's own predictions of some rows, to hold ours against. */
export interface PredictJob {
  readonly kind: 'predict';
  /** Local path of a model.json. */
  readonly model: string;
  readonly library: string;
  readonly width: number;
  /** Row by row; null is a missing value. */
  readonly x: ReadonlyArray<number | null>;
}

export type TrainingJob = TrainJob | EvaluateJob | PredictJob;

/** Progress of a training process. */
export interface TrainingProgress {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  readonly unit: string;
}

/** Why a model is not deployed; empty where it may be. */
export interface GateResult {
  readonly passed: boolean;
  readonly reasons: readonly string[];
  /** Every rule with what was measured, for people. */
  readonly rules: ReadonlyArray<{ readonly rule: string; readonly passed: boolean; readonly detail: string }>;
}
