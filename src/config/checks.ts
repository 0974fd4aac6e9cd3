/** `checks` of a `dataset.yaml`: what may be declared, what is filled in, and how it reads in the definition. */
import { z } from 'zod';
import type { ColumnDefinition, ColumnType } from '../contracts/dataset.js';
import type { CheckDefinition, Limit } from '../contracts/quality.js';
import { DATASET_NAME } from '../contracts/flows.js';

/** What is checked where a dataset declares no checks. Ratios from 0 to 1. */
export interface QualityDefaults {
  readonly minRows: number;
  readonly maxNullRatio: number;
  readonly maxDuplicateRatio: number;
  /** Score below which a batch is told of. */
  readonly minScore: number;
}

export const QUALITY_DEFAULTS: QualityDefaults = Object.freeze({
  minRows: 1000,
  maxNullRatio: 0.05,
  maxDuplicateRatio: 0.02,
  minScore: 0.85,
});

const plainName = z
  .string()
  .regex(DATASET_NAME, 'a lower-case name: letters, digits and _, starting with a letter');
const PERCENT = /^\d+(\.\d+)?\s*%$/;
const percentage = z.string().regex(PERCENT, 'a percentage, such as 20%');
const limit = z.union([z.number().int().nonnegative(), z.string().regex(PERCENT)], {
  error: 'a number of rows, such as 10, or a share of them, such as 2%',
});
const scalar = z.union([z.string(), z.number(), z.boolean()]);
const bound = z.union([z.string(), z.number()]);
const condition = z.string().min(1);

const base = {
  name: plainName
    .optional()
    .describe('Unique in the dataset; default: the kind, and the column where there is one.'),
  severity: z.enum(['block', 'quarantine', 'warn']).default('warn'),
};
const rows = {
  ...base,
  where: condition.optional().describe('SQL condition; only rows for which it is TRUE are judged.'),
  max: limit.optional().describe('Bad rows that are allowed: a count, or a percentage of the rows judged.'),
};
const history = {
  ...base,
  maxShift: percentage.default('50%').describe('Largest distance from the median of the history.'),
  minHistory: z.number().int().min(1).default(5).describe('Runs without which the check is skipped.'),
  history: z.number().int().min(1).max(500).default(30).describe('The newest runs that count.'),
};

/** One entry of `checks`. */
export const checkSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('schema'), ...base, max: z.number().int().nonnegative().default(0) }),
  z.strictObject({
    kind: z.literal('row_count'),
    ...base,
    min: z.number().int().nonnegative().optional(),
    max: z.number().int().nonnegative().optional(),
  }),
  z.strictObject({ kind: z.literal('nulls'), ...rows, column: z.string() }),
  z.strictObject({
    kind: z.literal('range'),
    ...rows,
    column: z.string(),
    from: bound.optional(),
    to: bound.optional(),
  }),
  z.strictObject({
    kind: z.literal('set'),
    ...rows,
    column: z.string(),
    values: z.array(scalar).min(1).max(1000),
  }),
  z.strictObject({ kind: z.literal('pattern'), ...rows, column: z.string(), pattern: z.string().min(1) }),
  z.strictObject({ kind: z.literal('duplicates'), ...rows, columns: z.array(z.string()).min(1).optional() }),
  z.strictObject({ kind: z.literal('unique'), ...rows, columns: z.array(z.string()).min(1) }),
  z.strictObject({
    kind: z.literal('freshness'),
    ...base,
    column: z.string(),
    where: condition.optional(),
    maxAgeDays: z.number().positive(),
  }),
  z.strictObject({
    kind: z.literal('sql'),
    ...base,
    max: limit.optional(),
    sql: z
      .string()
      .min(1)
      .describe('A SELECT over bronze.<dataset> that returns the bad rows, or its .sql file.'),
  }),
  z.strictObject({ kind: z.literal('volume'), ...history }),
  z.strictObject({
    kind: z.literal('distribution'),
    ...history,
    column: z.string(),
    where: condition.optional(),
    statistic: z.enum(['mean', 'stddev', 'null_ratio', 'quantile']).default('mean'),
    quantile: z.number().min(0).max(1).optional(),
  }),
]);

export type DeclaredCheck = z.output<typeof checkSchema>;

/** The rest of a dataset that its checks are read against. */
export interface CheckSurroundings {
  readonly columns: readonly ColumnDefinition[];
  readonly key: readonly string[];
  readonly files: ReadonlyMap<string, string>;
}

