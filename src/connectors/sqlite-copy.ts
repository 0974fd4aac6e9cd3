/** A copy of an SQLite database that somebody may be writing: one moment of it, whole. */
import { open } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { createClient } from '@libsql/client';
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
 * what is not. Throws BACKUP_SOURCE_DAMAGED where it cannot be read.
 */
export async function copySqlite(from: string, to: string): Promise<void> {
  const client = createClient({ url: pathToFileURL(from).href });
  try {
    await client.execute('PRAGMA busy_timeout = 10000');
    await client.execute({ sql: 'VACUUM INTO ?', args: [to] });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new DatalabError('BACKUP_SOURCE_DAMAGED', `${from} could not be copied: ${why}`, { cause: error });
  } finally {
    client.close();
  }
}
