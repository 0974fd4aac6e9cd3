/** `datasets/<dataset>/models/<name>.yaml` → one ModelDefinition, or every problem at once. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { canonicalJson } from '../contracts/canonical-json.js';
import { DatalabError } from '../contracts/errors.js';
import { DATASET_NAME } from '../contracts/flows.js';
import {
  featureNames,
  METRICS,
  MODEL_KINDS,
  THRESHOLD,
  WINDOW_STATISTICS,
  type CandidateDefinition,
  type ModelDefinition,
} from '../contracts/model.js';

const plainName = z
  .string()
  .regex(DATASET_NAME, 'a lower-case name: letters, digits and _, starting with a letter');
const rows = z.number().int().min(1).max(10_000);
const share = z.number().min(0).max(1);
const parameter = z.union([z.number(), z.array(z.number()).min(1).max(50)]);

const feature = z.strictObject({
  name: plainName,
  expression: z
    .string()
    .min(1)
    .optional()
    .describe('SQL over the columns of the row. Default: the column called like the feature.'),
  lags: z
    .array(z.number().int().min(0).max(10_000))
    .optional()
    .describe('Rows of the same key back; 0 is the row itself.'),
  windows: z
    .array(
      z.strictObject({
        rows: z.union([rows, z.array(rows).min(1)]),
        statistic: z.enum(WINDOW_STATISTICS).default('mean'),
      }),
    )
    .default([])
    .describe('Rolling windows that end with the row; NULL until they are full.'),
});

const candidate = z.strictObject({
  name: plainName.optional(),
  kind: z.enum(['linear', 'forest', 'boosting']),
  parameters: z.record(z.string(), parameter).default({}).describe('A number, or a list of numbers to try.'),
  search: z
    .strictObject({ trials: z.number().int().min(1).max(1000), seconds: z.number().positive().default(600) })
    .optional()
    .describe('Seeded random choice among the combinations; without it all are tried.'),
});

const baseline = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('last_value') }),
  z.strictObject({ kind: z.literal('constant') }),
  z.strictObject({ kind: z.literal('majority') }),
  z.strictObject({ kind: z.literal('rolling_mean'), rows }),
  z.strictObject({ kind: z.literal('least_squares'), features: z.array(z.string()).min(1) }),
]);

/** Some are of more than one kind. */
const METRIC_NAMES = [...new Set([...METRICS.regression, ...METRICS.binary, ...METRICS.multiclass])];

/** The shape of a model file. */
export const modelSchema = z.strictObject({
  name: plainName,
  description: z.string().default(''),
  table: plainName.describe('Gold table of the dataset.'),
  asOf: z
    .strictObject({
      version: z.number().int().min(0).optional(),
      time: z.iso.datetime({ offset: true }).optional().describe('The version that was the newest then.'),
    })
    .optional()
    .describe('The state of the table to train on, by version or by time. Default: the newest.'),
  keys: z.array(z.string().min(1)).min(1).describe('What the rows are about, such as a symbol.'),
  time: z.string().min(1).describe('Column of type date or timestamp.'),
  target: z.strictObject({
    expression: z.string().min(1),
    horizon: z.number().int().min(1).max(10_000).default(1).describe('Rows of the same key ahead.'),
    kind: z.enum(MODEL_KINDS),
    classes: z
      .array(z.string().min(1).max(100))
      .min(2)
      .max(100)
      .optional()
      .describe('Of kind multiclass: what the expression may say, as text.'),
    threshold: z
      .number()
      .gt(0)
      .lt(1)
      .optional()
      .describe(`Of kind binary: from which probability on a row is said to be 1. Default: ${THRESHOLD}.`),
  }),
  features: z.array(feature).min(1),
  missing: z.enum(['drop', 'keep']).default('drop'),
  splits: z
    .strictObject({
      holdout: z.number().min(0.01).max(0.9).default(0.2).describe('Share of the distinct times at the end.'),
      folds: z.number().int().min(1).max(50).default(4),
      embargo: z.number().int().min(0).max(1000).default(0),
      minRows: z.number().int().min(10).default(200),
    })
    .prefault({}),
  candidates: z.array(candidate).min(1),
  baselines: z.array(baseline).min(1),
  metric: z.enum(METRIC_NAMES),
  gate: z
    .strictObject({
      margin: share.default(0.02),
      tolerance: share.default(0.01),
      significant: z.boolean().default(true),
      thresholds: z
        .record(z.string(), z.strictObject({ min: z.number().optional(), max: z.number().optional() }))
        .default({}),
      approval: z
        .strictObject({
          required: z.boolean().default(false),
          timeoutHours: z.number().positive().default(72),
        })
        .prefault({}),
    })
    .prefault({}),
  deploy: z.boolean().default(true).describe('Whether a model that passes the gate becomes the champion.'),
  seed: z
    .number()
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(7),
});

