/** Rows for people, spreadsheets and programs. */
import { expect, it } from 'vitest';
import { rowsAsCsv, rowsAsObjects, rowsAsText } from '../../src/cli/rows.js';

const answer = {
  columns: ['text', 'number', 'other'].map((name) => ({ name })),
  rows: [
    ['plain', 1.5, null],
    ['a "quoted", one\nwith a line end', 9007199254740993n, [1n, { a: 2n }]],
    ['', Number.POSITIVE_INFINITY, Uint8Array.of(1, 255)],
  ],
};

it('writes CSV as RFC 4180 says, and tells NULL from an empty text', () => {
  expect(rowsAsCsv(answer)).toBe(
    [
      'text,number,other',
      'plain,1.5,',
      '"a ""quoted"", one\nwith a line end",9007199254740993,"[1,{""a"":2}]"',
      '"",Infinity,01ff',
    ].join('\n'),
  );
});

it('makes objects that JSON can hold without rounding', () => {
  const objects = rowsAsObjects(answer);
  expect(JSON.parse(JSON.stringify(objects))).toEqual([
    { text: 'plain', number: 1.5, other: null },
    { text: 'a "quoted", one\nwith a line end', number: '9007199254740993', other: [1, { a: 2 }] },
    { text: '', number: 'Infinity', other: '01ff' },
  ]);
});

it('cuts long cells and keeps a row on one line for people', () => {
  const long = { columns: [{ name: 'a' }], rows: [['x'.repeat(70)], ['one\ntwo']] };
  expect(rowsAsText(long).split('\n').slice(2)).toEqual([`${'x'.repeat(59)}…`, 'one two']);
});
