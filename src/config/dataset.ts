/** `dataset.yaml` and the SQL beside it → one DatasetDefinition, or every problem at once. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import {
  checkName,
  checkProblems,
  checkSchema,
  defaultChecks,
  defineCheck,
  QUALITY_DEFAULTS,
  type CheckSurroundings,
  type QualityDefaults,
} from './checks.js';
import { chartProblems, defineCharts, reportSchema } from './charts.js';
import { duration, secondsOf } from './monitoring.js';
import { isTimeZone } from './time-zone.js';
import type {
  ColumnDefinition,
  ColumnType,
  DatasetDefinition,
  DatasetRetention,
} from '../contracts/dataset.js';
import { canonicalJson } from '../contracts/canonical-json.js';
import { DATASET_NAME } from '../contracts/flows.js';
import { DatalabError } from '../contracts/errors.js';
import { PLACES_TEXT, strangePlace } from '../contracts/source-location.js';
import { isRowCheck, quarantineRule } from '../quality/index.js';

export { QUALITY_DEFAULTS, type QualityDefaults } from './checks.js';

const plainName = z
  .string()
  .regex(DATASET_NAME, 'a lower-case name: letters, digits and _, starting with a letter');
const columnName = z
  .string()
  .min(1)
  .max(255)
  .refine((name) => !name.startsWith('_'), "names that start with _ are DataLab's own")
  .refine(
    (name) => !/[ ,;{}()\n\t=\u0000-\u001f]/.test(name),
    'Delta allows no space and none of ,;{}()= in a name',
  );
const sqlFile = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_/-]*\.sql$/, 'a .sql file inside the dataset folder');
const ratio = z.number().min(0).max(1);

const TYPES = ['string', 'boolean', 'integer', 'long', 'double', 'date', 'timestamp'] as const;
const columnType = z.string().refine(
  (type): type is ColumnType => {
    const decimal = /^decimal\((\d+),(\d+)\)$/.exec(type);
    if (decimal)
      return Number(decimal[1]) >= 1 && Number(decimal[1]) <= 38 && Number(decimal[2]) <= Number(decimal[1]);
    return (TYPES as readonly string[]).includes(type);
  },
  `one of ${TYPES.join(', ')}, decimal(precision,scale)`,
);

const slices = z.strictObject({
  by: z
    .record(z.string().min(1), z.string().min(1))
    .refine((by) => Object.keys(by).length > 0, 'at least one column of the Gold table'),
  window: z
    .strictObject({ order: z.string().min(1), lookback: z.number().int().nonnegative().max(100_000) })
    .optional(),
});

const days = z.number().int().positive();
const byDate = z.strictObject({
  column: z.string().min(1).describe('A date or timestamp: rows that are older than so many days go.'),
  days,
});

/** How long rows stay; what is left out goes by datalab.yaml, where Silver and Gold keep everything. */
const retentionSchema = z.strictObject({
  hold: z.boolean().optional().describe('No row of any table of the dataset goes.'),
  bronze: z.strictObject({ days }).optional(),
  quarantine: z.strictObject({ days }).optional(),
  silver: byDate.optional(),
  gold: z.record(plainName, byDate).optional().describe('By table.'),
});

/** The shape of `dataset.yaml`. */
export const datasetSchema = z.strictObject({
  name: plainName,
  description: z.string().default(''),
  source: z.strictObject({
    location: z.string().min(1),
    format: z.enum(['csv', 'jsonl', 'parquet']),
    csv: z
      .strictObject({
        delimiter: z.string().length(1, 'one character').default(','),
        quote: z.string().length(1, 'one character').default('"'),
      })
      .prefault({}),
  }),
  columns: z
    .array(
      z.strictObject({
        name: columnName,
        type: columnType,
        aliases: z.array(z.string().min(1)).optional(),
        required: z.boolean().default(true),
        zone: z.string().refine(isTimeZone, 'an IANA time zone, such as America/Sao_Paulo').optional(),
        description: z.string().optional(),
      }),
    )
    .min(1),
  key: z
    .array(z.string())
    .min(1)
    .optional()
    .describe('Columns that identify a row in Silver: of several rows with one key the newest stays.'),
  mode: z
    .enum(['append', 'replace'])
    .optional()
    .describe(
      'Instead of a key. append: every row of every source stays, as for events and measurements. replace: a file that ' +
        'changed takes the place of what it held before, as for lists that are exported whole.',
    ),
  silver: z.strictObject({
    sql: sqlFile,
    sequenceBy: z.array(z.string()).default([]),
    rules: z
      .array(z.strictObject({ name: plainName, must: z.string().min(1), reason: z.string().min(1) }))
      .default([]),
    outliers: z
      .strictObject({
        group: z.array(z.string()).min(1),
        order: z.string(),
        value: z.string(),
        months: z.number().int().min(1).max(120).default(3),
        minimum: z.number().int().min(2).default(20),
        threshold: z.number().positive().default(8),
      })
      .optional(),
  }),
  gold: z
    .array(
      z.strictObject({
        table: plainName,
        description: z.string().optional(),
        sql: sqlFile,
        slices: slices.optional(),
      }),
    )
    .default([]),
  freshness: z
    .union([z.literal('none'), duration])
    .optional()
    .describe(
      'How old the newest data may be before an alert says so, such as 26h; none: it may be of any age. Default: monitoring.freshness of datalab.yaml.',
    ),
  retention: retentionSchema.optional(),
  checks: z.array(checkSchema).optional(),
  report: reportSchema.prefault({}),
  score: z
    .strictObject({
      min: ratio.optional(),
      severity: z.enum(['block', 'warn']).default('warn').describe('What becomes of a batch below min.'),
    })
    .prefault({}),
});

