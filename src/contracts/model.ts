/** A declared model: what `datasets/<dataset>/models/<name>.yaml` says, as plain data. */

/** From which probability on a row is said to be 1, where a model's file says nothing else. */
export const THRESHOLD = 0.5;

export const MODEL_KINDS = ['regression', 'binary', 'multiclass'] as const;
export type ModelKind = (typeof MODEL_KINDS)[number];

/** What is learned: a number, yes or no, or one of several classes. */
export interface TargetDefinition {
  readonly expression: string;
  /** Rows of the same key ahead. */
  readonly horizon: number;
  readonly kind: ModelKind;
  /** Of kind `multiclass`: what the expression may say, in the order in which probabilities are given. */
  readonly classes?: readonly string[] | undefined;
  /** Of kind `binary`: from which probability on a row is said to be 1. Default one half. */
  readonly threshold?: number | undefined;
}

/** Numbers that a prediction consists of: one, or the probability of each class. */
export const outputsOf = ({ classes }: Pick<TargetDefinition, 'classes'>): number => classes?.length ?? 1;

/** Statistics of a rolling window. Each is NULL until the window is full. */
export const WINDOW_STATISTICS = ['mean', 'stddev', 'min', 'max', 'sum'] as const;
export type WindowStatistic = (typeof WINDOW_STATISTICS)[number];

/** One feature, or a family of them: the value now, at lags, and over windows that end with the row. */
export interface FeatureDefinition {
  readonly name: string;
  /** SQL over the columns of the row alone. */
  readonly expression: string;
  /** How many rows of the same key back; 0 is the row itself. */
  readonly lags: readonly number[];
  readonly windows: ReadonlyArray<{ readonly rows: number; readonly statistic: WindowStatistic }>;
}

export type CandidateKind = 'linear' | 'forest' | 'boosting';

export interface CandidateDefinition {
  readonly name: string;
  readonly kind: CandidateKind;
  /** Values to try for each parameter. */
  readonly grid: Readonly<Record<string, readonly number[]>>;
  /** Seeded random choice among the grid's combinations; without it all are tried. */
  readonly search?: { readonly trials: number; readonly seconds: number };
}

export type BaselineDefinition =
  | { readonly kind: 'last_value' | 'constant' | 'majority' }
  | { readonly kind: 'rolling_mean'; readonly rows: number }
  /** A plain fit on a few features: a reference that the model should beat, and no more than that. */
  | { readonly kind: 'least_squares'; readonly features: readonly string[] };

export const REGRESSION_METRICS = ['rmse', 'mae', 'r2'] as const;
export const BINARY_METRICS = [
  'accuracy',
  'precision',
  'recall',
  'f1',
  'roc_auc',
  'pr_auc',
  'log_loss',
  'brier',
] as const;
/** `macro_`: the plain mean over the classes, however rare one is. */
export const MULTICLASS_METRICS = [
  'accuracy',
  'macro_precision',
  'macro_recall',
  'macro_f1',
  'macro_roc_auc',
  'log_loss',
  'brier',
] as const;
export const METRICS = {
  regression: REGRESSION_METRICS,
  binary: BINARY_METRICS,
  multiclass: MULTICLASS_METRICS,
} as const satisfies Readonly<Record<ModelKind, readonly string[]>>;
export type MetricName = (typeof METRICS)[ModelKind][number];

/** Metrics of which less is better. */
export const LOSSES: ReadonlySet<string> = new Set(['rmse', 'mae', 'log_loss', 'brier']);

export interface GateDefinition {
  /** Share by which a loss must be below the best baseline's, or amount by which a score must be above it. */
  readonly margin: number;
  /** The same, by which the model may be worse than the champion. */
  readonly tolerance: number;
  /** Whether the bootstrap interval of the difference to the best baseline must exclude zero. */
  readonly significant: boolean;
  readonly thresholds: Readonly<Record<string, { readonly min?: number; readonly max?: number }>>;
  readonly approval: { readonly required: boolean; readonly timeoutHours: number };
}

export interface ModelDefinition {
  /** The registered model's name in MLflow. */
  readonly name: string;
  readonly description: string;
  readonly dataset: string;
  /** Gold table. */
  readonly table: string;
  /** The state of the table that is trained on, unless a run names a version; without it the newest. `time` is ISO. */
  readonly asOf?: { readonly version: number } | { readonly time: string };
  readonly keys: readonly string[];
  readonly time: string;
  readonly target: TargetDefinition;
  readonly features: readonly FeatureDefinition[];
  /** `drop`: rows with a NULL feature are left out. `keep`: NULL stays, as a missing value. */
  readonly missing: 'drop' | 'keep';
  readonly splits: {
    /** Share of the distinct times at the end. */
    readonly holdout: number;
    readonly folds: number;
    /** Distinct times left out before each validation, beyond those whose target reaches into it. */
    readonly embargo: number;
    readonly minRows: number;
  };
  readonly candidates: readonly CandidateDefinition[];
  readonly baselines: readonly BaselineDefinition[];
  /** The metric by which candidates are chosen and judged. */
  readonly metric: MetricName;
  readonly gate: GateDefinition;
  /** Whether a model that passes the gate becomes the champion by itself. */
  readonly deploy: boolean;
  readonly seed: number;
  /** sha256 of everything above. */
  readonly fingerprint: string;
}

/** Columns that the features of a definition make, in order. */
export function featureNames(features: readonly FeatureDefinition[]): string[] {
  return features.flatMap(({ name, lags, windows }) => [
    ...lags.map((lag) => (lag === 0 ? name : `${name}_lag_${lag}`)),
    ...windows.map(({ rows, statistic }) => `${name}_${statistic}_${rows}`),
  ]);
}

/** Names that a person sees for a baseline, and the columns of the feature file are called after. */
export function baselineName(baseline: BaselineDefinition): string {
  return baseline.kind === 'rolling_mean' ? `rolling_mean_${baseline.rows}` : baseline.kind;
}
