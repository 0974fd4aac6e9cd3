/** What a table is said to need, by what was measured of it. */
import { describe, expect, it } from 'vitest';
import type { TableFacts } from '../../src/contracts/lake-maintenance.js';
import { planTable, retentionOf, THRESHOLDS, type RetentionPolicies } from '../../src/maintenance/index.js';

const HEALTHY: TableFacts = {
  ...{ table: 'silver.sales', version: 30, rows: 1000, files: 4, bytes: 400 * 2 ** 20 },
  packable: { files: 0, bytes: 0 },
  ...{ deletedRows: 0, commitsSinceCheckpoint: 9, checkpointInterval: 10, oldCommits: 0 },
  ...{ commitBytesSinceCheckpoint: 900, oldCommitBytes: 0 },
  ...{ reclaimable: { files: 0, bytes: 0 }, retention: null, audit: null },
  folder: { files: 40, bytes: 400 * 2 ** 20 },
  fsck: { damaged: 0, damagedBytes: 0, findings: [], hollow: false, orphans: { files: 0, bytes: 0 } },
};
const tasks = (change: Partial<TableFacts>) =>
  planTable({ ...HEALTHY, ...change })?.tasks.map(({ task }) => task) ?? [];

describe('a plan', () => {
  it('is none for a healthy table, and for one below every threshold', () => {
    expect(planTable(HEALTHY)).toBeNull();
    expect(
      tasks({
        packable: { files: THRESHOLDS.packableFiles - 1, bytes: 9 },
        reclaimable: { files: 3, bytes: 1000 },
        oldCommits: THRESHOLDS.oldCommits - 1,
        commitsSinceCheckpoint: 19,
      }),
    ).toEqual([]);
  });

  it('names each need for itself, at its threshold, in the order of the work', () => {
    expect(tasks({ packable: { files: 8, bytes: 9 } })).toEqual(['optimize']);
    expect(tasks({ packable: { files: 1, bytes: 9 }, deletedRows: 60, rows: 940 })).toEqual(['optimize']);
    expect(tasks({ reclaimable: { files: 1, bytes: THRESHOLDS.reclaimableBytes } })).toEqual(['vacuum']);
    expect(tasks({ reclaimable: { files: 100, bytes: 1 } })).toEqual(['vacuum']);
    expect(tasks({ bytes: 0, reclaimable: { files: 1, bytes: 1 } })).toEqual(['vacuum']);
    expect(tasks({ commitsSinceCheckpoint: 20 })).toEqual(['checkpoint']);
    expect(tasks({ oldCommits: 20 })).toEqual(['clean-log']);
    const retention = {
      ...{ column: '_ingested_at', days: 90, before: '2026-01-01T00:00:00.000Z' },
      ...{ whole: { files: 2, bytes: 10 }, some: { files: 1, bytes: 5 } },
    };
    expect(tasks({ retention, oldCommits: 99, packable: { files: 99, bytes: 1 } })).toEqual([
      'retention',
      'optimize',
      'clean-log',
    ]);
    const [first] = planTable({ ...HEALTHY, retention })?.tasks ?? [];
    expect(first).toMatchObject({ files: 3, bytes: 15 });
    expect(first?.reason).toContain('2 files hold only rows with _ingested_at before');
    const idle = { ...retention, whole: { files: 0, bytes: 0 }, some: { files: 0, bytes: 0 } };
    expect(tasks({ retention: idle })).toEqual([]);
  });

  it('calls for an audit when one is due, and a late one more loudly', () => {
    const audited = (days: number | null) => ({ audit: { dataset: 'sales', days, everyDays: 6 } });
    expect(tasks(audited(5.9))).toEqual([]);
    expect(tasks(audited(6))).toEqual(['audit']);
    expect(tasks(audited(null))).toEqual(['audit']);
    const score = (days: number) => planTable({ ...HEALTHY, ...audited(days) })?.score ?? 0;
    expect(score(90)).toBeGreaterThan(score(6));
    // By hand it is not asked whether one is due, and nothing else is done.
    const asked = planTable({ ...HEALTHY, ...audited(0), commitsSinceCheckpoint: 50 }, { only: 'audit' });
    expect(asked?.tasks.map(({ task }) => task)).toEqual(['audit']);
  });

  it('leaves a damaged table alone until a repair is asked for', () => {
    const fsck = { ...HEALTHY.fsck, damaged: 2 };
    const worn = { ...HEALTHY, fsck, commitsSinceCheckpoint: 50 };
    expect(planTable(worn)).toBeNull();
    expect(planTable(worn, { repair: true })?.tasks.map(({ task }) => task)).toEqual(['repair']);
    expect(planTable(worn, { only: 'fsck' })).toBeNull();
    expect(planTable(HEALTHY, { repair: true })).toBeNull();
  });

  it('scores the greater need higher', () => {
    const score = (files: number) => planTable({ ...HEALTHY, packable: { files, bytes: 1 } })?.score ?? 0;
    expect(score(8)).toBeGreaterThanOrEqual(1);
    expect(score(800)).toBeGreaterThan(score(80));
  });
});

