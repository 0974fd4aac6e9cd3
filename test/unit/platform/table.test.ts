import { expect, test } from 'vitest';
import { renderTable } from '../../../src/platform/table.js';

test('columns are as wide as their widest cell, and lines end without blanks', () => {
  const text = renderTable([
    ['service', 'ms', 'detail'],
    ['S3', '1234', ''],
    ['Kafka', '', 'up'],
  ]);
  expect(text).toBe('service  ms    detail\nS3       1234\nKafka          up');
});

test('rows of different lengths and characters outside the basic plane line up', () => {
  expect(renderTable([['𝔸b', 'x'], ['abc'], ['a', 'y']])).toBe('𝔸b   x\nabc\na    y');
  expect(renderTable([])).toBe('');
});
