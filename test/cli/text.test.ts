/** Text for terminals. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bar, count, plural, seconds, table } from '../../src/cli/text.js';

it('writes numbers, nouns and durations', () => {
  expect([0, 999, 1000, 1234567].map(count)).toEqual(['0', '999', '1,000', '1,234,567']);
  expect([0, 1, 2, 1000].map((value) => plural(value, 'row'))).toEqual([
    '0 rows',
    '1 row',
    '2 rows',
    '1,000 rows',
  ]);
  expect([0, 1234, 12_345, 600_000].map(seconds)).toEqual(['0.00 s', '1.23 s', '12.3 s', '600.0 s']);
});

describe('table', () => {
  it('puts texts to the left and numbers to the right, without spaces at the ends of lines', () => {
    expect(
      table(
        ['name', 'rows'],
        [
          ['a', '1'],
          ['longer', '1,000'],
        ],
      ).split('\n'),
    ).toEqual(['name     rows', '──────  ─────', 'a           1', 'longer  1,000']);
  });

  it('is a header alone where there are no rows', () => {
    expect(table(['a', 'bb'], []).split('\n')).toEqual(['a  bb', '─  ──']);
  });

  it('keeps every cell in a column of one width', () => {
    const cell = fc.stringMatching(/^[a-z]{0,8}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 5 }), (rows) => {
        const [header = '', rule = '', ...lines] = table(['left', 'right'], rows).split('\n');
        const second = header.indexOf('right');
        expect(rule.indexOf('  ') + 2).toBe(second);
        lines.forEach((line, index) => {
          const [left = '', right = ''] = rows[index] ?? [];
          expect(line.slice(0, second).trim()).toBe(left);
          expect(line.slice(second).trim()).toBe(right);
        });
      }),
      { seed: 5 },
    );
  });
});

describe('bar', () => {
  it.each([
    [0, 10, '[----------]   0 %'],
    [4, 10, '[####------]  40 %'],
    [10, 10, '[##########] 100 %'],
    [20, 10, '[##########] 100 %'],
    [0, 0, '[----------]   0 %'],
  ])('%i of %i', (done, total, text) => {
    expect(bar(done, total, 10)).toBe(text);
  });

  it('is 100 % only when all is done', () => {
    expect(bar(999, 1000)).not.toContain('100 %');
  });
});
