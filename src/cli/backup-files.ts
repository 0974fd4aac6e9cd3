/** The files of a project out of a backup: configuration, datasets, the stores of services. Needs no service but the store. */
import { constants } from 'node:fs';
import { copyFile, mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { BackupObject } from '../contracts/backup.js';
import { DatalabError } from '../contracts/errors.js';
import type { BackupStore } from '../lake/backup-store.js';

export interface FilesRestored {
  readonly backup: string;
  readonly folder: string;
  readonly files: readonly string[];
  readonly bytes: number;
}

/**
 * Puts the files of a backup, the newest by default, into a folder: `datalab.yaml`, `datasets/…`, `mlflow/…`,
 * `temporal/…`, each compared with its checksum. Nothing is overwritten. Throws BACKUP_UNKNOWN, BACKUP_DAMAGED,
 * RESTORE_TARGET_EXISTS, the latter two before anything is written where they can be told then.
 */
export async function restoreFiles(
  backup: BackupStore,
  id: string | undefined,
  folder: string,
  signal: AbortSignal,
): Promise<FilesRestored> {
  const manifest = id === undefined ? await backup.newest() : await backup.manifest(id);
  if (!manifest) throw new DatalabError('BACKUP_UNKNOWN', `${backup.store.uri} holds no backup`);
  const places = manifest.extras.map((object) => ({ object, file: placeOf(object, folder) }));
  for (const { file } of places)
    if (await stat(file).catch(() => undefined))
      throw new DatalabError('RESTORE_TARGET_EXISTS', `${file} is there already`);
  for (const { object, file } of places) {
    const problem = await backup.check(object, 'project', signal, async (copy) => {
      await mkdir(path.dirname(file), { recursive: true });
      await copyFile(copy, file, constants.COPYFILE_EXCL);
    });
    if (problem !== null) throw new DatalabError('BACKUP_DAMAGED', problem);
  }
  return {
    ...{ backup: manifest.id, folder, files: manifest.extras.map(({ key }) => key) },
    bytes: manifest.extras.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  };
}

/** A manifest is data of somebody else: no name in it leads out of the folder. */
function placeOf({ key }: BackupObject, folder: string): string {
  const file = path.resolve(folder, key);
  if (file.startsWith(`${path.resolve(folder)}${path.sep}`)) return file;
  throw new DatalabError('BACKUP_DAMAGED', `'${key}' is no name of a file in a backup`);
}
