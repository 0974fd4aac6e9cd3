/** Statistics are bounds: whatever the values, none lies outside. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { statsJson } from '../../src/delta/index.js';
import { parseMicros } from '../../src/delta/timestamp.js';
import { struct } from '../support/table.js';
import type { DataType } from '../../src/delta/index.js';
import { seedOf } from '../support/seed.js';

function bounds(type: DataType, min: string, max: string, hasNan = false): { min?: string; max?: string } {
  const text = statsJson(
    { rows: 2, columns: { c: { min, max, nullCount: 0, hasNan } } },
    struct({ c: type }),
  );
  const pick = (name: string): string | undefined =>
    new RegExp(`"${name}":{"c":(.*?)}(?:,"|})`, 's').exec(text)?.[1];
  const found: { min?: string; max?: string } = {};
  const low = pick('minValues');
  const high = pick('maxValues');
  if (low !== undefined) found.min = low;
  if (high !== undefined) found.max = high;
  return found;
}

describe('bounds are written', () => {
  test.each<[DataType, string, string, object]>([
    [
      'long',
      '-9223372036854775808',
      '9223372036854775807',
      { min: '-9223372036854775808', max: '9223372036854775807' },
    ],
    ['decimal(38,2)', '-0.01', '12345678901234567890.12', { min: '-0.01', max: '12345678901234567890.12' }],
    ['double', '-0.1', '1e+300', { min: '-0.1', max: '1e+300' }],
    ['double', '-inf', 'inf', {}],
    ['float', '0.1', '0.1', { min: '0.10000000149011612', max: '0.10000000149011612' }],
    ['date', '1969-12-31', '9999-12-31', { min: '"1969-12-31"', max: '"9999-12-31"' }],
    ['date', '0044-03-15 (BC)', 'infinity', {}],
    [
      'timestamp',
      '2024-01-01 00:00:00.000999+00',
      '2024-01-01 02:00:00.000001+01',
      { min: '"2024-01-01T00:00:00.000Z"', max: '"2024-01-01T01:00:00.001Z"' },
    ],
    [
      'timestamp',
      '1969-12-31 23:59:59.9999+00',
      '1969-12-31 23:59:59.9999+00',
      { min: '"1969-12-31T23:59:59.999Z"', max: '"1970-01-01T00:00:00.000Z"' },
    ],
    [
      'timestamp_ntz',
      '2024-01-01 00:00:00',
      '2024-01-01 00:00:00',
      { min: '"2024-01-01T00:00:00.000"', max: '"2024-01-01T00:00:00.000"' },
    ],
    ['timestamp', 'infinity', '-infinity', {}],
    ['boolean', 'false', 'true', {}],
    ['binary', 'a', 'b', {}],
  ])('%s from %s to %s', (type, min, max, expected) => {
    expect(bounds(type, min, max)).toEqual(expected);
  });

  test('NaN is above every number, so it takes the max away', () => {
    expect(bounds('double', '1', '2', true)).toEqual({ min: '1' });
  });
});

test('for 32 columns, without the partition columns, and for as many as asked', () => {
  const names = Array.from({ length: 40 }, (_, i) => `c${i}`);
  const schema = struct(Object.fromEntries(names.map((name) => [name, 'long' as const])));
  const columns = Object.fromEntries(names.map((name) => [name, { min: '1', max: '1', nullCount: 0 }]));
  const named = (options: Parameters<typeof statsJson>[2]): string[] =>
    Object.keys(
      (JSON.parse(statsJson({ rows: 1, columns }, schema, options)) as { nullCount: object }).nullCount,
    );
  expect(named({})).toEqual(names.slice(0, 32));
  expect(named({ partitionColumns: ['c0'] })).toEqual(names.slice(1, 33));
  expect(named({ indexedColumns: -1 })).toEqual(names);
});

const utf8 = (text: string): Buffer => Buffer.from(text, 'utf8');

test('a text lies between its own bounds, by UTF-8 bytes', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.string({ unit: fc.constantFrom('a', '\x7f', 'é', '\uffff', '😀', '\u{10ffff}'), maxLength: 90 }),
  );
  fc.assert(
    fc.property(text, (value) => {
      const { min, max } = bounds('string', value, value);
      const low = JSON.parse(min ?? '""') as string;
      expect(Buffer.compare(utf8(low), utf8(value))).toBeLessThanOrEqual(0);
      // A lone surrogate would mean that a pair was cut in two.
      expect(/\p{Surrogate}/u.test(value) || !/\p{Surrogate}/u.test(low)).toBe(true);
      if (max === undefined) return;
      const high = JSON.parse(max) as string;
      expect(Buffer.compare(utf8(high), utf8(value))).toBeGreaterThanOrEqual(0);
      expect(high.length).toBeLessThanOrEqual(66);
    }),
    { seed: seedOf(23), numRuns: 2000 },
  );
});

test('an instant lies between its own bounds', () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date(0), max: new Date('9000-01-01'), noInvalidDate: true }),
      fc.nat(999),
      (date, micros) => {
        const text = date
          .toISOString()
          .replace('T', ' ')
          .replace('Z', `${String(micros).padStart(3, '0')}+00`);
        const { min, max } = bounds('timestamp', text, text);
        const value = parseMicros(text) ?? 0n;
        expect(value).toBe(BigInt(date.getTime()) * 1000n + BigInt(micros));
        expect(parseMicros(JSON.parse(min ?? '""') as string)).toBeLessThanOrEqual(value);
        expect(parseMicros(JSON.parse(max ?? '""') as string)).toBeGreaterThanOrEqual(value);
      },
    ),
  );
});
