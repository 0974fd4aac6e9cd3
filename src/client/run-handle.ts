/** One run, as another service sees it: follow it, wait for it, cancel it. */
import { WorkflowFailedError, type Client, type WorkflowHandle } from '@temporalio/client';
import {
  defaultPayloadConverter,
  fromPayloadsAtIndex,
  CancelledFailure,
  ApplicationFailure,
} from '@temporalio/common';
import { PROGRESS_QUERY, type Progress } from '../contracts/flows.js';
import type { EtlSummary } from '../contracts/run.js';

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
    client: Client,
    readonly workflowId: string,
    readonly runId?: string,
  ) {
    this.handle = client.workflow.getHandle(workflowId, runId);
  }

  /** The summary so far, and what is running. Needs a worker that polls the pool `flows`. */
  async progress(): Promise<RunProgress> {
    const [summary, description] = await Promise.all([
      this.handle.query<EtlSummary>(PROGRESS_QUERY),
      this.handle.describe(),
    ]);
    const activities = (description.raw.pendingActivities ?? []).map((pending) => ({
      activity: pending.activityType?.name ?? '?',
      attempt: pending.attempt ?? 1,
      progress: pending.heartbeatDetails?.payloads?.length
        ? fromPayloadsAtIndex<Progress>(defaultPayloadConverter, 0, pending.heartbeatDetails.payloads)
        : undefined,
    }));
    return { summary, activities };
  }

  /** Waits for the end. */
  async result(): Promise<RunResult> {
    try {
      return { status: 'completed', summary: (await this.handle.result()) as EtlSummary };
    } catch (error) {
      if (!(error instanceof WorkflowFailedError)) throw error;
      let cause: Error | undefined = error.cause;
      if (cause instanceof CancelledFailure) return { status: 'cancelled' };
      while (cause && !(cause instanceof ApplicationFailure) && cause.cause instanceof Error)
        cause = cause.cause;
      const code = cause instanceof ApplicationFailure ? (cause.type ?? 'UNEXPECTED') : 'UNEXPECTED';
      return { status: 'failed', code, message: cause?.message ?? error.message };
    }
  }

  /** Asks the run to stop. What is published stays; nothing is half published. */
  async cancel(): Promise<void> {
    await this.handle.cancel();
  }

  /** Polls until the run ends, handing every change to `onProgress`. */
  async watch(onProgress: (progress: RunProgress) => void, everyMs = 250): Promise<RunResult> {
    let ended = false;
    const end = this.result().finally(() => {
      ended = true;
    });
    // The query fails while no worker polls; the wait for the result goes on and tells in the end.
    for (let last = ''; !ended; await Promise.race([end.catch(() => undefined), sleep(everyMs)])) {
      const progress = await this.progress().catch(() => undefined);
      const text = JSON.stringify(progress);
      if (progress && text !== last) onProgress(progress);
      last = text;
    }
    return end;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
