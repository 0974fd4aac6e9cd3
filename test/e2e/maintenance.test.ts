/**
 * Maintenance and backups as an operator has them: the command line, real services, a pool of workers of its own. A run of
 * the dataset is in its way first; then it does everything, tells the broker, and leaves a page that a browser shows. In the
 * end everything is gone, and another platform goes on with what the backup kept.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openMlflow } from '../../src/connectors/mlflow/index.js';
import type { BackupSummary } from '../../src/contracts/backup.js';
import type { MaintenanceFinished, MaintenanceReport } from '../../src/contracts/maintenance-report.js';
import type { LakeMaintenanceSummary } from '../../src/contracts/lake-maintenance.js';
import { createEphemeral, destroyEphemeral } from '../../src/platform/ephemeral.js';
import { readSettings } from '../../src/platform/settings.js';
import { startPlatform } from '../../src/platform/start.js';
import { stopPlatform } from '../../src/platform/stop.js';
import { chromiumPath, openBrowser } from '../support/browser.js';
import { MLFLOW_MISSING } from '../support/mlflow.js';
import { copyStocks } from '../support/renamed-dataset.js';
import { eventsOn } from '../support/topic.js';
import { datalab, PROJECT, WorkerProcess, type Environment } from '../support/worker-process.js';

/** Rows of Silver before this day are past their time. */
const KEPT_FROM = '2005-01-01';
const EXPERIMENT = 'datalab/kept';

