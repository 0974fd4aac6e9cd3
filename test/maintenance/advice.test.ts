/** What a report recommends: for everything that is wrong or could be better a reason, and a command that can be typed. */
import { expect, it } from 'vitest';
import type { AuditResult } from '../../src/contracts/audit.js';
import type { MaintenanceReport } from '../../src/contracts/maintenance-report.js';
import { adviceOn } from '../../src/maintenance/index.js';
import { maintenanceDocument } from '../report/maintenance-document.js';
import { parseCommand, wordsOf } from '../support/command-line.js';

const document = maintenanceDocument('gold.plain');
const [sound] = document.facts.slice(1);
const [tended] = document.tended;
const [audit] = document.audits;
if (!sound || !tended || !audit) throw new Error('the document has tables');

/** A report in which nothing is wrong. */
const WELL: MaintenanceReport = {
  ...document,
  ...{ facts: [sound], unreadable: [], tended: [], audits: [], left: [] },
  ending: { ...document.ending, problems: [], left: 0, unreadable: 0 },
  usage: { ...document.usage, tables: [] },
};
const task = (change: Partial<(typeof tended.tasks)[number]>): Partial<MaintenanceReport> => ({
  tended: [
    {
      ...{ ...tended, table: 'silver.sales' },
      tasks: [{ task: 'optimize', outcome: 'done', detail: 'why', files: 0, bytes: 0, rows: 0, ...change }],
    },
  ],
});
const check = (kind: AuditResult['kind'], severity: AuditResult['severity'], table: string) => ({
  audits: [
    {
      ...{ ...audit, table, dataset: 'sales' },
      results: [{ ...(audit.results[0] as AuditResult), kind, severity, outcome: 'failed' as const }],
    },
  ],
});
const damaged = (hollow: boolean): Partial<MaintenanceReport> => ({
  facts: [
    {
      ...{ ...sound, table: 'silver.sales' },
      fsck: {
        ...sound.fsck,
        damaged: 2,
        hollow,
        findings: [{ path: 'a.parquet', problem: 'missing', detail: '' }],
      },
    },
  ],
});
const growing = (bytesPerDay: number): Partial<MaintenanceReport> => ({
  facts: [{ ...sound, table: 'silver.sales', retention: null }],
  usage: {
    ...document.usage,
    tables: [
      {
        ...{ table: 'silver.sales', layer: 'silver', version: 1, rows: 1, files: 1, rowsPerDay: 1 },
        ...{ bytes: 2 ** 31, folderBytes: 2 ** 31, bytesPerDay },
      },
    ],
  },
});
const problem = (text: string): Partial<MaintenanceReport> => ({
  ending: { ...WELL.ending, problems: [text] },
});

const SITUATIONS: ReadonlyArray<readonly [string, Partial<MaintenanceReport>, 'act' | 'consider', RegExp]> = [
  [
    'a table that cannot be read',
    { unreadable: [{ table: 'silver.sales', reason: 'why' }] },
    'act',
    /tables fsck/,
  ],
  ['files that are missing', damaged(false), 'act', /maintenance fsck --repair --table silver\.sales/],
  ['a table of which nothing is there', damaged(true), 'act', /backup restore --table silver\.sales/],
  ['a task that failed', task({ outcome: 'failed' }), 'act', /maintenance run --table silver\.sales/],
  ['a writer in the way', task({ outcome: 'aside' }), 'consider', /maintenance run --table silver\.sales/],
  ['rows that stay', task({ task: 'retention', outcome: 'kept' }), 'consider', /runs start sales/],
  ['files that stay', task({ task: 'vacuum', outcome: 'kept' }), 'consider', /backup create/],
  ['a doubled key', check('key', 'block', 'silver.sales'), 'act', /runs start sales --rebuild/],
  ['a ledger that is off in Bronze', check('ledger', 'block', 'bronze.sales'), 'act', /tables history/],
  [
    'statistics that lie',
    check('statistics', 'warn', 'gold.sales'),
    'consider',
    /fsck gold\.sales --statistics/,
  ],
  ['old data', check('freshness', 'warn', 'bronze.sales'), 'consider', /runs start sales/],
  ['a range that is left', check('range', 'warn', 'bronze.sales'), 'consider', /audit --dataset sales/],
  ['time that was over', { left: ['silver.sales', 'gold.totals'] }, 'consider', /maintenance run --wait/],
  ['no place for backups', { backup: { configured: false, newest: null } }, 'consider', /backup create/],
  ['a backup that failed', problem('backup create: no'), 'act', /backup create/],
  ['a drill that failed', problem('backup drill: no'), 'act', /backup verify/],
  ['a table that grows', growing(2 ** 27), 'consider', /maintenance plan --table silver\.sales/],
  [
    'a dry run',
    { ...task({ outcome: 'planned' }), run: { ...WELL.run, dryRun: true } },
    'consider',
    /maintenance run --wait/,
  ],
];

it('recommends nothing where nothing is wrong', () => {
  expect(adviceOn(WELL)).toEqual([]);
  expect(adviceOn({ ...WELL, ...growing(2 ** 20) })).toEqual([]);
});

it.each(SITUATIONS)('says of %s why and what to type', async (_what, change, weight, command) => {
  const [one, ...more] = adviceOn({ ...WELL, ...change });
  expect(more).toEqual([]);
  expect(one?.weight).toBe(weight);
  expect(one?.reason).not.toBe('');
  expect(one?.command).toMatch(command);
  // The command line takes it as it stands.
  const [program, ...words] = wordsOf(one?.command ?? '');
  expect(program).toBe('datalab');
  await expect(parseCommand(words)).resolves.toBeUndefined();
});

it('puts what is wrong before what could be better', () => {
  const both = { ...WELL, ...damaged(false), left: ['silver.sales'] };
  expect(adviceOn(both).map(({ weight }) => weight)).toEqual(['act', 'consider']);
});

it('names the tables that the time left, and how many more there are', () => {
  const left = Array.from({ length: 8 }, (_, index) => `silver.t${index}`);
  const [one] = adviceOn({ ...WELL, left });
  expect(one?.reason).toContain('silver.t0, silver.t1, silver.t2, silver.t3, silver.t4 and 3 more');
  expect(one?.setting).toContain('maintenance.budgetMinutes');
});
