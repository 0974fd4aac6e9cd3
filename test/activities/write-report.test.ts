/** The report of real runs over the sample and over the tiny dataset: what is in it, and that nothing can get out of it. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ReportDocument } from '../../src/contracts/report.js';
import type { PlannedRun, RunReport, Staged } from '../../src/contracts/activities.js';
import type { Ledger } from '../../src/contracts/ledger.js';
import type { StepRecord, TableState } from '../../src/contracts/run.js';
import { loadDataset } from '../../src/config/datasets.js';
import { Lab } from './lab.js';
import { reportOf } from './report.js';

let lab: Lab;
beforeEach(() => {
  lab = new Lab();
});
afterEach(() => lab.close());

async function reportFor(
  ...args: Parameters<typeof reportOf>
): Promise<{ page: string; data: ReportDocument }> {
  const { report } = await lab.do('writeReport', reportOf(...args));
  const read = async (key: string): Promise<string> => Buffer.from(await lab.deps.lake.get(key)).toString();
  return { page: await read(report.html), data: JSON.parse(await read(report.json)) as ReportDocument };
}

const CHARTS = `
report:
  charts:
    - { title: Totals, kind: bar, sql: SELECT * FROM gold.totals ORDER BY name, x: name, y: total }
    - { title: Amounts, sql: 'SELECT id, amount, name FROM silver.sales', x: id, y: amount, series: name }
    - { title: Wrong, sql: SELECT nothing FROM silver.sales, x: a, y: b }
    - { title: Nosy, sql: "SELECT 1 AS a, 2 AS b FROM read_text('/etc/hostname'), silver.sales", x: a, y: b }
`;

it('shows what a run did, its refused rows, its charts, and what could not be drawn', async () => {
  lab.edit('dataset.yaml', lab.datasetText() + CHARTS);
  lab.source('a.csv', '1,ann,10', '2,bob,20', '3,eve,-1', '4,joe,x');
  const { run } = await lab.run();
  const { page, data } = await reportFor(run);
  expect(data).toMatchObject({
    ...{ schema: 'datalab.report/1', outcome: 'ok', problems: [expect.any(String), expect.any(String)] },
    charts: [
      {
        ...{ title: 'Totals', xKind: 'category', categories: ['ANN', 'BOB'] },
        series: [
          {
            name: 'total',
            points: [
              [0, 10],
              [1, 20],
            ],
          },
        ],
      },
      { xKind: 'number', series: [{ name: 'ANN', points: [[1, 10]] }, { name: 'BOB' }] },
    ],
    quarantine: [
      { layer: 'bronze', rows: 1, examples: [{ line: 5, raw: '4,joe,x' }] },
      { layer: 'silver', rule: 'amount_negative', reason: 'the amount is negative', rows: 1 },
    ],
  });
  expect(data.problems.join()).toContain("The chart 'Wrong' could not be shown");
  expect(data.problems.join()).toContain("The chart 'Nosy' could not be shown");
  for (const text of [
    'amount_negative',
    'the amount is negative',
    'write bronze.sales',
    'bronze.sales',
    'Totals',
  ]) {
    expect(page).toContain(text);
  }
});

it('shows the scores of the runs before, oldest first', async () => {
  lab.source('a.csv', '1,ann,10');
  const summaryWith = (run: Parameters<typeof reportOf>[0], score: number) => ({
    ...reportOf(run).summary,
    score,
  });
  for (const [day, score] of [0.9, 0.7].entries()) {
    const run = lab.newRun();
    const startedAt = new Date(Date.UTC(2024, 0, day + 1)).toISOString();
    await lab.do('recordRun', reportOf(run, { summary: summaryWith(run, score), startedAt }));
  }
  const run = lab.newRun();
  const { data, page } = await reportFor(run, { summary: summaryWith(run, 0.5) });
  expect(data.scores.map(({ score }) => score)).toEqual([0.9, 0.7, 0.5]);
  expect(page).toContain('Score over runs');
});

it('is written for runs that came to nothing, also where the dataset cannot be read', async () => {
  const run = lab.newRun();
  lab.edit('dataset.yaml', 'name: [');
  const error = { code: 'DATASET_INVALID', message: 'line 1 is broken' };
  const { page, data } = await reportFor(run, { outcome: 'failed', error, verdict: null });
  expect(data).toMatchObject({ outcome: 'failed', checks: [], charts: [], quarantine: [], problems: [] });
  expect(page).toContain('line 1 is broken');
  expect(page).toContain('What to do: Correct the keys named in the message');
});

it('draws the sample as its dataset declares it', async () => {
  const project = fileURLToPath(new URL('../..', import.meta.url));
  const dataset = await loadDataset(path.join(project, 'datasets'), 'stocks', lab.deps.config.quality);
  const source = { ...dataset.source, location: 'in/*.csv.gz' };
  lab.close();
  lab = new Lab({ deps: () => ({ loadDataset: async () => Promise.resolve({ ...dataset, source }) }) });
  copyFileSync(
    path.join(project, 'data/samples/stocks.csv.gz'),
    path.join(lab.folder, 'in', 'stocks.csv.gz'),
  );
  const run = { ...lab.newRun(), dataset: 'stocks', fingerprint: dataset.fingerprint };
  const { page, data } = await reportFor(
    run,
    await wholeRun(
      run,
      dataset.gold.map(({ table }) => table),
    ),
  );
  expect(data.problems).toEqual([]);
  expect(data.charts.map(({ title, series }) => [title, series.length])).toEqual([
    ['Closing prices', 5],
    ['Volatility', 5],
    ['Shares traded', 1],
    ['Flagged moves', expect.any(Number)],
  ]);
  expect(data.charts.every(({ notes }) => notes.length === 0)).toBe(true);
  expect(page.length).toBeLessThan(1_500_000);
  // To look at: DATALAB_REPORT_DIR=<folder> npx vitest run test/activities/write-report
  const folder = process.env['DATALAB_REPORT_DIR'];
  if (folder) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'report.html'), page);
  }
});

/** What the workflow knows at the end of a run that published everything. */
async function wholeRun(run: PlannedRun, gold: readonly string[]): Promise<Partial<RunReport>> {
  const startedAt = new Date().toISOString();
  const steps: StepRecord[] = [];
  const tables: TableState[] = [];
  const publish = async ({ step, manifest }: Staged): Promise<Ledger> => {
    const { step: published, table, ledger } = await lab.do('publish', run, manifest ?? '');
    steps.push(step, published);
    if (table) tables.push(table);
    return ledger;
  };
  const { step: discovered } = await lab.do('discoverSources', run);
  steps.push(discovered);
  const staged = await lab.stageBronze(run);
  const { verdict, step: audited } = await lab.do('auditBronze', run, staged);
  const bronze = await publish(staged);
  steps.push(audited);
  const silver = await publish(await lab.do('writeSilver', run, {}));
  for (const table of gold) await publish(await lab.do('writeGold', run, table, {}));
  const sources = { listed: 1, ingested: 1, known: 0 };
  const { score } = verdict;
  const summary = { ...reportOf(run).summary, sources, bronze, silver, score, steps, tables };
  return { summary, verdict, startedAt, finishedAt: new Date().toISOString() };
}
