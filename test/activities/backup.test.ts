/** Backups of a lake that real runs made: whole, kept once, refused where a byte is wrong, and good for a new lake. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterEach, expect, it } from 'vitest';
import { createMaintenanceActivities } from '../../src/activities/maintenance/index.js';
import { LocalObjectStore } from '../../src/connectors/object-store/index.js';
import type { BackupActivities, BackupFigures, BackupInput, Checked } from '../../src/contracts/backup.js';
import type { MaintenanceRun } from '../../src/contracts/lake-maintenance.js';
import { checkoutScan, DeltaTable } from '../../src/delta/index.js';
import { Lab } from './lab.js';

let lab: Lab;
afterEach(() => lab.close());

const folder = (name: string): string => path.join(lab.folder, name);

function call<Name extends keyof BackupActivities>(
  name: Name,
  ...args: Parameters<BackupActivities[Name]>
): ReturnType<BackupActivities[Name]> {
  const activities = createMaintenanceActivities({
    ...lab.deps,
    backup: new LocalObjectStore(folder('backup')),
    openStore: (uri) => new LocalObjectStore(new URL(uri).pathname),
    extras: async () => ({
      files: [{ key: 'datasets/sales/dataset.yaml', localPath: folder('datasets/sales/dataset.yaml') }],
      problems: [],
    }),
    runningDatasets: async () => new Set(),
    datasetNames: async () => ['sales'],
  });
  const logger = new DefaultLogger('ERROR');
  const environment = new MockActivityEnvironment({ activityType: name }, { logger });
  const go = environment.run.bind(environment) as (...all: unknown[]) => Promise<unknown>;
  return go(activities[name], ...args) as ReturnType<BackupActivities[Name]>;
}

let runs = 0;
const newRun = (): MaintenanceRun => ({
  ...{ runId: `backup-${++runs}`, workflowId: 'datalab-backup', dryRun: false, tables: null },
  at: new Date((lab.nowMs += 1000)).toISOString(),
});

/** As the workflow does it. Returns objects and bytes that had to be copied. */
async function create(): Promise<{ id: string; copied: number; run: MaintenanceRun }> {
  const run = newRun();
  const tables = await call('beginBackup', run);
  const figures: BackupFigures[] = [];
  for (let place = 0; place < tables; place += 1) figures.push(await call('backUpTable', run, place));
  figures.push(await call('sealBackup', run));
  const { backup } = await call('chooseBackup', run, { task: 'verify' });
  return { id: backup, copied: figures.reduce((sum, one) => sum + one.copiedObjects, 0), run };
}

async function each(
  input: BackupInput,
  work: (run: MaintenanceRun, backup: string, table: string) => Promise<BackupFigures | Checked>,
): Promise<string[]> {
  const run = newRun();
  const { backup, tables } = await call('chooseBackup', run, input);
  const problems: string[] = [];
  for (const table of tables) {
    const done = await work(run, backup, table);
    if ('problems' in done) problems.push(...done.problems);
  }
  return problems;
}
const verify = async (): Promise<string[]> => {
  const found = await each({ task: 'verify' }, (...args) => call('verifyTable', ...args));
  const run = newRun();
  const { backup } = await call('chooseBackup', run, { task: 'verify' });
  return [...found, ...(await call('verifyExtras', run, backup)).problems];
};

async function someRuns(count = 3): Promise<void> {
  lab = new Lab({ lake: 'folder' });
  lab.nowMs = Date.now();
  for (let number = 1; number <= count; number += 1) {
    lab.source(`${number}.csv`, `${number},name${number},${number}`, `${100 + number},bad,-1`);
    await lab.run();
  }
}

const TABLES = ['bronze/sales', 'silver/sales', 'gold/totals', 'gold/sizes', 'quarantine/sales'];
const rowSets = (): Promise<object[][]> =>
  Promise.all(TABLES.map((name) => lab.rows(name, '*', 'ORDER BY ALL')));

const objects = (): string[] =>
  readdirSync(folder('backup/objects'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));

it('copies nothing twice, and only what is new the next time', async () => {
  await someRuns();
  const first = await create();
  expect(first.copied).toBe(objects().length);
  const again = await create();
  expect(again.copied).toBe(0);
  expect(again.id).not.toBe(first.id);
  lab.source('next.csv', '50,zoe,5');
  await lab.run();
  const next = await create();
  expect(next.copied).toBeGreaterThan(0);
  expect(next.copied).toBeLessThan(first.copied);
  expect(await verify()).toEqual([]);
});

