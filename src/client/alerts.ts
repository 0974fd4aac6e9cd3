/** Alert episodes, through the alert manager, which is a workflow. */
import { WorkflowNotFoundError, WorkflowUpdateFailedError, type Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { ALERT_MANAGER, type AlertOverview } from '../contracts/alerts.js';
import { DatalabError, ERRORS, type ErrorCode } from '../contracts/errors.js';
import { TASK_QUEUES } from '../contracts/flows.js';

/** How long an answer may take; without it as long as Temporal waits. */
export interface Patience {
  readonly withinMs?: number;
}

/** Null where no cycle has reported yet. Throws DatalabError FLOWS_IDLE where no worker answers. */
export async function alertsNow(client: Client, patience: Patience = {}): Promise<AlertOverview | null> {
  try {
    return await within(client, patience, () =>
      client.workflow.getHandle(ALERT_MANAGER.workflowId).query<AlertOverview>(ALERT_MANAGER.overview),
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw new DatalabError('FLOWS_IDLE', 'no worker of the pool monitoring answered for the alert manager', {
      cause: error,
    });
  }
}

/**
 * Sends one update to the manager, starting it where it does not run: a silence may come before the first cycle. Throws the
 * manager's own refusal.
 */
export async function tellManager<Answer>(
  client: Client,
  update: string,
  args: [unknown, ...unknown[]],
  patience: Patience = {},
): Promise<Answer> {
  await client.workflow
    .start('alertManager', {
      workflowId: ALERT_MANAGER.workflowId,
      taskQueue: TASK_QUEUES.monitoring,
      workflowIdConflictPolicy: 'USE_EXISTING',
    })
    .catch(() => undefined);
  try {
    return await within(client, patience, () =>
      client.workflow
        .getHandle(ALERT_MANAGER.workflowId)
        .executeUpdate<Answer, [unknown, ...unknown[]]>(update, { args }),
    );
  } catch (error) {
    const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
    if (cause instanceof ApplicationFailure && cause.type && cause.type in ERRORS)
      throw new DatalabError(cause.type as ErrorCode, cause.message, { cause: error });
    throw error;
  }
}

function within<Answer>(client: Client, { withinMs }: Patience, ask: () => Promise<Answer>): Promise<Answer> {
  return withinMs === undefined ? ask() : client.withDeadline(Date.now() + withinMs, ask);
}
