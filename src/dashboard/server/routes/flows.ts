/** Schedules: pause, resume, start now. */
import { z } from 'zod';
import { withSchedule } from '../flows.js';
import type { App, RouteContext } from '../server.js';

const params = z.object({ id: z.string().min(1).max(200) });

export async function flowRoutes(app: App, { deps, hub }: RouteContext): Promise<void> {
  app.get('/api/flows', { schema: { summary: 'Schedules with their expected runs' } }, async () =>
    hub.sections.flows.fresh(),
  );

  app.post(
    '/api/flows/:id/pause',
    {
      config: { audit: 'pause schedule' },
      schema: {
        summary: 'Start no more runs until it is resumed',
        params,
        body: z.object({ note: z.string().max(300).default('') }),
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
    { config: { audit: 'resume schedule' }, schema: { summary: 'Start runs again', params } },
    async ({ params: { id }, caller }) => {
      await withSchedule(deps, id, (handle) => handle.unpause(`resumed on the dashboard (${caller?.name})`));
      hub.touch('flows');
      return { done: true };
    },
  );

  app.post(
    '/api/flows/:id/trigger',
    { config: { audit: 'run schedule now' }, schema: { summary: 'Start its flow now', params } },
    async ({ params: { id } }) => {
      const run = await withSchedule(deps, id, () => deps.datalab.trigger(id));
      hub.touch('runs', 'flows');
      return { workflowId: run.workflowId, runId: run.runId ?? '' };
    },
  );
}
