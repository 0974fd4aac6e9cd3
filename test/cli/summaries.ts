/** Summaries of runs, for tests of what people read. */
import type { EtlSummary, StepRecord } from '../../src/contracts/run.js';

export function step(name: string, more: Partial<StepRecord> = {}): StepRecord {
  return {
    step: name,
    outcome: 'ok',
    startedAt: '2024-01-01T00:00:00.000Z',
    finishedAt: '2024-01-01T00:00:01.500Z',
    attempt: 1,
    rows: 0,
    bytes: 0,
    detail: `${name} was done`,
    ...more,
  };
}

export function summary(more: Partial<EtlSummary> = {}): EtlSummary {
  return {
    run: {
      executionId: 'execution-1',
      runId: 'r',
      workflowId: 'w-7',
      dataset: 'sales',
      logicalTime: '2024-01-01T09:00:00.000Z',
    },
    phase: 'done',
    outcome: 'ok',
    sources: { listed: 3, ingested: 1, known: 2 },
    bronze: { read: 1500, accepted: 1499, duplicate: 0, quarantined: 1 },
    silver: { read: 1499, accepted: 1400, duplicate: 90, quarantined: 9 },
    score: 0.875,
    failedChecks: [],
    tables: [
      { table: 'bronze.sales', version: 4, rows: 12345, files: 5, changed: true },
      { table: 'gold.totals', version: 2, rows: 3, files: 1, changed: false },
    ],
    steps: [],
    report: null,
    events: { sent: 3, pending: 0, detail: '' },
    ...more,
  };
}
