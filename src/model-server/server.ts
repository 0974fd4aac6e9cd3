/** The HTTP surface of the model server: typed by zod, described by /openapi.json. docs/guides/model-server.md tells it. */
import { createServer } from 'node:http';
import swagger from '@fastify/swagger';
import Fastify, { type FastifyInstance } from 'fastify';
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import { z } from 'zod';
import { VERSION } from '../config/version.js';
import { DatalabError } from '../contracts/errors.js';
import type { PredictAnswer, ServerHealth } from '../contracts/serving.js';
import type { ModelServerDeps } from './deps.js';
import { Metrics } from './metrics.js';
import { predict, predictSchema } from './predict.js';
import { PredictionLog } from './prediction-log.js';
import { answerErrors } from './problems.js';
import { QuickWay, type QuickContext } from './quick.js';
import { Shelf } from './shelf.js';

export interface RunningModelServer {
  readonly url: string;
  /** Looks at the aliases now, as it does every `pollSeconds`. */
  poll(): Promise<void>;
  /** Answers what is under way, keeps what was predicted, then ends. */
  close(): Promise<void>;
}

type App = ReturnType<typeof makeApp>;

/** Longer than the minute after which proxies give up a connection: who closes first must not be the one who is asked. */
const KEEP_ALIVE_MS = 72_000;

/** Listens as configured and loads every champion. Throws what Node says where the port is taken. */
export async function startModelServer(deps: ModelServerDeps): Promise<RunningModelServer> {
  const metrics = new Metrics();
  const shelf = new Shelf(deps, metrics);
  const log = new PredictionLog(deps, metrics);
  const quick = new QuickWay({ deps, shelf, metrics, log });
  const app = makeApp(deps, quick);
  await describeApi(app);
  answerErrors(app as unknown as FastifyInstance, deps.log);
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    metrics.answered(route, reply.statusCode, reply.elapsedTime / 1000);
  });
  await app.register(async (scope) => {
    watchRoutes(scope as unknown as App, { deps, shelf, metrics, log });
    modelRoutes(scope as unknown as App, { deps, shelf, metrics, log });
  });
  const { host, port, pollSeconds } = deps.config;
  const address = await app.listen({ host, port });
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  // The next look begins a while after the one before has ended: a slow MLflow is not asked twice at once.
  const follow = async (): Promise<void> => {
    await shelf.poll();
    if (!closed) timer = setTimeout(() => void follow(), pollSeconds * 1000);
  };
  void follow();
  return {
    url: address.replace('[::1]', 'localhost'),
    poll: () => shelf.poll(),
    close: async () => {
      closed = true;
      quick.closing = true;
      clearTimeout(timer);
      await app.close();
      await log.close();
    },
  };
}

function makeApp({ config }: ModelServerDeps, quick: QuickWay) {
  const app = Fastify({
    logger: false,
    serverFactory: (handler) => {
      const server = createServer(quick.before(handler));
      server.keepAliveTimeout = KEEP_ALIVE_MS;
      return server;
    },
    bodyLimit: Math.floor(config.bodyMb * 2 ** 20),
    // Connections that are idle are closed at the end, those under way are answered.
    forceCloseConnections: 'idle',
    return503OnClosing: false,
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.addHook('preParsing', (request, _reply, payload, done) =>
    done(null, quick.body(request.raw) ?? payload),
  );
  // JSON only: a page of some other site cannot send it without asking first.
  app.removeContentTypeParser('text/plain');
  return app;
}

async function describeApi(app: App): Promise<void> {
  await app.register(swagger, {
    openapi: {
      info: {
        title: 'DataLab model server',
        version: '1',
        description: 'Predictions of the champions. Errors are {code, message, remedy}.',
      },
    },
    transform: jsonSchemaTransform,
  });
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
}

function watchRoutes(app: App, { shelf, metrics, log }: QuickContext): void {
  const health = (): ServerHealth => ({
    product: 'datalab',
    service: 'model-server',
    version: VERSION,
    ...shelf.readiness(),
  });
  app.get(
    '/health',
    { schema: { description: 'The process answers. Says beside that whether it is ready.' } },
    health,
  );
  app.get(
    '/ready',
    { schema: { description: 'Every champion is loaded; 503 while one is not.' } },
    (_request, reply) => {
      const said = health();
      return reply.status(said.ready ? 200 : 503).send(said);
    },
  );
  app.get(
    '/models',
    { schema: { description: 'The models that are served, and how each was tried.' } },
    () => ({
      models: shelf.list(),
    }),
  );
  app.get(
    '/metrics',
    { schema: { description: 'Counters in the text format of Prometheus.' } },
    (_request, reply) => {
      const models = shelf.list().map(({ model, version }) => ({
        ...{ name: 'model_served', help: 'The version that answers; 0 where none does.' },
        ...{ labels: { model, version: version ?? '' }, value: version === null ? 0 : 1 },
      }));
      const text = metrics.render([
        ...models,
        { name: 'ready', help: 'Whether every champion is loaded.', value: shelf.readiness().ready ? 1 : 0 },
        { name: 'log_rows_pending', help: 'Predictions that are not in the lake yet.', value: log.pending },
        { name: 'resident_memory_bytes', help: 'Memory of the process.', value: process.memoryUsage.rss() },
      ]);
      return reply.type('text/plain; version=0.0.4; charset=utf-8').send(text);
    },
  );
}

const modelParams = z.object({ model: z.string().min(1).max(200) });

function modelRoutes(app: App, { deps, shelf, metrics, log }: QuickContext): void {
  const { rowsMax } = deps.config;
  app.post(
    '/predict',
    { schema: { description: 'Predicts rows, or the newest rows of keys.', body: predictSchema } },
    async ({ body }): Promise<PredictAnswer> => {
      const count = (body.rows ?? body.keys ?? []).length;
      if (count > rowsMax)
        throw new DatalabError('INPUT_INVALID', `${count} rows in one request, at most ${rowsMax} are taken`);
      const loaded = shelf.served(body.model);
      const at = new Date(deps.clock.nowMs()).toISOString();
      const { answer, records } = await predict(loaded, body, at);
      metrics.predicted(answer.model, answer.version, body.rows ? 'row' : 'key', count);
      log.add(records);
      return answer;
    },
  );
  app.post(
    '/models/:model/check',
    {
      schema: {
        description: 'Loads a version beside the one that is served, and tries it.',
        params: modelParams,
        body: z.strictObject({ version: z.string().min(1) }),
      },
    },
    async ({ params, body }) => {
      const { model, version, parity } = await shelf.check(params.model, body.version);
      return { model, version, parity };
    },
  );
  app.post(
    '/models/:model/reload',
    {
      schema: {
        description: 'Looks at the alias now, as it does every few seconds. Says what is served then.',
        params: modelParams,
      },
    },
    ({ params }) => shelf.reload(params.model),
  );
}
