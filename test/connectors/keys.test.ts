/** Keys are listed in the order of their UTF-8 bytes, as S3 has it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareKeys } from '../../src/connectors/object-store/keys.js';
import { seedOf } from '../support/seed.js';

const key = fc
  .array(fc.constantFrom('a', 'b', '/', 'ü', '\uD7FF', '\uE000', '\uFFFD', '😀', '\u{10000}', '\u{10FFFF}'))
  .map((parts) => parts.join(''));

test('two keys compare as their bytes do', () => {
  fc.assert(
    fc.property(key, key, (a, b) => {
      expect(Math.sign(compareKeys(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
    { seed: seedOf(23), numRuns: 2000 },
  );
});
