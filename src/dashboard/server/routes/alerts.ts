/** Alerts: episodes, acknowledging, silences. */
import { z } from 'zod';
import { ALERT_MANAGER } from '../../../contracts/alerts.js';
import { tellManager } from '../alerts.js';
import type { App, RouteContext } from '../server.js';
import type { Episode, Silence } from '../../../contracts/alerts.js';
import { done, measured } from '../shapes/common.js';
import { alertOverview, episode, silence } from '../shapes/runs.js';

export async function alertRoutes(app: App, { deps, hub }: RouteContext): Promise<void> {
  app.get(
    '/api/alerts',
    {
      schema: {
        summary: 'Open episodes, silences, what was told lately',
        response: { 200: measured(alertOverview) },
      },
    },
    async () => hub.sections.alerts.fresh(),
  );

  app.post(
    '/api/alerts/acknowledge',
    {
      config: { audit: 'acknowledge alert', cli: 'alerts ack' },
      schema: {
        summary: 'Say that somebody looks after it',
        body: z.object({ alert: z.string().max(1000), note: z.string().max(500).default('') }),
        response: { 200: z.object({ episode }) },
      },
    },
    async ({ body, caller }) => {
      const told = await tellManager<Episode>(deps, ALERT_MANAGER.acknowledge, [
        { ...body, by: caller?.name ?? '' },
      ]);
      hub.touch('alerts');
      return { episode: { ...told, labels: { ...told.labels } } };
    },
  );

  app.post(
    '/api/alerts/silence',
    {
      config: { audit: 'silence alerts', cli: 'alerts silence' },
      schema: {
        summary: 'Tell nobody of what matches, for a while',
        body: z.object({
          rule: z.string().min(1).max(200),
          labels: z.record(z.string(), z.string()).default({}),
          reason: z.string().min(1).max(500),
          minutes: z
            .number()
            .int()
            .min(1)
            .max(60 * 24 * 30),
        }),
        response: { 200: z.object({ silence }) },
      },
    },
    async ({ body: { minutes, ...rest }, caller }) => {
      const request = { ...rest, by: caller?.name ?? '', until: Date.now() + minutes * 60_000 };
      const told = await tellManager<Silence>(deps, ALERT_MANAGER.silence, [request]);
      hub.touch('alerts');
      return { silence: { ...told, labels: { ...told.labels } } };
    },
  );

  app.delete(
    '/api/alerts/silences/:id',
    {
      config: { audit: 'end silence', cli: 'alerts unsilence' },
      schema: {
        summary: 'End a silence',
        params: z.object({ id: z.string().max(200) }),
        response: { 200: done },
      },
    },
    async ({ params, caller }) => {
      await tellManager(deps, ALERT_MANAGER.unsilence, [params.id, caller?.name ?? '']);
      hub.touch('alerts');
      return { done: true };
    },
  );
}