type Declared = z.output<typeof modelSchema>;
interface Problem {
  readonly at: string;
  readonly message: string;
}

/** Parameters that a kind of candidate knows, with their defaults. */
export const CANDIDATE_PARAMETERS: Readonly<
  Record<CandidateDefinition['kind'], Readonly<Record<string, number>>>
> = {
  linear: { l2: 1 },
  forest: {
    trees: 100,
    max_depth: 8,
    min_child_weight: 5,
    subsample: 0.63,
    colsample_bynode: 0.5,
    lambda: 1,
  },
  boosting: {
    rounds: 200,
    max_depth: 4,
    eta: 0.05,
    min_child_weight: 5,
    subsample: 1,
    colsample_bytree: 1,
    lambda: 1,
    alpha: 0,
    gamma: 0,
  },
};

/** Reads the models of one dataset, by name. Throws MODEL_INVALID with every problem of a file. */
export async function loadModels(directory: string, dataset: string): Promise<ModelDefinition[]> {
  if (!/^[A-Za-z0-9_-]+$/.test(dataset)) return [];
  const folder = path.join(directory, dataset, 'models');
  const files = await readdir(folder).catch((): string[] => []);
  const names = files.filter((file) => file.endsWith('.yaml')).sort();
  return Promise.all(
    names.map(async (file) => {
      const name = path.basename(file, '.yaml');
      const document = parseDocument(await readFile(path.join(folder, file), 'utf8'));
      if (document.errors.length > 0)
        throw invalid(
          name,
          document.errors.map(({ message }) => ({ at: file, message: message.split('\n')[0] ?? '' })),
        );
      return parseModel(dataset, name, document.toJS());
    }),
  );
}

/** One model by its name, of whatever dataset. Throws MODEL_UNKNOWN, MODEL_INVALID. */
export async function loadModel(directory: string, name: string): Promise<ModelDefinition> {
  const all: string[] = [];
  const datasets = await readdir(directory, { withFileTypes: true }).catch(() => []);
  for (const entry of datasets.filter((one) => one.isDirectory())) {
    const files = await readdir(path.join(directory, entry.name, 'models')).catch((): string[] => []);
    if (files.includes(`${name}.yaml`)) {
      const found = (await loadModels(directory, entry.name)).find((model) => model.name === name);
      if (found) return found;
    }
    all.push(...files.filter((file) => file.endsWith('.yaml')).map((file) => path.basename(file, '.yaml')));
  }
  throw new DatalabError(
    'MODEL_UNKNOWN',
    `no model '${name}' in ${directory}; there ${all.length === 0 ? 'are none' : `is: ${all.sort().join(', ')}`}`,
  );
}

/** Validates a parsed model file. Throws MODEL_INVALID with every problem. */
export function parseModel(dataset: string, fileName: string, yaml: unknown): ModelDefinition {
  const parsed = modelSchema.safeParse(yaml);
  if (!parsed.success) {
    throw invalid(
      fileName,
      parsed.error.issues.map((issue) => ({
        at: issue.path.map(String).join('.') || '(top level)',
        message: issue.message,
      })),
    );
  }
  const definition = define(dataset, parsed.data);
  const problems = crossChecks(fileName, parsed.data, definition);
  if (problems.length > 0) throw invalid(fileName, problems);
  const fingerprint = createHash('sha256').update(canonicalJson(definition)).digest('hex');
  return Object.freeze({ ...definition, fingerprint });
}

