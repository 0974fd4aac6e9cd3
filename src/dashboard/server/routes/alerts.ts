/** Alerts: episodes, acknowledging, silences, rules, channels. */
import { z } from 'zod';
import { ALERT_MANAGER } from '../../../contracts/alerts.js';
import { activeRules } from '../../../monitoring/index.js';
import { tellManager } from '../alerts.js';
import type { App, RouteContext } from '../server.js';

export async function alertRoutes(app: App, { deps, hub }: RouteContext): Promise<void> {
  app.get('/api/alerts', { schema: { summary: 'Open episodes, silences, what was told lately' } }, async () =>
    hub.sections.alerts.fresh(),
  );

  app.get(
    '/api/alert-rules',
    { schema: { summary: 'The rules that hold, and the channels by name' } },
    async () => ({
      rules: activeRules(deps.config.monitoring.rules),
      channels: [
        'log',
        ...(deps.config.kafka.enabled ? ['kafka'] : []),
        ...deps.config.monitoring.channels.map(({ name }) => name),
      ],
    }),
  );

  app.post(
    '/api/alerts/acknowledge',
    {
      config: { audit: 'acknowledge alert' },
      schema: {
        summary: 'Say that somebody looks after it',
        body: z.object({ alert: z.string().max(1000), note: z.string().max(500).default('') }),
      },
    },
    async ({ body, caller }) => {
      const episode = await tellManager(deps, ALERT_MANAGER.acknowledge, [
        { ...body, by: caller?.name ?? '' },
      ]);
      hub.touch('alerts');
      return { episode };
    },
  );

  app.post(
    '/api/alerts/silence',
    {
      config: { audit: 'silence alerts' },
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
      },
    },
    async ({ body: { minutes, ...rest }, caller }) => {
      const request = { ...rest, by: caller?.name ?? '', until: Date.now() + minutes * 60_000 };
      const silence = await tellManager(deps, ALERT_MANAGER.silence, [request]);
      hub.touch('alerts');
      return { silence };
    },
  );

  app.delete(
    '/api/alerts/silences/:id',
    {
      config: { audit: 'end silence' },
      schema: { summary: 'End a silence', params: z.object({ id: z.string().max(200) }) },
    },
    async ({ params, caller }) => {
      await tellManager(deps, ALERT_MANAGER.unsilence, [params.id, caller?.name ?? '']);
      hub.touch('alerts');
      return { done: true };
    },
  );
}
