/**
 * The dashboard before a long history: a lake of many tables and many recorded runs, and as many runs in Temporal's
 * visibility, seen by a real browser.
 *
 *   node bench/dashboard.mjs [--tables 1000] [--runs 100000] [--views 5] [--keep]
 *
 * Prints, by page, the first contentful paint and the moment at which its figures stand there: of the first view after the
 * server's start, and the median and the longest of the later ones. The runs are written into the development server's
 * visibility store while it is stopped, since starting a hundred thousand workflows would measure that; the tables are copies
 * of a few small ones, the records are written whole. Needs `npm run build`, Chromium, and the tools that `./manage.sh start`
 * prepares.
 */
import { randomUUID } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { createClient } from '@libsql/client';
import { chromium } from 'playwright-core';
import { connectTemporal, ensureSearchAttributes } from '../dist/connectors/temporal.js';
import { createEphemeral, destroyEphemeral } from '../dist/platform/ephemeral.js';
import { adminLinkFile } from '../dist/platform/services/dashboard.js';
import { readSettings } from '../dist/platform/settings.js';
import { startPlatform } from '../dist/platform/start.js';
import { stopPlatform } from '../dist/platform/stop.js';

const { values } = parseArgs({
  options: {
    tables: { type: 'string', default: '1000' },
    runs: { type: 'string', default: '100000' },
    views: { type: 'string', default: '5' },
    keep: { type: 'boolean', default: false },
  },
});
const tables = Number(values.tables);
const runs = Number(values.runs);
const PASSWORD = 'a long enough password';
/** Pages with what stands there once their figures have come. */
const PAGES = [
  ['overview', '', '.card table tbody tr td a[href^="/runs/"]'],
  ['runs', 'runs', 'main table tbody tr a[href^="/runs/"]'],
  ['runs, one dataset', 'runs?dataset=d0007', 'main table tbody tr a[href^="/runs/"]'],
  ['lake', 'lake', 'main table tbody tr a[href^="/lake/"]'],
  ['lake, by size', 'lake?sort=bytes&order=desc', 'main table tbody tr a[href^="/lake/"]'],
  ['one table', 'lake/silver.d0007', 'main table tbody tr'],
  ['quality', 'quality/d0007', 'main table tbody tr'],
  ['flows', 'flows', '#medallion-etl-daily'],
];

/** A Delta table of one commit around a Parquet file that is there. */
function writeTable(folder, file, rows, columns) {
  mkdirSync(path.join(folder, '_delta_log'), { recursive: true });
  const fields = columns.map(([name, type]) => ({ name, type, nullable: true, metadata: {} }));
  const actions = [
    {
      commitInfo: {
        timestamp: Date.now(),
        operation: 'WRITE',
        operationMetrics: { numOutputRows: String(rows) },
      },
    },
    { protocol: { minReaderVersion: 1, minWriterVersion: 2 } },
    {
      metaData: {
        ...{ id: randomUUID(), format: { provider: 'parquet', options: {} }, partitionColumns: [] },
        ...{
          schemaString: JSON.stringify({ type: 'struct', fields }),
          configuration: {},
          createdTime: Date.now(),
        },
      },
    },
    {
      add: {
        ...{ path: path.basename(file), partitionValues: {}, size: statSync(file).size },
        ...{ modificationTime: Date.now(), dataChange: true, stats: JSON.stringify({ numRecords: rows }) },
      },
    },
  ];
  const log = actions.map((action) => JSON.stringify(action)).join('\n');
  writeFileSync(path.join(folder, '_delta_log', '00000000000000000000.json'), `${log}\n`);
}

