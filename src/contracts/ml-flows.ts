/** The flows of models: what starts them, what their steps are given and hand back. */
import type { PlannedRun, StepPolicy } from './activities.js';
import type { EtlSummary, ReportRef, RunRef, StepRecord } from './run.js';
import type { Figures, GateResult, TrainedCandidate } from './training.js';

/** Input of the workflow type `mlopsTraining`. */
export interface TrainingInput {
  /** Name of a file in `datasets/<dataset>/models/`. */
  readonly model: string;
  /** ISO instant; default: the schedule's nominal time, else the start of the run. */
  readonly logicalTime?: string;
  readonly options?: TrainingOptions;
}

export interface TrainingOptions {
  /** Version of the Gold table; default: the newest. */
  readonly goldVersion?: number;
  /** Train also where an equal model is registered already. */
  readonly force?: boolean;
}

/** `registered`: a version that was not deployed because the model file says so. */
export type TrainingDecision = 'promoted' | 'refused' | 'unchanged' | 'registered' | 'not_deployed';

/** What a training came to; part of its summary. */
export interface TrainingFigures {
  readonly model: string;
  readonly table: string;
  readonly goldVersion: number;
  readonly rows: number;
  readonly candidates: ReadonlyArray<{ readonly name: string; readonly validation: Figures }>;
  readonly leftOut: ReadonlyArray<{ readonly name: string; readonly reason: string }>;
  readonly winner: string | null;
  readonly metric: string;
  readonly metrics: Figures;
  readonly version: string | null;
  readonly mlflowRun: string | null;
  readonly decision: TrainingDecision | null;
  readonly reasons: readonly string[];
  /** One sentence for people. */
  readonly message: string;
}

export type TrainingSummary = EtlSummary & { readonly training?: TrainingFigures };

export interface TrainingPlan {
  readonly fingerprint: string;
  readonly model: string;
  readonly table: string;
  readonly tableId: string;
  readonly goldVersion: number;
  readonly metric: string;
  readonly candidates: readonly string[];
  readonly leftOut: ReadonlyArray<{ readonly name: string; readonly reason: string }>;
  readonly deploy: boolean;
  readonly approval: { readonly required: boolean; readonly timeoutHours: number };
  readonly heavy: StepPolicy;
}

/** A run of a model; what every step is given first. */
export interface TrainingRun extends RunRef {
  readonly model: string;
}

export interface PlannedTraining extends TrainingRun {
  readonly plan: TrainingPlan;
}

export interface BuiltFeatures {
  readonly step: StepRecord;
  /** Key of the feature file in the lake. */
  readonly key: string;
  readonly sha256: string;
  readonly rows: number;
  /** Features that change when the future does. */
  readonly leaks: readonly string[];
  /** sha256 of rows, definition and engine: equal ones give equal models. */
  readonly identity: string;
}

export interface KnownModel {
  readonly version: string;
  readonly gate: string;
  readonly isChampion: boolean;
}

export interface TrainedStep {
  readonly step: StepRecord;
  readonly trained: TrainedCandidate;
  /** Prefix in the lake of its files. */
  readonly folder: string;
}

export interface EvaluatedStep {
  readonly step: StepRecord;
  /** Key of the whole evaluation in the lake. */
  readonly key: string;
  readonly winner: string;
  readonly metrics: Figures;
  readonly gate: GateResult;
  readonly champion: string | null;
}

export interface RegisteredStep {
  readonly step: StepRecord;
  readonly version: string;
  readonly mlflowRun: string;
  readonly report: ReportRef;
}

export interface DeploymentInput {
  readonly model: string;
  /** A version, or `previous`. */
  readonly version: string;
  /** The champion that the caller saw: the deployment is refused where it is another by now. */
  readonly expect?: string | null;
}

export interface Deployed {
  readonly model: string;
  readonly version: string;
  /** The champion before. */
  readonly from: string | null;
}

export interface AliasState {
  readonly champion: string | null;
  readonly previous: string | null;
}

/** Name under which a person's decision reaches a training that waits for it. */
export const APPROVAL_UPDATE = 'decide';
export interface Approval {
  readonly approve: boolean;
  readonly by: string;
  readonly reason?: string;
}

/** Deployments of one model have one workflow id, so that Temporal lets one run at a time. */
export const deploymentId = (model: string): string => `model-deployment-${model}`;

export interface TrainingActivities {
  planTraining(run: TrainingRun, options: TrainingOptions): Promise<TrainingPlan>;
  buildFeatures(run: PlannedTraining): Promise<BuiltFeatures>;
  /** The version that equal rows and an equal definition made before. */
  findIdentical(run: PlannedTraining, identity: string): Promise<KnownModel | null>;
  trainCandidate(run: PlannedTraining, features: BuiltFeatures, candidate: string): Promise<TrainedStep>;
  evaluateModel(
    run: PlannedTraining,
    features: BuiltFeatures,
    trained: readonly TrainedStep[],
  ): Promise<EvaluatedStep>;
  registerModel(
    run: PlannedTraining,
    features: BuiltFeatures,
    trained: readonly TrainedStep[],
    evaluated: EvaluatedStep,
  ): Promise<RegisteredStep>;
  /** Tags the version with what became of it. */
  tagDecision(run: TrainingRun, version: string, decision: string, reasons: readonly string[]): Promise<void>;
  /** Closes the runs in MLflow that an attempt of this run left open, and deletes its files in the lake. */
  endTraining(run: TrainingRun, status: 'FINISHED' | 'FAILED' | 'KILLED'): Promise<void>;
}

export interface DeploymentActivities {
  readAliases(input: DeploymentInput): Promise<AliasState & { readonly version: string }>;
  /** Loads the version and predicts its stored rows, in the model server too where one runs. Throws MODEL_PARITY, MODEL_UNREADABLE. */
  smokeTest(model: string, version: string): Promise<void>;
  /** Compare and set. Repeating it changes nothing. Throws MODEL_ALIAS_MOVED. */
  switchAlias(model: string, from: AliasState, to: AliasState): Promise<void>;
  /** The alias names the version, what it names still predicts its stored rows, and a model server that runs serves it. */
  verifyChampion(model: string, version: string): Promise<void>;
}

export type { PlannedRun };