describe('the retention of a table', () => {
  const POLICIES: RetentionPolicies = {
    ...{ bronzeDays: 90, quarantineDays: 60, metricDays: 30, alertDays: 365, tables: [] },
  };
  const bronze = { layer: 'bronze', table: 'sales' } as const;
  const silver = { layer: 'silver', table: 'sales' } as const;

  it('counts from the time that Bronze and quarantine got their rows', () => {
    expect(retentionOf(bronze, POLICIES)).toEqual({ column: '_ingested_at', days: 90 });
    expect(retentionOf({ layer: 'quarantine', table: 'sales' }, POLICIES)?.days).toBe(60);
    expect(retentionOf(bronze, POLICIES, { days: 30, column: 'date' })).toEqual({
      column: '_ingested_at',
      days: 30,
    });
    expect(retentionOf(bronze, { ...POLICIES, bronzeDays: null })).toBeNull();
  });

  it('leaves Silver, Gold and meta alone, unless a date is declared', () => {
    expect(retentionOf(silver, POLICIES)).toBeNull();
    expect(retentionOf({ layer: 'gold', table: 'totals' }, POLICIES)).toBeNull();
    expect(retentionOf({ layer: 'meta', table: 'runs' }, POLICIES, { days: 1, column: 'at' })).toBeNull();
    expect(retentionOf(silver, POLICIES, { days: 365, column: 'date' })).toEqual({
      column: 'date',
      days: 365,
    });
  });

  it('lets the samples and the history of alerts go by their own time, and keeps every other record', () => {
    const meta = (table: string, policies = POLICIES) => retentionOf({ layer: 'meta', table }, policies);
    expect(meta('metrics')).toEqual({ column: 'at', days: 30 });
    expect(meta('alerts')).toEqual({ column: 'at', days: 365 });
    expect(meta('metrics', { ...POLICIES, metricDays: null })).toBeNull();
    for (const table of ['runs', 'steps', 'expected_runs', 'quality_results', 'maintenance'])
      expect(meta(table)).toBeNull();
  });

  it('goes by the table before the dataset, and by a hold before both', () => {
    const tables = [
      { table: 'bronze.sales', days: 7 },
      { table: 'silver.sales', hold: true },
    ];
    expect(retentionOf(bronze, { ...POLICIES, tables }, { days: 30 })?.days).toBe(7);
    expect(retentionOf(silver, { ...POLICIES, tables }, { days: 365, column: 'date' })).toBeNull();
    expect(retentionOf(bronze, POLICIES, { hold: true })).toBeNull();
    const released = [{ table: 'bronze.sales', hold: false }];
    expect(retentionOf(bronze, { ...POLICIES, tables: released }, { hold: true })?.days).toBe(90);
  });
});
