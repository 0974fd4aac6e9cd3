/**
 * The typed client for other services: `import { DatalabClient } from 'datalab/client'`.
 *
 * ```ts
 * const datalab = await DatalabClient.connect({ address: '127.0.0.1:7233' });
 * const run = await datalab.startEtl({ dataset: 'stocks' });
 * const result = await run.result();
 * await datalab.close();
 * ```
 */
import { randomUUID } from 'node:crypto';
import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import { TASK_QUEUES, type MedallionEtlInput, type WorkflowType } from '../contracts/flows.js';
import {
  ALERT_MANAGER,
  type AcknowledgeRequest,
  type AlertOverview,
  type Episode,
  type Silence,
  type SilenceRequest,
} from '../contracts/alerts.js';
import type { BackfillInput } from '../contracts/backfill.js';
import {
  APPROVAL_UPDATE,
  deploymentId,
  type Approval,
  type Deployed,
  type DeploymentInput,
  type TrainingInput,
} from '../contracts/ml-flows.js';
import type { QuarantineReplayInput } from '../contracts/replay.js';
import type { TableMaintained, TableMaintenanceInput } from '../contracts/table-maintenance.js';
import { alertsNow, tellManager } from './alerts.js';
import { startBackfill, type BackfillHandle } from './backfill.js';
import { BACKUP_WORKFLOW_ID, type BackupInput, type BackupSummary } from '../contracts/backup.js';
import type { LakeMaintenanceInput, LakeMaintenanceSummary } from '../contracts/lake-maintenance.js';
import { outcomeOf, type RunOutcomeOf } from './outcome.js';
import { RunHandle } from './run-handle.js';
import { triggerSchedule } from './schedules.js';
import { startFlow } from './start-flow.js';

export { RunHandle, type RunProgress, type RunResult } from './run-handle.js';
export type { RunOutcomeOf } from './outcome.js';
export { triggerSchedule } from './schedules.js';
export { FLOW_INPUTS, type FlowInputOf, type StartableFlow } from './flow-inputs.js';
export { isStartable, parseFlowInput, startFlow } from './start-flow.js';
export { retryRun, retrySteps, type RetryStep } from './retry.js';
export type { TableMaintained, TableMaintenanceInput, TableTask } from '../contracts/table-maintenance.js';
export type {
  AcknowledgeRequest,
  AlertOverview,
  Episode,
  Silence,
  SilenceRequest,
} from '../contracts/alerts.js';
export { BackfillHandle } from './backfill.js';
export type { BackfillInput, BackfillMode, BackfillSummary } from '../contracts/backfill.js';
export type { LakeMaintenanceInput, LakeMaintenanceSummary } from '../contracts/lake-maintenance.js';
export type { BackupInput, BackupSummary } from '../contracts/backup.js';
export type { QuarantineReplayInput, ReplayFigures } from '../contracts/replay.js';
export type { MedallionEtlInput, EtlOptions, Progress } from '../contracts/flows.js';
export type { EtlSummary, RunOutcome, RunRef, StepRecord, TableState } from '../contracts/run.js';
export type { Ledger } from '../contracts/ledger.js';

/** Where Temporal is. `address` is host:port. */
export interface DatalabClientOptions extends Pick<ConnectionOptions, 'address' | 'tls' | 'apiKey'> {
  readonly namespace?: string;
}

export class DatalabClient {
  /** Wraps a Temporal client that is already there; `close` then leaves its connection alone. */
  constructor(
    readonly temporal: Client,
    private readonly owned?: Connection,
  ) {}

  static async connect({ namespace = 'default', ...options }: DatalabClientOptions): Promise<DatalabClient> {
    const connection = await Connection.connect(options);
    return new DatalabClient(new Client({ connection, namespace }), connection);
  }

  /**
   * Starts one medallion run. Without a `workflowId` every call is a run of its own; with one, a second call while the
   * first still runs is refused by Temporal (WorkflowExecutionAlreadyStartedError).
   */
  async startEtl(input: MedallionEtlInput, options: { workflowId?: string } = {}): Promise<RunHandle> {
    const workflowId = options.workflowId ?? `medallion-etl-${input.dataset}-${randomUUID()}`;
    return this.#start('medallionEtl', workflowId, input);
  }

  /**
   * Tries a dataset's refused rows again, under its definition as it is now, and takes those that pass through to Gold.
   * A row is taken in once, however often this is called.
   */
  async startReplay(input: QuarantineReplayInput, options: { workflowId?: string } = {}): Promise<RunHandle> {
    const workflowId = options.workflowId ?? `quarantine-replay-${input.dataset}-${randomUUID()}`;
    return this.#start('quarantineReplay', workflowId, input);
  }

  /** Trains a model, judges it, and deploys it where it has earned that. A refusal is a completed run with reasons. */
  async startTraining(input: TrainingInput, options: { workflowId?: string } = {}): Promise<RunHandle> {
    const workflowId = options.workflowId ?? `mlops-training-${input.model}-${randomUUID()}`;
    return this.#start('mlopsTraining', workflowId, input);
  }

