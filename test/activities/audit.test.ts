/** The audit over real staged files and real records of earlier runs. */
import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Audit, PlannedRun } from '../../src/contracts/activities.js';
import { Lab } from './lab.js';
import { reportOf } from './report.js';

let lab: Lab;
beforeEach(() => {
  lab = new Lab();
});
afterEach(() => lab.close());

function declare(...checks: string[]): void {
  const text = lab
    .datasetText()
    .replace(/^checks:.*$/m, `checks:\n${checks.map((one) => `  - ${one}\n`).join('')}`);
  lab.edit('dataset.yaml', text);
}

async function audit(run: PlannedRun = lab.newRun()): Promise<Audit> {
  return lab.do('auditBronze', run, await lab.stageBronze(run));
}

/** A whole run with its record, as the history of those to come. */
async function recordedRun(outcome: 'ok' | 'failed' = 'ok'): Promise<Audit> {
  const run = lab.newRun();
  const staged = await lab.stageBronze(run);
  const audited = await lab.do('auditBronze', run, staged);
  const { ledger } = await lab.do('publish', run, staged.manifest);
  const finishedAt = new Date(Date.parse(run.logicalTime)).toISOString();
  const { summary } = reportOf(run);
  const report = { summary: { ...summary, bronze: ledger }, verdict: audited.verdict, outcome, finishedAt };
  await lab.do('recordRun', reportOf(run, report));
  return audited;
}

it('names the bad rows by file and line', async () => {
  declare(
    `{ kind: range, column: amount, from: 0 }`,
    `{ kind: duplicates, max: 0 }`,
    `{ kind: sql, name: bobs, sql: "SELECT * FROM bronze.sales WHERE name = 'bob'" }`,
  );
  lab.source('a.csv', '1,ann,10', '2,bob,-20');
  lab.source('b.csv', '1,ann,-1', '4,eve,5');
  const { verdict, step } = await audit();
  const shown = verdict.results.map(({ name, outcome, examples }) => [
    `${name} ${outcome}`,
    examples.map(({ file, line }) => `${file.split('/').at(-1)}:${line}`),
  ]);
  expect(shown).toEqual([
    ['range_amount failed', ['a.csv:3', 'b.csv:2']],
    ['duplicates failed', ['a.csv:2', 'b.csv:2']],
    ['bobs failed', ['a.csv:3']],
    ['score failed', []],
  ]);
  expect(step.detail).toContain('3 checks, 4 failed');
});

it('says which columns of the sources are not declared', async () => {
  declare('{ kind: schema, severity: block }');
  writeFileSync(lab.source('a.csv'), 'id,name,amount,colour,size\n1,ann,1,red,2\n');
  const { verdict } = await audit();
  expect(verdict.blocked).toBe(true);
  expect(verdict.results[0]).toMatchObject({ measured: 2, outcome: 'failed' });
  expect(verdict.results[0]?.detail).toContain("'colour' is not declared; 'size' is not declared");
});

it('blocks a batch by its score where the dataset says so', async () => {
  const score = 'score: { min: 0.9, severity: block }';
  lab.edit('dataset.yaml', `${lab.datasetText().replace('severity: block, min: 1', 'min: 3')}${score}\n`);
  lab.source('a.csv', '1,ann,10', '2,bob,20');
  const { verdict } = await audit();
  expect(verdict.results.map(({ name, severity, outcome }) => `${name} ${severity} ${outcome}`)).toEqual([
    'row_count warn failed',
    'score block failed',
  ]);
  expect(verdict.blocked).toBe(true);
});

it('holds a batch against the runs before that went well, and only those', async () => {
  declare(
    '{ kind: volume, minHistory: 2, maxShift: 50% }',
    '{ kind: distribution, column: amount, minHistory: 2, maxShift: 10% }',
  );
  lab.source('a.csv', '1,ann,10', '2,bob,10');
  expect((await recordedRun()).verdict.results.map(({ outcome }) => outcome)).toEqual(
    Array(3).fill('skipped'),
  );
  lab.source('b.csv', '3,ann,1000');
  await recordedRun('failed');
  lab.source('c.csv', '4,ann,12', '5,bob,8');
  const second = (await recordedRun()).verdict.results;
  expect(second[0]?.detail).toContain('1 of 2 runs of history');
  lab.source('d.csv', '6,ann,13', '7,bob,13', '8,eve,13', '9,joe,13');
  const { verdict } = await audit();
  expect(verdict.results).toMatchObject([
    { name: 'volume', outcome: 'failed', measured: 1, threshold: 0.5, observed: 4 },
    { name: 'mean_amount', outcome: 'failed', threshold: 0.1, observed: 13 },
    { name: 'score' },
  ]);
  expect(verdict.results[1]?.measured).toBeCloseTo(0.3, 12);
});

it('knows how fresh the table is from what is published and what comes', async () => {
  const text = lab.datasetText().replace('{ name: amount, type: double }', '{ name: amount, type: date }');
  lab.edit('silver.sql', 'SELECT * FROM bronze.sales');
  lab.edit(
    'dataset.yaml',
    text
      .replace(/rules: .*$/m, 'rules: []')
      .replace(/^checks:.*$/m, 'checks: [{ kind: freshness, column: amount, maxAgeDays: 1 }]'),
  );
  lab.source('a.csv', '1,ann,2023-12-31');
  await lab.fillBronze();
  lab.source('b.csv', '2,bob,2020-01-01');
  const { verdict } = await audit();
  // The second run is for 2024-01-02.
  expect(verdict.results[0]).toMatchObject({ outcome: 'failed', measured: 2 });
});

it('sends rows that a check of severity quarantine refuses aside in Silver, and publishes the others', async () => {
  declare('{ kind: set, column: name, values: [ANN], severity: quarantine }');
  lab.edit('silver.sql', 'SELECT * FROM bronze.sales');
  lab.source('a.csv', '1,ANN,10', '2,bob,20', '3,,30');
  const { silver, bronze } = await lab.run();
  expect(bronze?.ledger.accepted).toBe(3);
  expect(silver?.ledger).toMatchObject({ read: 3, accepted: 2, quarantined: 1 });
  expect(await lab.rows('quarantine/sales', 'rule, reason')).toEqual([
    { rule: 'set_name', reason: 'name is none of the listed values' },
  ]);
});
