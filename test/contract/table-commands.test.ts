/**
 * `datalab tables history | diff | restore | optimize | vacuum | checkpoint | clean-log | fsck` as a person runs them, against a
 * worker, Temporal and the S3 gateway; after each, delta-rs (where there is one) reads what DataLab says.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectTemporal } from '../../src/connectors/temporal.js';
import { openObjectStore } from '../../src/connectors/object-store/index.js';
import { parseConfig } from '../../src/config/config.js';
import { DeltaTable, type ObjectStore } from '../../src/delta/index.js';
import { readWithDeltaRs, TEST_PYTHON } from '../support/delta-rs.js';
import { ownNamespace } from '../support/namespace.js';
import { testStack } from '../support/stack.js';
import { datalab, ownLake, WorkerProcess, type OwnLake } from '../support/worker-process.js';

const DATASET = `
name: visits
source: { location: 'in/*.csv', format: csv }
columns: [{ name: id, type: long }, { name: page, type: string }]
key: [id]
silver: { sql: silver.sql }
gold: []
`;
const project = mkdtempSync(path.join(tmpdir(), 'datalab-table-commands-'));
let lake: OwnLake;
let worker: WorkerProcess | undefined;
let store: ObjectStore;
let storage: Record<string, string>;

/** A command that is to succeed, and what it prints as JSON. */
async function tables(...args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await datalab(['tables', ...args, '--json'], lake.env, project);
  expect(`${code} ${stderr}`, args.join(' ')).toMatch(/^0 /);
  return JSON.parse(stdout) as unknown;
}
async function refused(...args: string[]): Promise<unknown> {
  const { code, stdout } = await datalab(['tables', ...args, '--json'], lake.env, project);
  expect(code, args.join(' ')).toBe(1);
  return JSON.parse(stdout) as unknown;
}

interface Visit {
  readonly id: number;
  readonly page: string;
}
/** The rows that a reader sees now; delta-rs sees the same, at the version that history tells. */
async function visits(table: string): Promise<Visit[]> {
  const rows = (await tables(
    'query',
    `SELECT id::INT AS id, page FROM ${table} ORDER BY id, page`,
  )) as Visit[];
  if (TEST_PYTHON === undefined) return rows;
  const uri = `${lake.lakeUri}/${table.replace('.', '/')}`;
  const theirs = await readWithDeltaRs(uri, 'SELECT id, page FROM t ORDER BY id, page', { storage });
  expect(theirs.rows, `${table} by delta-rs`).toEqual(rows);
  const [newest] = (await tables('history', table, '--limit', '1')) as Array<{ version: number }>;
  expect(theirs.version).toBe(newest?.version);
  return rows;
}

