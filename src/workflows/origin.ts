/** Where an execution comes from: the schedule that started it, and the time of the schedule that it is for. */
import { workflowInfo } from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import { backfilledBy } from '../contracts/expected-runs.js';

const STARTED_BY = defineSearchAttributeKey('TemporalScheduledById', 'KEYWORD');
const NOMINAL = defineSearchAttributeKey('TemporalScheduledStartTime', 'DATETIME');

export interface Origin {
  /** Also that of which a backfill fills a time; absent where the execution was started by hand. */
  readonly scheduleId?: string;
  /** ISO instant of the schedule, however late the start was; otherwise that of the start. */
  readonly at: string;
}

export function originOf({ typedSearchAttributes, workflowId, startTime } = workflowInfo()): Origin {
  const scheduleId = typedSearchAttributes.get(STARTED_BY) ?? backfilledBy(workflowId);
  const at = (typedSearchAttributes.get(NOMINAL) ?? startTime).toISOString();
  return { at, ...(scheduleId !== undefined && { scheduleId }) };
}