it('brings a lake back that was deleted whole, row by row, and runs go on in it', async () => {
  await someRuns();
  const before = await rowSets();
  await create();
  rmSync(folder('lake'), { recursive: true });
  const restore: BackupInput = { task: 'restore' };
  const put = () => each(restore, (run, backup, table) => call('restoreTable', run, backup, table, null));
  await put();
  expect(await rowSets()).toEqual(before);
  // Again changes nothing: what is there is the same.
  await put();
  expect(await rowSets()).toEqual(before);
  const idle = await lab.run();
  expect([idle.bronze, idle.silver]).toEqual([null, null]);
  lab.source('next.csv', '50,zoe,5');
  expect((await lab.run()).silver?.ledger.read).toBe(1);
  // Now there is another table, which nothing overwrites.
  await expect(put()).rejects.toMatchObject({ type: 'RESTORE_TARGET_EXISTS' });
});

it('restores one table as it was at a version into another lake', async () => {
  await someRuns(2);
  const old = await lab.rows('silver/sales', 'id', 'ORDER BY id');
  const version = (await lab.version('silver/sales')) ?? -1;
  await create();
  lab.source('later.csv', '60,late,6');
  await lab.run();
  await create();
  const into = pathToFileURL(folder('other')).href;
  await each({ task: 'restore', table: 'silver.sales', version, into }, (run, backup, table) =>
    call('restoreTable', run, backup, table, into),
  );
  const store = new LocalObjectStore(folder('other/silver/sales'));
  const snapshot = await new DeltaTable(store, { engine: lab.deps.engine }).snapshot();
  expect(snapshot.version).toBe(version);
  const scan = await checkoutScan(store, snapshot);
  const session = await lab.deps.engine.open({ inputs: scan.inputs });
  expect(await session.rows(`SELECT id FROM ${lab.deps.engine.relation(scan.plan)} ORDER BY id`)).toEqual(
    old,
  );
  await session.close();
  scan.release();
  expect(await lab.deps.lake.head('other')).toBeUndefined();
  await expect(
    call('chooseBackup', newRun(), { task: 'restore', table: 'silver.sales', version: 999 }),
  ).rejects.toMatchObject({ type: 'BACKUP_UNKNOWN' });
});

it('refuses a backup with one wrong byte, in a file or in its lists, and names it', async () => {
  await someRuns(1);
  const { id } = await create();
  expect(await verify()).toEqual([]);
  for (const [index, file] of objects().entries()) {
    if (index % 3 !== 0) continue;
    const good = readFileSync(file);
    const bad = Buffer.from(good);
    bad[Math.floor(bad.length / 2)] = (bad[Math.floor(bad.length / 2)] ?? 0) ^ 1;
    writeFileSync(file, bad);
    const problems = await verify();
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(path.basename(file));
    expect(problems[0]).toMatch(/^(project|[a-z]+\.[a-z]+)\/.+/);
    writeFileSync(file, good);
  }
  const [some] = objects();
  const kept = readFileSync(some ?? '');
  rmSync(some ?? '');
  expect((await verify())[0]).toContain('is missing');
  // The next backup finds it gone and copies it again.
  expect((await create()).copied).toBe(1);
  expect(readFileSync(some ?? '')).toEqual(kept);
  const manifest = folder(`backup/backups/${id}/manifest.json`);
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('silver.sales', 'silver.saled'));
  await expect(call('chooseBackup', newRun(), { task: 'verify', backup: id })).rejects.toMatchObject({
    type: 'BACKUP_DAMAGED',
  });
});

it('drills: restores aside, compares the rows, leaves nothing, and says where they differ', async () => {
  await someRuns();
  await create();
  const drill = () => each({ task: 'drill' }, (...args) => call('drillTable', ...args));
  expect(await drill()).toEqual([]);
  const left: string[] = [];
  for await (const { key } of lab.deps.lake.list('_drill/')) left.push(key);
  expect(left).toEqual([]);
  // Silver as it is published now was changed behind the log's back: another table's rows in its place.
  const silver = folder('lake/silver/sales');
  const [one, other] = readdirSync(silver).filter((name) => name.endsWith('.parquet'));
  writeFileSync(path.join(silver, one ?? ''), readFileSync(path.join(silver, other ?? '')));
  expect((await drill()).join()).toContain('silver.sales: 1 rows are not in the restored copy');
});

it('lets backups go by age, and objects only when no backup names them', async () => {
  await someRuns();
  const first = await create();
  lab.source('1.csv', '1,name1,1', '2,changed,9');
  await lab.run();
  await lab.table('silver/sales').optimize();
  const before = objects().length;
  lab.passDays(100);
  // A hundred days later, and once more in the same week: the earlier of the two stays for thirty days.
  const second = await create();
  lab.passDays(400);
  const third = await create();
  const pruned = await call('pruneBackups', third.run);
  expect(pruned.backups).toBe(2);
  for (const id of [first.id, second.id])
    await expect(call('chooseBackup', newRun(), { task: 'verify', backup: id })).rejects.toMatchObject({
      type: 'BACKUP_UNKNOWN',
    });
  expect(pruned.objects).toBeGreaterThan(0);
  expect(objects().length).toBeLessThan(before + third.copied + second.copied);
  expect(await verify()).toEqual([]);
  expect(await call('pruneBackups', third.run)).toEqual({ backups: 0, objects: 0, bytes: 0 });
});