type Declared = z.output<typeof datasetSchema>;

/** One problem: where, and what is allowed there. */
interface Problem {
  readonly at: string;
  readonly message: string;
}

/**
 * Validates a parsed `dataset.yaml`. `files` holds the SQL files of the folder by their path in it. Throws
 * DATASET_INVALID with every problem.
 */
export function parseDataset(
  folderName: string,
  yaml: unknown,
  files: ReadonlyMap<string, string>,
  defaults: QualityDefaults = QUALITY_DEFAULTS,
): DatasetDefinition {
  const parsed = datasetSchema.safeParse(yaml);
  if (!parsed.success) {
    throw datasetInvalid(
      folderName,
      parsed.error.issues.map((issue) => ({ at: pathText(issue.path), message: issue.message })),
    );
  }
  const declared = parsed.data;
  const problems = crossChecks(folderName, declared, files);
  if (problems.length > 0) throw datasetInvalid(folderName, problems);
  const definition = define(declared, files, defaults);
  const fingerprint = createHash('sha256').update(canonicalJson(definition)).digest('hex');
  return Object.freeze({ ...definition, fingerprint });
}

/** DATASET_INVALID with a list of problems. */
export function datasetInvalid(folderName: string, problems: readonly Problem[]): DatalabError {
  const lines = problems.map(({ at, message }) => `\n  - ${at}: ${message}`);
  return new DatalabError(
    'DATASET_INVALID',
    `dataset '${folderName}' has ${problems.length} problem(s):${lines.join('')}`,
  );
}

function crossChecks(folderName: string, declared: Declared, files: ReadonlyMap<string, string>): Problem[] {
  const problems: Problem[] = [];
  const say = (at: string, message: string): void => void problems.push({ at, message });
  if (declared.name !== folderName) say('name', `must be the folder's name, '${folderName}'`);
  unique(
    declared.columns.map((column) => column.name.toLowerCase()),
    (index) => say(`columns[${index}].name`, 'is there twice'),
  );
  const names = declared.columns.map((column) => column.name);
  const aliases = declared.columns.flatMap((column) => column.aliases ?? []);
  declared.columns.forEach((column, index) => {
    const taken = column.aliases?.find(
      (alias) => names.includes(alias) || aliases.filter((other) => other === alias).length > 1,
    );
    if (taken !== undefined) say(`columns[${index}].aliases`, `'${taken}' already stands for a column`);
  });
  unique(
    declared.gold.map((gold) => gold.table),
    (index) => say(`gold[${index}].table`, 'is there twice'),
  );
  unique(
    declared.silver.rules.map((rule) => rule.name),
    (index) => say(`silver.rules[${index}].name`, 'is there twice'),
  );
  const checks = declared.checks ?? [];
  unique(checks.map(checkName), (index) =>
    say(`checks[${index}].name`, 'is there twice: name the checks apart'),
  );
  chartProblems(declared.report, files, say);
  for (const table of Object.keys(declared.retention?.gold ?? {}))
    if (!declared.gold.some((gold) => gold.table === table))
      say(`retention.gold.${table}`, 'is no Gold table of the dataset');
  const around = surroundings(declared, files);
  checks.forEach((item, index) => {
    checkProblems(item, around, (at, message) => say(`checks[${index}]${at}`, message));
    if (item.severity === 'quarantine' && declared.silver.rules.some(({ name }) => name === checkName(item)))
      say(`checks[${index}].name`, 'is the name of a rule in silver.rules');
    if (checkName(item) === 'score') say(`checks[${index}].name`, "is the score's own");
  });
  if ((declared.key === undefined) === (declared.mode === undefined))
    say(
      'key',
      'either a key, or mode: append where every row stays, or mode: replace where a file replaces itself',
    );
  if (declared.mode === 'replace' && declared.source.location.startsWith('kafka://'))
    say('mode', 'replace is for files: messages of a topic take the place of none, so use a key or append');
  sourceProblems(declared.source, say);
  declared.columns.forEach((column, index) => {
    if (column.zone !== undefined && column.type !== 'timestamp')
      say(`columns[${index}].zone`, 'is for timestamp columns');
  });
  const sql: ReadonlyArray<readonly [string, string]> = [
    ['silver.sql', declared.silver.sql],
    ...declared.gold.map((gold, index) => [`gold[${index}].sql`, gold.sql] as const),
  ];
  for (const [at, file] of sql) {
    if (!files.has(file)) say(at, `no file '${file}' in the dataset folder`);
    else if (files.get(file)?.trim() === '') say(at, `'${file}' is empty`);
  }
  return problems;
}

