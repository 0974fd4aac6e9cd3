/** A Temporal namespace of a test's own, so that its schedules and task queues meet nobody else's. */
import { randomUUID } from 'node:crypto';
import { Connection } from '@temporalio/client';

const VISIBLE_WITHIN_MS = 30_000;

/** Registers a namespace and waits until the server serves it. */
export async function ownNamespace(address: string, name: string): Promise<string> {
  const namespace = `${name}-${randomUUID().slice(0, 8)}`;
  const connection = await Connection.connect({ address });
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: { seconds: 24 * 3600 } as never,
    });
    // The server's parts learn of a namespace from a cache that is refreshed every few seconds.
    for (
      const deadline = Date.now() + VISIBLE_WITHIN_MS;
      ;
      await new Promise((resolve) => setTimeout(resolve, 200))
    ) {
      try {
        await connection.workflowService.listWorkflowExecutions({ namespace, pageSize: 1 });
        return namespace;
      } catch (error) {
        if (Date.now() > deadline) throw error;
      }
    }
  } finally {
    await connection.close();
  }
}
