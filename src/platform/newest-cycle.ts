/** What the newest cycle of monitoring found, as Temporal keeps it: neither a worker nor the lake has to answer for that. */
import { Client, Connection } from '@temporalio/client';
import type { MonitoringSummary } from '../contracts/monitoring.js';
import { HOST, type Settings } from './settings.js';

const TIMEOUT_MS = 3000;

/** Null where none was completed yet. Throws where Temporal does not answer. */
export async function newestCycle({ ports, env }: Settings): Promise<MonitoringSummary | null> {
  const connection = await Connection.connect({
    address: `${HOST}:${ports.temporal}`,
    connectTimeout: TIMEOUT_MS,
  });
  try {
    const client = new Client({ connection, namespace: env['TEMPORAL_NAMESPACE'] ?? 'default' });
    return await client.withDeadline(Date.now() + TIMEOUT_MS, async () => {
      const query = `WorkflowType = 'platformMonitoring' AND ExecutionStatus = 'Completed'`;
      for await (const { workflowId, runId } of client.workflow.list({ query, pageSize: 1 }))
        return (await client.workflow.getHandle(workflowId, runId).result()) as MonitoringSummary;
      return null;
    });
  } finally {
    await connection.close();
  }
}
