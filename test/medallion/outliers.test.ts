/** Outliers among values whose ratio no number can tell. */
import { afterAll, expect, it } from 'vitest';
import { plainDataset, Workbench } from './workbench.js';

const bench = new Workbench();
afterAll(() => bench.close());

const dataset = plainDataset(`
name: d
source: { location: in/*.csv, format: csv }
columns:
  - { name: day, type: date }
  - { name: name, type: string }
  - { name: price, type: double }
key: [day, name]
silver:
  sql: silver.sql
  outliers: { group: [name], order: day, value: price, months: 1, minimum: 2, threshold: 8 }
`);

it('judges no return from, to or among values beyond all measure, and keeps their rows', async () => {
  const prices = [
    '1e200',
    '1e-200',
    '0',
    '-1',
    'inf',
    'nan',
    '5e-324',
    '1.7e308',
    '1',
    '1.01',
    '1.02',
    '1.04',
    '1',
  ];
  const january = prices.map((price, index) => `2020-01-${String(index + 10)},a,${price}\n`).join('');
  const february = ['1e300', '1e-300', '1', '1.5']
    .map((price, index) => `2020-02-0${index + 1},a,${price}\n`)
    .join('');
  const ingested = await bench.ingest(
    dataset,
    bench.source('d.csv', `day,name,price\n${january}${february}`),
  );
  const { silver, schema, ledger } = await bench.refine(dataset, ingested);
  expect(ledger).toEqual({ read: 17, accepted: 17, duplicate: 0, quarantined: 0 });
  const rows = await bench.read<{ day: string; score: number | null; is_outlier: boolean }>(
    bench.plan(schema, silver),
    `WHERE day >= DATE '2020-02-01' ORDER BY day`,
    'day, outlier_score AS score, is_outlier',
  );
  // The returns of January that are judged: from 1 to 1.01, 1.02, 1.04 and back to 1.
  expect(rows.map(({ score }) => score === null)).toEqual([true, true, true, false]);
  expect(rows.map(({ is_outlier }) => is_outlier)).toEqual([false, false, false, true]);
});
