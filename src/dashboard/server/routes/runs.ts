/** Runs: list, one with its log and report, start, cancel. */
import { z } from 'zod';
import { DATASET_NAME } from '../../../contracts/flows.js';
import { literal } from '../../../contracts/sql-text.js';
import { RunLogPages } from '../../../lake/run-log.js';
import { viewRun } from '../run-view.js';
import { Section } from '../measured.js';
import { listRuns, RUN_STATUSES, runsSince as askSince, type RunsSince } from '../runs.js';
import type { App, RouteContext } from '../server.js';
import { done, measured, startedRun } from '../shapes/common.js';
import { runChecks } from '../shapes/quality.js';
import { runLog, runPage, runsSince, runView } from '../shapes/runs.js';

const runParams = z.object({ workflowId: z.string().min(1).max(1000), runId: z.uuid() });
const started = z.object({
  dataset: z.string().regex(DATASET_NAME, 'the name of a folder in datasets/'),
  logicalTime: z.iso.datetime({ offset: true }).optional(),
  rebuild: z.boolean().default(false),
});
const LOG_LINES_MAX = 500;
/** So many beginnings of a day at once are every zone that readers are in. */
const SINCE_KEPT = 40;
const statuses = z
  .string()
  .max(200)
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(RUN_STATUSES)));

export async function runRoutes(app: App, context: RouteContext): Promise<void> {
  const { deps, hub } = context;
  app.get(
    '/api/runs',
    {
      schema: {
        summary: 'Runs that Temporal still keeps, newest first, by page',
        querystring: z.object({
          flow: z.string().max(100).optional().describe('A flow; with - before it, every other one'),
          dataset: z.string().max(100).optional(),
          status: statuses.optional().describe('One or more, with commas between'),
          outcome: z.string().max(30).optional(),
          search: z.string().max(300).optional(),
          since: z.iso.datetime({ offset: true }).optional(),
          limit: z.coerce.number().int().min(1).max(200).default(50),
          cursor: z.string().max(4000).optional(),
        }),
        response: { 200: runPage },
      },
    },
    async ({ query: { limit, cursor, ...filter } }) => listRuns(deps, filter, { limit, cursor }),
  );

  app.post(
    '/api/runs',
    {
      config: { audit: 'start run', cli: 'runs start' },
      schema: { summary: 'Start a medallion run', body: started, response: { 200: startedRun } },
    },
    async ({ body: { dataset, logicalTime, rebuild } }) => {
      const run = await deps.datalab.startEtl({
        dataset,
        ...(logicalTime !== undefined && { logicalTime }),
        ...(rebuild && { options: { rebuild } }),
      });
      hub.touch('runs');
      return { workflowId: run.workflowId, runId: run.runId ?? '' };
    },
  );

  app.post(
    '/api/runs/:workflowId/:runId/cancel',
    {
      config: { audit: 'cancel run', cli: 'runs cancel' },
      schema: {
        summary: 'Ask a run to stop; what it published stays',
        params: runParams,
        response: { 200: done },
      },
    },
    async ({ params }) => {
      await deps.datalab.run(params.workflowId, params.runId).cancel();
      hub.touch('runs');
      return { done: true };
    },
  );
  await sinceRoute(app, context);
  await runFiles(app, context);
}

async function sinceRoute(app: App, { deps }: RouteContext): Promise<void> {
  const days = new Map<string, Section<RunsSince>>();
  app.get(
    '/api/runs/since',
    {
      schema: {
        summary: 'Runs of the flows that move data since an instant: counts by status, and the newest',
        querystring: z.object({ since: z.iso.datetime({ offset: true }) }),
        response: { 200: measured(runsSince) },
      },
    },
    async ({ query: { since } }) => {
      const known = days.get(since) ?? new Section(() => askSince(deps, since), 2000);
      days.delete(since);
      days.set(since, known);
      for (const oldest of days.keys()) if (days.size > SINCE_KEPT) days.delete(oldest);
      return known.fresh();
    },
  );
}

async function runFiles(app: App, { deps, hub }: RouteContext): Promise<void> {
  const logs = new RunLogPages(deps.lake.store);
  app.get(
    '/api/runs/:workflowId/:runId',
    {
      schema: {
        summary: 'One run: input, summary so far, what is under way',
        params: runParams,
        response: { 200: runView },
      },
    },
    async ({ params }) => viewRun(deps, params.workflowId, params.runId),
  );

  app.get(
    '/api/records/:runId',
    {
      schema: {
        summary: 'What `meta` recorded of a run: its checks',
        params: z.object({ runId: z.uuid() }),
        response: { 200: runChecks },
      },
    },
    async ({ params }) => ({
      checks: await hub.records.rows<z.input<typeof runChecks>['checks'][number]>(
        ['quality_results'],
        `SELECT check_name, kind, severity, outcome, measured, threshold, rows, bad_rows, detail, unit, share, examples FROM quality_results WHERE run_id = ${literal(params.runId)} ORDER BY outcome, check_name`,
      ),
    }),
  );

  app.get(
    '/api/logs/:runId',
    {
      schema: {
        summary: 'The log of a run, by page, of one activity or of all',
        params: z.object({ runId: z.uuid() }),
        querystring: z.object({
          activity: z.string().max(100).optional(),
          level: z.enum(['info', 'warn', 'error']).optional(),
          search: z.string().max(200).optional(),
          offset: z.coerce.number().int().min(0).default(0),
          limit: z.coerce.number().int().min(0).max(LOG_LINES_MAX).default(200),
        }),
        response: { 200: runLog },
      },
    },
    async ({ params, query: { offset, limit, ...filter } }) =>
      logs.page(params.runId, filter, { offset, limit }),
  );

  app.get(
    '/api/reports',
    {
      schema: {
        summary: 'The report of a run, as a page; `key` is in its summary',
        querystring: z.object({
          key: z.string().regex(/^reports\/[a-z0-9_]+\/(models\/[a-z0-9_]+\/)?[\w.-]+\.html$/),
        }),
      },
    },
    async ({ query }, reply) => {
      const page = Buffer.from(await deps.lake.store.get(query.key));
      // The page brings its styles and charts inline, and nothing in it runs or calls out.
      void reply.header(
        'content-security-policy',
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'",
      );
      return reply.type('text/html; charset=utf-8').send(page);
    },
  );
}
