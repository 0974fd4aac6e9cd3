/** Exit codes that scripts rely on: 0 done, 1 the answer is bad, 2 the request is wrong, 3 a service is away. */
import { expect, it } from 'vitest';
import { EXIT, exitCodeOf } from '../../src/cli/exit.js';
import { ERRORS } from '../../src/contracts/errors.js';

it('has four codes that never change', () => {
  expect(EXIT).toEqual({ ok: 0, failed: 1, usage: 2, unavailable: 3 });
  expect(Object.isFrozen(EXIT)).toBe(true);
});

it.each(Object.keys(ERRORS))('%s is never a success', (code) => {
  expect([EXIT.failed, EXIT.usage, EXIT.unavailable]).toContain(exitCodeOf(code));
});

it.each([
  ['CONFIG_INVALID', EXIT.usage],
  ['DATASET_UNKNOWN', EXIT.usage],
  ['DATASET_INVALID', EXIT.usage],
  ['SCHEDULE_UNKNOWN', EXIT.usage],
  ['TEMPORAL_UNAVAILABLE', EXIT.unavailable],
  ['EVENTS_UNAVAILABLE', EXIT.unavailable],
  ['QUALITY_BLOCKED', EXIT.failed],
  ['UNEXPECTED', EXIT.failed],
  ['', EXIT.failed],
])('%s → %i', (code, exit) => {
  expect(exitCodeOf(code)).toBe(exit);
});
