/** A report of maintenance with everything in it, every text of which is the one given. */
import type { AuditResult, TableAudit } from '../../src/contracts/audit.js';
import type { TableFacts, TableTended } from '../../src/contracts/lake-maintenance.js';
import {
  MAINTENANCE_REPORT_SCHEMA,
  type LakeTotals,
  type MaintenanceReport,
} from '../../src/contracts/maintenance-report.js';

const MB = 1_000_000;
const DAY_MS = 24 * 3600_000;

export function maintenanceDocument(text: string): MaintenanceReport {
  const names = ['bronze.stocks', 'silver.stocks', 'gold.stocks_daily_market', 'gold.stocks_monthly', text];
  const totals: LakeTotals = {
    ...{ tables: names.length, rows: 24_400_000, files: 96, bytes: 812 * MB, folderBytes: 1240 * MB },
    ...{ freedBytes: 610 * MB, rowsExpired: 18_240, damaged: 1, orphans: { files: 3, bytes: 12 * MB } },
    ...{ checks: 61, failedChecks: 2, score: 0.972 },
  };
  return {
    schema: MAINTENANCE_REPORT_SCHEMA,
    run: { runId: text, workflowId: text, at: '2026-11-21T06:00:00Z', dryRun: false, tables: null },
    ...{ outcome: 'attention', lake: `s3://lake/${text}` },
    ...{ startedAt: '2026-11-21T06:00:01Z', finishedAt: '2026-11-21T06:07:42Z' },
    ending: {
      ...{ startedAt: '2026-11-21T06:00:01Z', healthy: 31, left: 0, unreadable: 1, problems: [text] },
      swept: { files: 120, bytes: 3 * MB },
      backup: {
        create: { tables: 36, objects: 140, bytes: 812 * MB, copiedObjects: 12, copiedBytes: 44 * MB },
        drill: { tables: 36, objects: 140, bytes: 812 * MB, copiedObjects: 140, copiedBytes: 812 * MB },
      },
    },
    totals,
    facts: names.map(factsOf),
    unreadable: [{ table: `silver.${text}`, reason: text }],
    tended: names.slice(0, 4).map(tendedOf),
    audits: names.slice(0, 4).map((name, index) => auditOf(name, index === 0 ? text : null)),
    usage: {
      tables: names.map((name, index) => ({
        ...{ table: name, layer: name.split('.')[0] ?? '', version: 12, rows: 4_000_000 >> index },
        ...{ files: 24, bytes: (400 * MB) >> index, folderBytes: (620 * MB) >> index },
        ...{ rowsPerDay: index === 2 ? null : 12_154.4, bytesPerDay: index === 2 ? null : 1.4 * MB },
      })),
      layers: ['bronze', 'silver', 'gold'].map((layer, index) => ({
        ...{ layer, tables: 1 + index, rows: 8_000_000, files: 30, bytes: 300 * MB, folderBytes: 410 * MB },
        ...{ rowsPerDay: 12_154, bytesPerDay: -2 * MB },
      })),
      ingestion: Array.from({ length: 14 }, (_, day) => ({
        ...{ dataset: 'stocks', rows: 10_000 + 900 * ((day * 7) % 5), runs: 1 },
        day: new Date(Date.UTC(2026, 10, 8) + day * DAY_MS).toISOString().slice(0, 10),
      })),
      history: Array.from({ length: 8 }, (_, week) =>
        ['bronze', 'silver', 'gold'].map((layer, index) => ({
          at: new Date(Date.UTC(2026, 9, 3) + week * 7 * DAY_MS).toISOString(),
          ...{ layer, bytes: (120 + 30 * week - 40 * index) * MB },
        })),
      ).flat(),
      queries: names.map((table, index) => ({
        ...{ table, queries: 48 >> index, seconds: 12.5 / (index + 1), lastAt: '2026-11-20T17:20:00Z' },
      })),
    },
    backup: {
      configured: true,
      newest: { id: text, at: '2026-11-21T06:06:00Z', tables: 36, bytes: 812 * MB },
    },
    recommendations: [
      { weight: 'act', subject: text, reason: text, command: text },
      {
        ...{ weight: 'act', subject: 'bronze.stocks' },
        reason: '2 files that its log names are missing or cut short, as part-00000-1.parquet',
        command: 'datalab maintenance fsck --repair --table bronze.stocks --wait',
      },
      {
        ...{ weight: 'consider', subject: 'silver.stocks' },
        reason: 'it keeps every row and doubles in 61 days at this pace',
        setting: 'give it a retention in its dataset.yaml',
        command: 'datalab maintenance plan --table silver.stocks',
      },
    ],
    previous: {
      ...{ report: text, at: '2026-11-14T06:00:00Z' },
      totals: { ...totals, rows: 24_100_000, folderBytes: 1700 * MB },
    },
  };
}