function sourceProblems(
  { location, format }: Declared['source'],
  say: (at: string, message: string) => void,
): void {
  const strange = strangePlace(location);
  if (strange !== undefined)
    say('source.location', `${strange} is nothing that a logical time fills in: ${PLACES_TEXT}`);
  if (/^https?:\/\//.test(location)) {
    // The address is shown in rows, logs and lineage.
    const url = URL.canParse(location) ? new URL(location) : undefined;
    if (!url || url.username !== '' || url.password !== '')
      say('source.location', 'is not an address without user and password');
  }
  if (!location.startsWith('kafka://')) return;
  if (!/^kafka:\/\/[a-zA-Z0-9._-]{1,249}$/.test(location))
    say('source.location', 'of Kafka is kafka://topic, with letters, digits, . _ - in the name of the topic');
  if (format !== 'jsonl') say('source.format', 'of a Kafka topic is jsonl: one JSON object is one message');
}

function define(
  declared: Declared,
  files: ReadonlyMap<string, string>,
  defaults: QualityDefaults,
): Omit<DatasetDefinition, 'fingerprint'> {
  const sql = (file: string): string => (files.get(file) ?? '').trim();
  const { outliers, sequenceBy } = declared.silver;
  const around = surroundings(declared, files);
  const checks = (declared.checks ?? defaultChecks(around)).map((item) =>
    defineCheck(item, around, defaults),
  );
  const rules = [
    ...declared.silver.rules,
    ...checks.filter(isRowCheck).filter(isQuarantine).map(quarantineRule),
  ];
  return {
    name: declared.name,
    description: declared.description,
    source: { kind: 'files', ...declared.source },
    columns: columnsOf(declared),
    key: keyOf(declared),
    ...(declared.mode === 'replace' && { replaces: true }),
    silver: {
      sql: sql(declared.silver.sql),
      sequenceBy,
      rules,
      ...(outliers === undefined ? {} : { outliers }),
    },
    gold: declared.gold.map(({ table, description, sql: file, slices: { by, window } = { by: {} } }) => ({
      table,
      ...(description === undefined ? {} : { description }),
      sql: sql(file),
      ...(Object.keys(by).length === 0
        ? {}
        : { slices: { by, ...(window === undefined ? {} : { window }) } }),
    })),
    ...(declared.freshness !== undefined && {
      freshnessSeconds: declared.freshness === 'none' ? null : secondsOf(declared.freshness),
    }),
    ...(declared.retention && { retention: declared.retention as DatasetRetention }),
    checks,
    report: { charts: defineCharts(declared.report, files) },
    score: { min: declared.score.min ?? defaults.minScore, severity: declared.score.severity },
  };
}

function isQuarantine({ severity }: { readonly severity: string }): boolean {
  return severity === 'quarantine';
}

function surroundings(declared: Declared, files: ReadonlyMap<string, string>): CheckSurroundings {
  return { columns: columnsOf(declared), key: keyOf(declared), files };
}

/** Where rows have no key, the place in their source is what tells one from all others. */
const PLACE = { append: ['_source_id', '_source_line'], replace: ['_source_file', '_source_line'] } as const;

function keyOf({ key, mode = 'append' }: Declared): readonly string[] {
  return key ?? PLACE[mode];
}

function columnsOf(declared: Declared): ColumnDefinition[] {
  return declared.columns.map(({ zone, description, aliases, ...column }) => ({
    ...column,
    ...(aliases === undefined ? {} : { aliases }),
    ...(zone === undefined ? {} : { zone }),
    ...(description === undefined ? {} : { description }),
  }));
}

function unique(names: readonly string[], twice: (index: number) => void): void {
  names.forEach((name, index) => {
    if (names.indexOf(name) !== index) twice(index);
  });
}

function pathText(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return text.replace(/^\./, '') || '(top level)';
}
