/** What is told of alert rules and channels. */
import { z } from 'zod';
import type { ruleSchema } from '../../../config/monitoring.js';
import { SEVERITIES } from '../../../contracts/monitoring.js';
import { list } from './common.js';

/** A rule as people write it, before its defaults are filled in. */
export const ruleInput = z.object({
  name: z.string(),
  metric: z.string(),
  condition: z.string(),
  for: z.string().optional(),
  severity: z.enum(SEVERITIES),
  where: z.record(z.string(), z.string()).optional(),
  labels: z.record(z.string(), z.string()).optional(),
  summary: z.string(),
  unless: z.array(z.string()).optional(),
  enabled: z.boolean().optional(),
});
export type RuleInput = z.infer<typeof ruleInput>;
/** The compiler holds it to what the configuration takes. */
export const HELD: z.input<typeof ruleSchema> extends RuleInput ? true : never = true;

export const alertRules = z.object({
  rules: list(
    z.object({
      rule: ruleInput,
      origin: z.enum(['built-in', 'configuration', 'override']),
      under: ruleInput.nullable(),
      by: z.string().nullable(),
      at: z.string().nullable(),
    }),
  ),
  /** Metrics of the newest sample, for the form. */
  metrics: list(z.string()),
});
export type AlertRules = z.infer<typeof alertRules>;

export const ruleTrial = z.object({
  /** Of the sample; null: none was recorded yet. */
  at: z.string().nullable(),
  series: z.number(),
  findings: list(
    z.object({ fingerprint: z.string(), severity: z.string(), summary: z.string(), value: z.number() }),
  ),
});
export type RuleTrialView = z.infer<typeof ruleTrial>;

export const alertChannels = z.object({
  channels: list(
    z.object({
      name: z.string(),
      kind: z.string(),
      /** Whose alerts go there. */
      severities: list(z.string()),
      deliveredAt: z.string().nullable(),
      lagMs: z.number().nullable(),
      delivered: z.number(),
      undelivered: z.number(),
    }),
  ),
});
export type AlertChannels = z.infer<typeof alertChannels>;

export const alertTimeline = z.object({
  total: z.number(),
  rows: list(
    z.object({
      at: z.string(),
      change: z.string(),
      rule: z.string().nullable(),
      fingerprint: z.string().nullable(),
      severity: z.string().nullable(),
      summary: z.string().nullable(),
      actor: z.string().nullable(),
      channel: z.string().nullable(),
    }),
  ),
});
export type AlertTimeline = z.infer<typeof alertTimeline>;
