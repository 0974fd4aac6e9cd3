/** Replay of the quarantine: rows that pass by now are taken in once, at the place that they were refused at. */
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { PlannedRun } from '../../src/contracts/activities.js';
import type { ReplayFigures, ReplayFilter } from '../../src/contracts/replay.js';
import { Lab } from './lab.js';

/** A time without a zone is refused until the dataset says whose time it is. */
const dataset = (options: { zone?: string; quote?: string; format?: string }): string => `
name: sales
source:
  location: in/*.${options.format ?? 'csv'}
  format: ${options.format ?? 'csv'}
  ${options.quote === undefined ? '' : `csv: { quote: "${options.quote}" }`}
columns:
  - { name: id, type: long }
  - { name: moment, type: timestamp${options.zone ? `, zone: ${options.zone}` : ''} }
  - { name: amount, type: double }
key: [id]
silver:
  sql: silver.sql
gold:
  - { table: totals, sql: totals.sql }
checks: [{ kind: row_count, severity: block, min: 1 }]
`;
const SILVER =
  'SELECT id, moment, amount, _source_id, _source_file, _source_line, _source_modified_at, _ingested_at, _run_id FROM bronze.sales';

let lab: Lab;
beforeEach(() => {
  lab = new Lab();
  lab.edit('silver.sql', SILVER);
  lab.edit('totals.sql', 'SELECT count(*) AS n, sum(amount) AS total FROM silver.sales');
  lab.edit('dataset.yaml', dataset({}));
});
afterEach(() => lab.close());

function csv(name: string, ...lines: string[]): string {
  const file = path.join(lab.folder, 'in', name);
  writeFileSync(file, ['id,moment,amount', ...lines, ''].join('\n'));
  return file;
}

/** What the workflow does with Bronze. */
async function replay(filter: ReplayFilter = {}, run: PlannedRun = lab.newRun()): Promise<ReplayFigures> {
  const staged = await lab.do('writeReplay', run, filter);
  if (staged.manifest !== null)
    expect((await lab.do('publish', run, staged.manifest)).status).toBe('published');
  await lab.do('releaseReplayed', run);
  return staged.replay;
}

const ids = async (table: string): Promise<bigint[]> =>
  (await lab.rows<{ id: bigint }>(table, 'id', 'ORDER BY id')).map(({ id }) => id);

it('takes in what passes by now, through to Silver and Gold, and leaves the rest', async () => {
  csv('a.csv', '1,2024-01-01T10:00:00Z,1', '2,2024-01-01T11:00:00,2', '3,never,3');
  await lab.run();
  expect(await lab.refused()).toEqual(['bronze a.csv:3', 'bronze a.csv:4']);
  expect(await replay()).toMatchObject({ tried: 2, accepted: 0, refused: 2 });
  expect(await lab.version('bronze/sales')).toBe(0);

  lab.edit('dataset.yaml', dataset({ zone: 'America/Sao_Paulo' }));
  expect(await replay()).toEqual({ tried: 2, accepted: 1, refused: 1, unreachable: 0, problems: [] });
  expect(await lab.refused()).toEqual(['bronze a.csv:4']);
  expect(await lab.rows('bronze/sales', 'id, moment::VARCHAR AS at, _source_line', 'WHERE id = 2')).toEqual([
    { id: 2n, at: '2024-01-01 14:00:00+00', _source_line: 3n },
  ]);
  await lab.run();
  expect(await lab.rows('gold/totals', 'n, total')).toEqual([{ n: 2n, total: 3 }]);
});

it('takes nothing in twice, also where it died between the commit and the release', async () => {
  csv('a.csv', '1,2024-01-01T10:00:00Z,1', '2,2024-01-01T11:00:00,2');
  await lab.run();
  lab.edit('dataset.yaml', dataset({ zone: 'UTC' }));
  const run = lab.newRun();
  const staged = await lab.do('writeReplay', run, {});
  await lab.do('publish', run, staged.manifest as string);
  await lab.do('publish', run, staged.manifest as string);
  expect(await ids('bronze/sales')).toEqual([1n, 2n]);
  expect(await lab.refused()).toEqual(['bronze a.csv:3']);
  expect(await replay()).toMatchObject({ tried: 0, accepted: 0 });
  expect(await ids('bronze/sales')).toEqual([1n, 2n]);
  expect(await lab.refused()).toEqual([]);
});

it('gives way to a run that came first', async () => {
  csv('a.csv', '1,2024-01-01T11:00:00,2');
  await lab.run();
  csv('b.csv', '2,2024-01-01T11:00:00Z,2');
  lab.edit('dataset.yaml', dataset({ zone: 'UTC' }));
  const [first, second] = [lab.newRun(), lab.newRun()];
  const [one, other] = [await lab.do('writeReplay', first, {}), await lab.do('writeReplay', second, {})];
  expect((await lab.do('publish', first, one.manifest as string)).status).toBe('published');
  expect((await lab.do('publish', second, other.manifest as string)).status).toBe('conflict');
  expect(await replay({}, second)).toMatchObject({ tried: 0 });
  await lab.run();
  expect(await ids('bronze/sales')).toEqual([1n, 2n]);
});

