/** Models: what there is, how it was judged, a prediction, and the flows that train and deploy. */
import { z } from 'zod';
import { DATASET_NAME } from '../../../contracts/flows.js';
import { Section } from '../measured.js';
import { modelReport as reportOf } from '../model-report.js';
import { modelDetail as detailOf, modelsNow as askModels, predictKey, predictRow } from '../models.js';
import type { App, RouteContext } from '../server.js';
import { measured, startedRun } from '../shapes/common.js';
import { modelDetail, modelReport, modelsNow, prediction } from '../shapes/models.js';

const params = z.object({ model: z.string().regex(DATASET_NAME) });
const version = z.string().regex(/^(\d{1,9}|champion|candidate|previous)$/, 'a number or an alias');

export async function modelRoutes(app: App, context: RouteContext): Promise<void> {
  const { deps } = context;
  const models = new Section(() => askModels(deps), 10_000);
  app.get(
    '/api/models',
    { schema: { summary: 'Every model with its champion', response: { 200: measured(modelsNow) } } },
    async () => models.fresh(),
  );

  app.get(
    '/api/models/:model',
    {
      schema: {
        summary: 'One model: its versions, newest first, with their figures on the holdout',
        params,
        response: { 200: modelDetail },
      },
    },
    async ({ params: { model } }) => detailOf(deps, model),
  );

  app.get(
    '/api/models/:model/versions/:version',
    {
      schema: {
        summary: 'How one version was judged, and what its predictions leave over',
        params: params.extend({ version }),
        response: { 200: modelReport },
      },
    },
    async (request) => reportOf(deps, request.params.model, request.params.version),
  );

  app.post(
    '/api/models/:model/predict',
    {
      config: { access: 'viewer', cli: 'models predict' },
      schema: {
        summary:
          'Predict one row, given as a value by feature name, or by key: then from the newest Gold features',
        params,
        body: z.object({
          version: version.default('champion'),
          row: z.record(z.string().max(200), z.number().nullable()).optional(),
          key: z.record(z.string().max(200), z.union([z.string(), z.number()])).optional(),
        }),
        response: { 200: prediction },
      },
    },
    async ({ params: { model }, body: { version: wanted, row, key } }) =>
      key ? predictKey(deps, model, key) : predictRow(deps, model, { version: wanted, row: row ?? {} }),
  );
  await modelFlows(app, context);
}

async function modelFlows(app: App, { deps, hub }: RouteContext): Promise<void> {
  const start = async (flow: string, input: unknown) => {
    const run = await deps.datalab.startFlow(flow, input);
    hub.touch('runs');
    return { workflowId: run.workflowId, runId: run.runId ?? '' };
  };

  app.post(
    '/api/models/:model/train',
    {
      config: { audit: 'train model', cli: 'models train' },
      schema: {
        summary: 'Train it, judge it, and deploy it where it has earned that',
        params,
        body: z.object({
          goldVersion: z.number().int().min(0).optional(),
          force: z.boolean().optional(),
        }),
        response: { 200: startedRun },
      },
    },
    async ({ params: { model }, body: options }) => start('mlopsTraining', { model, options }),
  );

  app.post(
    '/api/models/:model/promote',
    {
      config: { audit: 'promote model', cli: 'models promote' },
      schema: {
        summary:
          'Make a version the champion, after a test of it; `expect` is the champion that the caller saw',
        params,
        body: z.object({
          version: z.string().regex(/^\d{1,9}$/),
          expect: z
            .string()
            .regex(/^\d{1,9}$/)
            .nullable()
            .optional(),
        }),
        response: { 200: startedRun },
      },
    },
    async ({ params: { model }, body }) => start('modelDeployment', { model, ...body }),
  );

  app.post(
    '/api/models/:model/rollback',
    {
      config: { audit: 'roll back model', cli: 'models rollback' },
      schema: {
        summary: 'Make the champion before the champion again',
        params,
        response: { 200: startedRun },
      },
    },
    async ({ params: { model } }) => start('modelDeployment', { model, version: 'previous' }),
  );

  app.post(
    '/api/trainings/:workflowId/decide',
    {
      config: { audit: 'decide on model', cli: 'models approve' },
      schema: {
        summary: 'Decide on a training that waits for a person',
        params: z.object({ workflowId: z.string().min(1).max(1000) }),
        body: z.object({ approve: z.boolean(), reason: z.string().max(500).default('') }),
        response: { 200: z.object({ decision: z.string() }) },
      },
    },
    async ({ params: { workflowId }, body: { approve, reason }, caller }) => {
      const by = caller?.name ?? '';
      const decision = await deps.datalab.decideTraining(workflowId, {
        ...{ approve, by, ...(reason && { reason }) },
      });
      hub.touch('runs');
      return { decision };
    },
  );
}
