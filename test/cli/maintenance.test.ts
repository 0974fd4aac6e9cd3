/** What a plan of maintenance looks like on a terminal. */
import { expect, it } from 'vitest';
import type { LakeMaintenanceSummary } from '../../src/contracts/lake-maintenance.js';
import { picture } from '../../src/cli/commands/maintenance.js';

const SUMMARY: LakeMaintenanceSummary = {
  run: { runId: 'r', workflowId: 'w', at: '2026-11-28T06:00:00.000Z', dryRun: true, tables: null },
  ...{ phase: 'done', tables: 9, healthy: 7, unreadable: 0, damaged: 0, needy: 2, left: 0 },
  audited: { tables: 0, failed: 0, blocking: 0 },
  outcomes: { done: 0, planned: 2, aside: 0, failed: 0 },
  ...{ rowsExpired: 0, bytesFreed: 0, swept: { files: 0, bytes: 0 }, problems: [] },
  ...{ report: 'reports/maintenance/x.json', page: 'reports/maintenance/x.html' },
  worked: [
    {
      ...{ table: 'silver.stocks', outcome: 'planned', detail: '', score: 3.25 },
      tasks: [
        {
          task: 'optimize',
          outcome: 'planned',
          detail: '40 files would be packed',
          files: 40,
          bytes: 8_000_000,
        },
        { task: 'vacuum', outcome: 'planned', detail: '12 files would go', files: 12, bytes: 4_000_000 },
      ],
    },
    {
      ...{ table: 'bronze.stocks', outcome: 'planned', detail: '', score: 1 },
      tasks: [{ task: 'retention', outcome: 'kept', detail: 'rows wait', files: 0, bytes: 0 }],
    },
  ],
};

it('has a line for each task with its files and bytes, and the sum of what would be done', () => {
  const lines = picture(SUMMARY).split('\n');
  expect(lines[0]).toBe('9 tables: 7 healthy and left alone, 2 in need, 0 unreadable');
  const cells = lines.slice(3, 6).map((line) => line.trim().split(/ {2,}/));
  expect(cells).toEqual([
    ['silver.stocks', '3.3', 'optimize', 'planned', '40', '8.0 MB', '40 files would be packed'],
    ['vacuum', 'planned', '12', '4.0 MB', '12 files would go'],
    ['bronze.stocks', '1.0', 'retention', 'kept', '0', '0 B', 'rows wait'],
  ]);
  expect(lines).toContain('2 tasks would touch 52 files with 12.0 MB');
  expect(lines).toContain('nothing was changed');
});

it('says how many tables more there are than it lists', () => {
  expect(picture({ ...SUMMARY, needy: 5, left: 1 })).toContain(
    '2 more tables: all of them are in the report',
  );
});
