/** What is told of starting flows, of backfills, and of how long runs take. */
import { z } from 'zod';
import { list } from './common.js';

/** A part of JSON Schema: what forms are made of. */
export const inputSchemas = z.object({
  flows: list(
    z.object({
      flow: z.string(),
      schema: z.record(z.string(), z.unknown()),
    }),
  ),
  /** What a field with `choices` may be given: datasets, models, tables and schedules by name. */
  choices: z.record(z.string(), list(z.string())),
});
export type InputSchemas = z.infer<typeof inputSchemas>;

export const backfillSummary = z.object({
  scheduleId: z.string(),
  from: z.string(),
  to: z.string(),
  mode: z.string(),
  dryRun: z.boolean(),
  planned: z.number(),
  done: z.number(),
  outcomes: z.record(z.string(), z.number()),
  failures: list(z.object({ logicalTime: z.string(), code: z.string(), message: z.string() })),
  times: list(z.object({ logicalTime: z.string(), outcome: z.string() })),
  note: z.string(),
});

export const retrySteps = z.object({
  steps: list(
    z.object({
      eventId: z.number(),
      activities: list(z.string()),
      at: z.string(),
      outcome: z.enum(['ok', 'failed', 'open']),
    }),
  ),
});

const percentiles = z.object({ p50: z.number(), p95: z.number(), p99: z.number(), runs: z.number() });

export const durations = z.object({
  /** Oldest first; seconds. */
  runs: list(
    z.object({
      workflowId: z.string(),
      runId: z.string(),
      at: z.string(),
      outcome: z.string(),
      seconds: z.number(),
      phases: z.record(z.string(), z.number()),
    }),
  ),
  /** Of the runs that ended well; null where there is none. */
  whole: percentiles.nullable(),
  phases: list(percentiles.extend({ phase: z.string() })),
});
export type Durations = z.infer<typeof durations>;
