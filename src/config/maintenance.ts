/** The part of `datalab.yaml` that maintenance goes by. */
import { z } from 'zod';

const days = z.number().int().positive();
const tableName = z
  .string()
  .regex(/^(bronze|silver|gold|quarantine)\.[A-Za-z0-9_-]+$/, 'layer.table, as in silver.stocks');

const retention = z
  .strictObject({
    bronzeDays: days.nullable().default(90).describe('From _ingested_at; null keeps rows for ever.'),
    quarantineDays: days.nullable().default(90),
    metricDays: days.nullable().default(30).describe('Samples of monitoring, meta.metrics.'),
    alertDays: days.nullable().default(365).describe('The history of alerts, meta.alerts.'),
    logDays: days.default(30).describe('Logs of steps, staging manifests, files of changes. 14 at least.'),
    reportDays: days.default(180).describe('Reports of runs. 14 at least.'),
    tables: z
      .array(
        z.strictObject({
          table: tableName,
          days: days.optional(),
          column: z.string().min(1).optional().describe('Of Silver and Gold: a date or timestamp.'),
          hold: z.boolean().optional().describe('No row goes, whatever else is said.'),
        }),
      )
      .default([])
      .describe('Single tables; wins over layers and datasets.'),
  })
  .prefault({});

const backup = z
  .strictObject({
    uri: z
      .string()
      .regex(/^((s3|file):\/\/.+)?$/, 's3://bucket/prefix or file:///folder')
      .default('')
      .describe('Where backups go, best on another machine; empty: none are made.'),
    days: days
      .default(180)
      .describe('The newest of each week stays so long; all of 30 days; monthly ones a year.'),
    include: z
      .array(z.string().min(1))
      .default([])
      .describe('More files and folders of this machine, such as the stores of MLflow and Temporal.'),
  })
  .prefault({});

export const maintenanceSchema = z
  .strictObject({
    retention,
    backup,
    parallelTables: z.number().int().positive().max(32).default(2).describe('Tables worked on at once.'),
    budgetMinutes: days.default(240).describe('After this no further table is begun.'),
    tableMinutes: z
      .number()
      .positive()
      .default(60)
      .describe('After this no further task or batch of one table is begun; the next run goes on there.'),
    auditDays: z
      .number()
      .positive()
      .default(6)
      .describe('A table whose data was audited so long ago is audited again.'),
    keepFilesDays: days.min(7).default(7).describe('How long files stay that left a table: time travel.'),
  })
  .prefault({});
