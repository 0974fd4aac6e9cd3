/**
 * The backup as a store: objects by their sha256 below `objects/`, one part per table and one manifest per backup below
 * `backups/<id>/`. The manifest is written last: without it there is no such backup.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { BackupManifest, BackupObject, BackupPart, BackupTable } from '../contracts/backup.js';
import { DatalabError } from '../contracts/errors.js';
import { mapLimited, ObjectNotFoundError, type ObjectStore } from '../delta/index.js';

const PARALLEL = 8;

export class BackupStore {
  constructor(readonly store: ObjectStore) {}

  static objectKey(sha256: string): string {
    return `objects/${sha256.slice(0, 2)}/${sha256}`;
  }

  /** Copies a local file in, unless its bytes are there. Says whether it had to. Throws where the copy has another size. */
  async add(localPath: string, sha256: string, sizeBytes: number, signal: AbortSignal): Promise<boolean> {
    const key = BackupStore.objectKey(sha256);
    const there = await this.store.head(key);
    if (there?.sizeBytes === sizeBytes) return false;
    // One that is there with another size was cut short by whatever wrote it: it is written again.
    await this.store.putFile(key, localPath, { signal });
    const written = await this.store.head(key);
    if (written?.sizeBytes === sizeBytes) return true;
    throw new DatalabError(
      'BACKUP_DAMAGED',
      `${this.store.uri}/${key} has ${written?.sizeBytes ?? 0} bytes after it was written, and not ${sizeBytes}`,
    );
  }

  async has({ sha256, sizeBytes }: BackupObject): Promise<boolean> {
    return (await this.store.head(BackupStore.objectKey(sha256)))?.sizeBytes === sizeBytes;
  }

  /** A local copy, read and compared with its sha256. The problem in words where it is not what it should be. */
  async check(
    { key, sizeBytes, sha256 }: BackupObject,
    where: string,
    signal: AbortSignal,
    use: (localPath: string) => Promise<void> = () => Promise.resolve(),
  ): Promise<string | null> {
    const object = BackupStore.objectKey(sha256);
    try {
      const files = await this.store.checkout([object], { signal });
      try {
        const found = await hashOf(files.pathOf(object));
        if (found.sha256 !== sha256 || found.sizeBytes !== sizeBytes)
          return `${where}/${key}: its copy ${object} is not what was backed up`;
        await use(files.pathOf(object));
        return null;
      } finally {
        files.release();
      }
    } catch (error) {
      if (!(error instanceof ObjectNotFoundError)) throw error;
      return `${where}/${key}: its copy ${object} is missing`;
    }
  }

  async writePart(id: string, table: BackupTable): Promise<BackupPart> {
    const key = `backups/${id}/${table.table}.json`;
    const bytes = new TextEncoder().encode(JSON.stringify(table));
    await this.store.put(key, bytes);
    const objects = [...table.data, ...table.log];
    return {
      ...{ table: table.table, version: table.version, key, sha256: sha256Of(bytes) },
      ...{ files: objects.length, bytes: objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) },
    };
  }

  /** Throws BACKUP_DAMAGED where the part is not the one that the manifest names. */
  async readPart({ key, sha256, table }: BackupPart): Promise<BackupTable> {
    const bytes = await this.store.get(key).catch((error: unknown) => {
      if (error instanceof ObjectNotFoundError) return undefined;
      throw error;
    });
    if (bytes === undefined || sha256Of(bytes) !== sha256)
      throw new DatalabError(
        'BACKUP_DAMAGED',
        `${this.store.uri}/${key}, which lists the files of ${table}, is missing or not what was written`,
      );
    return JSON.parse(new TextDecoder().decode(bytes)) as BackupTable;
  }

  async seal(manifest: BackupManifest): Promise<void> {
    const bytes = new TextEncoder().encode(JSON.stringify({ manifest, sha256: manifestHash(manifest) }));
    await this.store.put(manifestKey(manifest.id), bytes);
  }

  /** Throws BACKUP_UNKNOWN, BACKUP_DAMAGED. */
  async manifest(id: string): Promise<BackupManifest> {
    const bytes = await this.store.get(manifestKey(id)).catch((error: unknown) => {
      if (error instanceof ObjectNotFoundError) return undefined;
      throw error;
    });
    if (!bytes) throw new DatalabError('BACKUP_UNKNOWN', `there is no backup '${id}' in ${this.store.uri}`);
    const damaged = new DatalabError(
      'BACKUP_DAMAGED',
      `${this.store.uri}/${manifestKey(id)} is not what was written`,
    );
    let read: { readonly manifest: BackupManifest; readonly sha256: string };
    try {
      read = JSON.parse(new TextDecoder().decode(bytes)) as typeof read;
    } catch {
      throw damaged;
    }
    if (manifestHash(read.manifest) !== read.sha256) throw damaged;
    return read.manifest;
  }

  /** Ids of the backups, oldest first: they begin with their time. */
  async ids(): Promise<string[]> {
    const found: string[] = [];
    for await (const { key } of this.store.list('backups/')) {
      const id = /^backups\/([^/]+)\/manifest\.json$/.exec(key)?.[1];
      if (id !== undefined) found.push(id);
    }
    return found;
  }

  async newest(): Promise<BackupManifest | undefined> {
    const id = (await this.ids()).at(-1);
    return id === undefined ? undefined : this.manifest(id);
  }

  /** The sha256 of everything that a backup names. */
  async named(manifest: BackupManifest): Promise<string[]> {
    const parts = await mapLimited(manifest.tables, PARALLEL, (part) => this.readPart(part));
    const objects = parts.flatMap(({ data, log }) => [...data, ...log]);
    return [...objects, ...manifest.extras].map(({ sha256 }) => sha256);
  }
}

export function manifestKey(id: string): string {
  return `backups/${id}/manifest.json`;
}

/** sha256 in hex and length of a local file, read as a stream. */
export async function hashOf(localPath: string): Promise<{ sha256: string; sizeBytes: number }> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(localPath), hash);
  const { size } = await stat(localPath);
  return { sha256: hash.digest('hex'), sizeBytes: size };
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function manifestHash(manifest: BackupManifest): string {
  return sha256Of(new TextEncoder().encode(JSON.stringify(manifest)));
}
