/** Asks Temporal in its own protocol. */
import { Connection } from '@temporalio/client';
import { age } from '../picture.js';

const TIMEOUT_MS = 3000;

interface TemporalAddress {
  readonly address: string;
  readonly namespace: string;
}

/** Health, version and the namespace with its search attributes. Throws when one of them is not there. */
export async function probeTemporal(
  target: TemporalAddress & { searchAttributes: readonly string[] },
): Promise<string> {
  return withConnection(target, async (connection) => {
    const health = await connection.healthService.check({});
    if (health.status !== 1) throw new Error(`health status ${health.status}`);
    const info = await connection.workflowService.getSystemInfo({});
    await connection.workflowService.describeNamespace({ namespace: target.namespace });
    const { customAttributes } = await connection.operatorService.listSearchAttributes({
      namespace: target.namespace,
    });
    const missing = target.searchAttributes.filter((name) => !(name in customAttributes));
    if (missing.length > 0) throw new Error(`search attributes are missing: ${missing.join(', ')}`);
    return `server ${info.serverVersion ?? '?'}, namespace ${target.namespace}`;
  });
}

/** Whether workers have polled every task queue within the last two minutes. Throws naming the queue that has none. */
export async function probePollers(
  target: TemporalAddress & { taskQueues: readonly string[] },
): Promise<string> {
  return withConnection(target, async (connection) => {
    for (const name of target.taskQueues) {
      // A queue may serve workflows, activities or both (types 1 and 2): one of them is enough.
      const kinds = [1, 2] as const;
      const answers = await Promise.all(
        kinds.map((taskQueueType) =>
          connection.workflowService.describeTaskQueue({
            namespace: target.namespace,
            taskQueue: { name },
            taskQueueType,
          }),
        ),
      );
      const recent = answers
        .flatMap((answer) => answer.pollers ?? [])
        .filter((poller) => Number(poller.lastAccessTime?.seconds ?? 0) * 1000 > Date.now() - 120_000);
      if (recent.length === 0) throw new Error(`no worker polls ${name}`);
    }
    return `polls ${target.taskQueues.join(', ')}; ${await newestCycle(connection, target.namespace)}`;
  });
}

/** How old the newest sample of the monitoring is: if it does not run, this says so. */
async function newestCycle(connection: Connection, namespace: string): Promise<string> {
  const { executions } = await connection.workflowService.listWorkflowExecutions({
    namespace,
    pageSize: 1,
    query: `WorkflowType = 'platformMonitoring' AND ExecutionStatus = 'Completed'`,
  });
  const seconds = Number(executions?.[0]?.closeTime?.seconds ?? 0);
  if (seconds === 0) return 'no monitoring cycle yet';
  return `newest monitoring cycle ${age(Date.now() / 1000 - seconds)} ago`;
}

async function withConnection<T>(
  target: TemporalAddress,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await Connection.connect({ address: target.address, connectTimeout: TIMEOUT_MS });
  try {
    return await connection.withDeadline(Date.now() + TIMEOUT_MS, () => work(connection));
  } finally {
    await connection.close();
  }
}
