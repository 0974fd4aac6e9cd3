/** docs/reference/sources.md: its examples are sources that a dataset may declare, and its codes exist. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseDataset } from '../../src/config/dataset.js';
import { ERRORS } from '../../src/contracts/errors.js';

const page = readFileSync(new URL('../../docs/reference/sources.md', import.meta.url), 'utf8');

it('has examples that a dataset may declare', () => {
  const examples = [...page.matchAll(/```yaml\n([^`]+)```/g)].map(([, text]) => parse(text ?? '') as object);
  expect(examples.length).toBeGreaterThanOrEqual(3);
  const rest = { name: 'd', columns: [{ name: 'a', type: 'long' }], key: ['a'], silver: { sql: 's.sql' } };
  for (const example of examples) {
    expect(() => parseDataset('d', { ...rest, ...example }, new Map([['s.sql', 'SELECT 1']]))).not.toThrow();
  }
});

it('refuses a place that no time fills in', () => {
  const source = { location: 'in/{dates}/*.csv', format: 'csv' };
  const rest = { name: 'd', columns: [{ name: 'a', type: 'long' }], key: ['a'], silver: { sql: 's.sql' } };
  expect(() => parseDataset('d', { ...rest, source }, new Map([['s.sql', 'SELECT 1']]))).toThrow('{dates}');
});

it('names codes that there are', () => {
  const codes = Object.keys(ERRORS).filter((code) => code.startsWith('SOURCE_'));
  const named = new Set([...page.matchAll(/`(SOURCE_[A-Z_]+)`/g)].map(([, code]) => code));
  for (const code of named) expect(codes).toContain(code);
  expect([...named]).toEqual(
    expect.arrayContaining(['SOURCE_CHANGED', 'SOURCE_MESSAGES_LOST', 'SOURCE_TOPIC_RENEWED']),
  );
});