describe.skipIf(MLFLOW_MISSING)(`maintenance of a platform ${MLFLOW_MISSING ?? ''}`, () => {
  const project = mkdtempSync(path.join(tmpdir(), 'datalab-maintained-'));
  const inProject = (name: string): string => path.join(project, name);
  let ephemeral: Environment;
  let env: Environment;
  let etl: WorkerProcess;
  const workers: WorkerProcess[] = [];
  let done: LakeMaintenanceSummary;
  let runId: string;

  async function start(
    on: Environment,
    ...only: Array<'temporal' | 's3' | 'kafka' | 'mlflow'>
  ): Promise<void> {
    const { outcomes } = await startPlatform({ ...process.env, ...on }, { only });
    expect(outcomes.filter(({ outcome }) => outcome === 'failed' || outcome === 'left out')).toEqual([]);
  }
  async function ask<Answer>(...args: string[]): Promise<Answer> {
    const { code, stdout, stderr } = await datalab([...args, '--json'], env, project);
    expect(code, `${args.join(' ')}: ${stderr}${stdout}`).toBe(0);
    return JSON.parse(stdout) as Answer;
  }
  const startWorker = async (...pools: string[]): Promise<WorkerProcess> => {
    const worker = await WorkerProcess.start(env, pools, project);
    workers.push(worker);
    return worker;
  };

  beforeAll(async () => {
    copyStocks(inProject('datasets'), 'stocks', path.join(PROJECT, 'data/samples/stocks.csv.gz'));
    const days = Math.floor((Date.now() - Date.parse(KEPT_FROM)) / 86_400_000);
    writeFileSync(
      inProject('datalab.yaml'),
      `maintenance:
  retention: { tables: [{ table: silver.stocks, column: date, days: ${days} }] }
  backup: { uri: '${pathToFileURL(inProject('backup')).href}' }
`,
    );
    ephemeral = await createEphemeral();
    await start(ephemeral, 'temporal', 's3', 'kafka', 'mlflow');
    env = {
      ...(readSettings({ ...process.env, ...ephemeral }).env as Environment),
      ...ephemeral,
      DATALAB_CONFIG: inProject('datalab.yaml'),
      DATALAB_CACHE_DIRECTORY: inProject('cache'),
      DATALAB_SCRATCH_DIRECTORY: inProject('scratch'),
    };
    [etl] = await Promise.all([startWorker('etl'), startWorker('flows', 'maintenance')]);
    await ask('runs', 'start', 'stocks', '--wait');
    await openMlflow(env['MLFLOW_TRACKING_URI'] ?? '').experiment(EXPERIMENT);
  }, 300_000);
  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.kill()));
    await destroyEphemeral(ephemeral ?? {});
    rmSync(project, { recursive: true, force: true });
  }, 90_000);

  const outcomesOf = ({ worked }: LakeMaintenanceSummary, table: string): string[] =>
    worked
      .filter((one) => one.table === table)
      .flatMap(({ tasks = [] }) => tasks.map(({ task, outcome }) => `${task} ${outcome}`));

  it('steps aside while a run of the dataset is in progress', async () => {
    // Its steps are taken by nobody, so that it is in progress for as long as this takes.
    await etl.kill();
    const { workflowId } = await ask<{ workflowId: string }>('runs', 'start', 'stocks');
    const aside = await ask<LakeMaintenanceSummary>(
      ...['maintenance', 'run', '--table', 'silver.stocks', '--wait'],
    );
    expect(outcomesOf(aside, 'silver.stocks')).toContain('retention aside');
    expect(aside.worked[0]?.tasks?.[0]?.detail).toBe('a run of stocks is in progress');
    expect(aside.rowsExpired).toBe(0);
    etl = await startWorker('etl');
    await ask('runs', 'watch', workflowId);
  }, 180_000);

  it('does what is needed, makes a backup, tries it, and says so', async () => {
    done = await ask('maintenance', 'run', '--wait');
    runId = done.run.runId;
    expect(done).toMatchObject({ phase: 'done', problems: [], unreadable: 0, damaged: 0, left: 0 });
    expect(outcomesOf(done, 'silver.stocks')).toContain('retention done');
    expect(done.rowsExpired).toBeGreaterThan(1000);
    const [row] = await ask<Array<{ first: string }>>(
      ...['tables', 'query', 'SELECT min(date)::VARCHAR AS first FROM silver.stocks'],
    );
    expect((row?.first ?? '') >= KEPT_FROM).toBe(true);
    expect(done.backup?.create?.tables).toBeGreaterThan(4);
    expect(done.backup?.create?.copiedBytes).toBeGreaterThan(0);
    expect(done.backup?.drill?.tables).toBe(done.backup?.create?.tables);
  }, 240_000);

  it('tells the broker once, and the report that it names is there', async () => {
    const told = await eventsOn<MaintenanceFinished>(
      [env['KAFKA_BOOTSTRAP_SERVERS'] ?? ''],
      'datalab-notifications',
    );
    const own = told.filter(({ data }) => data.runId === runId);
    expect(own.map(({ type }) => type)).toEqual([
      expect.stringMatching(/^io\.datalab\.maintenance\.(ok|attention)$/),
    ]);
    expect(own[0]?.data.report).toEqual({ json: done.report, html: done.page });
    const shown = await ask<MaintenanceReport>('maintenance', 'show', '--output', inProject('page.html'));
    expect(shown.run.runId).toBe(runId);
    expect(shown.totals.rowsExpired).toBe(done.rowsExpired);
    expect(shown.backup.newest?.tables).toBe(done.backup?.create?.tables);
  });

  it.skipIf(chromiumPath === undefined)('has a page that a browser shows', async () => {
    const browser = await openBrowser();
    try {
      const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
      await page.goto(pathToFileURL(inProject('page.html')).href);
      expect(await page.locator('h1').innerText()).toBe('Maintenance of the lake');
      const text = await page.locator('body').innerText();
      for (const said of ['silver.stocks', 'The drill restored', 'found every row equal'])
        expect(text).toContain(said);
      expect(await page.locator('svg').count()).toBeGreaterThan(0);
      expect(complaints).toEqual([]);
      const pictures = process.env['DATALAB_SCREENSHOTS'];
      if (pictures) await page.screenshot({ path: path.join(pictures, 'maintenance.png'), fullPage: true });
    } finally {
      await browser.close();
    }
  });

  it('verifies, drills and restores by the command line', async () => {
    expect((await ask<BackupSummary>('backup', 'verify')).problems).toEqual([]);
    expect((await ask<BackupSummary>('backup', 'drill')).problems).toEqual([]);
    const into = pathToFileURL(inProject('other')).href;
    const one = ['backup', 'restore', '--table', 'silver.stocks', '--into', into];
    const restored = await ask<BackupSummary>(...one, '--to', new Date().toISOString());
    expect(restored.figures.tables).toBe(1);
    const sql = 'SELECT count(*)::INTEGER AS n FROM silver.stocks';
    const rows = await ask('tables', 'query', sql);
    env = { ...env, DATALAB_LAKE_URI: into };
    expect(await ask('tables', 'query', sql)).toEqual(rows);
  }, 120_000);

  it('another platform goes on with what the backup kept, where everything else is gone', async () => {
    await Promise.all(workers.map((worker) => worker.kill()));
    await stopPlatform(readSettings({ ...process.env, ...ephemeral }));
    // No service is there to be asked.
    const { files } = await ask<{ files: string[] }>('backup', 'files', '--into', inProject('back'));
    expect(files).toEqual(
      expect.arrayContaining(['datalab.yaml', 'mlflow/mlflow.db', 'temporal/temporal.db']),
    );
    for (const name of ['datalab.yaml', 'datasets/stocks/dataset.yaml', 'datasets/stocks/silver.sql'])
      expect(readFileSync(inProject(`back/${name}`), 'utf8')).toBe(readFileSync(inProject(name), 'utf8'));

    const second = await createEphemeral();
    try {
      const data = path.join(second['DATALAB_STATE_DIR'] ?? '', 'data');
      mkdirSync(data);
      for (const name of ['mlflow', 'temporal'])
        cpSync(inProject(`back/${name}`), path.join(data, name), { recursive: true });
      await start(second, 'temporal', 'mlflow');
      const { env: other } = readSettings({ ...process.env, ...second });
      // The run of maintenance that made the backup was under way then.
      const connection = await Connection.connect({ address: other['TEMPORAL_ADDRESS'] ?? '' });
      const { workflowExecutionInfo } = await connection.workflowService.describeWorkflowExecution({
        ...{ namespace: 'default', execution: { workflowId: done.run.workflowId } },
      });
      await connection.close();
      expect(workflowExecutionInfo?.type?.name).toBe('lakeMaintenance');
      const asked = await fetch(
        `${other['MLFLOW_TRACKING_URI']}/api/2.0/mlflow/experiments/get-by-name?experiment_name=${EXPERIMENT}`,
      );
      expect(await asked.json()).toMatchObject({ experiment: { name: EXPERIMENT } });
    } finally {
      await destroyEphemeral(second);
    }
  }, 180_000);
});
