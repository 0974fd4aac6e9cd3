/** The records of runs: each once, whatever became of the run. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Lab } from './lab.js';
import { reportOf } from './report.js';

let lab: Lab;
beforeEach(() => {
  lab = new Lab();
});
afterEach(() => lab.close());

const TABLES = ['runs', 'steps', 'quality_results'];
const versions = () => Promise.all(TABLES.map((table) => lab.version(`meta/${table}`)));

it('appends the run, its steps in order, and its checks', async () => {
  const run = lab.newRun();
  const step = await lab.do('recordRun', reportOf(run));
  expect(step).toMatchObject({ step: 'record', outcome: 'ok', rows: 4 });
  expect(await lab.rows('meta/runs')).toMatchObject([
    {
      run_id: 'run-1',
      workflow_id: 'sales-1',
      flow: 'medallionEtl',
      dataset: 'sales',
      outcome: 'ok',
      error_code: null,
      error_message: null,
      sources_listed: 2n,
      sources_ingested: 1n,
      bronze_read: 5n,
      bronze_quarantined: 1n,
      silver_duplicate: 1n,
      quality_score: 0.5,
    },
  ]);
  expect(await lab.rows('meta/steps', 'position, step, attempt', 'ORDER BY position')).toEqual([
    { position: 0n, step: 'discover', attempt: 1n },
    { position: 1n, step: 'write bronze.sales', attempt: 2n },
  ]);
  expect(await lab.rows('meta/quality_results')).toMatchObject([
    {
      ...{ check_name: 'row_count', outcome: 'failed', measured: 4, threshold: 1000, unit: 'rows' },
      ...{ share: 0.004, observed: null, examples: '[{"file":"file:///in/a.csv","line":3}]' },
    },
  ]);
});

it('appends nothing when repeated', async () => {
  const report = reportOf(lab.newRun());
  await lab.do('recordRun', report);
  await lab.do('recordRun', report);
  expect(await versions()).toEqual([0, 0, 0]);
});

it('says of a time of a schedule how its run ended, once, and nothing of a run by hand', async () => {
  const scheduled = { ...lab.newRun(), scheduleId: 'daily', logicalTime: '2024-01-10T06:00:00.000Z' };
  await lab.do('recordRun', reportOf(lab.newRun()));
  await lab.do('recordRun', reportOf({ ...scheduled, logicalTime: '2024-01-10T07:12:31.000Z' }));
  expect(await lab.version('meta/expected_runs')).toBeUndefined();
  await lab.do('recordRun', reportOf(scheduled));
  await lab.do('recordRun', reportOf(scheduled));
  const error = { code: 'QUALITY_BLOCKED', message: 'too few' };
  const blocked = { ...scheduled, executionId: 'e9', logicalTime: '2024-01-11T06:00:00.000Z' };
  await lab.do('recordRun', reportOf(blocked, { outcome: 'blocked', error }));
  const columns = 'schedule_id, day(logical_time) AS day, outcome, rows, run_id, detail';
  expect(await lab.rows('meta/expected_runs', columns, 'ORDER BY logical_time')).toEqual([
    {
      ...{ schedule_id: 'daily', day: 10n, outcome: 'ok', rows: 4n },
      ...{ run_id: scheduled.executionId, detail: '' },
    },
    {
      ...{ schedule_id: 'daily', day: 11n, outcome: 'failed', rows: null },
      ...{ run_id: 'e9', detail: 'QUALITY_BLOCKED: too few' },
    },
  ]);
});

it('records a reset of a run too: another execution, which may end in another way', async () => {
  const run = lab.newRun();
  const failed = { outcome: 'failed', error: { code: 'SOURCE_NOT_FOUND', message: 'no' } } as const;
  await lab.do('recordRun', reportOf(run, failed));
  await lab.do('recordRun', reportOf({ ...run, executionId: 'execution-after-reset' }));
  const rows = await lab.rows('meta/runs', 'run_id, execution_id, outcome', 'ORDER BY execution_id');
  expect(rows).toEqual([
    { run_id: run.runId, execution_id: run.executionId, outcome: 'failed' },
    { run_id: run.runId, execution_id: 'execution-after-reset', outcome: 'ok' },
  ]);
});

it('completes what a crash cut short', async () => {
  const report = reportOf(lab.newRun());
  const { newId } = lab;
  let ids = 0;
  lab.newId = () => {
    if (++ids > 4) throw new Error('killed');
    return newId();
  };
  await expect(lab.do('recordRun', report)).rejects.toThrow('killed');
  lab.newId = newId;
  await lab.do('recordRun', report);
  expect(await lab.rows('meta/runs', 'run_id')).toHaveLength(1);
  expect(await lab.rows('meta/steps', 'step')).toHaveLength(2);
  expect(await lab.rows('meta/quality_results', 'check_name')).toHaveLength(1);
});

it.each([
  ['failed', { code: 'SOURCE_CHANGED', message: 'it moved' }],
  ['cancelled', { code: 'CANCELLED', message: 'somebody asked' }],
  ['blocked', { code: 'QUALITY_BLOCKED', message: 'too few rows' }],
] as const)('records a %s run with code and message', async (outcome, error) => {
  const run = lab.newRun();
  await lab.do('recordRun', reportOf(run, { outcome, error, verdict: null }));
  expect(await lab.rows('meta/runs', 'outcome, error_code, error_message')).toEqual([
    { outcome, error_code: error.code, error_message: error.message },
  ]);
  const { datalab } = await lab.table('meta/runs').commitInfo(0);
  expect(datalab).toMatchObject({ kind: 'run', finished: { runId: run.runId, outcome } });
  expect(JSON.stringify(datalab)).toContain(error.message);
});

it('keeps the records of runs that end at once', async () => {
  const runs = [lab.newRun(), lab.newRun(), lab.newRun(), lab.newRun()];
  await Promise.all(runs.map((run) => lab.do('recordRun', reportOf(run))));
  expect(await lab.rows('meta/runs', 'run_id', 'ORDER BY run_id')).toEqual(
    runs.map(({ runId }) => ({ run_id: runId })),
  );
  expect(await lab.rows('meta/steps', 'step')).toHaveLength(8);
});