beforeAll(async () => {
  const stack = await testStack('s3', 'temporal');
  lake = await ownLake(
    stack.env,
    'table-commands',
    await ownNamespace(stack.temporal.address, 'table-commands'),
  );
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.s3;
  storage = {
    ...{ AWS_ENDPOINT_URL: endpoint, AWS_REGION: region, AWS_ALLOW_HTTP: 'true' },
    ...{ AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
  };
  store = openObjectStore(lake.lakeUri, {
    s3: { endpoint, region, accessKeyId, secretAccessKey },
    ...{ cacheDirectory: path.join(project, 'cache'), cacheBytes: 1e8 },
  });
  const put = (file: string, text: string): void => {
    mkdirSync(path.dirname(path.join(project, file)), { recursive: true });
    writeFileSync(path.join(project, file), text);
  };
  put('datalab.yaml', 'kafka: { enabled: false }\n');
  put('datasets/visits/dataset.yaml', DATASET);
  put('datasets/visits/silver.sql', 'SELECT * EXCLUDE (_extra) FROM bronze.visits');
  worker = await WorkerProcess.start(lake.env, ['all'], project);
  // Version by version: two rows, one more, one changed and one more.
  for (const [file, rows] of [
    ['a', '1,/one\n2,/two'],
    ['b', '3,/three'],
    ['c', '2,/again\n4,/four'],
  ] as const) {
    put(`in/${file}.csv`, `id,page\n${rows}\n`);
    const { code, stderr } = await datalab(['runs', 'start', 'visits', '--wait'], lake.env, project);
    expect(`${code} ${stderr}`).toMatch(/^0 /);
  }
}, 300_000);
afterAll(async () => {
  await worker?.stop();
  await lake?.remove();
  rmSync(project, { recursive: true, force: true });
});

const [ONE, TWO, THREE] = [
  { id: 1, page: '/one' },
  { id: 2, page: '/two' },
  { id: 3, page: '/three' },
];
const [AGAIN, FOUR] = [
  { id: 2, page: '/again' },
  { id: 4, page: '/four' },
];
const shown = (rows: readonly Visit[]) =>
  expect.arrayContaining(rows.map((row) => expect.objectContaining(row) as unknown)) as unknown;

it('diff tells the rows that went and came between two versions, as text too', async () => {
  expect(await visits('silver.visits')).toEqual([ONE, AGAIN, THREE, FOUR]);
  expect(await tables('diff', 'silver.visits', '--from', '1', '--to', '2')).toMatchObject({
    ...{ table: 'silver.visits', from: 1, to: 2 },
    lost: { total: 1, rows: shown([TWO]) },
    gained: { total: 2, rows: shown([AGAIN, FOUR]) },
  });
  // Without an end it is the newest, and the other way round what came went.
  expect(await tables('diff', 'silver.visits', '--from', '0')).toMatchObject({
    ...{ from: 0, to: 2, lost: { total: 1 }, gained: { total: 3 } },
  });
  const cut = await datalab(
    ['tables', 'diff', 'silver.visits', '--from', '1', '--limit', '1'],
    lake.env,
    project,
  );
  expect(cut.stdout).toMatch(
    /^silver\.visits, version 1 to 2\n\nlost: 1 row\n[^]*\/two[^]*\n\ngained: 2 rows, the first 1\n/,
  );
  const unknown = await datalab(['tables', 'diff', 'silver.visits', '--from', '9'], lake.env, project);
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain('has no version 9');
});

it('restore goes through a workflow, and history, diff and readers say what it did', async () => {
  const temporal = await connectTemporal(parseConfig('', lake.env).temporal);
  try {
    const runs = async (): Promise<string[]> => {
      const found: string[] = [];
      for await (const one of temporal.workflow.list({ query: `WorkflowType = 'tableMaintenance'` }))
        found.push(`${one.workflowId} ${one.status.name}`);
      return found;
    };
    const before = await runs();
    expect(await tables('restore', 'silver.visits', '--version', '1')).toMatchObject({
      ...{ table: 'silver.visits', operation: 'restore', versionBefore: 2, versionAfter: 3 },
      figures: { status: 'committed', version: 3 },
    });
    await expect.poll(async () => (await runs()).length, { timeout: 30_000 }).toBe(before.length + 1);
    const [run] = (await runs()).filter((one) => !before.includes(one));
    expect(run).toMatch(/silver\.visits.* COMPLETED$/);
  } finally {
    await temporal.connection.close();
  }
  expect(await visits('silver.visits')).toEqual([ONE, TWO, THREE]);
  const [newest] = (await tables('history', 'silver.visits')) as unknown[];
  expect(newest).toMatchObject({
    version: 3,
    operation: 'RESTORE',
    note: { kind: 'maintenance', runId: expect.stringMatching(/.+/) as unknown },
  });
  expect(await tables('diff', 'silver.visits', '--from', '1')).toMatchObject({
    ...{ to: 3, lost: { total: 0, rows: [] }, gained: { total: 0, rows: [] } },
  });
  expect(await tables('diff', 'silver.visits', '--from', '2')).toMatchObject({
    lost: { total: 2, rows: shown([AGAIN, FOUR]) },
    gained: { total: 1, rows: shown([TWO]) },
  });
});

it('restore goes by time, does nothing where there is nothing to do, and refuses what is not there', async () => {
  const history = (await tables('history', 'silver.visits')) as Array<{ version: number; at: string }>;
  const second = history.find(({ version }) => version === 2);
  // The store's clock counts whole seconds at worst: a moment between that commit and the next.
  const third = history.find(({ version }) => version === 3);
  const between = new Date((Date.parse(second?.at ?? '') + Date.parse(third?.at ?? '')) / 2).toISOString();
  expect(await tables('restore', 'silver.visits', '--time', between)).toMatchObject({
    ...{ versionBefore: 3, versionAfter: 4 },
  });
  expect(await visits('silver.visits')).toEqual([ONE, AGAIN, THREE, FOUR]);
  expect(await tables('restore', 'silver.visits', '--version', '4')).toMatchObject({
    ...{ versionBefore: 4, versionAfter: 4, figures: { status: 'unchanged' } },
  });
  expect(await refused('restore', 'silver.visits', '--version', '99')).toMatchObject({
    ...{ status: 'failed', code: 'DELTA_VERSION_NOT_FOUND' },
  });
  expect(await refused('restore', 'silver.nowhere', '--version', '0')).toMatchObject({
    code: 'TABLE_UNKNOWN',
  });
  expect(await visits('silver.visits')).toEqual([ONE, AGAIN, THREE, FOUR]);
});

it('optimize, checkpoint, vacuum and clean-log say by value what they did', async () => {
  expect(await tables('optimize', 'bronze.visits')).toMatchObject({
    ...{ versionBefore: 2, versionAfter: 3 },
    figures: { commits: 1, filesBefore: 3, filesAfter: 1, filesRemoved: 3, filesAdded: 1, filesLeft: 0 },
  });
  expect(await visits('bronze.visits')).toEqual([ONE, AGAIN, TWO, THREE, FOUR]);
  expect(await tables('optimize', 'bronze.visits')).toMatchObject({
    ...{ versionBefore: 3, versionAfter: 3, figures: { commits: 0 } },
  });
  expect(await tables('checkpoint', 'bronze.visits')).toMatchObject({
    figures: { status: 'written', version: 3, files: 1 },
  });
  expect(await store.head('bronze/visits/_delta_log/00000000000000000003.checkpoint.parquet')).toBeDefined();
  expect(await visits('bronze.visits')).toHaveLength(5);
  const listed = await dataFiles('bronze/visits');
  expect(await tables('vacuum', 'bronze.visits', '--dry-run')).toMatchObject({
    figures: { dryRun: true, listed: listed.length, kept: listed.length, deleted: 0, sample: [] },
  });
  expect(await refused('vacuum', 'bronze.visits', '--retention-hours', '0')).toMatchObject({
    code: 'DELTA_RETENTION_TOO_SHORT',
  });
  expect(await tables('clean-log', 'bronze.visits', '--dry-run')).toMatchObject({
    figures: { dryRun: true, deleted: 0 },
  });
  expect(await dataFiles('bronze/visits')).toEqual(listed);
});

it('fsck names a file that is missing, changes nothing unless asked, and repairs what delta-rs then reads', async () => {
  expect(await tables('fsck', 'silver.visits', '--statistics')).toMatchObject({
    ...{ versionBefore: 4, versionAfter: 4 },
    figures: { findings: [], hollow: false, repairedVersion: null },
  });
  const table = new DeltaTable(store.at('silver/visits'));
  const { files } = await table.snapshot();
  expect(files.length).toBeGreaterThan(1);
  const lost = files.at(0)?.path ?? '';
  await store.at('silver/visits').delete([lost]);
  const finding = { path: lost, problem: 'missing' };
  expect(await tables('fsck', 'silver.visits')).toMatchObject({
    ...{ versionBefore: 4, versionAfter: 4 },
    figures: { files: files.length, findings: [finding], repairedVersion: null },
  });
  expect(await tables('fsck', 'silver.visits', '--repair')).toMatchObject({
    ...{ versionBefore: 4, versionAfter: 5, figures: { findings: [finding], repairedVersion: 5 } },
  });
  const left = await visits('silver.visits');
  expect(left.length).toBeGreaterThan(0);
  expect(left.length).toBeLessThan(4);
  expect([ONE, AGAIN, THREE, FOUR]).toEqual(expect.arrayContaining(left));
  const [newest] = (await tables('history', 'silver.visits', '--limit', '1')) as unknown[];
  expect(newest).toMatchObject({ version: 5, operation: 'FSCK' });
  expect(await tables('fsck', 'silver.visits', '--statistics')).toMatchObject({
    figures: { files: files.length - 1, findings: [], hollow: false },
  });
});

async function dataFiles(folder: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.at(folder).list('')) if (key.endsWith('.parquet')) keys.push(key);
  return keys.filter((key) => !key.startsWith('_delta_log/'));
}
