/** Quality: checks over time, and the rows that were refused, with the run that tries them again. */
import { z } from 'zod';
import { DATASET_NAME } from '../../../contracts/flows.js';
import { literal } from '../../../contracts/sql-text.js';
import { queryLake } from '../../../lake/query.js';
import { listTables, nameOf } from '../../../lake/tables.js';
import { plain } from '../records.js';
import type { App, RouteContext } from '../server.js';

const params = z.object({ dataset: z.string().regex(DATASET_NAME) });

export async function qualityRoutes(app: App, { deps, hub }: RouteContext): Promise<void> {
  app.get(
    '/api/quality/:dataset',
    { schema: { summary: 'Each check with its newest results, newest first', params } },
    async ({ params: { dataset } }) => ({
      checks: await hub.records.rows(
        ['quality_results'],
        `SELECT check_name, kind, severity, outcome, measured, threshold, rows, bad_rows, detail, unit, share, examples, checked_at, run_id ` +
          `FROM (SELECT *, row_number() OVER (PARTITION BY check_name ORDER BY checked_at DESC) AS age FROM quality_results WHERE dataset = ${literal(dataset)}) ` +
          `WHERE age <= 30 ORDER BY check_name, checked_at DESC`,
      ),
    }),
  );

  app.get(
    '/api/quarantine/:dataset',
    {
      schema: {
        summary: 'Refused rows with their reasons, newest first, by page',
        params,
        querystring: z.object({
          rule: z.string().max(200).optional(),
          source: z.string().max(500).optional(),
          limit: z.coerce.number().int().min(1).max(200).default(50),
          offset: z.coerce.number().int().min(0).max(1_000_000).default(0),
        }),
      },
    },
    async ({ params: { dataset }, query }) => {
      const table = `quarantine.${dataset}`;
      const there = (await listTables(deps.lake)).some((name) => nameOf(name) === table);
      if (!there) return { groups: [], rows: [], more: false };
      const conditions = [
        ...(query.rule ? [`rule = ${literal(query.rule)}`] : []),
        ...(query.source ? [`contains(_source_file, ${literal(query.source)})`] : []),
      ];
      const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
      const groups = await queryLake(
        deps.lake,
        `SELECT layer, rule, count(*) AS n, min(reason) AS reason FROM ${table} GROUP BY ALL ORDER BY n DESC`,
        { limit: 200 },
      );
      const rows = await queryLake(
        deps.lake,
        `SELECT layer, rule, reason, _source_file AS source, _source_line AS line, raw, _ingested_at AS refused_at, _run_id AS run ` +
          `FROM ${table}${where} ORDER BY _ingested_at DESC, _source_file, _source_line, rule LIMIT ${query.limit} OFFSET ${query.offset}`,
        { limit: query.limit },
      );
      return { groups: objects(groups), rows: objects(rows), more: rows.rows.length === query.limit };
    },
  );

  app.post(
    '/api/quarantine/:dataset/replay',
    {
      config: { audit: 'replay quarantine' },
      schema: {
        summary: 'Try refused rows again under the definition as it is now',
        params,
        body: z.object({ rule: z.string().max(200).optional(), source: z.string().max(500).optional() }),
      },
    },
    async ({ params: { dataset }, body: { rule, source } }) => {
      const run = await deps.datalab.startReplay({
        dataset,
        ...(rule && { rule }),
        ...(source && { source }),
      });
      hub.touch('runs');
      return { workflowId: run.workflowId, runId: run.runId ?? '' };
    },
  );
}

interface Rows {
  readonly columns: ReadonlyArray<{ readonly name: string }>;
  readonly rows: ReadonlyArray<readonly unknown[]>;
}

function objects({ columns, rows }: Rows): Array<Record<string, unknown>> {
  return rows.map((row) => Object.fromEntries(columns.map(({ name }, index) => [name, plain(row[index])])));
}
