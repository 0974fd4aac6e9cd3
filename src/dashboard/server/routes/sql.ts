/** SQL over the lake: one SELECT with limits, shown or taken away as a file. */
import { z } from 'zod';
import { exportLake, type ExportResult } from '../../../lake/export.js';
import { queryLake, type QueryOptions } from '../../../lake/query.js';
import { keepQuery } from '../../../lake/query-log.js';
import type { LakeReader } from '../../../lake/tables.js';
import { csvOf } from '../csv.js';
import { goneSignal } from '../gone.js';
import { plain } from '../records.js';
import type { App, RouteContext } from '../server.js';
import { queryResult } from '../shapes/lake.js';

const SECONDS_MAX = 60;
const ROWS_MAX = 10_000;
const FILE_ROWS_MAX = 100_000;
const TYPES = {
  csv: 'text/csv; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
  arrow: 'application/vnd.apache.arrow.file',
} as const;

const sql = z.string().min(1).max(20_000);

export async function sqlRoutes(app: App, { deps: { lake } }: RouteContext): Promise<void> {
  app.post(
    '/api/sql',
    {
      config: { access: 'viewer', audit: 'query', cli: 'tables query' },
      schema: {
        summary: `One SELECT over the lake, at most ${ROWS_MAX} rows and ${SECONDS_MAX} s; it ends when the caller goes away`,
        body: z.object({ sql, limit: z.number().int().min(1).max(ROWS_MAX).default(500) }),
        response: { 200: queryResult.extend({ ms: z.number() }) },
      },
    },
    async ({ body }, reply) => {
      const startedMs = Date.now();
      const result = await queryLake(lake, body.sql, {
        ...{ limit: body.limit, signal: goneSignal(reply, SECONDS_MAX) },
      });
      void keepQuery(lake, 'dashboard', { ...result, rows: result.rows.length }, startedMs);
      const shown = plain(result) as z.input<typeof queryResult>;
      return { ...shown, ms: Date.now() - startedMs };
    },
  );

  app.post(
    '/api/sql/export',
    {
      config: { access: 'viewer', audit: 'query', cli: 'tables query' },
      schema: {
        summary: `The same as a file: CSV, Parquet or Arrow, at most ${FILE_ROWS_MAX} rows and ${SECONDS_MAX} s`,
        body: z.object({
          sql,
          limit: z.number().int().min(1).max(FILE_ROWS_MAX).default(FILE_ROWS_MAX),
          format: z.enum(['csv', 'parquet', 'arrow']),
        }),
      },
    },
    async ({ body: { format, ...body } }, reply) => {
      const options = { limit: body.limit, signal: goneSignal(reply, SECONDS_MAX) };
      const startedMs = Date.now();
      const { bytes, ...read } =
        format === 'csv'
          ? await csvFile(lake, body.sql, options)
          : await exportLake(lake, body.sql, { ...options, format });
      void keepQuery(lake, 'dashboard', read, startedMs);
      return reply
        .type(TYPES[format])
        .header('content-disposition', `attachment; filename="query.${format}"`)
        .send(Buffer.from(bytes));
    },
  );
}

async function csvFile(lake: LakeReader, sql: string, options: QueryOptions): Promise<ExportResult> {
  const result = await queryLake(lake, sql, options);
  return { bytes: Buffer.from(csvOf(result)), rows: result.rows.length, tables: result.tables };
}
