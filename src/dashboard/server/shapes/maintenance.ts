/** What is told of maintenance and backups. */
import { z } from 'zod';
import { list } from './common.js';

const task = z.object({
  task: z.string(),
  outcome: z.string(),
  detail: z.string(),
  files: z.number(),
  bytes: z.number(),
  rows: z.number(),
  left: z.number().optional(),
});

export const tendedTable = z.object({
  table: z.string(),
  outcome: z.string(),
  filesBefore: z.number(),
  filesAfter: z.number(),
  bytesBefore: z.number(),
  bytesAfter: z.number(),
  tasks: list(task),
});

export const maintenanceReport = z.object({
  /** Names the report. */
  id: z.string(),
  workflowId: z.string(),
  runId: z.string(),
  at: z.string(),
  startedAt: z.string(),
  finishedAt: z.string(),
  dryRun: z.boolean(),
  tables: z.number(),
  healthy: z.number(),
  left: z.number(),
  unreadable: list(z.object({ table: z.string(), reason: z.string() })),
  outcomes: z.record(z.string(), z.number()),
  rowsExpired: z.number(),
  bytesFreed: z.number(),
  filesGone: z.number(),
  problems: list(z.string()),
  /** Key in the lake of the report as a page, where there is one. */
  page: z.string().nullable(),
  /** Checks of published tables, and those that failed. */
  audited: z.object({ tables: z.number(), checks: z.number(), failed: z.number() }),
  recommendations: list(
    z.object({
      ...{ weight: z.string(), subject: z.string(), reason: z.string() },
      setting: z.string().optional(),
      command: z.string(),
    }),
  ),
});
export type MaintenanceReportRow = z.infer<typeof maintenanceReport>;

export const maintenanceDetail = maintenanceReport.extend({
  total: z.number(),
  tended: list(tendedTable),
  /** Failed checks of the audit, the gravest first. */
  findings: list(
    z.object({
      table: z.string(),
      name: z.string(),
      severity: z.string(),
      trend: z.string(),
      badRows: z.number(),
      detail: z.string(),
    }),
  ),
  /** Tables by how often SQL asked them in the last 30 days. */
  queries: list(
    z.object({ table: z.string(), queries: z.number(), seconds: z.number(), lastAt: z.string() }),
  ),
});
export type MaintenanceDetail = z.infer<typeof maintenanceDetail>;

export const backupRow = z.object({
  id: z.string(),
  at: z.string(),
  tables: z.number(),
  files: z.number(),
  bytes: z.number(),
});

export const backupRun = z.object({
  workflowId: z.string(),
  runId: z.string(),
  task: z.string(),
  /** Of a `create` that only counts what it would copy. */
  dryRun: z.boolean(),
  status: z.string(),
  startedAt: z.string(),
  finishedAt: z.string().nullable(),
  backup: z.string().nullable(),
  tables: z.number().nullable(),
  objects: z.number().nullable(),
  bytes: z.number().nullable(),
  problems: list(z.string()),
});
export type BackupRunRow = z.infer<typeof backupRun>;

export const maintenanceNow = z.object({
  /** Newest first, at most twenty; dry runs among them. */
  reports: list(maintenanceReport),
  /** The newest dry run: what would be done. */
  plan: maintenanceDetail.nullable(),
  /** Of the reports, dry runs left out, oldest first. */
  savings: list(z.object({ id: z.string(), at: z.string(), freed: z.number(), expired: z.number() })),
  backup: z.object({
    /** Where backups go, without what is secret in it; null: nowhere. */
    uri: z.string().nullable(),
    backups: list(backupRow),
    runs: list(backupRun),
    problem: z.string().nullable(),
  }),
});
export type MaintenanceNow = z.infer<typeof maintenanceNow>;
