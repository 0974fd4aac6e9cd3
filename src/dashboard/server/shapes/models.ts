/** What is told of models. */
import { z } from 'zod';
import { MODEL_KINDS } from '../../../contracts/model.js';
import { figures, list } from './common.js';

export const modelRow = z.object({
  name: z.string(),
  /** Null: MLflow has it, but no file declares it (any more). */
  dataset: z.string().nullable(),
  table: z.string().nullable(),
  metric: z.string().nullable(),
  description: z.string(),
  champion: z.string().nullable(),
  previous: z.string().nullable(),
  candidate: z.string().nullable(),
  versions: z.number(),
  newest: z
    .object({
      version: z.string(),
      decision: z.string().nullable(),
      reasons: z.string(),
      at: z.string().nullable(),
    })
    .nullable(),
});
export type ModelRow = z.infer<typeof modelRow>;

export const modelsNow = z.object({
  /** Why MLflow is not asked; null where it is. */
  off: z.string().nullable(),
  models: list(modelRow),
  problems: list(z.string()),
});
export type ModelsNow = z.infer<typeof modelsNow>;

export const modelVersion = z.object({
  version: z.string(),
  at: z.string().nullable(),
  aliases: list(z.string()),
  gate: z.string().nullable(),
  decision: z.string().nullable(),
  reasons: list(z.string()),
  goldTable: z.string().nullable(),
  goldVersion: z.string().nullable(),
  revision: z.string().nullable(),
  workflowId: z.string().nullable(),
  runId: z.string().nullable(),
  mlflowUrl: z.string().nullable(),
  /** On the holdout. */
  metrics: figures,
});
export type ModelVersion = z.infer<typeof modelVersion>;

export const modelDetail = z.object({
  name: z.string(),
  description: z.string(),
  dataset: z.string().nullable(),
  table: z.string().nullable(),
  metric: z.string().nullable(),
  /** Whether less of the metric is better. */
  isLoss: z.boolean(),
  kind: z.enum(MODEL_KINDS).nullable(),
  target: z.string().nullable(),
  horizon: z.number().nullable(),
  deploys: z.boolean().nullable(),
  needsApproval: z.boolean().nullable(),
  /** Its predictions held against the truth, as the model watch measured them last; null: not yet. */
  live: z
    .object({
      at: z.string(),
      version: z.string(),
      metric: z.string(),
      judged: z.number(),
      live: z.number().nullable(),
      holdout: z.number().nullable(),
      degradation: z.number().nullable(),
      predictions: z.number(),
      drift: z.number().nullable(),
      problem: z.string().nullable(),
    })
    .nullable(),
  experimentUrl: z.string(),
  /** What the model server answers with; null where none runs, or it serves no version. */
  served: z
    .object({
      version: z.string().nullable(),
      loadedAt: z.string().nullable(),
      problem: z.string().nullable(),
      keys: list(z.string()),
      /** How the version was tried before it was served. */
      parity: z.string().nullable(),
    })
    .nullable(),
  /** Newest first, at most fifty. */
  versions: list(modelVersion),
  total: z.number(),
});
export type ModelDetail = z.infer<typeof modelDetail>;

const judged = z.object({ name: z.string(), metrics: figures });

export const residuals = z.object({
  rows: z.number(),
  mean: z.number(),
  deviation: z.number(),
  bins: list(z.object({ from: z.number(), to: z.number(), rows: z.number() })),
  /** By the size of the prediction, in equal shares: what is left on average. */
  byPrediction: list(
    z.object({ predicted: z.number(), mean: z.number(), deviation: z.number(), rows: z.number() }),
  ),
});
export type Residuals = z.infer<typeof residuals>;

export const modelReport = z.object({
  version: z.string(),
  metric: z.string(),
  winner: z.string(),
  parameters: figures,
  rows: z.object({ train: z.number(), holdout: z.number(), from: z.string(), to: z.string() }),
  interval: z.object({ low: z.number(), high: z.number() }).nullable(),
  candidates: list(
    z.object({
      name: z.string(),
      kind: z.string(),
      validation: figures,
      holdout: figures,
      tried: z.number(),
    }),
  ),
  baselines: list(judged),
  champion: judged.extend({ version: z.string() }).nullable(),
  byKey: list(judged),
  byPeriod: list(judged),
  importance: list(z.object({ feature: z.string(), loss: z.number() })),
  drift: list(z.object({ feature: z.string(), psi: z.number() })),
  /** Of yes or no, which is said from the probability `threshold` on. */
  confusion: z
    .object({ tp: z.number(), fp: z.number(), tn: z.number(), fn: z.number(), threshold: z.number() })
    .nullable(),
  /** Of several classes: how many rows of each (first) were said to be which (second). */
  classes: z.object({ names: list(z.string()), confusion: list(list(z.number())) }).nullable(),
  calibration: list(z.object({ predicted: z.number(), observed: z.number(), rows: z.number() })),
  gate: z.object({
    passed: z.boolean(),
    reasons: list(z.string()),
    rules: list(z.object({ rule: z.string(), passed: z.boolean(), detail: z.string() })),
  }),
  /** Key of the page in the lake; null where it is gone. */
  page: z.string().nullable(),
  /** The features of one row of the holdout, to predict something from. */
  example: z.record(z.string(), z.number().nullable()),
  residuals: residuals.nullable(),
  /** Why there are none. */
  residualsProblem: z.string().nullable(),
});
export type ModelReportView = z.infer<typeof modelReport>;

export const prediction = z.object({
  model: z.string(),
  version: z.string(),
  prediction: z.number(),
  /** Of several classes: the likeliest, and the probability of each. */
  class: z.string().nullable(),
  probabilities: z.record(z.string(), z.number()).nullable(),
  /** Which program computed it. */
  by: z.enum(['model server', 'dashboard']),
  /** Of a prediction by key: the time of its features, and the table with its version. */
  time: z.string().nullable(),
  gold: z.string().nullable(),
});
