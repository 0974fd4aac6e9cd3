/** What a run needs to know before its first step. */
import type { RunPlan, StepPolicy } from '../contracts/activities.js';
import type { RunRef } from '../contracts/run.js';
import type { ActivityDeps } from './deps.js';

export async function planRun(deps: ActivityDeps, run: RunRef): Promise<RunPlan> {
  const dataset = await deps.loadDataset(run.dataset);
  const { limits, retries } = deps.config;
  const heavy: StepPolicy = {
    startToCloseSeconds: limits.etl.timeoutMinutes * 60,
    heartbeatSeconds: retries.heartbeatSeconds,
    maximumAttempts: retries.heavyAttempts,
    initialIntervalSeconds: retries.initialIntervalSeconds,
  };
  return { fingerprint: dataset.fingerprint, gold: dataset.gold.map(({ table }) => table), heavy };
}
