/** Schedules, as an operator handles them. */
import { ScheduleOverlapPolicy, type Client, type ScheduleDescription } from '@temporalio/client';
import { RunHandle } from './run-handle.js';

const APPEARS_WITHIN_MS = 30_000;

/**
 * Starts the schedule's flow now and returns the run. A run of the same schedule that is still going on is not
 * interrupted: the new one starts beside it, and the lake's commits keep the two apart.
 */
export async function triggerSchedule(client: Client, id: string): Promise<RunHandle> {
  const handle = client.schedule.getHandle(id);
  const known = new Set(actions(await handle.describe()).map(({ runId }) => runId));
  await handle.trigger(ScheduleOverlapPolicy.ALLOW_ALL);
  for (const deadline = Date.now() + APPEARS_WITHIN_MS; Date.now() < deadline;) {
    const started = actions(await handle.describe()).find(({ runId }) => !known.has(runId));
    if (started) return new RunHandle(client, started.workflowId, started.runId);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(
    `schedule ${id} was triggered, but Temporal started no run within ${APPEARS_WITHIN_MS / 1000} s; look at it in the Web UI`,
  );
}

function actions(description: ScheduleDescription): ReadonlyArray<{ workflowId: string; runId: string }> {
  return description.info.recentActions.flatMap(({ action }) =>
    action.type === 'startWorkflow'
      ? [{ workflowId: action.workflow.workflowId, runId: action.workflow.firstExecutionRunId }]
      : [],
  );
}
