/** Quality: datasets, checks over time, and the rows that were refused, with the run that tries them again. */
import { z } from 'zod';
import { DATASET_NAME } from '../../../contracts/flows.js';
import { literal } from '../../../contracts/sql-text.js';
import { queryLake } from '../../../lake/query.js';
import { nameOf, tableOf, type LakeReader } from '../../../lake/tables.js';
import { csvOf } from '../csv.js';
import { goneSignal } from '../gone.js';
import { plain } from '../records.js';
import type { App, RouteContext } from '../server.js';
import { measured, startedRun } from '../shapes/common.js';
import { datasetPage, datasetQuality, quarantinePage } from '../shapes/quality.js';

const params = z.object({ dataset: z.string().regex(DATASET_NAME) });
const refused = {
  rule: z.string().max(200).optional(),
  source: z.string().max(500).optional(),
};
type Page = z.input<typeof quarantinePage>;
const EXPORT_ROWS_MAX = 100_000;
const EXPORT_SECONDS_MAX = 120;

export async function qualityRoutes(app: App, context: RouteContext): Promise<void> {
  const { hub } = context;
  app.get(
    '/api/datasets',
    {
      schema: {
        summary: 'Datasets by name and page: how fresh, how good, how the last run ended',
        querystring: z.object({
          search: z.string().max(100).optional(),
          limit: z.coerce.number().int().min(1).max(200).default(50),
          offset: z.coerce.number().int().min(0).default(0),
        }),
        response: { 200: measured(datasetPage) },
      },
    },
    async ({ query: { search = '', limit, offset } }) => {
      const { at, value, problem } = await hub.datasets.fresh();
      const found = value?.filter(({ dataset }) => dataset.includes(search));
      return {
        ...{ at, problem },
        value: found ? { total: found.length, rows: found.slice(offset, offset + limit) } : null,
      };
    },
  );

  app.get(
    '/api/quality/:dataset',
    {
      schema: {
        summary: 'One dataset: score over time, and each check with its newest thirty results',
        params,
        response: { 200: datasetQuality },
      },
    },
    async ({ params: { dataset } }) => {
      const row = (await hub.datasets.fresh()).value?.find((one) => one.dataset === dataset);
      const checks = await hub.records.rows(
        ['quality_results'],
        `SELECT check_name, kind, severity, outcome, measured, threshold, rows, bad_rows, detail, unit, share, examples, checked_at, run_id ` +
          `FROM (SELECT *, row_number() OVER (PARTITION BY check_name ORDER BY checked_at DESC) AS age FROM quality_results WHERE dataset = ${literal(dataset)}) ` +
          `WHERE age <= 30 ORDER BY check_name, checked_at DESC LIMIT 6000`,
      );
      return {
        ...{ dataset: row ?? null, scores: row?.scores ?? [] },
        checks: checks as z.input<typeof datasetQuality>['checks'],
      };
    },
  );
  await quarantineRoutes(app, context);
}

async function quarantineRoutes(app: App, { deps, hub }: RouteContext): Promise<void> {
  app.get(
    '/api/quarantine/:dataset',
    {
      schema: {
        summary: 'Refused rows with their reasons, newest first, by page',
        params,
        querystring: z.object({
          ...refused,
          limit: z.coerce.number().int().min(1).max(200).default(50),
          offset: z.coerce.number().int().min(0).max(1_000_000).default(0),
        }),
        response: { 200: quarantinePage },
      },
    },
    async ({ params: { dataset }, query }) => {
      const table = `quarantine.${dataset}`;
      if (!(await isThere(deps.lake, dataset))) return { groups: [], rows: [], more: false };
      const groups = await queryLake(
        deps.lake,
        `SELECT layer, rule, count(*) AS n, min(reason) AS reason FROM ${table} GROUP BY ALL ORDER BY n DESC`,
        { limit: 200 },
      );
      const rows = await queryLake(
        deps.lake,
        `${selectRefused(dataset, query)} LIMIT ${query.limit} OFFSET ${query.offset}`,
        { limit: query.limit },
      );
      return {
        groups: objects<Page['groups'][number]>(groups),
        rows: objects<Page['rows'][number]>(rows),
        more: rows.rows.length === query.limit,
      };
    },
  );

  app.get(
    '/api/quarantine/:dataset/export',
    {
      schema: {
        summary: `Refused rows as CSV, newest first, at most ${EXPORT_ROWS_MAX}`,
        params,
        querystring: z.object(refused),
      },
    },
    async ({ params: { dataset }, query }, reply) => {
      const there = await isThere(deps.lake, dataset);
      const signal = goneSignal(reply, EXPORT_SECONDS_MAX);
      const rows = there
        ? await queryLake(deps.lake, selectRefused(dataset, query), { limit: EXPORT_ROWS_MAX, signal })
        : { columns: [], rows: [] };
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="quarantine-${dataset}.csv"`)
        .send(csvOf(rows));
    },
  );

  app.post(
    '/api/quarantine/:dataset/replay',
    {
      config: { audit: 'replay quarantine', cli: 'quarantine replay' },
      schema: {
        summary: 'Try refused rows again under the definition as it is now',
        params,
        body: z.object(refused),
        response: { 200: startedRun },
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

async function isThere(lake: LakeReader, dataset: string): Promise<boolean> {
  return (await tableOf(lake, { layer: 'quarantine', table: dataset }).snapshotIfExists()) !== null;
}

function selectRefused(
  dataset: string,
  { rule, source }: { readonly rule?: string | undefined; readonly source?: string | undefined },
): string {
  const conditions = [
    ...(rule ? [`rule = ${literal(rule)}`] : []),
    ...(source ? [`contains(_source_file, ${literal(source)})`] : []),
  ];
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  return (
    `SELECT layer, rule, reason, _source_file AS source, _source_line AS line, raw, _ingested_at AS refused_at, _run_id AS run ` +
    `FROM ${nameOf({ layer: 'quarantine', table: dataset })}${where} ORDER BY _ingested_at DESC, _source_file, _source_line, rule`
  );
}

interface Rows {
  readonly columns: ReadonlyArray<{ readonly name: string }>;
  readonly rows: ReadonlyArray<readonly unknown[]>;
}

function objects<Row>({ columns, rows }: Rows): Row[] {
  return rows.map(
    (row) => Object.fromEntries(columns.map(({ name }, index) => [name, plain(row[index])])) as Row,
  );
}
