/** The lake: tables, versions, rows of a version, columns, files, partitions, differences. Reads only. */
import { z } from 'zod';
import { diffVersions } from '../../../lake/diff.js';
import { tableFiles as filesOf, tablePartitions as partitionsOf } from '../../../lake/files.js';
import { previewTable } from '../../../lake/preview.js';
import { profileTable } from '../../../lake/profile.js';
import { describeTable, LAYERS, parseTableName, tableHistory } from '../../../lake/tables.js';
import { goneSignal } from '../gone.js';
import { plain } from '../records.js';
import type { App, RouteContext } from '../server.js';
import { measured } from '../shapes/common.js';
import {
  queryResult,
  tableDetail,
  tableFiles,
  tablePage,
  tablePartitions,
  tableProfile,
  tableVersions,
  versionDiff,
} from '../shapes/lake.js';
import { pageOfTables, TABLE_SORTS } from '../tables.js';

const params = z.object({ table: z.string().max(200) });
const version = z.coerce.number().int().min(0);
const paging = {
  limit: z.coerce.number().int().min(1).max(200).default(50),
  offset: z.coerce.number().int().min(0).default(0),
};
const PROFILE_SECONDS_MAX = 120;
const DIFF_ROWS = 100;

export async function lakeRoutes(app: App, context: RouteContext): Promise<void> {
  const {
    deps: { lake },
    hub,
  } = context;
  app.get(
    '/api/tables',
    {
      schema: {
        summary: 'Tables at their newest versions, by page',
        querystring: z.object({
          search: z.string().max(200).optional(),
          layer: z.enum(LAYERS).optional(),
          sort: z.enum(TABLE_SORTS).default('name'),
          order: z.enum(['asc', 'desc']).default('asc'),
          ...paging,
        }),
        response: { 200: measured(tablePage) },
      },
    },
    async ({ query }) => {
      const { at, value, problem } = await hub.tables.fresh();
      return { at, problem, value: value && pageOfTables(value.tables, query) };
    },
  );

  app.get(
    '/api/tables/:table',
    {
      schema: {
        summary: 'One table: schema, partitions, properties',
        params,
        response: { 200: tableDetail },
      },
    },
    async (request) => {
      const detail = await describeTable(lake, parseTableName(request.params.table));
      return { ...detail, properties: { ...detail.properties } };
    },
  );

  app.get(
    '/api/tables/:table/history',
    {
      schema: {
        summary: 'The newest commits, each with the run that made it',
        params,
        querystring: z.object({ limit: z.coerce.number().int().min(1).max(500).default(50) }),
        response: { 200: tableVersions },
      },
    },
    async (request) => ({
      versions: (
        await tableHistory(lake, parseTableName(request.params.table), { limit: request.query.limit })
      ).map((one) => ({ ...one, metrics: { ...one.metrics } })),
    }),
  );
  await tableParts(app, context);
}

async function tableParts(app: App, { deps: { lake } }: RouteContext): Promise<void> {
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
        response: { 200: queryResult },
      },
    },
    async ({ params: { table }, query }) =>
      plain(await previewTable(lake, parseTableName(table), query)) as z.input<typeof queryResult>,
  );

  app.get(
    '/api/tables/:table/profile',
    {
      schema: {
        summary: 'Per column: nulls, distinct, range, histogram; of the first 512 MB',
        params,
        response: { 200: tableProfile },
      },
    },
    async (request, reply) =>
      profileTable(lake, parseTableName(request.params.table), {
        signal: goneSignal(reply, PROFILE_SECONDS_MAX),
      }),
  );

  app.get(
    '/api/tables/:table/files',
    {
      schema: {
        summary: 'Data files by page, and how their sizes are spread',
        params,
        querystring: z.object({
          ...paging,
          order: z.enum(['smallest', 'largest', 'newest']).default('smallest'),
        }),
        response: { 200: tableFiles },
      },
    },
    async (request) => filesOf(lake, parseTableName(request.params.table), request.query),
  );

  app.get(
    '/api/tables/:table/partitions',
    {
      schema: {
        summary: 'Partitions with their files, bytes and rows, by page',
        params,
        querystring: z.object(paging),
        response: { 200: tablePartitions },
      },
    },
    async (request) => partitionsOf(lake, parseTableName(request.params.table), request.query),
  );

  app.get(
    '/api/tables/:table/diff',
    {
      schema: {
        summary: 'Rows lost and gained between two versions',
        params,
        querystring: z.object({ from: version, to: version.optional() }),
        response: { 200: versionDiff },
      },
    },
    async ({ params: { table }, query: { from, to } }) =>
      plain(
        await diffVersions(lake, parseTableName(table), {
          ...{ from, limit: DIFF_ROWS },
          ...(to !== undefined && { to }),
        }),
      ) as z.input<typeof versionDiff>,
  );
}
