/** Copies of databases that are being written: one moment of them, whole; Temporal's own among them. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { createClient } from '@libsql/client';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { copySqlite } from '../../src/connectors/sqlite-copy.js';
import { testStack } from '../support/stack.js';

const folder = mkdtempSync(path.join(tmpdir(), 'datalab-sqlite-'));
const writers: ChildProcess[] = [];
afterAll(() => {
  for (const writer of writers) writer.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

async function count(file: string, table: string): Promise<number> {
  const client = createClient({ url: pathToFileURL(file).href });
  try {
    return Number((await client.execute(`SELECT count(*) AS n FROM ${table}`)).rows[0]?.['n']);
  } finally {
    client.close();
  }
}

/** Another process that adds a row to two tables at a time, without end; resolves once it has begun. */
function write(file: string, journal: string): Promise<void> {
  const program = `
    import { createClient } from '@libsql/client';
    const client = createClient({ url: ${JSON.stringify(pathToFileURL(file).href)} });
    await client.execute('PRAGMA journal_mode = ${journal}');
    await client.execute('PRAGMA busy_timeout = 10000');
    await client.batch(['CREATE TABLE a (n INT, pad TEXT)', 'CREATE TABLE b (n INT, pad TEXT)'], 'write');
    for (let n = 0; ; n++) {
      const args = [n, 'x'.repeat(500)];
      await client.batch(['a', 'b'].map((table) => ({ sql: 'INSERT INTO ' + table + ' VALUES (?, ?)', args })), 'write');
      if (n === 20) process.stdout.write('begun');
    }`;
  const writer = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: path.join(import.meta.dirname, '../..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  writers.push(writer);
  return new Promise((resolve, reject) => {
    writer.stdout.once('data', () => resolve());
    writer.once('exit', (code) => reject(new Error(`the writer ended with ${code}`)));
  });
}

describe.each(['wal', 'delete'])('a database that is written, with its journal in mode %s', (journal) => {
  it('is copied as it was between two transactions', async () => {
    const file = path.join(folder, `${journal}.db`);
    await write(file, journal);
    let before = 0;
    for (let round = 0; round < 8; round++) {
      const copy = path.join(folder, `${journal}-${round}.db`);
      await copySqlite(file, copy);
      expect([existsSync(`${copy}-wal`), existsSync(`${copy}-shm`)]).toEqual([false, false]);
      const [a, b] = [await count(copy, 'a'), await count(copy, 'b')];
      expect(a).toBe(b);
      expect(a).toBeGreaterThan(before);
      before = a;
      // On a busy machine a writer that waits for its lock may miss the moment between two copies. Whoever asks may find it locked.
      while ((await count(file, 'a').catch(() => 0)) <= before) await pause(20);
    }
    writers.at(-1)?.kill('SIGKILL');
  }, 60_000);
});

it('Temporal’s own database is copied while it runs', async () => {
  const { env } = await testStack('temporal');
  const file = path.join(env['DATALAB_STATE_DIR'] ?? '', 'data', 'temporal', 'temporal.db');
  const copy = path.join(folder, 'temporal.db');
  await copySqlite(file, copy);
  expect(await count(copy, 'namespaces')).toBeGreaterThan(0);
  expect(await count(copy, 'executions_visibility')).toBeGreaterThanOrEqual(0);
}, 120_000);

it('what is no database is refused by a code', async () => {
  await expect(
    copySqlite(path.join(folder, 'none', 'x.db'), path.join(folder, 'y.db')),
  ).rejects.toMatchObject({
    code: 'BACKUP_SOURCE_DAMAGED',
  });
});
