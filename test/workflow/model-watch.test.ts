/** Watching models on Temporal's time-skipping server: taken in before measured, with the time of the run; bad input is refused. */
import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TASK_QUEUES } from '../../src/contracts/flows.js';
import type { WatchActivities, WatchSummary } from '../../src/contracts/model-watch.js';
import { hasTestServer, timeSkippingEnvironment } from '../support/time-skipping.js';
import { withWorkers } from '../support/workers.js';

describe.skipIf(!hasTestServer)('the watch of models', () => {
  let environment: TestWorkflowEnvironment;
  beforeAll(async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    environment = await timeSkippingEnvironment();
  });
  afterAll(() => environment?.teardown());

  const run = (
    ml: WatchActivities,
    input?: unknown,
    workflowId = `watch-${randomUUID()}`,
  ): Promise<WatchSummary> =>
    withWorkers(environment, { flows: {}, ml }, () =>
      environment.client.workflow.execute('modelWatch', {
        ...{ taskQueue: TASK_QUEUES.flows, workflowId, args: [input] },
      }),
    );

  it('takes in what is there, tried again where the lake is away, then measures once', async () => {
    const calls: string[] = [];
    const summary = await run({
      takePredictions: async () => {
        calls.push('take');
        if (calls.length < 3) throw ApplicationFailure.create({ type: 'STORE_UNAVAILABLE' });
        return { files: 1, rows: 2, bad: 0 };
      },
      measureModels: async (at) => {
        calls.push(`measure ${at}`);
        return [];
      },
    });
    expect(calls).toEqual(['take', 'take', 'take', `measure ${summary.at}`]);
    expect(summary).toEqual({ at: summary.at, taken: { files: 1, rows: 2, bad: 0 }, models: [] });
  });

  it('hands on which schedule it was started for, and nothing where it was started by hand', async () => {
    const given: unknown[] = [];
    const ml: WatchActivities = {
      takePredictions: async () => ({ files: 0, rows: 0, bad: 0 }),
      measureModels: async (_at, scheduled) => {
        given.push(scheduled);
        return [];
      },
    };
    await run(ml);
    const { at } = await run(ml, undefined, 'model-watch-backfill-2024-01-02T03:00:00Z');
    expect(given).toEqual([undefined, { scheduleId: 'model-watch', logicalTime: at }]);
  });

  it('refuses what it does not take, before anything is touched', async () => {
    const untouched = (): never => {
      throw new Error('touched');
    };
    const watch = { takePredictions: untouched, measureModels: untouched };
    await expect(run(watch, { model: 'm' })).rejects.toBeInstanceOf(WorkflowFailedError);
  });
});