function define(dataset: string, declared: Declared): Omit<ModelDefinition, 'fingerprint'> {
  const { gate, asOf, ...others } = declared;
  return {
    ...others,
    dataset,
    ...(asOf?.version !== undefined && { asOf: { version: asOf.version } }),
    ...(asOf?.time !== undefined && { asOf: { time: asOf.time } }),
    features: declared.features.map(({ name, expression, lags, windows }) => ({
      name,
      expression: expression ?? `"${name}"`,
      lags: lags ?? (windows.length === 0 ? [0] : []),
      windows: windows.flatMap(({ rows: sizes, statistic }) =>
        [sizes].flat().map((size) => ({ rows: size, statistic })),
      ),
    })),
    candidates: declared.candidates.map(({ name, kind, parameters, search }) => ({
      name: name ?? kind,
      kind,
      grid: Object.fromEntries(
        Object.entries({ ...CANDIDATE_PARAMETERS[kind], ...parameters }).map(([key, value]) => [
          key,
          [value].flat(),
        ]),
      ),
      ...(search && { search }),
    })),
    gate: {
      ...gate,
      thresholds: Object.fromEntries(
        Object.entries(gate.thresholds).map(([name, { min, max }]) => [
          name,
          { ...(min !== undefined && { min }), ...(max !== undefined && { max }) },
        ]),
      ),
    },
  };
}

function crossChecks(
  fileName: string,
  declared: Declared,
  definition: Omit<ModelDefinition, 'fingerprint'>,
): Problem[] {
  const problems: Problem[] = [];
  const say = (at: string, message: string): void => void problems.push({ at, message });
  if (declared.name !== fileName) say('name', `must be the file's name, '${fileName}'`);
  // A subquery would see rows that the search for look-ahead cannot take away.
  for (const { name, expression } of [...definition.features, { name: 'target', ...definition.target }])
    if (/\b(select|from)\b/i.test(expression.replace(/'[^']*'/g, "''")))
      say(`expression of ${name}`, 'sees one row: a subquery is not allowed');
  const names = featureNames(definition.features);
  names.forEach((name, index) => {
    if (names.indexOf(name) !== index) say('features', `'${name}' is there twice`);
    if (name.length > 120) say('features', `'${name}' is longer than 120 characters`);
  });
  const { version, time } = declared.asOf ?? {};
  if (declared.asOf && (version === undefined) === (time === undefined))
    say('asOf', 'names a version or a time, and not both');
  const { kind: target, classes = [], threshold } = declared.target;
  if (threshold !== undefined && target !== 'binary')
    say('target.threshold', 'is for kind binary, and for no other kind');
  if ((target === 'multiclass') !== classes.length > 0)
    say('target.classes', 'names the classes of kind multiclass, and of no other kind');
  classes.forEach((name, index) => {
    if (classes.indexOf(name) !== index) say(`target.classes.${index}`, `'${name}' is there twice`);
  });
  const known: readonly string[] = METRICS[target];
  if (!known.includes(declared.metric))
    say('metric', `for ${declared.target.kind} is one of ${known.join(', ')}`);
  for (const name of Object.keys(declared.gate.thresholds))
    if (!known.includes(name)) say(`gate.thresholds.${name}`, `is no metric of ${declared.target.kind}`);
  declared.candidates.forEach(({ kind, parameters }, index) => {
    for (const key of Object.keys(parameters))
      if (!(key in CANDIDATE_PARAMETERS[kind]))
        say(
          `candidates.${index}.parameters.${key}`,
          `is none of ${Object.keys(CANDIDATE_PARAMETERS[kind]).join(', ')}`,
        );
  });
  const candidates = definition.candidates.map(({ name }) => name);
  candidates.forEach((name, index) => {
    if (candidates.indexOf(name) !== index) say(`candidates.${index}.name`, `'${name}' is there twice`);
  });
  declared.baselines.forEach((item, index) => {
    if (item.kind === 'majority' && target === 'regression')
      say(`baselines.${index}`, 'majority is for binary and multiclass targets');
    if ((item.kind === 'rolling_mean' || item.kind === 'least_squares') && target === 'multiclass')
      say(`baselines.${index}`, 'classes have no mean: last_value, majority or constant');
    if (item.kind === 'least_squares')
      for (const name of item.features)
        if (!names.includes(name)) say(`baselines.${index}.features`, `'${name}' is no feature`);
  });
  return problems;
}

function invalid(name: string, problems: readonly Problem[]): DatalabError {
  const lines = problems.map(({ at, message }) => `\n  - ${at}: ${message}`);
  return new DatalabError(
    'MODEL_INVALID',
    `model '${name}' has ${problems.length} problem(s):${lines.join('')}`,
  );
}
