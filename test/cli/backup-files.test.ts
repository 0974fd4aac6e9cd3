/** The files of a project out of a backup: as they were, whole or not at all, and never over others. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { restoreFiles } from '../../src/cli/backup-files.js';
import { BackupStore } from '../../src/lake/backup-store.js';
import { BackupLab } from '../activities/backup-lab.js';
import { parseCommand } from '../support/command-line.js';

let backups: BackupLab;
afterEach(() => backups?.close());
const signal = new AbortController().signal;
const KEY = 'datasets/sales/dataset.yaml';

async function made(): Promise<{ store: BackupStore; id: string; original: string }> {
  backups = new BackupLab();
  await backups.someRuns(1);
  const { id } = await backups.create();
  return {
    ...{ store: new BackupStore(backups.store), id },
    original: readFileSync(backups.folder(KEY), 'utf8'),
  };
}

it('puts them where they are asked for, the newest backup by default or the one that is named', async () => {
  const { store, id, original } = await made();
  writeFileSync(backups.folder(KEY), `${original}\n# later`);
  const later = await backups.create();
  const back = async (backup: string | undefined, name: string): Promise<string> => {
    const done = await restoreFiles(store, backup, backups.folder(name), signal);
    expect(done).toMatchObject({ backup: backup ?? later.id, files: [KEY] });
    return readFileSync(path.join(backups.folder(name), KEY), 'utf8');
  };
  expect(await back(undefined, 'newest')).toBe(`${original}\n# later`);
  expect(await back(id, 'first')).toBe(original);
});

it('overwrites nothing, and writes nothing that is not what was backed up', async () => {
  const { store, id } = await made();
  const there = path.join(backups.folder('there'), KEY);
  mkdirSync(path.dirname(there), { recursive: true });
  writeFileSync(there, 'mine');
  await expect(restoreFiles(store, id, backups.folder('there'), signal)).rejects.toMatchObject({
    code: 'RESTORE_TARGET_EXISTS',
  });
  expect(readFileSync(there, 'utf8')).toBe('mine');

  const [object] = (await store.manifest(id)).extras;
  const copy = backups.folder(`backup/${BackupStore.objectKey(object?.sha256 ?? '')}`);
  writeFileSync(copy, readFileSync(copy, 'utf8').replace('sales', 'salez'));
  await expect(restoreFiles(store, id, backups.folder('bad'), signal)).rejects.toMatchObject({
    code: 'BACKUP_DAMAGED',
    message: expect.stringContaining(KEY) as string,
  });
  expect(() => readFileSync(path.join(backups.folder('bad'), KEY))).toThrow();
});

it('lets no name lead out of the folder', async () => {
  const { store, id } = await made();
  const manifest = await store.manifest(id);
  const [object] = manifest.extras;
  if (!object) throw new Error('there is one');
  await store.seal({ ...manifest, id: 'zz', extras: [{ ...object, key: '../../escaped' }] });
  await expect(restoreFiles(store, 'zz', backups.folder('in'), signal)).rejects.toMatchObject({
    code: 'BACKUP_DAMAGED',
  });
});

it.each([
  ['7', true],
  ['2026-11-24T06:00:00Z', true],
  ['yesterday', false],
  ['-1', false],
])('restore takes %s for a version or a time: %s', async (to, good) => {
  const parsed = parseCommand(['backup', 'restore', '--table', 'silver.sales', '--to', to]);
  await (good ? expect(parsed).resolves.toBeUndefined() : expect(parsed).rejects.toThrow());
});