it('lets a newer row with the same key stay the newest', async () => {
  csv('a.csv', '1,2024-01-01T11:00:00,1');
  await lab.run();
  await new Promise((resolve) => setTimeout(resolve, 20));
  csv('b.csv', '1,2024-01-01T12:00:00Z,5');
  await lab.run();
  lab.edit('dataset.yaml', dataset({ zone: 'UTC' }));
  await replay();
  await lab.run();
  expect(await ids('bronze/sales')).toEqual([1n, 1n]);
  expect(await lab.rows('silver/sales', 'amount')).toEqual([{ amount: 5 }]);
});

it('takes only what is asked for', async () => {
  csv('a.csv', '1,2024-01-01T11:00:00,1', '2,2024-01-01T11:00:00');
  csv('b.csv', '3,2024-01-01T11:00:00,3');
  await lab.run();
  lab.edit('dataset.yaml', dataset({ zone: 'UTC' }));
  expect(await replay({ source: 'b.csv' })).toMatchObject({ tried: 1, accepted: 1 });
  expect(await replay({ rule: 'missing_columns' })).toMatchObject({ tried: 1, accepted: 0, refused: 1 });
  expect(await lab.refused()).toEqual(['bronze a.csv:2', 'bronze a.csv:3']);
  expect(await replay({ rule: 'bad_value' })).toMatchObject({ tried: 1, accepted: 1 });
  expect(await lab.refused()).toEqual(['bronze a.csv:3']);
});

it('says which sources it cannot read again', async () => {
  const gone = csv('a.csv', '1,2024-01-01T11:00:00,1');
  csv('b.csv', '2,2024-01-01T11:00:00,1');
  await lab.run();
  rmSync(gone);
  csv('b.csv', '2,2024-01-01T11:00:00,1', '3,2024-01-01T11:00:00,1');
  lab.edit('dataset.yaml', dataset({ zone: 'UTC' }));
  const { unreachable, problems } = await replay();
  expect(unreachable).toBe(2);
  expect(problems.map(({ path: where, problem }) => [path.basename(where), problem]).sort()).toEqual([
    ['a.csv', 'it is not where it was'],
    ['b.csv', 'it holds other bytes than when its rows were refused'],
  ]);
  expect(await lab.refused()).toHaveLength(2);
});

it('reads a file that was refused whole, and then knows its rows one by one', async () => {
  csv('a.csv', '1,2024-01-01T11:00:00Z,1', '2,"2024-01-01T11:00:00Z,2', '3,never,3');
  await lab.run();
  expect(await lab.rows('quarantine/sales', '_source_line, rule')).toEqual([
    { _source_line: null, rule: 'stray_quote' },
  ]);
  lab.edit('dataset.yaml', dataset({ quote: "'" }));
  expect(await replay()).toMatchObject({ tried: 3, accepted: 1, refused: 2 });
  expect(await lab.refused()).toEqual(['bronze a.csv:3', 'bronze a.csv:4']);
  expect(await ids('bronze/sales')).toEqual([1n]);
  expect(await replay()).toMatchObject({ tried: 2, accepted: 0, refused: 2 });
  expect(await lab.refused()).toHaveLength(2);
});

it('needs no file for lines of JSON', async () => {
  lab.edit('dataset.yaml', dataset({ format: 'jsonl' }));
  const file = path.join(lab.folder, 'in', 'a.jsonl');
  const line = (id: number, at: string): string => JSON.stringify({ id, moment: at, amount: id });
  writeFileSync(
    file,
    [
      line(1, '2024-01-01T11:00:00'),
      line(2, '2024-01-01T11:00:00Z'),
      'oops',
      line(4, '2024-01-01T11:00:00'),
      '',
    ].join('\n'),
  );
  await lab.run();
  rmSync(file);
  lab.edit('dataset.yaml', dataset({ format: 'jsonl', zone: 'UTC' }));
  expect(await replay()).toMatchObject({ tried: 3, accepted: 2, refused: 1, unreachable: 0 });
  expect(await lab.rows('bronze/sales', 'id, _source_line', 'ORDER BY id')).toEqual([
    { id: 1n, _source_line: 1n },
    { id: 2n, _source_line: 2n },
    { id: 4n, _source_line: 4n },
  ]);
  const [times] = await lab.rows<{ n: bigint }>('bronze/sales', 'count(DISTINCT _source_modified_at) AS n');
  expect(times?.n).toBe(1n);
  expect(await lab.refused()).toEqual(['bronze a.jsonl:3']);
});
