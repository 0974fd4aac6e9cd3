/** Starting any flow by its name and input, under the workflow id that its kind goes by. */
import { randomUUID } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { BACKUP_WORKFLOW_ID } from '../contracts/backup.js';
import { DatalabError } from '../contracts/errors.js';
import { TASK_QUEUES } from '../contracts/flows.js';
import { deploymentId } from '../contracts/ml-flows.js';
import { FLOW_INPUTS, type FlowInputOf, type StartableFlow } from './flow-inputs.js';
import { RunHandle } from './run-handle.js';

/** Ids of flows of which one goes on at a time are fixed; every other start is a run of its own. */
const IDS: { readonly [Flow in StartableFlow]: (input: FlowInputOf[Flow]) => string } = {
  medallionEtl: ({ dataset }) => `medallion-etl-${dataset}-${randomUUID()}`,
  quarantineReplay: ({ dataset }) => `quarantine-replay-${dataset}-${randomUUID()}`,
  mlopsTraining: ({ model }) => `mlops-training-${model}-${randomUUID()}`,
  modelDeployment: ({ model }) => deploymentId(model),
  // As its schedule's runs: one goes on at a time.
  modelWatch: () => 'mlops-model-watch',
  lakeMaintenance: () => `lake-maintenance-${randomUUID()}`,
  tableMaintenance: ({ table }) => `table-maintenance-${table}-${randomUUID()}`,
  lakeBackup: () => BACKUP_WORKFLOW_ID,
  scheduleBackfill: ({ scheduleId, dryRun }) =>
    `backfill-${scheduleId}${dryRun ? `-plan-${randomUUID()}` : ''}`,
  platformMonitoring: () => `datalab-monitoring-by-hand-${randomUUID()}`,
};

export const isStartable = (flow: string): flow is StartableFlow => Object.hasOwn(FLOW_INPUTS, flow);

/**
 * Holds an input to its flow's schema. Throws DatalabError INPUT_INVALID with every problem, also where there is no such
 * flow.
 */
export function parseFlowInput<Flow extends StartableFlow>(flow: Flow, input: unknown): FlowInputOf[Flow] {
  const parsed = FLOW_INPUTS[flow].safeParse(input);
  if (parsed.success) return parsed.data as FlowInputOf[Flow];
  const said = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`);
  throw new DatalabError('INPUT_INVALID', `${flow}: ${said.join('; ')}`);
}

/** Starts a flow. Throws INPUT_INVALID, and FLOW_BUSY where one of its name goes on and only one may. */
export async function startFlow(client: Client, flow: string, input: unknown): Promise<RunHandle> {
  if (!isStartable(flow))
    throw new DatalabError(
      'INPUT_INVALID',
      `there is no flow '${flow}' to start; there are ${Object.keys(FLOW_INPUTS).join(', ')}`,
    );
  const parsed = parseFlowInput(flow, input);
  const workflowId = (IDS[flow] as (input: unknown) => string)(parsed);
  try {
    const handle = await client.workflow.start(flow, {
      workflowId,
      taskQueue: flow === 'platformMonitoring' ? TASK_QUEUES.monitoring : TASK_QUEUES.flows,
      args: flow === 'platformMonitoring' ? [] : [parsed],
    });
    return new RunHandle(client, workflowId, handle.firstExecutionRunId);
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw new DatalabError('FLOW_BUSY', `${workflowId} is going on, and one at a time is allowed`, {
      cause: error,
    });
  }
}
