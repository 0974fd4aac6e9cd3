/** One run, as another service sees it: follow it, wait for it, cancel it. */
import { WorkflowNotFoundError, type Client, type WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter, fromPayloadsAtIndex } from '@temporalio/common';
import { DatalabError } from '../contracts/errors.js';
import { PROGRESS_QUERY, type Progress } from '../contracts/flows.js';
import type { EtlSummary } from '../contracts/run.js';
import { outcomeOf } from './outcome.js';

/** How a run ended. A failure is an answer here, not an exception. */
export type RunResult =
  | { readonly status: 'completed'; readonly summary: EtlSummary }
  | { readonly status: 'failed'; readonly code: string; readonly message: string }
  | { readonly status: 'cancelled' };

/** What is known of a run that may still be going on. */
export interface RunProgress {
  readonly summary: EtlSummary;
  /** Heartbeats of the activities that are running now. */
  readonly activities: ReadonlyArray<{
    readonly activity: string;
    readonly attempt: number;
    readonly progress?: Progress;
  }>;
}

export class RunHandle {
  private readonly handle: WorkflowHandle;

  constructor(
    private readonly client: Client,
    readonly workflowId: string,
    readonly runId?: string,
  ) {
    this.handle = client.workflow.getHandle(workflowId, runId);
  }

  /**
   * The summary so far, and what is running. Throws DatalabError FLOWS_IDLE where the run is not completed and no worker
   * of the pool `flows` answers for it.
   */
  async progress(): Promise<RunProgress> {
    const description = await this.handle.describe();
    const completed = description.status.name === 'COMPLETED';
    const summary = completed ? ((await this.handle.result()) as EtlSummary) : await this.query();
    const activities = (description.raw.pendingActivities ?? []).map((pending) => ({
      activity: pending.activityType?.name ?? '?',
      attempt: pending.attempt ?? 1,
      progress: pending.heartbeatDetails?.payloads?.length
        ? fromPayloadsAtIndex<Progress>(defaultPayloadConverter, 0, pending.heartbeatDetails.payloads)
        : undefined,
    }));
    return { summary, activities };
  }

  private async query(): Promise<EtlSummary> {
    try {
      return await this.client.withDeadline(Date.now() + QUERY_WITHIN_MS, () =>
        this.handle.query<EtlSummary>(PROGRESS_QUERY),
      );
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) throw error;
      throw new DatalabError('FLOWS_IDLE', `no worker answered for run ${this.workflowId}`, { cause: error });
    }
  }

  /** Waits for the end. */
  async result(): Promise<RunResult> {
    const ending = await outcomeOf(this.handle.result() as Promise<EtlSummary>);
    return ending.status === 'completed' ? { status: 'completed', summary: ending.result } : ending;
  }

  /** Asks the run to stop. What is published stays; nothing is half published. */
  async cancel(): Promise<void> {
    await this.handle.cancel();
  }

  /** Polls until the run ends, handing every change to `onProgress`; ever more slowly, down to once a second. */
  async watch(onProgress: (progress: RunProgress) => void, everyMs = 100): Promise<RunResult> {
    let ended = false;
    const end = this.result().finally(() => {
      ended = true;
    });
    // A failure that comes while a poll is under way waits for the caller, who awaits it below.
    end.catch(() => undefined);
    let pauseMs = everyMs;
    // The query fails while no worker polls; the wait for the result goes on and tells in the end.
    for (let last = ''; !ended; await Promise.race([end.catch(() => undefined), sleep(pauseMs)])) {
      const progress = await this.progress().catch(() => undefined);
      const text = JSON.stringify(progress);
      if (progress && text !== last) onProgress(progress);
      last = text;
      pauseMs = Math.min(pauseMs * 1.2, Math.max(everyMs, PAUSE_MS_MAX));
    }
    return end;
  }
}

const QUERY_WITHIN_MS = 10_000;
const PAUSE_MS_MAX = 1000;

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
