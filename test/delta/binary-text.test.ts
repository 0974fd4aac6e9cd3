/** Bytes as texts of the log: read as Spark and delta-rs read them, and refused where they would read others. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOfText, textOfBytes } from '../../src/delta/binary-text.js';
import { partitionValue, plainPartitionValue } from '../../src/delta/partition-values.js';
import { seedOf } from '../support/seed.js';

/** What delta-rs 1.6.6 writes for bytes. */
const escaped = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => `\\u00${byte.toString(16).padStart(2, '0').toUpperCase()}`).join('');

test.each([
  ['hello', '68656c6c6f'],
  ['\u0001\u0002\0', '010200'],
  ['é😀', 'c3a9f09f9880'],
  ['\ufeffA', 'efbbbf41'],
  // What Spark makes of a byte that is no UTF-8.
  ['\ufffd', 'efbfbd'],
  ['\\u00', '5c753030'],
  ['a\\u0041', '615c7530303431'],
  // More than one byte each: not what delta-rs writes.
  ['\\u0141', '5c7530313431'],
  ['__HIVE_DEFAULT_PARTITION__', Buffer.from('__HIVE_DEFAULT_PARTITION__').toString('hex')],
])('%j stands for %s, and is written for it', (text, hex) => {
  expect(bytesOfText(text).toString('hex')).toBe(hex);
  expect(textOfBytes(Buffer.from(hex, 'hex'))).toBe(text);
});

test.each([
  ['\\u00FF', 'ff'],
  ['\\u0068\\u00c3\\u00A9', '68c3a9'],
])('the escapes %s of delta-rs stand for %s', (text, hex) => {
  expect(bytesOfText(text).toString('hex')).toBe(hex);
});

test.each(['', 'ff', '00ff', 'eda080', 'c080', 'f09f98', '5c7530303431'])(
  "x'%s' is refused: not everybody would read it",
  (hex) => {
    const bytes = Buffer.from(hex, 'hex');
    const refusal = {
      code: 'DELTA_VALUE_UNSUPPORTED',
      message: expect.stringContaining(`x'${hex}'`) as unknown,
    };
    for (const write of [partitionValue, plainPartitionValue])
      expect(() => write('binary', bytes)).toThrow(expect.objectContaining(refusal) as Error);
  },
);

test('only bytes are bytes', () => {
  expect(plainPartitionValue('binary', 'ab')).toBeUndefined();
  expect(plainPartitionValue('string', Buffer.from('ab'))).toBeUndefined();
  expect(plainPartitionValue('binary', null)).toBeNull();
});

test('whatever has a text comes back from it, and what delta-rs escapes does so too', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc.string({ unit: 'binary', maxLength: 12 }).map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 3 }).map((some) => Buffer.from(escaped(some))),
  );
  fc.assert(
    fc.property(bytes, (value) => {
      const hex = Buffer.from(value).toString('hex');
      if (value.length > 0) expect(bytesOfText(escaped(value)).toString('hex')).toBe(hex);
      const text = textOfBytes(value);
      const plain = Buffer.from(value).toString('utf8');
      const isUtf8 = Buffer.from(plain).equals(value);
      expect(text).toBe(isUtf8 && !/^(\\u00[\dA-F]{2})+$/i.test(plain) ? plain : undefined);
      if (text !== undefined) expect(bytesOfText(text).toString('hex')).toBe(hex);
    }),
    { seed: seedOf(23), numRuns: 2000 },
  );
});
