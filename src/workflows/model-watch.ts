/**
 * Puts what the model server predicted into `meta.predictions`, then holds the champions' predictions against the truth.
 *
 * Guarantees: a prediction is in the table once, whatever is repeated; one that is in the inbox is never lost. Its workflow id
 * is that of its schedule, so that one runs at a time. The history holds two activities and never continues as new.
 */
import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { ModelWatchInput, WatchActivities, WatchSummary } from '../contracts/model-watch.js';
import { originOf } from './origin.js';
import { activityOptions, WATCH } from './policies.js';
import { parseModelWatch } from './training-input.js';

export async function modelWatch(input: ModelWatchInput): Promise<WatchSummary> {
  parseModelWatch(input);
  const { takePredictions, measureModels } = proxyActivities<WatchActivities>(activityOptions('ml', WATCH));
  const at = workflowInfo().startTime.toISOString();
  const { scheduleId, at: logicalTime } = originOf();
  const scheduled = scheduleId === undefined ? [] : [{ scheduleId, logicalTime }];
  const taken = await takePredictions();
  return { at, taken, models: await measureModels(at, ...scheduled) };
}
