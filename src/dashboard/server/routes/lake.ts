/** The lake: tables, versions, rows of a version, a profile of the columns, SQL, differences. Reads only. */
import { z } from 'zod';
import { diffVersions } from '../../../lake/diff.js';
import { previewTable, profileTable } from '../../../lake/preview.js';
import { queryLake } from '../../../lake/query.js';
import { keepQuery } from '../../../lake/query-log.js';
import { describeTable, parseTableName, tableHistory, type LakeReader } from '../../../lake/tables.js';
import { csvOf } from '../csv.js';
import { plain } from '../records.js';
import type { App, RouteContext } from '../server.js';

const params = z.object({ table: z.string().max(200) });
const version = z.coerce.number().int().min(0);
const SECONDS_MAX = 60;
const ROWS_MAX = 10_000;

export async function lakeRoutes(app: App, { deps: { lake }, hub }: RouteContext): Promise<void> {
  app.get('/api/tables', { schema: { summary: 'Every table at its newest version' } }, async () =>
    hub.sections.tables.fresh(),
  );

  app.get(
    '/api/tables/:table',
    { schema: { summary: 'One table: schema, partitions, properties', params } },
    async (request) => describeTable(lake, parseTableName(request.params.table)),
  );

  app.get(
    '/api/tables/:table/history',
    {
      schema: {
        summary: 'The newest commits, each with the run that made it',
        params,
        querystring: z.object({ limit: z.coerce.number().int().min(1).max(500).default(50) }),
      },
    },
    async (request) => ({
      versions: await tableHistory(lake, parseTableName(request.params.table), {
        limit: request.query.limit,
      }),
    }),
  );

  app.get(
    '/api/tables/:table/rows',
    {
      schema: {
        summary: 'Some rows of a version; without one, of the newest',
        params,
        querystring: z.object({
          version: version.optional(),
          limit: z.coerce.number().int().min(1).max(500).default(50),
        }),
      },
    },
    async ({ params: { table }, query }) => plain(await previewTable(lake, parseTableName(table), query)),
  );

  app.get(
    '/api/tables/:table/profile',
    { schema: { summary: 'Per column: nulls, distinct, range', params } },
    async (request) => plain(await profileTable(lake, parseTableName(request.params.table))),
  );

  app.get(
    '/api/tables/:table/diff',
    {
      schema: {
        summary: 'Rows lost and gained between two versions',
        params,
        querystring: z.object({ from: version, to: version.optional() }),
      },
    },
    async ({ params: { table }, query: { from, to } }) =>
      plain(
        await diffVersions(lake, parseTableName(table), {
          from,
          ...(to !== undefined && { to }),
          limit: 100,
        }),
      ),
  );

  await sqlRoute(app, lake);
}

async function sqlRoute(app: App, lake: LakeReader): Promise<void> {
  app.post(
    '/api/sql',
    {
      config: { access: 'viewer', audit: 'query' },
      schema: {
        summary: `One SELECT over the lake, at most ${ROWS_MAX} rows and ${SECONDS_MAX} s; it ends when the caller goes away`,
        body: z.object({
          sql: z.string().min(1).max(20_000),
          limit: z.number().int().min(1).max(ROWS_MAX).default(500),
          format: z.enum(['json', 'csv']).default('json'),
        }),
      },
    },
    async ({ body }, reply) => {
      const gone = new AbortController();
      reply.raw.on('close', () => gone.abort(new Error('the caller went away')));
      const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(SECONDS_MAX * 1000)]);
      const startedMs = performance.now();
      const result = await queryLake(lake, body.sql, { limit: body.limit, signal });
      void keepQuery(lake, 'dashboard', result, Date.now() - Math.round(performance.now() - startedMs));
      if (body.format === 'csv')
        return reply
          .type('text/csv; charset=utf-8')
          .header('content-disposition', 'attachment; filename="query.csv"')
          .send(csvOf(result));
      return { ...(plain(result) as object), ms: Math.round(performance.now() - startedMs) };
    },
  );
}