/** Enough rows, few NULLs in every required column, few repeated keys. */
export function defaultChecks({ columns, key }: CheckSurroundings): DeclaredCheck[] {
  const required = columns.filter((column) => column.required);
  const known = key.filter((name) => columns.some((column) => column.name === name));
  return [
    { kind: 'row_count', severity: 'warn' },
    ...required.map(({ name }) => ({ kind: 'nulls' as const, severity: 'warn' as const, column: name })),
    // A key that silver.sql makes up is not there yet in the rows as they were received.
    ...(known.length === key.length ? [{ kind: 'duplicates' as const, severity: 'warn' as const }] : []),
  ];
}

/** The check's own name, or the one that follows from what it judges. */
export function checkName(check: DeclaredCheck): string {
  if (check.name !== undefined) return check.name;
  if (check.kind === 'distribution') return `${check.statistic}_${check.column}`.toLowerCase();
  return 'column' in check ? `${check.kind}_${check.column}` : check.kind;
}

/** Calls `say` with every problem that a check has with the rest of the dataset; places are relative to the check. */
export function checkProblems(
  check: DeclaredCheck,
  { columns, key, files }: CheckSurroundings,
  say: (at: string, message: string) => void,
): void {
  const typeOf = (name: string): ColumnType | undefined =>
    columns.find((column) => column.name === name)?.type;
  const known = columns.map((column) => column.name).join(', ');
  const used = 'column' in check ? [check.column] : [];
  for (const name of used) {
    if (typeOf(name) === undefined) say('.column', `no such column; declared are ${known}`);
  }
  const together = 'columns' in check ? check.columns : check.kind === 'duplicates' ? key : undefined;
  for (const name of together ?? []) {
    if (typeOf(name) === undefined) say('.columns', `no column '${name}'; declared are ${known}`);
  }
  if (check.severity === 'quarantine' && !['nulls', 'range', 'set', 'pattern'].includes(check.kind)) {
    say('.severity', `'quarantine' is for checks of single rows: nulls, range, set, pattern`);
  }
  const type = used[0] === undefined ? undefined : typeOf(used[0]);
  if (type !== undefined) valueProblems(check, type, say);
  if (check.kind === 'row_count' && check.max !== undefined && check.max < (check.min ?? 0))
    say('.max', 'is below min');
  if (check.kind === 'distribution' && (check.statistic === 'quantile') !== (check.quantile !== undefined))
    say('.quantile', 'is there exactly where the statistic is quantile');
  if (check.kind === 'sql' && isFile(check.sql) && !files.has(check.sql))
    say('.sql', `no file '${check.sql}' in the dataset folder`);
}

/** Values must be of the column's type: compared across types, they would mean something else or nothing. */
function valueProblems(
  check: DeclaredCheck,
  type: ColumnType,
  say: (at: string, message: string) => void,
): void {
  const wanted = isNumeric(type) ? 'number' : type === 'boolean' ? 'boolean' : 'string';
  const shape =
    wanted === 'string' && type !== 'string' ? `a text, such as ${EXAMPLES[type]}` : `a ${wanted}`;
  if (check.kind === 'range') {
    if (check.from === undefined && check.to === undefined) say('.from', 'from, to or both are needed');
    if (type === 'boolean') say('.column', 'a boolean has no range: use set');
    for (const end of ['from', 'to'] as const) {
      const value = check[end];
      if (value === undefined) continue;
      if (typeof value !== wanted) say(`.${end}`, `${shape} is wanted for a column of type ${type}`);
      else if (typeof value === 'string' && !isValid(value, type)) say(`.${end}`, `is no ${type}`);
    }
  }
  if (check.kind === 'set') {
    check.values.forEach((value, index) => {
      if (typeof value !== wanted)
        say(`.values[${index}]`, `${shape} is wanted for a column of type ${type}`);
      else if (typeof value === 'string' && !isValid(value, type)) say(`.values[${index}]`, `is no ${type}`);
    });
  }
  if (check.kind === 'pattern' && type !== 'string')
    say('.column', `is of type ${type}; patterns are for strings`);
  if (check.kind === 'freshness' && type !== 'date' && type !== 'timestamp')
    say('.column', `is of type ${type}; freshness is for dates and timestamps`);
  if (check.kind === 'distribution' && check.statistic !== 'null_ratio' && !isNumeric(type))
    say('.column', `is of type ${type}; only null_ratio can be taken of it`);
}

