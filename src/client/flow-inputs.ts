/** What each flow is started with, as schemas: forms are made of them, and input is refused before anything is started. */
import { z } from 'zod';
import { BACKFILL_MODES, BACKFILL_PARALLEL_MAX, type BackfillInput } from '../contracts/backfill.js';
import type { BackupInput } from '../contracts/backup.js';
import { DATASET_NAME, type MedallionEtlInput, type WorkflowType } from '../contracts/flows.js';
import type { LakeMaintenanceInput } from '../contracts/lake-maintenance.js';
import type { DeploymentInput, TrainingInput } from '../contracts/ml-flows.js';
import type { ModelWatchInput } from '../contracts/model-watch.js';
import type { QuarantineReplayInput } from '../contracts/replay.js';
import type { TableMaintenanceInput } from '../contracts/table-maintenance.js';

const instant = z.iso
  .datetime({ offset: true })
  .describe('An instant with its zone, such as 2026-01-31T06:00:00Z.');
const dataset = z
  .string()
  .regex(DATASET_NAME, 'the name of a folder in datasets/')
  .meta({ choices: 'datasets' });
const model = z.string().regex(DATASET_NAME, 'the name of a model').meta({ choices: 'models' });
const TABLE = /^(bronze|silver|gold|quarantine|meta)\.[a-z][a-z0-9_]{0,62}$/;
const table = z.string().regex(TABLE, 'a layer and a name, as in silver.stocks').meta({ choices: 'tables' });
const backup = z
  .string()
  .regex(/^[A-Za-z0-9_-]+$/, 'an id, as `datalab backup list` shows it')
  .optional()
  .describe('Empty: the newest.');
const version = z.number().int().min(0);

const tableTask = z.discriminatedUnion('operation', [
  z.strictObject({ operation: z.literal('optimize') }),
  z.strictObject({
    operation: z.literal('vacuum'),
    retentionHours: z.number().min(0).optional(),
    dryRun: z.boolean().optional(),
  }),
  z.strictObject({ operation: z.literal('clean-log'), dryRun: z.boolean().optional() }),
  z.strictObject({ operation: z.literal('checkpoint') }),
  z.strictObject({
    operation: z.literal('fsck'),
    repair: z.boolean().optional(),
    statistics: z.boolean().optional(),
  }),
  z.strictObject({
    operation: z.literal('restore'),
    version: version.optional(),
    time: instant.optional(),
  }),
]);

const backupTask = z.discriminatedUnion('task', [
  z.strictObject({ task: z.literal('create'), tables: z.array(table).optional() }),
  z.strictObject({ task: z.literal('verify'), backup }),
  z.strictObject({ task: z.literal('drill'), backup }),
  z.strictObject({
    task: z.literal('restore'),
    backup,
    table: table.optional(),
    version: version.optional(),
    time: instant.optional(),
    into: z
      .string()
      .regex(/^(s3|file):\/\/.+/, 's3://bucket/prefix or file:///folder')
      .optional()
      .describe('Another lake.'),
  }),
]);

const period = z.strictObject({
  scheduleId: z.string().min(1).max(200).meta({ choices: 'schedules' }),
  from: instant,
  to: instant,
  mode: z.enum(BACKFILL_MODES).optional(),
  dryRun: z.boolean().optional(),
  parallel: z.number().int().min(1).max(BACKFILL_PARALLEL_MAX).optional(),
});

/** The flows that people start, each with its input. The workflow holds what it is given to rules of its own. */
export const FLOW_INPUTS = Object.freeze({
  medallionEtl: z.strictObject({
    dataset,
    logicalTime: instant.optional(),
    options: z
      .strictObject({
        rebuild: z.boolean().optional().describe('Recompute Silver and Gold from all of Bronze.'),
        acceptLoss: z
          .boolean()
          .optional()
          .describe('In a rebuild: drop old rows that retention took out of Bronze and that no longer fit.'),
        quiet: z.boolean().optional().describe('No notification.'),
      })
      .optional(),
  }),
  quarantineReplay: z.strictObject({
    dataset,
    logicalTime: instant.optional(),
    rule: z.string().min(1).max(200).optional().describe('Only rows that this rule refused.'),
    source: z.string().min(1).max(500).optional().describe('Only sources whose path contains this.'),
  }),
  mlopsTraining: z.strictObject({
    model,
    logicalTime: instant.optional(),
    options: z
      .strictObject({
        goldVersion: version.optional().describe('Of the Gold table. Empty: the newest.'),
        force: z.boolean().optional().describe('Also where an equal model is registered already.'),
      })
      .optional(),
  }),
  modelDeployment: z.strictObject({
    model,
    version: z.string().regex(/^(previous|\d{1,9})$/, 'a number, or previous'),
    expect: z
      .string()
      .regex(/^\d{1,9}$/)
      .nullable()
      .optional()
      .describe('The champion now: refused where it is another by then.'),
  }),
  modelWatch: z.strictObject({}),
  lakeMaintenance: z.strictObject({
    dryRun: z.boolean().optional().describe('Change nothing, say what would be done.'),
    tables: z.array(table).optional().describe('Empty: all.'),
    datasets: z.array(dataset).optional().describe('Only the tables of these.'),
    only: z.enum(['audit', 'fsck']).optional().describe('Only audits, or only compares logs with files.'),
    repair: z.boolean().optional().describe('Takes damaged files out of their tables.'),
  }),
  tableMaintenance: z.strictObject({ table, task: tableTask }),
  lakeBackup: backupTask,
  scheduleBackfill: period,
  platformMonitoring: z.strictObject({}),
});

export type StartableFlow = keyof typeof FLOW_INPUTS & WorkflowType;

/** Input by flow, as the contracts have it: the compiler holds each schema to its flow. */
export interface FlowInputOf {
  readonly medallionEtl: MedallionEtlInput;
  readonly quarantineReplay: QuarantineReplayInput;
  readonly mlopsTraining: TrainingInput;
  readonly modelDeployment: DeploymentInput;
  readonly modelWatch: ModelWatchInput;
  readonly lakeMaintenance: LakeMaintenanceInput;
  readonly tableMaintenance: TableMaintenanceInput;
  readonly lakeBackup: BackupInput;
  readonly scheduleBackfill: BackfillInput;
  readonly platformMonitoring: Readonly<Record<string, never>>;
}

/** A schema that takes exactly what its flow takes. */
type Held<Flow extends StartableFlow> =
  z.output<(typeof FLOW_INPUTS)[Flow]> extends Loosely<FlowInputOf[Flow]> ? true : never;
/** With `undefined` allowed where a key may be missing, as JSON has it. */
type Loosely<Value> = Value extends readonly unknown[] | string | number | boolean | null | undefined
  ? Value
  : {
      readonly [Key in keyof Value]: Loosely<Value[Key]> | (undefined extends Value[Key] ? undefined : never);
    };

export const HELD: { readonly [Flow in StartableFlow]: Held<Flow> } = Object.freeze({
  medallionEtl: true,
  quarantineReplay: true,
  mlopsTraining: true,
  modelDeployment: true,
  modelWatch: true,
  lakeMaintenance: true,
  tableMaintenance: true,
  lakeBackup: true,
  scheduleBackfill: true,
  platformMonitoring: true,
});
