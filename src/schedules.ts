/** Schedules as data, and one function that makes Temporal's agree with it without undoing what an operator did. */
import {
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleDescription,
  type ScheduleOptions,
  type ScheduleOptionsStartWorkflowAction,
} from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import type { Config } from './config/config.js';
import type { DeclaredSchedule } from './connectors/schedule-drift.js';
import type { LakeMaintenanceInput } from './contracts/lake-maintenance.js';
import type { TrainingInput } from './contracts/ml-flows.js';
import type { ModelWatchInput } from './contracts/model-watch.js';
import {
  TASK_QUEUES,
  WORKFLOW_TYPES,
  type MedallionEtlInput,
  type MonitoringInput,
  type Pool,
  type WorkflowType,
} from './contracts/flows.js';

/** One declared schedule. Every policy is set here, none is left to Temporal's defaults (DESIGN law 9). */
export interface ScheduleDefinition {
  readonly id: string;
  readonly workflowType: WorkflowType;
  /** Pool that runs its workflow code. */
  readonly pool: Pool;
  readonly input:
    MedallionEtlInput | MonitoringInput | LakeMaintenanceInput | TrainingInput | ModelWatchInput;
  readonly cron: string;
  readonly timezone: string;
  readonly overlap: keyof typeof ScheduleOverlapPolicy;
  readonly catchupWindowSeconds: number;
  readonly pauseOnFailure: boolean;
  /** Whether it is paused when it is first made. Later the operator decides. */
  readonly createPaused: boolean;
  readonly note: string;
}

/** The schedules of this configuration. Only workflow types that the workers register. */
export function declaredSchedules(config: Config): readonly ScheduleDefinition[] {
  const { timezone, etlDaily, etlHourly, monitoring, maintenance } = config.schedules;
  const etl = {
    workflowType: 'medallionEtl',
    pool: 'flows',
    timezone,
    overlap: 'BUFFER_ONE',
    catchupWindowSeconds: 20 * 3600,
    pauseOnFailure: false,
  } as const;
  const all: readonly ScheduleDefinition[] = [
    {
      ...etl,
      id: 'medallion-etl-daily',
      input: { dataset: etlDaily.dataset },
      cron: etlDaily.cron,
      createPaused: false,
      note: 'Bronze, Silver and Gold once a day',
    },
    {
      ...etl,
      id: 'medallion-etl-hourly',
      input: { dataset: etlHourly.dataset },
      cron: etlHourly.cron,
      createPaused: true,
      note: 'The same every hour; made paused, `datalab schedules resume medallion-etl-hourly` starts it',
    },
    ...modelSchedules(config),
    {
      id: 'datalab-monitoring-realtime',
      workflowType: 'platformMonitoring',
      pool: 'monitoring',
      input: {},
      cron: monitoring.cron,
      timezone,
      overlap: 'SKIP',
      catchupWindowSeconds: 60,
      pauseOnFailure: false,
      createPaused: false,
      note: 'Measures Kafka, the lake, the services and the schedules, and alerts',
    },
    {
      id: 'datalake-maintenance-weekly',
      workflowType: 'lakeMaintenance',
      pool: 'flows',
      input: {},
      cron: maintenance.cron,
      timezone,
      overlap: 'SKIP',
      catchupWindowSeconds: 12 * 3600,
      pauseOnFailure: false,
      createPaused: false,
      note: 'Retention, small files, unneeded files, checkpoints and logs, table by table as each needs it',
    },
  ];
  return all.filter((schedule) => WORKFLOW_TYPES.includes(schedule.workflowType));
}

/** A schedule in the form in which it is held against what Temporal has. */
export function comparable({ pool, ...schedule }: ScheduleDefinition): DeclaredSchedule {
  return { ...schedule, taskQueue: TASK_QUEUES[pool] };
}

function modelSchedules({ schedules, mlflow }: Config): readonly ScheduleDefinition[] {
  const { timezone, mlopsWeekly, modelWatch } = schedules;
  return [
    {
      id: 'mlops-weekly-retrain',
      workflowType: 'mlopsTraining',
      pool: 'flows',
      input: { model: mlopsWeekly.model },
      cron: mlopsWeekly.cron,
      timezone,
      overlap: 'SKIP',
      catchupWindowSeconds: 12 * 3600,
      pauseOnFailure: false,
      createPaused: !mlflow.enabled,
      note: 'Trains the model anew and deploys it if it has earned that',
    },
    {
      id: 'mlops-model-watch',
      workflowType: 'modelWatch',
      pool: 'flows',
      input: {},
      cron: modelWatch.cron,
      timezone,
      overlap: 'SKIP',
      catchupWindowSeconds: 60,
      pauseOnFailure: false,
      createPaused: !mlflow.enabled,
      note: 'Keeps what was predicted, and holds it against the truth once that is there',
    },
  ];
}

/** What reconciling one schedule did. */
export interface Reconciled {
  readonly id: string;
  readonly change: 'created' | 'updated' | 'unchanged';
  readonly paused: boolean;
}

/** Creates what is missing and updates what differs, in place. An operator's pause and note stay. Safe to repeat. */
export async function reconcile(
  client: Client,
  schedules: readonly ScheduleDefinition[],
): Promise<Reconciled[]> {
  const results: Reconciled[] = [];
  for (const schedule of schedules) results.push(await reconcileOne(client, schedule));
  return results;
}

async function reconcileOne(client: Client, schedule: ScheduleDefinition): Promise<Reconciled> {
  const handle = client.schedule.getHandle(schedule.id);
  const { id } = schedule;
  try {
    const before = await handle.describe();
    const { spec, action, policies } = optionsOf(schedule);
    await handle.update((previous) => ({ spec, action, policies, state: previous.state }));
    // The server keeps schedules in a normal form of its own, so only its two answers can be compared.
    const after = await handle.describe();
    const change = essence(before) === essence(after) ? 'unchanged' : 'updated';
    return { id, change, paused: after.state.paused };
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    await client.schedule.create(optionsOf(schedule));
    return { id, change: 'created', paused: schedule.createPaused };
  }
}

function essence({ spec, action, policies }: ScheduleDescription): string {
  return JSON.stringify({ spec, action, policies });
}

function optionsOf(
  schedule: ScheduleDefinition,
): ScheduleOptions & { action: ScheduleOptionsStartWorkflowAction<Workflow> } {
  return {
    scheduleId: schedule.id,
    spec: { cronExpressions: [schedule.cron], timezone: schedule.timezone },
    action: {
      type: 'startWorkflow',
      workflowType: schedule.workflowType,
      taskQueue: TASK_QUEUES[schedule.pool],
      workflowId: schedule.id,
      args: [schedule.input],
    },
    policies: {
      overlap: ScheduleOverlapPolicy[schedule.overlap],
      catchupWindow: schedule.catchupWindowSeconds * 1000,
      pauseOnFailure: schedule.pauseOnFailure,
    },
    state: { paused: schedule.createPaused, note: schedule.note },
  };
}
