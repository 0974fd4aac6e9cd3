/** `datalab tables` and `datalab quarantine` on a lake in a folder: nothing else runs. */
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { buildProgram } from '../../src/cli/program.js';
import { Lab } from '../activities/lab.js';

let lab: Lab;

beforeAll(async () => {
  lab = new Lab({ lake: 'folder' });
  lab.source('a.csv', '1,ann,10', '2,bob,-5', 'x,carl,7', '3,"dora, d",8');
  await lab.run();
});
afterAll(() => lab.close());
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** Runs a command in this process and returns what it prints. */
async function datalab(...args: string[]): Promise<{ out: string; err: string }> {
  vi.stubEnv('DATALAB_STATE_DIR', path.join(lab.folder, 'no-platform'));
  vi.stubEnv('DATALAB_LAKE_URI', `file://${lab.folder}/lake`);
  vi.stubEnv('DATALAB_SCRATCH_DIRECTORY', lab.scratch);
  const said = { out: '', err: '' };
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => Boolean((said.out += String(text))));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => Boolean((said.err += String(text))));
  await buildProgram().parseAsync(['node', 'datalab', ...args]);
  return said;
}

const json = async (...args: string[]): Promise<unknown> =>
  JSON.parse((await datalab(...args, '--json')).out) as unknown;

it('lists, shows and tells the history of tables', async () => {
  expect((await datalab('tables', 'list')).out).toMatch(/^silver\.sales +0 +2 +1 +[\d.]+ kB /m);
  expect(await json('tables', 'list')).toContainEqual(
    expect.objectContaining({ name: 'bronze.sales', rows: 3, version: 0 }),
  );
  expect((await datalab('tables', 'show', 'silver.sales')).out).toMatch(/^amount +double +yes/m);
  expect(await json('tables', 'history', 'silver.sales')).toMatchObject([{ version: 0, runId: 'run-1' }]);
});

it('answers SQL as a table, as JSON and as CSV, and says beside the data that there is more', async () => {
  const sql = 'SELECT id, name FROM silver.sales ORDER BY id';
  expect((await datalab('tables', 'query', sql)).out).toBe('id  name\n──  ───────\n 1  ANN\n 3  DORA, D\n');
  expect(await json('tables', 'query', sql)).toEqual([
    { id: 1, name: 'ANN' },
    { id: 3, name: 'DORA, D' },
  ]);
  expect((await datalab('tables', 'query', sql, '--csv')).out).toBe('id,name\n1,ANN\n3,"DORA, D"\n');
  const cut = await datalab('tables', 'query', sql, '--csv', '--limit', '1');
  expect(cut).toEqual({ out: 'id,name\n1,ANN\n', err: 'the first 1 row; --limit shows more\n' });
});

it('counts refused rows by rule, and shows them as they came', async () => {
  expect(await json('quarantine', 'list')).toEqual([
    expect.objectContaining({ dataset: 'sales', layer: 'bronze', rows: 1, sources: 1 }),
    expect.objectContaining({ dataset: 'sales', layer: 'silver', rule: 'amount_negative', rows: 1 }),
  ]);
  expect(await json('quarantine', 'show', 'sales', '--layer', 'bronze')).toMatchObject([
    { line: 4, raw: 'x,carl,7', source: expect.stringMatching(/a\.csv$/) as unknown, run: 'run-1' },
  ]);
  expect(await json('quarantine', 'show', 'sales', '--rule', 'amount_negative')).toMatchObject([
    { reason: 'the amount is negative', layer: 'silver', line: 3 },
  ]);
  expect(await json('quarantine', 'show', 'sales', '--run', "it's another")).toEqual([]);
  expect((await datalab('quarantine', 'show', 'sales')).out).toMatch(/bob.*-5/i);
  expect((await datalab('quarantine', 'list', 'nobody')).out).toBe('no row of nobody is in quarantine\n');
  expect((await datalab('quarantine', 'show', 'nobody')).out).toMatch(/^no such row of nobody/);
});