const EXAMPLES: Partial<Record<ColumnType, string>> = {
  date: '2024-01-31',
  timestamp: '2024-01-31T09:00:00Z',
};

function isNumeric(type: ColumnType): boolean {
  return ['integer', 'long', 'double'].includes(type) || type.startsWith('decimal');
}

function isValid(value: string, type: ColumnType): boolean {
  if (type === 'date') return /^\d{4}-\d{2}-\d{2}$/.test(value) && !Number.isNaN(Date.parse(value));
  if (type !== 'timestamp') return true;
  return /^\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:\d{2})$/.test(value) && !Number.isNaN(Date.parse(value));
}

/** A declared check as the definition has it. Its surroundings must have no {@link checkProblems} with it. */
export function defineCheck(
  check: DeclaredCheck,
  { columns, key, files }: CheckSurroundings,
  defaults: QualityDefaults,
): CheckDefinition {
  const base = { name: checkName(check), severity: check.severity };
  const where = 'where' in check && check.where !== undefined ? { where: check.where } : {};
  const column = (name: string) => ({
    column: name,
    type: columns.find((item) => item.name === name)?.type ?? ('string' as const),
  });
  const max = (ratio: number): { max: Limit } => ({
    max: 'max' in check && check.max !== undefined ? limitOf(check.max) : { unit: 'ratio', value: ratio },
  });
  switch (check.kind) {
    case 'schema':
      return {
        ...base,
        kind: check.kind,
        columns: columns.map(({ name }) => name),
        maxDifferences: check.max,
      };
    case 'row_count': {
      const most = check.max === undefined ? {} : { max: check.max };
      // A default minimum must not contradict a declared maximum.
      const least = check.min ?? Math.min(defaults.minRows, check.max ?? defaults.minRows);
      return { ...base, kind: check.kind, min: least, ...most };
    }
    case 'nulls':
      return { ...base, kind: check.kind, ...column(check.column), ...where, ...max(defaults.maxNullRatio) };
    case 'range': {
      const from = check.from === undefined ? {} : { from: check.from };
      const to = check.to === undefined ? {} : { to: check.to };
      return { ...base, kind: check.kind, ...column(check.column), ...from, ...to, ...where, ...max(0) };
    }
    case 'set':
      return {
        ...base,
        kind: check.kind,
        ...column(check.column),
        values: check.values,
        ...where,
        ...max(0),
      };
    case 'pattern':
      return {
        ...base,
        kind: check.kind,
        ...column(check.column),
        pattern: check.pattern,
        ...where,
        ...max(0),
      };
    case 'duplicates': {
      const columns = check.columns ?? key;
      return { ...base, kind: check.kind, columns, ...where, ...max(defaults.maxDuplicateRatio) };
    }
    case 'unique':
      return { ...base, kind: check.kind, columns: check.columns, ...where, ...max(0) };
    case 'freshness':
      return { ...base, kind: check.kind, column: check.column, ...where, maxAgeDays: check.maxAgeDays };
    case 'sql': {
      const sql = (isFile(check.sql) ? (files.get(check.sql) ?? '') : check.sql).trim();
      return { ...base, kind: check.kind, sql, ...max(0) };
    }
    case 'volume':
      return { ...base, kind: check.kind, ...historyOf(check) };
    case 'distribution': {
      const quantile = check.quantile === undefined ? {} : { quantile: check.quantile };
      const figure = { statistic: check.statistic, ...quantile };
      return { ...base, kind: check.kind, ...column(check.column), ...where, ...figure, ...historyOf(check) };
    }
  }
}

type HistoryCheck = Extract<DeclaredCheck, { kind: 'volume' | 'distribution' }>;

function historyOf({ maxShift, minHistory, history }: HistoryCheck): {
  maxShift: number;
  minHistory: number;
  history: number;
} {
  return { maxShift: ratioOf(maxShift), minHistory, history: Math.max(history, minHistory) };
}

function limitOf(declared: number | string): Limit {
  return typeof declared === 'number'
    ? { unit: 'rows', value: declared }
    : { unit: 'ratio', value: ratioOf(declared) };
}

/** `2%` as 0.02. */
function ratioOf(text: string): number {
  return Number(text.replace('%', '')) / 100;
}

function isFile(sql: string): boolean {
  return /^[A-Za-z0-9_/.-]+\.sql$/.test(sql);
}
