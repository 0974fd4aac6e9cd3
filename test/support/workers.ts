/** Workers for a while: one for each pool that a test gives activities for, on the server of its environment. */
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { TASK_QUEUES, type Pool } from '../../src/contracts/flows.js';
import { workflowBundle } from './workflow-bundle.js';

/** Pools whose workers run workflow code, as in `src/worker.ts`. */
const RUNS_WORKFLOWS: readonly Pool[] = ['flows', 'monitoring'];

/** Runs the body while the workers poll, and ends them with it. */
export async function withWorkers<T>(
  { nativeConnection: connection }: TestWorkflowEnvironment,
  pools: Readonly<Partial<Record<Pool, object>>>,
  body: () => Promise<T>,
): Promise<T> {
  const bundle = await workflowBundle();
  const workers = await Promise.all(
    Object.entries(pools).map(([pool, activities]) =>
      Worker.create({
        ...{ connection, taskQueue: TASK_QUEUES[pool as Pool], activities },
        ...(RUNS_WORKFLOWS.includes(pool as Pool) && { workflowBundle: bundle }),
      }),
    ),
  );
  return workers.reduce<Promise<T>>((running, worker) => worker.runUntil(running), body());
}
