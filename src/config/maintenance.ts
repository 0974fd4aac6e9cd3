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

export const maintenanceSchema = z
  .strictObject({
    retention,
    parallelTables: z.number().int().positive().max(32).default(2).describe('Tables worked on at once.'),
    budgetMinutes: days.default(240).describe('After this no further table is begun.'),
    keepFilesDays: days.min(7).default(7).describe('How long files stay that left a table: time travel.'),
  })
  .prefault({});
