/** How long tasks waited, out of histories: which queue, from when to when, and what does not count. */
import { expect, it } from 'vitest';
import { waitsOf } from '../../src/connectors/probes/start-latency.js';

const at = (seconds: number) => ({ seconds, nanos: 500_000_000 });
const activity = (id: number, seconds: number, name: string) => ({
  ...{ eventId: id, eventTime: at(seconds) },
  activityTaskScheduledEventAttributes: { taskQueue: { name } },
});
const started = (id: number, seconds: number, scheduledEventId: number, attempt = 1) => ({
  ...{ eventId: id, eventTime: at(seconds) },
  activityTaskStartedEventAttributes: { scheduledEventId, attempt },
});
const task = (id: number, seconds: number, queue: object) => ({
  ...{ eventId: id, eventTime: at(seconds) },
  workflowTaskScheduledEventAttributes: { taskQueue: queue },
});
const begun = (id: number, seconds: number, scheduledEventId: number) => ({
  ...{ eventId: id, eventTime: at(seconds) },
  workflowTaskStartedEventAttributes: { scheduledEventId },
});
const waits = (events: object[], since = 0) => waitsOf(events as Parameters<typeof waitsOf>[0], since);

it('counts from scheduled to started, for activities and workflow tasks, whatever the order of the events', () => {
  const events = [
    started(6, 130, 5),
    activity(5, 100, 'etl'),
    begun(3, 101, 2),
    // A worker's own queue for what it keeps in memory stands for the common one.
    task(2, 100, { name: 'worker-7', normalName: 'flows' }),
  ];
  const expected = [
    { taskQueue: 'etl', seconds: 30 },
    { taskQueue: 'flows', seconds: 1 },
  ];
  expect(waits(events)).toEqual(expected);
  expect(waits(events.toReversed()).toReversed()).toEqual(expected);
});

it('leaves out what waits still, what is old, and what waited for its next attempt', () => {
  const events = [
    activity(1, 100, 'etl'),
    activity(2, 10, 'etl'),
    started(3, 15, 2),
    activity(4, 100, 'etl'),
    started(5, 190, 4, 3),
    started(6, 200, 99),
  ];
  expect(waits(events, 50_000)).toEqual([]);
});
