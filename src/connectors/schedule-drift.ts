/** A schedule as Temporal has it against what the configuration declares: what somebody changed by hand. */
import { isDeepStrictEqual } from 'node:util';
import type { ScheduleDescription } from '@temporalio/client';
import { ascending, cronTimes, spread, type CronTimes } from './cron-times.js';

/** What is declared of a schedule, as far as it can be compared. */
export interface DeclaredSchedule {
  readonly id: string;
  readonly cron: string;
  readonly timezone: string;
  readonly overlap: string;
  readonly catchupWindowSeconds: number;
  readonly pauseOnFailure: boolean;
  readonly workflowType: string;
  readonly taskQueue: string;
  readonly input: object;
}

/**
 * What differs, in words such as `the overlap policy is SKIP instead of BUFFER_ONE`; empty where nothing does. Whether it is
 * paused, and its note, are the operator's and no difference.
 */
export function differencesOf(
  declared: DeclaredSchedule,
  { spec, action, policies, state }: Pick<ScheduleDescription, 'spec' | 'action' | 'policies' | 'state'>,
): readonly string[] {
  const differs = (what: string, found: unknown, wanted: unknown): string[] =>
    isDeepStrictEqual(found, wanted) ? [] : [`${what} is ${shown(found)} instead of ${shown(wanted)}`];
  return [
    ...timesDiffer(declared, spec),
    ...differs('the zone', spec.timezone || 'UTC', declared.timezone),
    ...differs('the overlap policy', policies.overlap, declared.overlap),
    ...differs(
      'the catch-up window',
      `${policies.catchupWindow / 1000} s`,
      `${declared.catchupWindowSeconds} s`,
    ),
    ...differs('pause on failure', policies.pauseOnFailure, declared.pauseOnFailure),
    ...differs('the workflow type', action.workflowType, declared.workflowType),
    ...differs('the task queue', action.taskQueue, declared.taskQueue),
    ...differs('the workflow id', action.workflowId, declared.id),
    ...differs('the input', plain(action.args), plain([declared.input])),
    ...(state.remainingActions === undefined ? [] : [`only ${state.remainingActions} more runs are allowed`]),
  ];
}

/** As JSON carries it: a key without a value is no key. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? null)) as unknown;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A cron expression that is not understood here is not compared. */
function timesDiffer({ cron }: DeclaredSchedule, spec: ScheduleDescription['spec']): string[] {
  const wanted = cronTimes(cron);
  if (!wanted) return [];
  const [calendar, ...more] = spec.calendars ?? [];
  const plainTimes =
    calendar !== undefined &&
    more.length === 0 &&
    (spec.intervals ?? []).length === 0 &&
    (spec.skip ?? []).length === 0 &&
    !spec.jitter &&
    !spec.startAt &&
    !spec.endAt;
  if (plainTimes && isDeepStrictEqual(timesOf(calendar), wanted)) return [];
  return [`its times are not those of ${cron}`];
}

type Calendar = NonNullable<ScheduleDescription['spec']['calendars']>[number];

/** Null where it says more than a cron expression of five fields could. */
function timesOf(calendar: Calendar): CronTimes | null {
  const { second, minute, hour, dayOfMonth, month, year, dayOfWeek } = calendar;
  if (year.length > 0 || !isDeepStrictEqual(numbersOf(second), [0])) return null;
  return {
    minute: numbersOf(minute),
    hour: numbersOf(hour),
    dayOfMonth: numbersOf(dayOfMonth),
    month: numbersOf(month, MONTHS, 1),
    dayOfWeek: numbersOf(dayOfWeek, DAYS, 0),
  };
}

const MONTHS = [
  ...['JANUARY', 'FEBRUARY', 'MARCH', 'APRIL', 'MAY', 'JUNE', 'JULY'],
  ...['AUGUST', 'SEPTEMBER', 'OCTOBER', 'NOVEMBER', 'DECEMBER'],
];
const DAYS = ['SUNDAY', 'MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY'];

interface Range {
  readonly start: number | string;
  readonly end: number | string;
  readonly step: number;
}

function numbersOf(ranges: readonly Range[], names: readonly string[] = [], first = 0): number[] {
  const number = (value: number | string): number =>
    typeof value === 'number' ? value : names.indexOf(value) + first;
  return ascending(ranges.flatMap(({ start, end, step }) => spread(number(start), number(end), step)));
}
