/** Which decision of a history is meant when a run is tried again. */
import { describe, expect, it } from 'vitest';
import { chooseStep, stepsIn } from '../../src/client/retry.js';

type Events = Parameters<typeof stepsIn>[0];

const scheduled = (eventId: number, decision: number, name: string) => ({
  eventId,
  eventTime: { seconds: 1_700_000_000 + eventId },
  activityTaskScheduledEventAttributes: { activityType: { name }, workflowTaskCompletedEventId: decision },
});
const completed = (scheduledEventId: number) => ({
  activityTaskCompletedEventAttributes: { scheduledEventId },
});
const failed = (scheduledEventId: number) => ({ activityTaskFailedEventAttributes: { scheduledEventId } });

const HISTORY = [
  scheduled(5, 4, 'planRun'),
  completed(5),
  scheduled(11, 10, 'writeBronze'),
  completed(11),
  scheduled(17, 16, 'publish'),
  completed(17),
  scheduled(23, 22, 'writeGold'),
  scheduled(24, 22, 'writeGold'),
  completed(23),
  failed(24),
  scheduled(30, 29, 'publish'),
  completed(30),
  scheduled(36, 35, 'recordRun'),
] as unknown as Events;

describe('the steps of a run', () => {
  const steps = stepsIn(HISTORY);

  it('are decisions, with those activities together that were started together', () => {
    expect(steps.map(({ eventId, activities, outcome }) => [eventId, activities.join(), outcome])).toEqual([
      [4, 'planRun', 'ok'],
      [10, 'writeBronze', 'ok'],
      [16, 'publish', 'ok'],
      [22, 'writeGold', 'failed'],
      [29, 'publish', 'ok'],
      [35, 'recordRun', 'open'],
    ]);
  });

  it('are chosen by failure, by number, and by the last of a name', () => {
    expect(chooseStep(steps, undefined).eventId).toBe(22);
    expect(chooseStep(steps, '16').eventId).toBe(16);
    expect(chooseStep(steps, 'publish').eventId).toBe(29);
  });

  it('are named where none is meant', () => {
    expect(() => chooseStep(steps, 'writeSilver')).toThrow('planRun, writeBronze, publish');
    expect(() => chooseStep(steps.slice(0, 2), undefined)).toThrow('no step of it failed');
    expect(() => chooseStep([], undefined)).toThrow('not tried again from a step');
  });
});