async function makeLake(lake) {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const datasets = Math.max(1, Math.floor(tables / 3.2));
  const write = async (layer, table, select, columns) => {
    const folder = path.join(lake, layer, table);
    mkdirSync(folder, { recursive: true });
    const file = path.join(folder, `part-${randomUUID()}.parquet`);
    await connection.run(`COPY (${select}) TO '${file}' (FORMAT parquet, COMPRESSION zstd)`);
    const counted = await connection.runAndReadAll(`SELECT count(*) FROM '${file}'`);
    writeTable(folder, file, Number(counted.getRows()[0][0]), columns);
    return file;
  };
  const sample = `SELECT range AS id, 'name ' || range AS name, random() AS value FROM range(500)`;
  const columns = [
    ['id', 'long'],
    ['name', 'string'],
    ['value', 'double'],
  ];
  const template = await write('bronze', 'd0000', sample, columns);
  let made = 1;
  for (let dataset = 0; dataset < datasets || made < tables - 4; dataset++) {
    const name = `d${String(dataset).padStart(4, '0')}`;
    for (const layer of ['bronze', 'silver', 'gold']) {
      const folder = path.join(lake, layer, name);
      if (existsSync(folder) || made >= tables - 4) continue;
      mkdirSync(folder, { recursive: true });
      const file = path.join(folder, path.basename(template));
      cpSync(template, file);
      writeTable(folder, file, 500, columns);
      made += 1;
    }
  }
  const at = (minutes) => `TIMESTAMPTZ '2026-11-01 00:00:00+00' - INTERVAL 1 MINUTE * (${minutes})`;
  const base =
    `SELECT 'run-' || r.range AS run_id, 'run-' || r.range AS execution_id, 'medallion-etl-' || r.range AS workflow_id, ` +
    `'medallionEtl' AS flow, 'd' || lpad((r.range % ${datasets})::VARCHAR, 4, '0') AS dataset, ${at('r.range')} AS logical_time, ` +
    `${at('r.range')} AS started_at, ${at('r.range')} + INTERVAL 1 SECOND * (3 + r.range % 17) AS finished_at, ` +
    `CASE WHEN r.range % 50 = 0 THEN 'failed' ELSE 'ok' END AS outcome FROM range(${runs}) r`;
  await connection.run(`CREATE TABLE base AS ${base}`);
  await write(
    ...['meta', 'runs'],
    `SELECT *, NULL::VARCHAR AS error_code, NULL::VARCHAR AS error_message, 1::BIGINT AS sources_listed, 1::BIGINT AS sources_ingested, ` +
      `100::BIGINT AS bronze_read, 99::BIGINT AS bronze_accepted, 1::BIGINT AS bronze_quarantined, 99::BIGINT AS silver_read, 99::BIGINT AS silver_accepted, ` +
      `0::BIGINT AS silver_duplicate, 0::BIGINT AS silver_quarantined, 0.97 + random() / 50 AS quality_score, 0::BIGINT AS failed_checks FROM base`,
    [
      ...['run_id', 'execution_id', 'workflow_id', 'flow', 'dataset'].map((name) => [name, 'string']),
      ...['logical_time', 'started_at', 'finished_at'].map((name) => [name, 'timestamp']),
      ...['outcome', 'error_code', 'error_message'].map((name) => [name, 'string']),
      ...['sources_listed', 'sources_ingested', 'bronze_read', 'bronze_accepted', 'bronze_quarantined'].map(
        (name) => [name, 'long'],
      ),
      ...['silver_read', 'silver_accepted', 'silver_duplicate', 'silver_quarantined'].map((name) => [
        name,
        'long',
      ]),
      ...[
        ['quality_score', 'double'],
        ['failed_checks', 'long'],
      ],
    ],
  );
  await write(
    ...['meta', 'steps'],
    `SELECT run_id, execution_id, dataset, s.range AS position, ['plan', 'bronze', 'silver', 'gold a', 'report', 'record'][s.range + 1] AS step, ` +
      `'ok' AS outcome, started_at + INTERVAL 1 SECOND * s.range AS started_at, started_at + INTERVAL 1 SECOND * (s.range + 1) AS finished_at, ` +
      `1::BIGINT AS attempt, 100::BIGINT AS rows, 1000::BIGINT AS bytes, '' AS detail FROM base, range(6) s`,
    [
      ...[
        ['run_id', 'string'],
        ['execution_id', 'string'],
        ['dataset', 'string'],
        ['position', 'long'],
      ],
      ...[
        ['step', 'string'],
        ['outcome', 'string'],
        ['started_at', 'timestamp'],
        ['finished_at', 'timestamp'],
      ],
      ...[
        ['attempt', 'long'],
        ['rows', 'long'],
        ['bytes', 'long'],
        ['detail', 'string'],
      ],
    ],
  );
  await write(
    ...['meta', 'quality_results'],
    `SELECT run_id, execution_id, dataset, logical_time, finished_at AS checked_at, 'check ' || c.range AS check_name, 'range' AS kind, 'warn' AS severity, ` +
      `'passed' AS outcome, 0.5 AS measured, 0.4 AS threshold, 100::BIGINT AS rows, 0::BIGINT AS bad_rows, 'fine' AS detail, 'ratio' AS unit, 1.0::DOUBLE AS share, ` +
      `0.5 AS observed, NULL::VARCHAR AS examples FROM base, range(8) c`,
    [
      ...['run_id', 'execution_id', 'dataset'].map((name) => [name, 'string']),
      ...[
        ['logical_time', 'timestamp'],
        ['checked_at', 'timestamp'],
        ['check_name', 'string'],
        ['kind', 'string'],
      ],
      ...[
        ['severity', 'string'],
        ['outcome', 'string'],
        ['measured', 'double'],
        ['threshold', 'double'],
      ],
      ...[
        ['rows', 'long'],
        ['bad_rows', 'long'],
        ['detail', 'string'],
        ['unit', 'string'],
        ['share', 'double'],
      ],
      ...[
        ['observed', 'double'],
        ['examples', 'string'],
      ],
    ],
  );
  connection.closeSync();
  return { made: made + 3, datasets };
}

