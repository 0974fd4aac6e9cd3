/**
 * DataLab from outside: a service with the typed client, Temporal's own command line as the documentation shows it, and
 * the commands that look at what came of it, on a lake in the gateway.
 */
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { EtlSummary } from '../../src/client/index.js';
import { toolCache } from '../../src/platform/settings.js';
import { locateProgram } from '../../src/platform/tools.js';
import { examples, startCommand } from '../support/flows-page.js';
import { ownNamespace } from '../support/namespace.js';
import { testStack, type TestStack } from '../support/stack.js';
import {
  datalab,
  ownLake,
  PROJECT,
  runCommand,
  WorkerProcess,
  type CommandResult,
  type OwnLake,
} from '../support/worker-process.js';

let stack: TestStack;
let lake: OwnLake;
let worker: WorkerProcess;

beforeAll(async () => {
  stack = await testStack('s3', 'kafka', 'temporal');
  lake = await ownLake(stack.env, 'outside', await ownNamespace(stack.temporal.address, 'outside'));
  worker = await WorkerProcess.start(lake.env);
}, 180_000);
afterAll(async () => {
  await worker?.stop();
  await lake?.remove();
});

const service = (...args: string[]): Promise<CommandResult> =>
  runCommand(
    process.execPath,
    [path.join(PROJECT, 'dist', 'examples', 'service', 'main.js'), ...args],
    lake.env,
  );

it('a service compiles against datalab/client, runs a dataset and prints its ledger', async () => {
  const compiled = await runCommand('npx', ['tsc', '-p', 'examples/service'], lake.env);
  expect(`${compiled.code} ${compiled.stdout}`).toBe('0 ');
  const first = await service('stocks');
  expect(first.code, first.stderr).toBe(0);
  expect(first.stdout.split('\n').slice(0, 4)).toEqual([
    'stocks: ok, 1 of 1 sources were new',
    'bronze: 12154 read = 12154 accepted + 0 duplicate + 0 quarantined',
    'silver: 12154 read = 12154 accepted + 0 duplicate + 0 quarantined',
    'quality: 1.000',
  ]);
  expect(first.stdout).toMatch(/^published: (\w+\.\w+@0(, )?){5}$/m);
  expect(first.stderr).toContain('started example-stocks\n');

  const failed = await service('no_such_dataset');
  expect(failed).toMatchObject({ code: 1, stdout: '' });
  expect(failed.stderr).toMatch(/^DATASET_UNKNOWN: .*stocks/m);
  expect(await service()).toMatchObject({ code: 2 });
});

it('Temporal’s own command line starts a run as the documentation shows, with the result that it shows', async () => {
  const temporal = locateProgram('temporal', { processEnv: process.env, cacheDir: toolCache(process.env) });
  const where = ['--address', stack.temporal.address, '--namespace', lake.env['TEMPORAL_NAMESPACE'] ?? ''];
  const started = await runCommand(temporal, [...startCommand(), ...where], lake.env);
  expect(started.code, started.stderr).toBe(0);
  const watched = await datalab(['runs', 'watch', 'stocks-by-hand', '--json'], lake.env);
  expect(watched.code, watched.stderr).toBe(0);
  const summary = JSON.parse(watched.stdout) as EtlSummary;
  expect(summary.outcome).toBe('empty');
  const [shown] = examples('result') as [EtlSummary];
  const keys = (value: object): string[] => Object.keys(value).sort();
  // The command line adds how long it took.
  expect(keys(shown)).toEqual(keys(summary).filter((key) => key !== 'durationMs'));
  for (const key of ['run', 'sources', 'bronze', 'silver', 'events'] as const)
    expect(keys(shown[key])).toEqual(keys(summary[key]));
  expect(keys(shown.tables[0] ?? {})).toEqual(keys(summary.tables[0] ?? {}));
  expect(keys(shown.steps[0] ?? {})).toEqual(keys(summary.steps[0] ?? {}));
});

it('what came of it is seen in the lake, with no service but the gateway', async () => {
  const env = { ...lake.env, TEMPORAL_ADDRESS: '127.0.0.1:1' };
  const listed = JSON.parse((await datalab(['tables', 'list', '--json'], env)).stdout) as Array<{
    name: string;
    rows: number;
  }>;
  expect(listed.find(({ name }) => name === 'silver.stocks')?.rows).toBe(12_154);
  const sql = `SELECT r.outcome, count(s.step) AS steps FROM meta.runs r JOIN meta.steps s USING (run_id) GROUP BY ALL ORDER BY 1`;
  const runs = await datalab(['tables', 'query', sql, '--csv'], env);
  expect(runs.code, runs.stderr).toBe(0);
  expect(runs.stdout).toMatch(/^outcome,steps\nempty,\d+\n(failed,\d+\n)?ok,\d+\n$/);
  expect((await datalab(['quarantine', 'list', 'stocks'], env)).stdout).toBe(
    'no row of stocks is in quarantine\n',
  );
  const unknown = await datalab(['tables', 'query', 'SELECT * FROM gold.stoks'], env);
  expect(`${unknown.code} ${unknown.stderr}`).toMatch(/^2 TABLE_UNKNOWN: .*gold\.stocks_monthly/);
});

it('a gateway that is away is said to be so, with a code of its own', async () => {
  const env = {
    ...lake.env,
    AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
    AWS_ACCESS_KEY_ID: 'x',
    AWS_SECRET_ACCESS_KEY: 'y',
  };
  const { code, stderr } = await datalab(['tables', 'list'], env);
  expect(`${code} ${stderr}`).toMatch(/^3 STORE_UNAVAILABLE: .*127\.0\.0\.1:1/);
});

it('schedules go by the name that the old platform gave them, too', async () => {
  expect(JSON.parse((await datalab(['deployments', 'apply', '--json'], lake.env)).stdout)).toHaveLength(6);
  const id = 'medallion-etl-daily';
  const shown = async (): Promise<{ state: { paused: boolean; note?: string } }> =>
    JSON.parse((await datalab(['deployments', 'show', id], lake.env)).stdout) as {
      state: { paused: boolean; note?: string };
    };
  expect((await datalab(['deployments', 'pause', id, '--note', 'for the audit'], lake.env)).code).toBe(0);
  expect((await shown()).state).toMatchObject({ paused: true, note: 'for the audit' });
  expect((await datalab(['schedules', 'list'], lake.env)).stdout).toMatch(
    /^medallion-etl-daily +paused +America\/Sao_Paulo/m,
  );
  expect((await datalab(['deployments', 'resume', id], lake.env)).code).toBe(0);
  expect((await shown()).state.paused).toBe(false);
});
