/** What is told of datasets, their checks and their refused rows. */
import { z } from 'zod';
import { list, page } from './common.js';

export const datasetRow = z.object({
  dataset: z.string(),
  freshAt: z.string().nullable(),
  score: z.number().nullable(),
  lastOutcome: z.string().nullable(),
  lastRunAt: z.string().nullable(),
  lastWorkflowId: z.string().nullable(),
  lastRunId: z.string().nullable(),
  failedChecks: z.number().nullable(),
  quarantined: z.number().nullable(),
});
export const datasetPage = page(datasetRow);

/** Figures of checks may be infinite, which JSON says as text. */
const figure = z.union([z.number(), z.string()]).nullable();

export const checkRow = z.object({
  check_name: z.string(),
  kind: z.string(),
  severity: z.string(),
  outcome: z.string(),
  measured: figure,
  threshold: figure,
  rows: z.number().nullable(),
  bad_rows: z.number().nullable(),
  detail: z.string().nullable(),
  unit: z.string().nullable(),
  share: figure,
  examples: z.string().nullable(),
});
export const runChecks = z.object({ checks: list(checkRow) });
export const datasetQuality = z.object({
  dataset: datasetRow.nullable(),
  /** Newest last. */
  scores: list(z.object({ at: z.string(), score: z.number() })),
  checks: list(checkRow.extend({ checked_at: z.string(), run_id: z.string() })),
});

export const quarantinePage = z.object({
  groups: list(
    z.object({ layer: z.string(), rule: z.string(), n: z.number(), reason: z.string().nullable() }),
  ),
  rows: list(
    z.object({
      layer: z.string(),
      rule: z.string(),
      reason: z.string().nullable(),
      source: z.string().nullable(),
      line: z.number().nullable(),
      raw: z.string().nullable(),
      refused_at: z.string(),
      run: z.string().nullable(),
    }),
  ),
  more: z.boolean(),
});
