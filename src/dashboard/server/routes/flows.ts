/** Schedules: pause, resume, start now. */
import { z } from 'zod';
import { withSchedule } from '../flows.js';
import type { App, RouteContext } from '../server.js';
import { done, list, measured, startedRun } from '../shapes/common.js';
import { flowRow } from '../shapes/runs.js';

const params = z.object({ id: z.string().min(1).max(200) });

export async function flowRoutes(app: App, { deps, hub }: RouteContext): Promise<void> {
  app.get(
    '/api/flows',
    { schema: { summary: 'Schedules with their expected runs', response: { 200: measured(list(flowRow)) } } },
    async () => hub.sections.flows.fresh(),
  );

  app.post(
    '/api/flows/:id/pause',
    {
      config: { audit: 'pause schedule', cli: 'schedules pause' },
      schema: {
        summary: 'Start no more runs until it is resumed',
        params,
        body: z.object({ note: z.string().max(300).default('') }),
        response: { 200: done },
      },
    },
    async ({ params: { id }, body: { note }, caller }) => {
      await withSchedule(deps, id, (handle) =>
        handle.pause(`${note || 'paused on the dashboard'} (${caller?.name})`),
      );
      hub.touch('flows');
      return { done: true };
    },
  );

  app.post(
    '/api/flows/:id/resume',
    {
      config: { audit: 'resume schedule', cli: 'schedules resume' },
      schema: { summary: 'Start runs again', params, response: { 200: done } },
    },
    async ({ params: { id }, caller }) => {
      await withSchedule(deps, id, (handle) => handle.unpause(`resumed on the dashboard (${caller?.name})`));
      hub.touch('flows');
      return { done: true };
    },
  );

  app.post(
    '/api/flows/:id/trigger',
    {
      config: { audit: 'run schedule now', cli: 'schedules trigger' },
      schema: { summary: 'Start its flow now', params, response: { 200: startedRun } },
    },
    async ({ params: { id } }) => {
      const run = await withSchedule(deps, id, () => deps.datalab.trigger(id));
      hub.touch('runs', 'flows');
      return { workflowId: run.workflowId, runId: run.runId ?? '' };
    },
  );
}
