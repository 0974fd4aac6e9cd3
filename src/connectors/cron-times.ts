/** Cron expressions of five fields as the sets of values that they mean, to compare them with what Temporal made of them. Pure. */

/** The values of one field, ascending. */
type Values = readonly number[];

/** Sets by field; a moment matches when it is in all of them, as Temporal has it. */
export interface CronTimes {
  readonly minute: Values;
  readonly hour: Values;
  readonly dayOfMonth: Values;
  readonly month: Values;
  /** Sunday is 0. */
  readonly dayOfWeek: Values;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** Null where it is no cron expression of five fields. */
export function cronTimes(expression: string): CronTimes | null {
  const fields = expression.trim().split(/\s+/);
  if (fields.length !== 5) return null;
  const [minute, hour, dayOfMonth, month, dayOfWeek] = [
    valuesOf(fields[0] ?? '', 0, 59),
    valuesOf(fields[1] ?? '', 0, 23),
    valuesOf(fields[2] ?? '', 1, 31),
    valuesOf(fields[3] ?? '', 1, 12, MONTHS),
    valuesOf(fields[4] ?? '', 0, 7, DAYS),
  ];
  if (!minute || !hour || !dayOfMonth || !month || !dayOfWeek) return null;
  // 7 is Sunday, too.
  return { minute, hour, dayOfMonth, month, dayOfWeek: ascending(dayOfWeek.map((day) => day % 7)) };
}

function valuesOf(field: string, min: number, max: number, names: readonly string[] = []): Values | null {
  const parts = field.split(',').map((part) => partOf(part, min, max, names));
  return parts.includes(null) ? null : ascending(parts.flatMap((part) => part ?? []));
}

/** `*`, `5`, `1-5`, each perhaps with `/step`. A single value with a step goes on to the end. */
function partOf(part: string, min: number, max: number, names: readonly string[]): Values | null {
  const [range = '', stepText, ...more] = part.split('/');
  const step = stepText === undefined ? 1 : Number(stepText);
  if (more.length > 0 || !Number.isInteger(step) || step < 1) return null;
  const number = (text: string): number => {
    const named = names.indexOf(text.toLowerCase());
    return named >= 0 ? named + min : /^\d+$/.test(text) ? Number(text) : NaN;
  };
  const [first = '', last] = range === '*' || range === '?' ? [String(min), String(max)] : range.split('-');
  const from = number(first);
  const to = last !== undefined ? number(last) : stepText === undefined ? from : max;
  if (!(from >= min && to <= max && from <= to)) return null;
  return spread(from, to, step);
}

/** Every `step`-th number from `from` to `to`. */
export function spread(from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step);
}

/** Each value once, ascending. */
export function ascending(values: readonly number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}
