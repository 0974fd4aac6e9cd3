/** Server-sent events: every section as it is now, then each new measurement of it. */
import { z } from 'zod';
import type { LiveEvent } from '../hub.js';
import type { App, RouteContext } from '../server.js';

const KEEPALIVE_MS = 15_000;

export async function liveRoutes(app: App, { hub }: RouteContext): Promise<void> {
  app.get(
    '/api/live',
    {
      schema: {
        summary: 'Server-sent events of all sections, and of one run where it is named',
        querystring: z.object({
          workflowId: z.string().max(1000).optional(),
          runId: z.string().max(100).optional(),
        }),
      },
    },
    (request, reply) => {
      const { workflowId, runId } = request.query;
      reply.hijack();
      // The headers that hooks set so far: a hijacked answer has none of its own.
      for (const [name, value] of Object.entries(reply.getHeaders()))
        if (value !== undefined) reply.raw.setHeader(name, value);
      reply.raw.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      const tell = (event: LiveEvent): void => {
        // A browser that does not read must not fill our memory: it is let go, and comes back by itself.
        if (reply.raw.writableLength > 4 * 1024 * 1024) reply.raw.destroy();
        else reply.raw.write(`data: ${JSON.stringify(event)}\n\n`);
      };
      const run = workflowId && runId ? { workflowId, runId } : undefined;
      const end = hub.listen(tell, run);
      const alive = setInterval(() => reply.raw.write(': alive\n\n'), KEEPALIVE_MS);
      reply.raw.on('close', () => {
        clearInterval(alive);
        end();
      });
    },
  );
}
