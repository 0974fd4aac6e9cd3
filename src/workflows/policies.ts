/** Timeouts and retries: constants here, or values that arrive with the run's plan. Never the environment. */
import type { ActivityOptions } from '@temporalio/workflow';
import { TASK_QUEUES, type Pool } from '../contracts/flows.js';
import type { StepPolicy } from '../contracts/activities.js';

/**
 * Plans and records: tried for a day, so that a lake that is away for hours costs no run its record, and a run that can
 * never be recorded still ends.
 */
export const LIGHT: StepPolicy = {
  startToCloseSeconds: 120,
  scheduleToCloseSeconds: 24 * 3600,
  heartbeatSeconds: 0,
  maximumAttempts: 0,
  initialIntervalSeconds: 1,
};

/** The report: it is no part of the data, so a run waits for it for minutes and not for ever. */
export const REPORT: StepPolicy = {
  startToCloseSeconds: 180,
  scheduleToCloseSeconds: 300,
  heartbeatSeconds: 30,
  maximumAttempts: 3,
  initialIntervalSeconds: 1,
};

/** Maintenance of one table: hours of rewriting, given up only where trying again does not help. */
export const MAINTAIN: StepPolicy = {
  startToCloseSeconds: 6 * 3600,
  heartbeatSeconds: 60,
  maximumAttempts: 5,
  initialIntervalSeconds: 5,
};

/** Measuring a batch of tables: listings and logs, a hundred at a time. */
export const ASSESS: StepPolicy = {
  startToCloseSeconds: 1800,
  heartbeatSeconds: 60,
  maximumAttempts: 5,
  initialIntervalSeconds: 2,
};

/** Deleting what is old beside the tables: begun again it has less to do. */
export const SWEEP: StepPolicy = { ...ASSESS, startToCloseSeconds: 3600, maximumAttempts: 3 };

/** The report and the records of maintenance: tried for a day, as the records of runs are, over tables of any number. */
export const CLOSE: StepPolicy = {
  ...{ startToCloseSeconds: 1800, scheduleToCloseSeconds: 24 * 3600 },
  ...{ heartbeatSeconds: 60, maximumAttempts: 0, initialIntervalSeconds: 1 },
};

/** Copying, reading or restoring one table: hours for a large one; begun again it finds what is there. */
export const BACKUP: StepPolicy = {
  startToCloseSeconds: 6 * 3600,
  heartbeatSeconds: 60,
  maximumAttempts: 5,
  initialIntervalSeconds: 5,
};

/** Telling Kafka: what is not told now, the next run tells. */
export const RELAY: StepPolicy = { ...LIGHT, scheduleToCloseSeconds: 600, maximumAttempts: 3 };

/**
 * Options of an activity class. Light steps (records, relays, plans) run beside the workflow; heavy ones in their pool,
 * heartbeating. `maximumAttempts` 0 means without limit: Temporal retries until the error is one that retrying cannot help.
 */
export function activityOptions(pool: Pool, policy: StepPolicy): ActivityOptions {
  return {
    taskQueue: TASK_QUEUES[pool],
    startToCloseTimeout: policy.startToCloseSeconds * 1000,
    ...(policy.scheduleToCloseSeconds !== undefined && {
      scheduleToCloseTimeout: policy.scheduleToCloseSeconds * 1000,
    }),
    ...(policy.heartbeatSeconds > 0 && { heartbeatTimeout: policy.heartbeatSeconds * 1000 }),
    retry: {
      initialInterval: policy.initialIntervalSeconds * 1000,
      backoffCoefficient: 2,
      maximumInterval: 60_000,
      ...(policy.maximumAttempts > 0 && { maximumAttempts: policy.maximumAttempts }),
    },
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  };
}

/** A probe answers or does not; the next cycle asks again, so it is tried once, and for no longer than this. */
export const PROBE: StepPolicy = {
  startToCloseSeconds: 60,
  scheduleToCloseSeconds: 90,
  heartbeatSeconds: 0,
  maximumAttempts: 1,
  initialIntervalSeconds: 1,
};

/** Judging and recording a sample: it must be done before the next cycle. */
export const SAMPLE: StepPolicy = { ...PROBE, startToCloseSeconds: 30, maximumAttempts: 3 };

/** Handing findings over: Temporal itself is what is asked, so it is tried for longer. */
export const ALERT_REPORT: StepPolicy = { ...SAMPLE, scheduleToCloseSeconds: 120, maximumAttempts: 10 };

/** One channel, tried by itself; what it does not take is kept and goes out with the next report. */
export const ALERT_DELIVERY: StepPolicy = { ...PROBE, startToCloseSeconds: 30, maximumAttempts: 3 };

/** The history of alerts. */
export const ALERT_RECORD: StepPolicy = { ...ALERT_DELIVERY };

/** Taking in predictions and measuring models: the next quarter of an hour goes on where this one ended. */
export const WATCH: StepPolicy = {
  startToCloseSeconds: 1800,
  scheduleToCloseSeconds: 3600,
  heartbeatSeconds: 60,
  maximumAttempts: 5,
  initialIntervalSeconds: 2,
};

/** A step of a deployment: given up soon, since what was there before is then put back; a lost worker is missed sooner. */
export const DEPLOY: StepPolicy = {
  startToCloseSeconds: 60,
  scheduleToCloseSeconds: 300,
  heartbeatSeconds: 10,
  maximumAttempts: 5,
  initialIntervalSeconds: 1,
};

/** Telling MLflow of a model: for an hour, as it may be away. */
export const REGISTER: StepPolicy = {
  startToCloseSeconds: 600,
  scheduleToCloseSeconds: 3600,
  heartbeatSeconds: 30,
  maximumAttempts: 0,
  initialIntervalSeconds: 1,
};
