/** A copy of an SQLite database that somebody may be writing: one moment of it, whole. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { createClient, type Client } from '@libsql/client';
import { DatalabError } from '../contracts/errors.js';

const HEADER = 'SQLite format 3\0';

/** Whether a file is an SQLite database, by its first bytes. */
export async function isSqlite(file: string): Promise<boolean> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEADER.length), 0, HEADER.length, 0);
    return bytesRead === HEADER.length && buffer.toString('latin1') === HEADER;
  } finally {
    await handle.close();
  }
}

/**
 * Writes a database to a new file as it is at one moment: what is committed, its write-ahead log included, and nothing of
 * what is not. Whoever writes it waits while its bytes are copied. Throws BACKUP_SOURCE_DAMAGED where it cannot be read.
 *
 * The bytes are copied under a read transaction, which no commit may change the file under (and no checkpoint may begin the
 * log anew under). `VACUUM INTO` would do more, and fails on Temporal's own database: it runs the definitions of its tables
 * again, and those have names in double quotes where this SQLite wants text in single ones.
 */
export async function copySqlite(from: string, to: string): Promise<void> {
  let client: Client | undefined;
  try {
    client = createClient({ url: pathToFileURL(from).href });
    await client.execute('PRAGMA busy_timeout = 10000');
    const reading = await client.transaction('read');
    try {
      await reading.execute('SELECT count(*) FROM sqlite_master');
      await copyBytes(from, to);
      if (existsSync(`${from}-wal`)) await copyBytes(`${from}-wal`, `${to}-wal`);
    } finally {
      reading.close();
    }
    await intoOneFile(to);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new DatalabError('BACKUP_SOURCE_DAMAGED', `${from} could not be copied: ${why}`, { cause: error });
  } finally {
    client?.close();
  }
}

/** By another process: closing a file of a database takes every lock that its own process holds on it. */
async function copyBytes(from: string, to: string): Promise<void> {
  await promisify(execFile)('cp', ['--', from, to]);
}

/** Takes the log that was copied along into the file, and reads the file once. */
async function intoOneFile(file: string): Promise<void> {
  const copy = createClient({ url: pathToFileURL(file).href });
  try {
    if (existsSync(`${file}-wal`)) await copy.execute('PRAGMA wal_checkpoint(TRUNCATE)');
    const [row] = (await copy.execute('PRAGMA quick_check(1)')).rows;
    if (row?.['quick_check'] !== 'ok')
      throw new Error(`the copy is damaged: ${String(row?.['quick_check'])}`);
  } finally {
    copy.close();
  }
  await Promise.all(['-wal', '-shm'].map((ending) => rm(`${file}${ending}`, { force: true })));
}
