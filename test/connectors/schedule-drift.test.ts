/** What was changed of a schedule by hand: cron expressions against Temporal's calendars, and everything else that is declared. */
import { describe, expect, it } from 'vitest';
import { cronTimes } from '../../src/connectors/cron-times.js';
import { differencesOf, type DeclaredSchedule } from '../../src/connectors/schedule-drift.js';

type Found = Parameters<typeof differencesOf>[1];

const DECLARED: DeclaredSchedule = {
  ...{ id: 'daily', cron: '0 6 * * *', timezone: 'America/Sao_Paulo', overlap: 'BUFFER_ONE' },
  ...{ catchupWindowSeconds: 72_000, pauseOnFailure: false, workflowType: 'medallionEtl' },
  ...{ taskQueue: 'datalab-flows', input: { dataset: 'stocks' } },
};
const one = <Value>(value: Value) => [{ start: value, end: value, step: 1 }];

/** As the server of Temporal CLI 1.5.1 describes `0 6 * * *`; what it says of others is in the tests. */
const calendar = (over: object = {}) => ({
  ...{ second: one(0), minute: one(0), hour: one(6), dayOfMonth: [{ start: 1, end: 31, step: 1 }] },
  month: [{ start: 'JANUARY', end: 'DECEMBER', step: 1 }],
  ...{ year: [], dayOfWeek: [{ start: 'SUNDAY', end: 'SATURDAY', step: 1 }], comment: '' },
  ...over,
});
const found = (over: { spec?: object; action?: object; policies?: object; state?: object } = {}): Found =>
  ({
    spec: { calendars: [calendar()], intervals: [], skip: [], timezone: 'America/Sao_Paulo', ...over.spec },
    action: {
      ...{ type: 'startWorkflow', workflowId: 'daily', workflowType: 'medallionEtl' },
      ...{ taskQueue: 'datalab-flows', args: [{ dataset: 'stocks' }], ...over.action },
    },
    policies: { overlap: 'BUFFER_ONE', catchupWindow: 72_000_000, pauseOnFailure: false, ...over.policies },
    state: { paused: true, note: 'by a person', ...over.state },
  }) as unknown as Found;

describe('a schedule in Temporal', () => {
  it('is as declared, also where it is paused with a note', () => {
    expect(differencesOf(DECLARED, found())).toEqual([]);
  });

  it.each([
    [
      'another hour',
      { spec: { calendars: [calendar({ hour: one(7) })] } },
      'its times are not those of 0 6 * * *',
    ],
    ['a second calendar', { spec: { calendars: [calendar(), calendar()] } }, 'its times are not'],
    ['an interval beside it', { spec: { intervals: [{ every: 60_000, offset: 0 }] } }, 'its times are not'],
    ['seconds', { spec: { calendars: [calendar({ second: one(30) })] } }, 'its times are not'],
    ['one year only', { spec: { calendars: [calendar({ year: one(2027) })] } }, 'its times are not'],
    ['jitter', { spec: { jitter: 5000 } }, 'its times are not'],
    ['an end', { spec: { endAt: new Date(0) } }, 'its times are not'],
    ['no times', { spec: { calendars: [] } }, 'its times are not'],
    ['another zone', { spec: { timezone: 'UTC' } }, 'the zone is UTC instead of America/Sao_Paulo'],
    ['another policy', { policies: { overlap: 'SKIP' } }, 'the overlap policy is SKIP instead of BUFFER_ONE'],
    [
      'another window',
      { policies: { catchupWindow: 60_000 } },
      'the catch-up window is 60 s instead of 72000 s',
    ],
    ['pause on failure', { policies: { pauseOnFailure: true } }, 'pause on failure is true instead of false'],
    [
      'other arguments',
      { action: { args: [{ dataset: 'orders' }] } },
      'the input is [{"dataset":"orders"}] instead of [{"dataset":"stocks"}]',
    ],
    ['another queue', { action: { taskQueue: 'x' } }, 'the task queue is x instead of datalab-flows'],
    ['another flow', { action: { workflowType: 'x' } }, 'the workflow type is x instead of medallionEtl'],
    ['a limit', { state: { remainingActions: 3 } }, 'only 3 more runs are allowed'],
  ])('differs by %s', (_, over, text) => {
    const [difference, ...more] = differencesOf(DECLARED, found(over));
    expect(difference).toContain(text);
    expect(more).toEqual([]);
  });

  it('is not held against times that are not understood', () => {
    expect(differencesOf({ ...DECLARED, cron: '@every 5m' }, found())).toEqual([]);
  });
});

describe('a cron expression', () => {
  it('means sets of values', () => {
    expect(cronTimes('15,45 1-5/2 1 JAN,6 1-5')).toEqual({
      ...{ minute: [15, 45], hour: [1, 3, 5], dayOfMonth: [1], month: [1, 6], dayOfWeek: [1, 2, 3, 4, 5] },
    });
    expect(cronTimes('5/20 * * * 7')).toMatchObject({ minute: [5, 25, 45], dayOfWeek: [0] });
    expect(cronTimes('*/15 0 ? * sun')).toMatchObject({ minute: [0, 15, 30, 45], dayOfWeek: [0] });
  });

  it.each([
    '* * * *',
    '60 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '* * * X *',
    '*/0 * * * *',
    '9-5 * * * *',
    '1/2/3 * * * *',
  ])('is not %s', (expression) => {
    expect(cronTimes(expression)).toBeNull();
  });
});