/** Ended runs, one a minute, in the store that Temporal lists runs from. */
async function makeRuns(file, aliases, datasets) {
  const db = createClient({ url: pathToFileURL(file).href });
  const [row] = (
    await db.execute(
      "SELECT namespace_id FROM executions_visibility WHERE workflow_id LIKE 'temporal-sys-scheduler:%' LIMIT 1",
    )
  ).rows;
  const column = (name) => Object.entries(aliases).find(([, alias]) => alias === name)[0];
  const attributes =
    `json_object('${column('DatalabDataset')}', 'd' || printf('%04d', n % ${datasets}), '${column('DatalabOutcome')}', ` +
    `CASE WHEN n % 50 = 0 THEN 'failed' ELSE 'ok' END, '${column('DatalabPhase')}', 'done')`;
  const at = (more) => `strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', '-' || (n + 1) || ' minutes'${more})`;
  await db.execute({
    sql:
      `WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?) ` +
      `INSERT INTO executions_visibility (namespace_id, run_id, start_time, execution_time, close_time, workflow_id, workflow_type_name, status, ` +
      `history_length, encoding, task_queue, search_attributes, root_workflow_id, root_run_id) ` +
      `SELECT ?, printf('%08x-0000-7000-8000-%012x', n, n), ${at('')}, ${at('')}, ${at(", '+9 seconds'")}, 'medallion-etl-' || n, 'medallionEtl', ` +
      `CASE WHEN n % 50 = 0 THEN 3 ELSE 2 END, 60, 'Proto3', 'datalab-flows', ${attributes}, 'medallion-etl-' || n, 'r' FROM numbers`,
    args: [runs - 1, row.namespace_id],
  });
  db.close();
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor((numbers.length - 1) / 2)];

async function view(page, url, [, where, selector]) {
  const started = performance.now();
  await page.goto(`${url}/${where}`, { waitUntil: 'commit' });
  await page.locator(selector).first().waitFor({ timeout: 120_000 });
  const full = performance.now() - started;
  const paint = await page.evaluate(
    `new Promise((resolve) => new PerformanceObserver((list) => {
      const found = list.getEntriesByName('first-contentful-paint')[0];
      if (found) resolve(found.startTime);
    }).observe({ type: 'paint', buffered: true }))`,
  );
  return { paint, full };
}

const stack = await createEphemeral();
const lake = path.join(stack.DATALAB_STATE_DIR, 'lake');
const env = {
  ...process.env,
  ...stack,
  DATALAB_LAKE_URI: `file://${lake}`,
  DATALAB_KAFKA_ENABLED: 'false',
  DATALAB_MLFLOW_ENABLED: 'false',
};
let browser;
try {
  const say = (text) => process.stdout.write(`${text}\n`);
  await startPlatform(env, { only: ['temporal'] });
  const settings = readSettings(env);
  const client = await connectTemporal({
    address: `127.0.0.1:${settings.ports.temporal}`,
    namespace: 'default',
    tls: false,
  });
  await ensureSearchAttributes(client);
  execFileSync(process.execPath, ['dist/cli/main.js', 'schedules', 'apply'], {
    env: { ...env, TEMPORAL_ADDRESS: `127.0.0.1:${settings.ports.temporal}` },
    stdio: 'ignore',
  });
  const { config } = await client.workflowService.describeNamespace({ namespace: 'default' });
  await client.connection.close();
  const { made, datasets } = await makeLake(lake);
  await stopPlatform(settings, ['temporal']);
  await makeRuns(
    path.join(settings.stateDir, 'data', 'temporal', 'temporal.db'),
    config.customSearchAttributeAliases,
    datasets,
  );
  say(`${made} tables of ${datasets} datasets, ${runs} runs recorded and in Temporal`);
  await startPlatform(env, { only: ['temporal', 'dashboard'] });
  const url = `http://127.0.0.1:${settings.ports.dashboard}`;
  browser = await chromium.launch({
    executablePath: process.env.DATALAB_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-background-networking'],
  });
  const page = await (
    await browser.newContext({ viewport: { width: 1360, height: 900 }, locale: 'en-GB' })
  ).newPage();
  await page.goto(readFileSync(adminLinkFile(settings), 'utf8').trim());
  await page.getByLabel('Name').fill('bench');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Create administrator' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  say('page                 first paint, first view / later (max)      figures, first view / later (max)');
  for (const one of PAGES) {
    const first = await view(page, url, one);
    const later = [];
    for (let round = 0; round < Number(values.views); round++) later.push(await view(page, url, one));
    const told = (key) =>
      `${Math.round(first[key])} / ${Math.round(median(later.map((each) => each[key])))} (${Math.round(Math.max(...later.map((each) => each[key])))}) ms`;
    say(`${one[0].padEnd(20)} ${told('paint').padEnd(42)} ${told('full')}`);
  }
  const overview = await page.evaluate(
    `fetch('/api/overview').then((r) => r.text()).then((text) => text.length)`,
  );
  say(`all live sections together: ${(overview / 1000).toFixed(0)} KB`);
} finally {
  await browser?.close();
  if (values.keep) process.stdout.write(`kept: ${stack.DATALAB_STATE_DIR}\n`);
  else await destroyEphemeral(stack);
}
