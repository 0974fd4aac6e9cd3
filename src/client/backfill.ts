/** A backfill, as another service sees it. */
import { randomUUID } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import type { BackfillInput, BackfillSummary } from '../contracts/backfill.js';
import { DatalabError } from '../contracts/errors.js';
import { backfillId } from '../contracts/expected-runs.js';
import { PROGRESS_QUERY, TASK_QUEUES, type WorkflowType } from '../contracts/flows.js';
import { outcomeOf, type RunOutcomeOf } from './outcome.js';

export class BackfillHandle {
  constructor(
    private readonly client: Client,
    readonly workflowId: string,
    readonly runId?: string,
  ) {}

  /** What is done so far. Fails where no worker of the pool `flows` answers. */
  progress(): Promise<BackfillSummary> {
    return this.client.workflow.getHandle(this.workflowId).query<BackfillSummary>(PROGRESS_QUERY);
  }

  /** Waits for the end. A failure is an answer, with its code. */
  result(): Promise<RunOutcomeOf<BackfillSummary>> {
    const handle = this.client.workflow.getHandle(this.workflowId, this.runId);
    return outcomeOf(handle.result() as Promise<BackfillSummary>);
  }

  /** Stops it: the run that goes on is cancelled, what is done stays. Starting it again goes on with what is owed. */
  async cancel(): Promise<void> {
    await this.client.workflow.getHandle(this.workflowId).cancel();
  }
}

/**
 * Starts a backfill. Of each schedule one is going on at a time: a second one is refused with BACKFILL_RUNNING. A dry run
 * starts nothing and is always possible.
 */
export async function startBackfill(client: Client, input: BackfillInput): Promise<BackfillHandle> {
  const workflowId = `${backfillId(input.scheduleId)}${input.dryRun ? `-plan-${randomUUID()}` : ''}`;
  const type: WorkflowType = 'scheduleBackfill';
  try {
    const started = await client.workflow.start(type, {
      ...{ workflowId, taskQueue: TASK_QUEUES.flows, args: [input] },
    });
    return new BackfillHandle(client, workflowId, started.firstExecutionRunId);
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw new DatalabError(
      'BACKFILL_RUNNING',
      `a backfill of ${input.scheduleId} is going on: ${workflowId}`,
      {
        cause: error,
      },
    );
  }
}
