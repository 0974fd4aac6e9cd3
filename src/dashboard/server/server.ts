/** The HTTP server: security headers, who may call what, the typed API, the live stream, and the built page. */
import { existsSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import fastifyStatic from '@fastify/static';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import { guard } from './access.js';
import { AuditOutbox } from './audit-outbox.js';
import type { DashboardDeps } from './deps.js';
import { firstAdminLink } from './first-admin.js';
import { Hub } from './hub.js';
import { answerErrors } from './problems.js';
import { alertRoutes } from './routes/alerts.js';
import { alertRuleRoutes } from './routes/alert-rules.js';
import { flowRoutes } from './routes/flows.js';
import { lakeRoutes } from './routes/lake.js';
import { liveRoutes } from './routes/live.js';
import { maintenanceRoutes } from './routes/maintenance.js';
import { modelRoutes } from './routes/models.js';
import { peopleRoutes } from './routes/people.js';
import { platformRoutes } from './routes/platform.js';
import { qualityRoutes } from './routes/quality.js';
import { runRoutes } from './routes/runs.js';
import { sqlRoutes } from './routes/sql.js';
import { startingRoutes } from './routes/starting.js';

export interface RunningDashboard {
  readonly url: string;
  /** Null where there are users already. */
  readonly adminLink: string | null;
  close(): Promise<void>;
}

/** A server whose routes are typed by their zod schemas. */
export type App = FastifyInstance<
  Server,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** What every group of routes gets. */
export interface RouteContext {
  readonly deps: DashboardDeps;
  readonly hub: Hub;
}

const BODY_BYTES_MAX = 256 * 1024;
/** The built page, beside the compiled server or, run from the sources, in `dist`. */
const HERE = path.dirname(fileURLToPath(import.meta.url));
const WEB = [path.join(HERE, '..', 'web'), path.join(HERE, '..', '..', '..', 'dist', 'dashboard', 'web')];

export async function buildServer(deps: DashboardDeps): Promise<{ app: App; hub: Hub }> {
  const hub = new Hub(deps);
  const app = Fastify({
    loggerInstance: deps.log as never,
    disableRequestLogging: true,
    bodyLimit: BODY_BYTES_MAX,
    trustProxy: deps.config.dashboard.publicUrl !== undefined,
    forceCloseConnections: true,
  }).withTypeProvider<ZodTypeProvider>() as unknown as App;
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  // JSON only: a form of another site cannot be read as a request of ours.
  app.removeContentTypeParser('text/plain');
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameSrc: ["'self'"],
        frameAncestors: ["'self'"],
      },
    },
    frameguard: { action: 'sameorigin' },
    // Over plain HTTP on this machine, a browser would remember it for every other port of localhost.
    hsts: deps.config.dashboard.publicUrl?.startsWith('https:') ?? false,
    referrerPolicy: { policy: 'same-origin' },
  });
  await app.register(cookie);
  await app.register(rateLimit, { global: false });
  answerErrors(app, deps.log);
  guard(app as unknown as FastifyInstance, deps);
  await app.register(swagger, {
    openapi: {
      info: {
        title: 'DataLab dashboard',
        version: '1',
        description:
          'Everything that the page shows and does. A change needs a session with the header x-datalab-csrf, or a bearer token.',
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
    transform: withTwin,
  });
  await app.register(swaggerUi, { routePrefix: '/api/docs', staticCSP: true });
  for (const routes of [
    platformRoutes,
    peopleRoutes,
    liveRoutes,
    runRoutes,
    flowRoutes,
    startingRoutes,
    lakeRoutes,
    sqlRoutes,
    qualityRoutes,
    alertRoutes,
    alertRuleRoutes,
    modelRoutes,
    maintenanceRoutes,
  ])
    await app.register(async (scope) => routes(scope as App, { deps, hub }));
  await servePage(app);
  return { app, hub };
}

/** The document says of each change which command does the same. */
const withTwin: typeof jsonSchemaTransform = (given) => {
  const { schema, url } = jsonSchemaTransform(given);
  const { cli } = (given.route.config ?? {}) as { cli?: string | null };
  return { url, schema: cli ? Object.assign({}, schema, { 'x-datalab-cli': `datalab ${cli}` }) : schema };
};

async function servePage(app: App): Promise<void> {
  // The page as it was built: its sources, beside these, have no assets.
  const root = WEB.find((folder) => existsSync(path.join(folder, 'assets')));
  if (root)
    await app.register(fastifyStatic, {
      root,
      // Names of assets carry their content's hash; the page itself may change at every start.
      setHeaders: (response, file) =>
        void response.setHeader(
          'cache-control',
          file.includes(`${path.sep}assets${path.sep}`) ? 'public, max-age=31536000, immutable' : 'no-cache',
        ),
    });
  app.setNotFoundHandler((request, reply) => {
    if (request.url.startsWith('/api/') || request.method !== 'GET' || !root)
      return reply.status(404).send({ code: 'NOT_FOUND', message: `there is no ${request.url}`, remedy: '' });
    return reply.sendFile('index.html');
  });
}

/** Listens as configured. Throws what Node says where the port is taken. */
export async function startDashboard(deps: DashboardDeps): Promise<RunningDashboard> {
  const { app, hub } = await buildServer(deps);
  const { host, port, publicUrl } = deps.config.dashboard;
  const address = await app.listen({ host, port });
  const url = publicUrl ?? address.replace('[::1]', 'localhost');
  const adminLink = await firstAdminLink(deps.store, url);
  const outbox = new AuditOutbox(deps);
  return {
    ...{ url, adminLink },
    close: async () => {
      hub.stop();
      await app.close();
      await outbox.close();
      await deps.close();
    },
  };
}
