/** The platform as a whole: whether this server is up, its configuration without secrets, the audit log. */
import { z } from 'zod';
import { DATASET_NAME } from '../../../contracts/flows.js';
import { redact } from '../../../config/config.js';
import { VERSION } from '../../../config/version.js';
import { instant } from '../datasets.js';
import { lineageOf } from '../lineage.js';
import type { App, RouteContext } from '../server.js';
import { list, measured } from '../shapes/common.js';
import { lakeNow, lineageGraph } from '../shapes/lake.js';
import { auditPage } from '../shapes/people.js';
import { datasetPage } from '../shapes/quality.js';
import { alertOverview, flowRow, runsNow, serviceHistory, servicesNow } from '../shapes/runs.js';

const overview = z.object({
  services: measured(servicesNow),
  runs: measured(runsNow),
  flows: measured(list(flowRow)),
  alerts: measured(alertOverview),
  lake: measured(lakeNow),
  datasets: measured(datasetPage),
});

/** Half a day of cycles for a handful of services. */
const RESPONSES =
  `SELECT regexp_extract(labels, '"service":"([^"]*)"', 1) AS service, "at", value FROM ` +
  `(SELECT * FROM metrics WHERE metric = 'service.response_ms' ORDER BY "at" DESC LIMIT 1500) ORDER BY "at"`;

export async function platformRoutes(app: App, { deps, hub }: RouteContext): Promise<void> {
  app.get(
    '/api/health',
    {
      config: { access: 'anyone' },
      schema: {
        summary: 'Whether this server answers',
        security: [],
        response: { 200: z.object({ product: z.string(), up: z.boolean(), version: z.string() }) },
      },
    },
    async () => ({ product: 'datalab', up: true, version: VERSION }),
  );

  app.get(
    '/api/overview',
    { schema: { summary: 'Every figure of the overview, each with its age', response: { 200: overview } } },
    async () =>
      Object.fromEntries(
        await Promise.all(
          Object.entries(hub.sections).map(async ([name, section]) => [name, await section.fresh()] as const),
        ),
      ) as z.input<typeof overview>,
  );

  app.get(
    '/api/config',
    {
      config: { access: 'operator' },
      schema: {
        summary: 'The configuration that holds; secrets masked',
        response: { 200: z.object({ config: z.unknown() }) },
      },
    },
    async () => ({ config: withoutUserInfo(redact(deps.config)) }),
  );

  app.get(
    '/api/audit',
    {
      config: { access: 'operator' },
      schema: {
        summary: 'Changes of state that were asked for here, newest first',
        querystring: z.object({
          limit: z.coerce.number().int().min(1).max(200).default(50),
          offset: z.coerce.number().int().min(0).default(0),
          search: z.string().max(100).optional(),
        }),
        response: { 200: auditPage },
      },
    },
    async ({ query }) => deps.store.auditLog(query),
  );

  await lakeWide(app, { deps, hub });
}

async function lakeWide(app: App, { deps, hub }: RouteContext): Promise<void> {
  app.get(
    '/api/lineage',
    {
      schema: {
        summary: 'Which table is made of which, up to models and reports; of one dataset, or of the first',
        querystring: z.object({ dataset: z.string().regex(DATASET_NAME).optional() }),
        response: { 200: lineageGraph },
      },
    },
    async ({ query: { dataset } }) => {
      const [tables, datasets] = await Promise.all([hub.tables.fresh(), hub.datasets.fresh()]);
      return lineageOf(deps, {
        ...{ dataset, tables: tables.value?.tables ?? [], datasets: datasets.value ?? [] },
      });
    },
  );

  app.get(
    '/api/services/history',
    {
      schema: {
        summary: 'Response times as monitoring recorded them, in milliseconds, oldest first',
        response: { 200: serviceHistory },
      },
    },
    async () => {
      const rows = await hub.records.rows<{ service: string; at: string; value: number }>(
        ['metrics'],
        RESPONSES,
      );
      return { rows: rows.map((row) => ({ ...row, at: instant(row.at) })) };
    },
  );

  app.get('/api/openapi.json', { schema: { hide: true } }, async () => app.swagger());
}

/** Addresses may carry a user and a password, and webhooks a secret path: neither reaches a browser. */
export function withoutUserInfo(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutUserInfo(item, key));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([name, child]) => [name, withoutUserInfo(child, name)]),
    );
  if (typeof value !== 'string') return value;
  if (/^accessKeyId$/i.test(key)) return '***';
  if (!/^[a-z]+:\/\//i.test(value)) return value;
  try {
    const url = new URL(value);
    if (key === 'url') return `${url.protocol}//${url.host}/***`;
    if (!url.username && !url.password && !url.search) return value;
    url.username = '';
    url.password = '';
    url.search = '';
    return url.href;
  } catch {
    return '***';
  }
}
