/** How long runs took, whole and by phase, from records that real runs of the real activities made. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { durationsOf, percentilesOf } from '../../src/dashboard/server/durations.js';
import { Records } from '../../src/dashboard/server/records.js';
import { residualsOf } from '../../src/dashboard/server/model-report.js';
import type { RunReport } from '../../src/contracts/activities.js';
import { Lab } from '../activities/lab.js';

const at = (second: number): string => new Date(Date.UTC(2026, 0, 31, 6, 0, second)).toISOString();
const step = (name: string, from: number, to: number) => ({
  ...{ step: name, outcome: 'ok' as const, startedAt: at(from), finishedAt: at(to) },
  ...{ attempt: 1, rows: 1, bytes: 1, detail: '' },
});

describe('durations', () => {
  let lab: Lab;
  beforeAll(() => {
    lab = new Lab();
  });
  afterAll(() => lab.close());

  it('are none of nothing', async () => {
    const records = new Records({ store: lab.deps.lake, engine: lab.deps.engine });
    expect(await durationsOf(records, { flow: 'medallionEtl' })).toEqual({
      runs: [],
      whole: null,
      phases: [],
    });
  });

  it('count a step for the layer of its table, and steps side by side from the first to the last', async () => {
    const ledger = { read: 0, accepted: 0, duplicate: 0, quarantined: 0 };
    const report = (id: string, seconds: number, outcome: 'ok' | 'failed'): RunReport => ({
      ...{ outcome, startedAt: at(0), finishedAt: at(seconds), verdict: null, error: null },
      summary: {
        run: { runId: id, executionId: id, workflowId: `w-${id}`, dataset: 'sales', logicalTime: at(0) },
        ...{
          phase: 'done',
          outcome,
          sources: { listed: 0, ingested: 0, known: 0 },
          bronze: ledger,
          silver: ledger,
        },
        ...{
          score: null,
          failedChecks: [],
          tables: [],
          report: null,
          events: { sent: 0, pending: 0, detail: '' },
        },
        steps: [
          step('discover', 0, 1),
          step('write bronze.sales', 1, 3),
          step('publish bronze.sales', 3, 4),
          step('write gold.a', 4, 8),
          step('write gold.b', 5, 10),
        ],
      },
    });
    await lab.do('recordRun', report('one', 10, 'ok'));
    await lab.do('recordRun', report('two', 20, 'ok'));
    await lab.do('recordRun', report('bad', 500, 'failed'));
    const records = new Records({ store: lab.deps.lake, engine: lab.deps.engine });
    const { runs, whole, phases } = await durationsOf(records, { flow: 'medallionEtl', dataset: 'sales' });
    expect(runs).toHaveLength(3);
    expect(whole).toEqual({ p50: 10, p95: 20, p99: 20, runs: 2 });
    expect(Object.fromEntries(phases.map(({ phase, p50 }) => [phase, p50]))).toEqual({
      ...{ gold: 6, bronze: 3, discover: 1 },
    });
    expect((await durationsOf(records, { flow: 'medallionEtl', dataset: 'other' })).runs).toEqual([]);
  });

  it('take percentiles by the nearest rank', () => {
    expect(percentilesOf([3, 1, 2])).toEqual({ p50: 2, p95: 3, p99: 3, runs: 3 });
    expect(percentilesOf([])).toBeNull();
  });
});

describe('residuals', () => {
  it('are counted once each, and averaged by the size of the prediction', () => {
    const pairs = Array.from({ length: 100 }, (_, row) => ({ predicted: row, residual: row < 50 ? -1 : 1 }));
    const { rows, mean, deviation, bins, byPrediction } = residualsOf(pairs);
    expect([rows, mean, deviation]).toEqual([100, 0, 1]);
    expect(bins.reduce((sum, one) => sum + one.rows, 0)).toBe(100);
    expect([bins[0]?.rows, bins.at(-1)?.rows]).toEqual([50, 50]);
    expect(byPrediction.map((share) => share.mean)).toEqual([-1, -1, -1, -1, -1, 1, 1, 1, 1, 1]);
  });

  it('of nothing are nothing', () => {
    expect(residualsOf([])).toMatchObject({ rows: 0, mean: 0, byPrediction: [] });
  });
});
