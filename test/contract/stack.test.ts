/** The test stack itself: what it starts answers, and only what was asked for is started. */
import { expect, test } from 'vitest';
import { probeS3 } from '../../src/platform/probes/s3.js';
import { livingRecord } from '../../src/platform/record.js';
import { testStack } from '../support/stack.js';

test('two tests that ask at once share one gateway', async () => {
  const [one, two] = await Promise.all([testStack('s3'), testStack('s3')]);
  expect(two).toEqual(one);
  expect(await probeS3(one.s3)).toBe('bucket datalab lists');
});

test('nobody else gets in', async () => {
  const { s3 } = await testStack('s3');
  await expect(probeS3({ ...s3, secretAccessKey: 'wrong' })).rejects.toThrow(/signature/i);
  await expect(probeS3({ ...s3, bucket: 'datalab' })).resolves.toBeDefined();
  expect(livingRecord((await testStack('s3')).env['DATALAB_STATE_DIR'] ?? '', 's3')).toBeDefined();
});
