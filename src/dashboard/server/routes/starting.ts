/** Starting flows by a form, filling what a schedule owes, and trying a run again. */
import { z } from 'zod';
import { retryRun, retrySteps as stepsOf } from '../../../client/index.js';
import { BACKFILL_MODES, BACKFILL_PARALLEL_MAX } from '../../../contracts/backfill.js';
import { DatalabError } from '../../../contracts/errors.js';
import { WORKFLOW_TYPES } from '../../../contracts/flows.js';
import { durationsOf } from '../durations.js';
import { inputSchemas as schemasOf } from '../flow-inputs.js';
import { withSchedule } from '../flows.js';
import type { App, RouteContext } from '../server.js';
import { startedRun } from '../shapes/common.js';
import { backfillSummary, durations, inputSchemas, retrySteps } from '../shapes/flows.js';

const runParams = z.object({ workflowId: z.string().min(1).max(1000), runId: z.uuid() });
const instant = z.iso.datetime({ offset: true });
const backfill = z.object({
  from: instant,
  to: instant,
  mode: z.enum(BACKFILL_MODES).default('missing'),
  parallel: z.number().int().min(1).max(BACKFILL_PARALLEL_MAX).default(1),
});
const PREVIEW_WITHIN_MS = 30_000;

export async function startingRoutes(app: App, context: RouteContext): Promise<void> {
  const { deps, hub } = context;
  app.get(
    '/api/flow-inputs',
    {
      schema: {
        summary: 'What each flow is started with, as JSON Schema, and the names that its fields may take',
        response: { 200: inputSchemas },
      },
    },
    async () => schemasOf(deps, hub),
  );

  app.post(
    '/api/flows/start',
    {
      config: { audit: 'start flow', cli: 'flows start' },
      schema: {
        summary: 'Start a flow with an input of its own; GET /api/flow-inputs says what it takes',
        body: z.object({ flow: z.enum(WORKFLOW_TYPES), input: z.record(z.string(), z.unknown()) }),
        response: { 200: startedRun },
      },
    },
    async ({ body: { flow, input } }) => {
      const run = await deps.datalab.startFlow(flow, input);
      hub.touch('runs');
      return { workflowId: run.workflowId, runId: run.runId ?? '' };
    },
  );

  app.get(
    '/api/durations',
    {
      schema: {
        summary: 'How long the newest 200 recorded runs took, whole and by phase, with percentiles',
        querystring: z.object({
          flow: z.enum(WORKFLOW_TYPES),
          dataset: z.string().max(100).optional(),
        }),
        response: { 200: durations },
      },
    },
    async ({ query }) => durationsOf(hub.records, query),
  );
  await backfillRoutes(app, context);
  await retryRoutes(app, context);
}

async function backfillRoutes(app: App, { deps, hub }: RouteContext): Promise<void> {
  const params = z.object({ id: z.string().min(1).max(200) });
  app.post(
    '/api/flows/:id/backfill/preview',
    {
      config: { audit: 'preview backfill', cli: 'schedules backfill' },
      schema: {
        summary: 'Which times a backfill would fill, with what became of each so far; starts none of them',
        params,
        body: backfill,
        response: { 200: backfillSummary },
      },
    },
    async ({ params: { id }, body }) => {
      const started = await withSchedule(deps, id, () =>
        deps.datalab.startBackfill({ scheduleId: id, ...body, dryRun: true }),
      );
      const ending = await deps.temporal.withDeadline(Date.now() + PREVIEW_WITHIN_MS, () => started.result());
      if (ending.status === 'completed') return ending.result;
      throw new DatalabError(
        'BACKFILL_FAILED',
        ending.status === 'failed' ? `${ending.code}: ${ending.message}` : 'it was cancelled',
      );
    },
  );

  app.post(
    '/api/flows/:id/backfill',
    {
      config: { audit: 'start backfill', cli: 'schedules backfill' },
      schema: {
        summary: 'Start the runs that a schedule owes, each for its own time',
        params,
        body: backfill,
        response: { 200: startedRun },
      },
    },
    async ({ params: { id }, body }) => {
      const run = await withSchedule(deps, id, () => deps.datalab.startBackfill({ scheduleId: id, ...body }));
      hub.touch('runs');
      return { workflowId: run.workflowId, runId: run.runId ?? '' };
    },
  );
}

async function retryRoutes(app: App, { deps, hub }: RouteContext): Promise<void> {
  app.get(
    '/api/runs/:workflowId/:runId/steps',
    {
      schema: {
        summary: 'The steps that an ended run can be tried again from; none where its flow does not allow it',
        params: runParams,
        response: { 200: retrySteps },
      },
    },
    async ({ params }) => ({ steps: await stepsOf(deps.temporal, params.workflowId, params.runId) }),
  );

  app.post(
    '/api/runs/:workflowId/:runId/retry',
    {
      config: { audit: 'retry run', cli: 'runs retry' },
      schema: {
        summary:
          'Try an ended run again: from before a step (what was published stays), or afresh with the same input',
        params: runParams,
        body: z.object({ from: z.string().max(100).optional(), fresh: z.boolean().default(false) }),
        response: { 200: startedRun },
      },
    },
    async ({ params: { workflowId, runId }, body, caller }) => {
      const run = await retryRun(deps.temporal, workflowId, { runId, ...body, by: caller?.name ?? '' });
      hub.touch('runs');
      return { workflowId: run.workflowId, runId: run.runId ?? '' };
    },
  );
}
