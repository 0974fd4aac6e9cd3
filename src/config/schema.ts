/** The one schema of `datalab.yaml`: every key with its default, its limits and the reason for it. */
import { z } from 'zod';
import { maintenanceSchema } from './maintenance.js';
import { modelServerSchema } from './model-server.js';
import { dashboardSchema } from './dashboard.js';
import { monitoringSchema } from './monitoring.js';
import { isTimeZone } from './time-zone.js';

const positive = z.number().int().positive();
const ratio = z.number().min(0).max(1);
const topic = z.string().regex(/^[a-zA-Z0-9._-]{1,249}$/, 'a Kafka topic name: letters, digits, . _ -');

const ENGINE_MEMORY =
  'Memory in GiB that the engine sessions share which one worker runs of this flow at once.';

const limits = (cores: number, memoryGb: number, timeoutMinutes: number, memory = ENGINE_MEMORY) =>
  z
    .strictObject({
      cores: positive.default(cores).describe('Threads that one engine session of this flow may use.'),
      memoryGb: z.number().positive().default(memoryGb).describe(memory),
      timeoutMinutes: positive.default(timeoutMinutes).describe('Longest time one heavy step may take.'),
    })
    .prefault({});

const cron = z.string().regex(/^(\S+\s+){4}\S+$/, 'five cron fields: minute hour day month weekday');

export const configSchema = z.strictObject({
  lake: z
    .strictObject({
      uri: z
        .string()
        .regex(/^(s3|file):\/\/.+/, 's3://bucket/prefix or file:///folder')
        .default('file://.datalab/lake')
        .describe('Where all tables live. A relative file:// folder is relative to the project.'),
    })
    .prefault({}),
  s3: z
    .strictObject({
      endpoint: z.url().optional().describe('For gateways other than AWS.'),
      region: z.string().default('us-east-1'),
      accessKeyId: z.string().optional(),
      secretAccessKey: z.string().optional(),
      forcePathStyle: z.boolean().default(true),
    })
    .prefault({}),
  kafka: z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .describe('Off: events stay pending in the lake and `health` says so.'),
      brokers: z
        .array(z.string().regex(/^.+:\d+$/, 'host:port'))
        .min(1)
        .default(['127.0.0.1:9092']),
      clientId: z.string().min(1).default('datalab'),
      maxMessagesPerRun: positive
        .default(1_000_000)
        .describe('Messages that one run takes from a topic that is a source; the next run takes the rest.'),
      topics: z
        .strictObject({
          events: topic.default('datalab-events'),
          notifications: topic.default('datalab-notifications'),
          metrics: topic.default('datalab-metrics'),
          alerts: topic.default('datalab-alerts'),
          lineage: topic.default('datalab-lineage'),
        })
        .prefault({}),
    })
    .prefault({}),
  mlflow: z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .describe('Off: no model is trained or registered, and `health` says so.'),
      trackingUri: z
        .url({ protocol: /^https?$/, error: 'an address that starts with http:// or https://' })
        .default('http://127.0.0.1:5000')
        .describe('Where the MLflow server answers.'),
    })
    .prefault({}),
  ml: z
    .strictObject({
      xgboostLibrary: z
        .string()
        .default('')
        .describe("Path of libxgboost.so. Empty: the one in MLflow's Python environment."),
    })
    .prefault({}),
  modelServer: modelServerSchema,
  temporal: z
    .strictObject({
      address: z
        .string()
        .regex(/^.+:\d+$/, 'host:port')
        .default('127.0.0.1:7233'),
      namespace: z.string().min(1).default('default'),
      apiKey: z.string().optional(),
      tls: z.boolean().default(false),
    })
    .prefault({}),
  datasets: z.strictObject({ directory: z.string().min(1).default('datasets') }).prefault({}),
  schedules: z
    .strictObject({
      timezone: z
        .string()
        .refine(isTimeZone, 'an IANA time zone, such as America/Sao_Paulo')
        .default('America/Sao_Paulo'),
      etlDaily: z
        .strictObject({ dataset: z.string().default('stocks'), cron: cron.default('0 6 * * *') })
        .prefault({}),
      etlHourly: z
        .strictObject({ dataset: z.string().default('stocks'), cron: cron.default('0 * * * *') })
        .prefault({}),
      monitoring: z.strictObject({ cron: cron.default('*/5 * * * *') }).prefault({}),
      maintenance: z.strictObject({ cron: cron.default('0 3 * * 6') }).prefault({}),
      modelWatch: z.strictObject({ cron: cron.default('*/15 * * * *') }).prefault({}),
      mlopsWeekly: z
        .strictObject({
          model: z.string().default('next_day_volatility'),
          cron: cron.default('0 2 * * 0'),
        })
        .prefault({}),
    })
    .prefault({}),
  monitoring: monitoringSchema,
  maintenance: maintenanceSchema,
  quality: z
    .strictObject({
      minRows: z.number().int().nonnegative().default(1000),
      maxNullRatio: ratio.default(0.05),
      maxDuplicateRatio: ratio.default(0.02),
      minScore: ratio.default(0.85),
    })
    .prefault({}),
  limits: z
    .strictObject({
      etl: limits(2, 4, 60),
      monitoring: limits(1, 1, 10),
      maintenance: limits(2, 4, 360),
      mlops: limits(
        4,
        8,
        120,
        'Memory in GiB of a worker that trains and of the trainings that it runs at once; the sessions that read features take `limits.etl`.',
      ),
    })
    .prefault({}),
  retries: z
    .strictObject({
      heavyAttempts: positive.default(10).describe('How often a heavy step is tried before the run fails.'),
      heartbeatSeconds: positive
        .min(5)
        .default(30)
        .describe('A step silent for this long is tried elsewhere.'),
      initialIntervalSeconds: z.number().positive().default(1),
    })
    .prefault({}),
  worker: z
    .strictObject({
      concurrency: z
        .strictObject({
          flows: positive.default(20),
          etl: positive.default(2),
          ml: positive.default(2),
          monitoring: positive.default(10),
          maintenance: positive.default(2),
        })
        .prefault({})
        .describe('Activities that one worker runs at once, by pool.'),
      shutdownGraceSeconds: positive
        .default(30)
        .describe('How long a stopping worker lets activities finish.'),
      cacheDirectory: z.string().default('.datalab/cache').describe('Local copies of lake files.'),
      cacheGb: z.number().positive().default(10),
      scratchDirectory: z.string().default('.datalab/scratch'),
      shareMb: z
        .number()
        .positive()
        .default(512)
        .describe(
          'New sources of a run are read in shares of about so many MiB, by several workers at once.',
        ),
    })
    .prefault({}),
  dashboard: dashboardSchema,
  logging: z
    .strictObject({ level: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info') })
    .prefault({}),
});

/** The validated configuration. Frozen; secrets stay in it, so print it only through `redact`. */
export type Config = z.output<typeof configSchema>;
