/** The checks of the sample's own dataset, on the sample. */
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { loadDataset } from '../../src/config/datasets.js';
import { badRowExamples, judge, measure } from '../../src/quality/index.js';
import { Workbench } from '../medallion/workbench.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const bench = new Workbench();
afterAll(() => bench.close());

it('passes every check, those with a history once there is one', async () => {
  const dataset = await loadDataset(`${root}/datasets`, 'stocks');
  const { checks, score } = dataset;
  const { bronze, schema, ledger } = await bench.ingest(
    dataset,
    bench.sourceAt(`${root}/data/samples/stocks.csv.gz`),
  );
  const session = await bench.engine.open({ inputs: bronze.map(({ localPath }) => localPath) });
  try {
    await session.run(
      `CREATE SCHEMA bronze; CREATE VIEW bronze.stocks AS SELECT * FROM ${bench.engine.relation(bench.plan(schema, bronze))}`,
    );
    const measured = await measure(session, checks, 'bronze.stocks');
    expect(await badRowExamples(session, checks, measured, 'bronze.stocks')).toEqual(checks.map(() => []));
    const context = {
      publishedRows: 0,
      newRows: ledger.accepted,
      logicalTime: '2013-03-01T09:00:00Z',
      score,
    };
    const first = judge(checks, measured, context);
    expect(first.score).toBe(1);
    const outcomes = (kinds: readonly string[]): string[] =>
      first.results.filter(({ kind }) => kinds.includes(kind)).map(({ outcome }) => outcome);
    expect(outcomes(['volume', 'distribution'])).toEqual(['skipped', 'skipped', 'skipped']);
    expect(new Set(first.results.map(({ kind }) => kind)).size).toBeGreaterThanOrEqual(10);
    const history = new Map(
      first.results.map(({ name, observed }) => [name, Array<number>(5).fill(observed ?? NaN)]),
    );
    const later = judge(checks, measured, { ...context, history });
    expect(later.results.map(({ outcome }) => outcome)).toEqual(later.results.map(() => 'passed'));
  } finally {
    await session.close();
  }
});