function factsOf(table: string, index: number): TableFacts {
  return {
    ...{ table, version: 12, rows: 4_000_000, files: 24, bytes: 400 * MB },
    packable: { files: 20, bytes: 60 * MB },
    ...{ deletedRows: 0, commitsSinceCheckpoint: 4, checkpointInterval: 10, oldCommits: 0 },
    ...{ commitBytesSinceCheckpoint: 900, oldCommitBytes: 0 },
    reclaimable: { files: 9, bytes: 120 * MB },
    ...{ retention: null, folder: { files: 60, bytes: 620 * MB } },
    fsck: {
      ...{
        damaged: index === 0 ? 2 : 0,
        damagedBytes: 4096,
        hollow: false,
        orphans: { files: index, bytes: index * MB },
      },
      findings: index === 0 ? [{ path: table, problem: 'missing', detail: '4096 bytes' }] : [],
    },
    audit: { dataset: 'stocks', days: 7, everyDays: 6 },
  };
}

function tendedOf(table: string, index: number): TableTended {
  const before = { version: 12, files: 24, bytes: 400 * MB, folderFiles: 60, folderBytes: 620 * MB };
  return {
    ...{ table, outcome: index === 2 ? 'aside' : 'done', before },
    after: { ...before, version: 14, files: 4, folderFiles: 12, folderBytes: (620 - 90 * (4 - index)) * MB },
    tasks: [
      {
        ...{ task: 'optimize', outcome: 'done', detail: '24 files became 4', files: 24 },
        ...{ bytes: 60 * MB, rows: 0 },
      },
      {
        ...{ task: 'vacuum', outcome: index === 2 ? 'aside' : 'done', files: 9, bytes: 120 * MB, rows: 0 },
        detail: index === 2 ? 'a run of stocks is in progress' : '9 files with 120000000 bytes went',
      },
    ],
  };
}

function auditOf(table: string, bad: string | null): TableAudit {
  const one: AuditResult = {
    ...{ name: 'key', kind: 'key', severity: 'block', outcome: 'passed', measured: 0, threshold: 0 },
    ...{ unit: 'rows', rows: 4_000_000, badRows: 0, share: 1, observed: null, examples: [] },
    ...{ detail: '0 rows repeat the key (symbol, date) of another', trend: 'same', before: null },
  };
  const failed: AuditResult = {
    ...one,
    ...{ name: 'range_close', kind: 'range', severity: 'warn', outcome: 'failed', badRows: 4 },
    ...{ detail: bad ?? '', trend: 'worse', examples: [{ file: bad, line: 17, row: bad }] },
    before: { at: '2026-11-14T06:05:00Z', outcome: 'failed', badRows: 2, observed: null },
  };
  const results = bad === null ? [one] : [one, failed, { ...failed, name: bad, severity: 'block' as const }];
  return {
    ...{ table, dataset: 'stocks', version: 12, rows: 4_000_000, auditedAt: '2026-11-21T06:04:00Z' },
    ...{ score: bad === null ? 1 : 0.89, scoreBefore: bad === null ? 1 : 0.93, results },
  };
}
