/** Backups of a lake that real runs made: whole, kept once, refused where a byte is wrong, and good for a new lake. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { LocalObjectStore } from '../../src/connectors/object-store/index.js';
import { checkoutScan, DeltaTable } from '../../src/delta/index.js';
import { BackupLab } from './backup-lab.js';

let backups: BackupLab;
afterEach(() => backups.close());

async function someRuns(count = 3): Promise<void> {
  backups = new BackupLab();
  await backups.someRuns(count);
}

it('copies nothing twice, and only what is new the next time', async () => {
  await someRuns();
  const first = await backups.create();
  expect(first.copied).toBe(backups.objects().length);
  const again = await backups.create();
  expect(again.copied).toBe(0);
  expect(again.id).not.toBe(first.id);
  backups.lab.source('next.csv', '50,zoe,5');
  await backups.lab.run();
  const next = await backups.create();
  expect(next.copied).toBeGreaterThan(0);
  expect(next.copied).toBeLessThan(first.copied);
  expect(await backups.verify()).toEqual([]);
});

it('says of a dry run what the next backup would copy, and changes nothing', async () => {
  await someRuns();
  const whole = await backups.plan();
  expect(whole.copiedObjects).toBe(whole.objects);
  expect(whole.copiedBytes).toBe(whole.bytes);
  expect(existsSync(backups.folder('backup'))).toBe(false);
  const { copied } = await backups.create();
  // The configuration is copied too, which belongs to no table.
  expect(copied).toBe(whole.copiedObjects + 1);
  expect(await backups.plan()).toEqual({ ...whole, copiedObjects: 0, copiedBytes: 0 });
  backups.lab.source('next.csv', '50,zoe,5');
  await backups.lab.run();
  const before = backups.objects();
  const next = await backups.plan();
  expect(backups.objects()).toEqual(before);
  expect((await backups.create()).copied).toBe(next.copiedObjects);
});

it('brings a lake back that was deleted whole, row by row, and runs go on in it', async () => {
  await someRuns();
  const before = await backups.rowSets();
  await backups.create();
  rmSync(backups.folder('lake'), { recursive: true });
  await backups.restore();
  expect(await backups.rowSets()).toEqual(before);
  // Again changes nothing: what is there is the same.
  await backups.restore();
  expect(await backups.rowSets()).toEqual(before);
  const idle = await backups.lab.run();
  expect([idle.bronze, idle.silver]).toEqual([null, null]);
  backups.lab.source('next.csv', '50,zoe,5');
  expect((await backups.lab.run()).silver?.ledger.read).toBe(1);
  // Now there is another table, which nothing overwrites.
  await expect(backups.restore()).rejects.toMatchObject({ type: 'RESTORE_TARGET_EXISTS' });
});

it('restores one table as it was at a version into another lake', async () => {
  await someRuns(2);
  const old = await backups.lab.rows('silver/sales', 'id', 'ORDER BY id');
  const version = (await backups.lab.version('silver/sales')) ?? -1;
  await backups.create();
  backups.lab.source('later.csv', '60,late,6');
  await backups.lab.run();
  await backups.create();
  const into = pathToFileURL(backups.folder('other')).href;
  await backups.each({ task: 'restore', table: 'silver.sales', version, into }, (run, backup, table) =>
    backups.call('restoreTable', run, backup, table, into),
  );
  const store = new LocalObjectStore(backups.folder('other/silver/sales'));
  const snapshot = await new DeltaTable(store, { engine: backups.lab.deps.engine }).snapshot();
  expect(snapshot.version).toBe(version);
  const scan = await checkoutScan(store, snapshot);
  const session = await backups.lab.deps.engine.open({ inputs: scan.inputs });
  expect(
    await session.rows(`SELECT id FROM ${backups.lab.deps.engine.relation(scan.plan)} ORDER BY id`),
  ).toEqual(old);
  await session.close();
  scan.release();
  expect(await backups.lab.deps.lake.head('other')).toBeUndefined();
  await expect(
    backups.call('chooseBackup', backups.newRun(), { task: 'restore', table: 'silver.sales', version: 999 }),
  ).rejects.toMatchObject({ type: 'BACKUP_UNKNOWN' });
});

it('refuses a backup with one wrong byte, in a file or in its lists, and names it', async () => {
  await someRuns(1);
  const { id } = await backups.create();
  expect(await backups.verify()).toEqual([]);
  for (const [index, file] of backups.objects().entries()) {
    if (index % 3 !== 0) continue;
    const good = readFileSync(file);
    const bad = Buffer.from(good);
    bad[Math.floor(bad.length / 2)] = (bad[Math.floor(bad.length / 2)] ?? 0) ^ 1;
    writeFileSync(file, bad);
    const problems = await backups.verify();
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(path.basename(file));
    expect(problems[0]).toMatch(/^(project|[a-z]+\.[a-z]+)\/.+/);
    writeFileSync(file, good);
  }
  const [some] = backups.objects();
  const kept = readFileSync(some ?? '');
  rmSync(some ?? '');
  expect((await backups.verify())[0]).toContain('is missing');
  // The next backup finds it gone and copies it again.
  expect((await backups.create()).copied).toBe(1);
  expect(readFileSync(some ?? '')).toEqual(kept);
  const manifest = backups.folder(`backup/backups/${id}/manifest.json`);
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('silver.sales', 'silver.saled'));
  await expect(
    backups.call('chooseBackup', backups.newRun(), { task: 'verify', backup: id }),
  ).rejects.toMatchObject({
    type: 'BACKUP_DAMAGED',
  });
});

it('drills: restores aside, compares the rows, leaves nothing, and says where they differ', async () => {
  await someRuns();
  await backups.create();
  const drill = () => backups.each({ task: 'drill' }, (...args) => backups.call('drillTable', ...args));
  expect(await drill()).toEqual([]);
  const left: string[] = [];
  for await (const { key } of backups.lab.deps.lake.list('_drill/')) left.push(key);
  expect(left).toEqual([]);
  // Silver as it is published now was changed behind the log's back: another table's rows in its place.
  const silver = backups.folder('lake/silver/sales');
  const [one, other] = readdirSync(silver).filter((name) => name.endsWith('.parquet'));
  writeFileSync(path.join(silver, one ?? ''), readFileSync(path.join(silver, other ?? '')));
  expect((await drill()).join()).toContain('silver.sales: 1 rows are not in the restored copy');
});

it('lets backups go by age, and objects only when no backup names them', async () => {
  await someRuns();
  const first = await backups.create();
  backups.lab.source('1.csv', '1,name1,1', '2,changed,9');
  await backups.lab.run();
  await backups.lab.table('silver/sales').optimize();
  const before = backups.objects().length;
  backups.lab.passDays(100);
  // A hundred days later, and once more in the same week: the earlier of the two stays for thirty days.
  const second = await backups.create();
  backups.lab.passDays(400);
  const third = await backups.create();
  const pruned = await backups.call('pruneBackups', third.run);
  expect(pruned.backups).toBe(2);
  for (const id of [first.id, second.id])
    await expect(
      backups.call('chooseBackup', backups.newRun(), { task: 'verify', backup: id }),
    ).rejects.toMatchObject({
      type: 'BACKUP_UNKNOWN',
    });
  expect(pruned.objects).toBeGreaterThan(0);
  expect(backups.objects().length).toBeLessThan(before + third.copied + second.copied);
  expect(await backups.verify()).toEqual([]);
  expect(await backups.call('pruneBackups', third.run)).toEqual({ backups: 0, objects: 0, bytes: 0 });
});
