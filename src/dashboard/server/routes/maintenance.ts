/** Maintenance and backups: reports, the plan, savings, and the flows behind the buttons. */
import { z } from 'zod';
import { maintenanceDetail as detailOf, maintenanceNow as askMaintenance } from '../care.js';
import { Section } from '../measured.js';
import type { App, RouteContext } from '../server.js';
import { measured, startedRun } from '../shapes/common.js';
import { maintenanceDetail, maintenanceNow } from '../shapes/maintenance.js';

const table = z.string().regex(/^(bronze|silver|gold|quarantine|meta)\.[a-z][a-z0-9_]{0,62}$/);

export async function maintenanceRoutes(app: App, { deps, hub }: RouteContext): Promise<void> {
  const maintenance = new Section(() => askMaintenance(deps), 5000, 30_000);
  const start = async (flow: string, input: unknown) => {
    const run = await deps.datalab.startFlow(flow, input);
    hub.touch('runs');
    return { workflowId: run.workflowId, runId: run.runId ?? '' };
  };

  app.get(
    '/api/maintenance',
    {
      schema: {
        summary: 'The last reports, the newest plan, what was saved, and the backups',
        response: { 200: measured(maintenanceNow) },
      },
    },
    async () => maintenance.fresh(),
  );

  app.get(
    '/api/maintenance/reports/:id',
    {
      schema: {
        summary: 'One report with the tables that were worked on, by page',
        params: z.object({ id: z.string().regex(/^[\w-]{1,200}$/) }),
        querystring: z.object({
          limit: z.coerce.number().int().min(1).max(200).default(50),
          offset: z.coerce.number().int().min(0).default(0),
        }),
        response: { 200: maintenanceDetail },
      },
    },
    async ({ params, query }) => detailOf(deps, params.id, query),
  );

  app.post(
    '/api/maintenance/plan',
    {
      config: { audit: 'plan maintenance', cli: 'maintenance plan' },
      schema: {
        summary: 'Measure every table and say what would be done; changes nothing',
        body: z.object({ tables: z.array(table).max(1000).optional() }),
        response: { 200: startedRun },
      },
    },
    async ({ body }) => start('lakeMaintenance', { dryRun: true, ...body }),
  );

  app.post(
    '/api/maintenance/run',
    {
      config: { audit: 'run maintenance', cli: 'maintenance run' },
      schema: {
        summary: 'Do what the tables need',
        body: z.object({ tables: z.array(table).max(1000).optional() }),
        response: { 200: startedRun },
      },
    },
    async ({ body }) => start('lakeMaintenance', body),
  );
  app.post(
    '/api/maintenance/audit',
    {
      config: { audit: 'audit lake', cli: 'maintenance audit' },
      schema: {
        summary: 'Hold what is published against its checks, and do nothing else',
        response: { 200: startedRun },
      },
    },
    async () => start('lakeMaintenance', { only: 'audit' }),
  );
  await backupRoutes(app, start);
}

type Start = (flow: string, input: unknown) => Promise<z.input<typeof startedRun>>;

async function backupRoutes(app: App, start: Start): Promise<void> {
  const backups = [
    ['create', 'make backup', 'Copy what the newest versions need and the backup does not hold'],
    ['verify', 'verify backup', 'Read all of a backup and compare every file with its checksum'],
    ['drill', 'try backup', 'Restore into a scratch prefix and compare the rows with the lake'],
  ] as const;
  for (const [task, audit, summary] of backups)
    app.post(
      `/api/backups/${task}`,
      {
        config: { audit, cli: `backup ${task}` },
        schema: {
          summary,
          body: z.object({
            backup: z
              .string()
              .regex(/^[A-Za-z0-9_-]{1,200}$/)
              .optional(),
          }),
          response: { 200: startedRun },
        },
      },
      async ({ body }) =>
        start('lakeBackup', { task, ...(task !== 'create' && body.backup && { backup: body.backup }) }),
    );
}