  /**
   * Makes a version of a model the champion (`previous`: the one before), after a test of it, and waits for the end. One
   * deployment of a model goes on at a time; a second is refused (WorkflowExecutionAlreadyStartedError).
   */
  async deployModel(input: DeploymentInput): Promise<RunOutcomeOf<Deployed>> {
    const type: WorkflowType = 'modelDeployment';
    const handle = await this.temporal.workflow.start(type, {
      workflowId: deploymentId(input.model),
      taskQueue: TASK_QUEUES.flows,
      args: [input],
    });
    return outcomeOf(handle.result() as Promise<Deployed>);
  }

  /** Tells a training that waits for a person what was decided. Throws where it does not wait, or was told already. */
  async decideTraining(workflowId: string, approval: Approval): Promise<string> {
    return this.temporal.workflow
      .getHandle(workflowId)
      .executeUpdate<string, [Approval]>(APPROVAL_UPDATE, { args: [approval] });
  }

  /**
   * Starts any flow that people start, by its name (see `FLOW_INPUTS`). Throws DatalabError INPUT_INVALID, and FLOW_BUSY
   * where one of its kind goes on and only one may.
   */
  startFlow(flow: string, input: unknown): Promise<RunHandle> {
    return startFlow(this.temporal, flow, input);
  }

  /** Open, pending and silenced alerts; null where monitoring has not reported yet. Throws DatalabError FLOWS_IDLE. */
  alerts(): Promise<AlertOverview | null> {
    return alertsNow(this.temporal);
  }

  /** Says that somebody looks after an alert: it is not told again until it changes. Throws ALERT_UNKNOWN. */
  acknowledgeAlert(request: AcknowledgeRequest): Promise<Episode> {
    return tellManager<Episode>(this.temporal, ALERT_MANAGER.acknowledge, [request]);
  }

  /** Nothing that matches is told until then. Throws INPUT_INVALID. */
  silenceAlerts(request: SilenceRequest): Promise<Silence> {
    return tellManager<Silence>(this.temporal, ALERT_MANAGER.silence, [request]);
  }

  /** Ends a silence. Throws ALERT_UNKNOWN. */
  endSilence(id: string, by: string): Promise<Silence> {
    return tellManager<Silence>(this.temporal, ALERT_MANAGER.unsilence, [id, by]);
  }

  async #start(type: WorkflowType, workflowId: string, input: object): Promise<RunHandle> {
    const handle = await this.temporal.workflow.start(type, {
      workflowId,
      taskQueue: TASK_QUEUES.flows,
      args: [input],
    });
    return new RunHandle(this.temporal, workflowId, handle.firstExecutionRunId);
  }

  /**
   * Does one task of maintenance on one table, and waits for its end: optimize, vacuum, clean-log, checkpoint, fsck or
   * restore. The work goes on where the caller goes away. A failure is an answer, with its code.
   */
  async maintainTable(input: TableMaintenanceInput): Promise<RunOutcomeOf<TableMaintained>> {
    const workflowId = `table-maintenance-${input.table}-${randomUUID()}`;
    const type: WorkflowType = 'tableMaintenance';
    const handle = await this.temporal.workflow.start(type, {
      workflowId,
      taskQueue: TASK_QUEUES.flows,
      args: [input],
    });
    return outcomeOf(handle.result() as Promise<TableMaintained>);
  }

  /**
   * Starts maintenance of the whole lake, or of some tables; a dry run changes nothing. `result` of the handle waits for
   * the summary, and the work goes on where the caller goes away.
   */
  async startMaintenance(
    input: LakeMaintenanceInput = {},
    options: { workflowId?: string } = {},
  ): Promise<{ workflowId: string; runId: string; result(): Promise<RunOutcomeOf<LakeMaintenanceSummary>> }> {
    const workflowId = options.workflowId ?? `lake-maintenance-${randomUUID()}`;
    const type: WorkflowType = 'lakeMaintenance';
    const handle = await this.temporal.workflow.start(type, {
      workflowId,
      taskQueue: TASK_QUEUES.flows,
      args: [input],
    });
    return {
      workflowId,
      runId: handle.firstExecutionRunId,
      result: () => outcomeOf(handle.result() as Promise<LakeMaintenanceSummary>),
    };
  }

  /**
   * Makes, verifies or tries out a backup, or restores from one, and waits for the end. One at a time: a second call while
   * one is under way is refused by Temporal (WorkflowExecutionAlreadyStartedError). A failure is an answer, with its code.
   */
  async backup(input: BackupInput): Promise<RunOutcomeOf<BackupSummary>> {
    const type: WorkflowType = 'lakeBackup';
    const handle = await this.temporal.workflow.start(type, {
      workflowId: BACKUP_WORKFLOW_ID,
      taskQueue: TASK_QUEUES.flows,
      args: [input],
    });
    return outcomeOf(handle.result() as Promise<BackupSummary>);
  }

  /** A run that is known by its workflow id; without a run id, the newest of that name. */
  run(workflowId: string, runId?: string): RunHandle {
    return new RunHandle(this.temporal, workflowId, runId);
  }

  /** Fills the logical times of a schedule that have no run, or none that ended well. */
  startBackfill(input: BackfillInput): Promise<BackfillHandle> {
    return startBackfill(this.temporal, input);
  }

  /** Starts a schedule's flow now. */
  trigger(scheduleId: string): Promise<RunHandle> {
    return triggerSchedule(this.temporal, scheduleId);
  }

  async close(): Promise<void> {
    await this.owned?.close();
  }
}
