/** What the composition root gives trainings: their share of the memory of the flow. */
import { totalmem } from 'node:os';
import { expect, it } from 'vitest';
import { trainingMemoryMb } from '../../../src/compose-training.js';
import { parseConfig } from '../../../src/config/config.js';

it.each([
  ['what is shipped', '', 3840],
  ['one at a time', 'worker: { concurrency: { ml: 1 } }', 7680],
  ['more at a time', 'worker: { concurrency: { ml: 4 } }', 1920],
  ['less for all', 'limits: { mlops: { memoryGb: 2 } }', 768],
  ['next to nothing', 'limits: { mlops: { memoryGb: 0.1 } }', 256],
])('shares limits.mlops.memoryGb less what the worker takes: %s', (_what, yaml, mb) => {
  expect(trainingMemoryMb(parseConfig(yaml, {}), 64 * 1024)).toBe(mb);
});

it('shares no more than the machine has', () => {
  expect(trainingMemoryMb(parseConfig('', {}), 2048)).toBe(768);
  expect(trainingMemoryMb(parseConfig('', {}))).toBeLessThanOrEqual(totalmem() / 2 ** 20 / 2);
});
