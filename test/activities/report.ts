/** A report of a run, as the workflow hands it to `recordRun`. */
import type { RunReport } from '../../src/contracts/activities.js';
import type { RunRef, StepRecord } from '../../src/contracts/run.js';

const STEP: StepRecord = {
  step: 'discover',
  outcome: 'ok',
  startedAt: '2024-01-01T00:00:00.000Z',
  finishedAt: '2024-01-01T00:00:01.000Z',
  attempt: 1,
  rows: 0,
  bytes: 9,
  detail: '1 listed',
};

export function reportOf(run: RunRef, more: Partial<RunReport> = {}): RunReport {
  const outcome = more.outcome ?? 'ok';
  return {
    summary: {
      run,
      phase: 'recording',
      outcome,
      sources: { listed: 2, ingested: 1, known: 1 },
      bronze: { read: 5, accepted: 4, duplicate: 0, quarantined: 1 },
      silver: { read: 4, accepted: 2, duplicate: 1, quarantined: 1 },
      score: 0.5,
      failedChecks: [],
      tables: [{ table: 'bronze.sales', version: 0, rows: 4, files: 1, changed: true }],
      steps: [STEP, { ...STEP, step: 'write bronze.sales', attempt: 2 }],
      report: null,
      events: { sent: 0, pending: 0, detail: '' },
    },
    outcome,
    startedAt: '2024-01-01T00:00:00.000Z',
    finishedAt: '2024-01-01T00:00:05.000Z',
    verdict: {
      score: 0.5,
      blocked: false,
      results: [
        {
          name: 'row_count',
          kind: 'row_count',
          severity: 'warn',
          outcome: 'failed',
          measured: 4,
          threshold: 1000,
          rows: 4,
          badRows: 0,
          unit: 'rows',
          share: 0.004,
          observed: null,
          examples: [{ file: 'file:///in/a.csv', line: 3 }],
          detail: '4 rows, 1000 wanted',
        },
      ],
    },
    error: null,
    ...more,
  };
}
