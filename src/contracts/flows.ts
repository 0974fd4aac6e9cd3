/** The flows by name: what starts them, where they run, what they are called everywhere. */

/** Input of the workflow type `medallionEtl`. */
export interface MedallionEtlInput {
  /** Name of a folder in `datasets/`. */
  readonly dataset: string;
  /** ISO instant; default: the schedule's nominal time, else the start of the run. */
  readonly logicalTime?: string;
  readonly options?: EtlOptions;
}

export interface EtlOptions {
  /** Recompute Silver and Gold from all of Bronze even where nothing changed. */
  readonly rebuild?: boolean;
  /** In a rebuild: drops published rows that retention took out of Bronze and that the new definition has no place for. */
  readonly acceptLoss?: boolean;
  /** No notification for the run: a backfill of a year is not three hundred messages. Its record and events stay. */
  readonly quiet?: boolean;
}

/** Input of the workflow type `platformMonitoring`: everything that it needs is configuration. */
export type MonitoringInput = Readonly<Record<string, never>>;

/** Names of datasets: also folder names, table names and parts of object keys. */
export const DATASET_NAME = /^[a-z][a-z0-9_]{0,62}$/;

/** Workflow types as Temporal knows them. */
export const WORKFLOW_TYPES = [
  'medallionEtl',
  'quarantineReplay',
  'scheduleBackfill',
  'tableMaintenance',
  'lakeMaintenance',
  'mlopsTraining',
  'modelDeployment',
  'modelWatch',
  'lakeBackup',
  'platformMonitoring',
  'alertManager',
] as const;
export type WorkflowType = (typeof WORKFLOW_TYPES)[number];

/**
 * A pool is the workers on one task queue. `flows` runs workflow code and light activities, `etl` the heavy ones.
 * `ml` trains models and tells MLflow. `maintenance` works on tables, apart from `etl` so that neither waits for the other.
 * `monitoring` runs its workflows and its activities itself, so that it still works when the others do not.
 */
export const POOLS = ['flows', 'etl', 'ml', 'maintenance', 'monitoring'] as const;
export type Pool = (typeof POOLS)[number];

export const TASK_QUEUES: Readonly<Record<Pool, string>> = Object.freeze({
  flows: 'datalab-flows',
  etl: 'datalab-etl',
  maintenance: 'datalab-maintenance',
  ml: 'datalab-ml',
  monitoring: 'datalab-monitoring',
});

/** Custom search attributes, with the type that Temporal is told at registration. */
export const SEARCH_ATTRIBUTES = Object.freeze({
  dataset: { name: 'DatalabDataset', type: 'KEYWORD' },
  logicalTime: { name: 'DatalabLogicalTime', type: 'DATETIME' },
  phase: { name: 'DatalabPhase', type: 'KEYWORD' },
  outcome: { name: 'DatalabOutcome', type: 'KEYWORD' },
} as const);

/** Name of the query that every flow answers with its summary so far. */
export const PROGRESS_QUERY = 'progress';

/** Heartbeat details: how far an activity is. */
export interface Progress {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  readonly unit: string;
}
