/** What every activity shares: time, heartbeat with progress, cancellation, and a scratch folder. */
import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { Context } from '@temporalio/activity';
import type { Progress } from '../contracts/flows.js';
import type { StepRecord } from '../contracts/run.js';

export interface StepContext {
  /** Aborted when the run is cancelled, the worker stops, or the heartbeat finds that another attempt took over. */
  readonly signal: AbortSignal;
  /** A folder of this attempt alone; removed when the step ends. */
  readonly scratch: string;
  /** Milliseconds that earlier attempts of the same step took, waiting between them included. */
  readonly earlierMs: number;
  /** Tells how far the step is; sent with the next heartbeat. */
  progress(progress: Progress): void;
}

/** What a step's body hands back: the figures for its record, and the result proper. */
export interface StepBody<Value> {
  readonly outcome?: StepRecord['outcome'];
  readonly rows: number;
  readonly bytes: number;
  readonly detail: string;
  readonly value: Value;
}

/** Runs one step. The record says what it did. */
export async function runStep<Value>(
  name: string,
  scratchRoot: string,
  body: (context: StepContext) => Promise<StepBody<Value>>,
): Promise<{ step: StepRecord; value: Value }> {
  const activity = Context.current();
  const startedAt = new Date().toISOString();
  const scratch = path.join(path.resolve(scratchRoot), `${activity.info.activityType}-${randomUUID()}`);
  let latest: Progress = { phase: name, done: 0, total: 0, unit: '' };
  const stopHeartbeat = startHeartbeat(activity, () => latest);
  try {
    await mkdir(scratch, { recursive: true });
    const done = await body({
      signal: activity.cancellationSignal,
      scratch,
      earlierMs: activity.info.currentAttemptScheduledTimestampMs - activity.info.scheduledTimestampMs,
      progress: (progress) => {
        latest = progress;
      },
    });
    const { outcome = 'ok', rows, bytes, detail, value } = done;
    const finishedAt = new Date().toISOString();
    return {
      step: {
        step: name,
        outcome,
        startedAt,
        finishedAt,
        attempt: activity.info.attempt,
        rows,
        bytes,
        detail,
      },
      value,
    };
  } catch (error) {
    // Work that was interrupted because the step was cancelled fails with whatever it was doing; say what it really is.
    if (activity.cancellationSignal.aborted) throw activity.cancellationSignal.reason;
    throw error;
  } finally {
    stopHeartbeat();
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Does the work of a small step, which has no record of its own, with a heartbeat where its policy asks for one. */
export async function whileBeating<Value>(body: () => Promise<Value>): Promise<Value> {
  const activity = Context.current();
  const { activityType } = activity.info;
  const stopHeartbeat = startHeartbeat(activity, () => ({
    phase: activityType,
    done: 0,
    total: 0,
    unit: '',
  }));
  try {
    return await body();
  } finally {
    stopHeartbeat();
  }
}

function startHeartbeat(activity: Context, latest: () => Progress): () => void {
  const { heartbeatTimeoutMs } = activity.info;
  if (!heartbeatTimeoutMs) return () => undefined;
  // Cancellation arrives with heartbeats only, so they come every second however patient the time-out is.
  const timer = setInterval(() => activity.heartbeat(latest()), Math.min(1000, heartbeatTimeoutMs / 4));
  return () => clearInterval(timer);
}
