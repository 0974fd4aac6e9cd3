/**
 * Maintenance beside writers and readers, all of them killed with SIGKILL at random: processes append, delete and update by
 * seeded, numbered operations while others pack, vacuum, checkpoint, clean the log and compare. A plain model replays the
 * operations that landed, in the order of the versions; every version inside the retention must be it, whenever it is read.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { createDuckDbEngine } from '../../src/connectors/duckdb/engine.js';
import { openObjectStore } from '../../src/connectors/object-store/index.js';
import { DeltaTable } from '../../src/delta/index.js';
import { readWithDeltaRs, TEST_PYTHON } from '../support/delta-rs.js';
import { seedOf } from '../support/seed.js';
import { testStack, type TestStack } from '../support/stack.js';
import { SPARK_IS_PREPARED, SparkSession } from '../spark/session.js';
import { Actor, Ledger, randomOf, rowsAt as rowsOfVersion, sorted } from './ledger.js';

const RETENTION_MS = 30_000;
const PROPERTIES = {
  'delta.deletedFileRetentionDuration': 'interval 30 seconds',
  'delta.logRetentionDuration': 'interval 30 seconds',
  'delta.checkpointInterval': '5',
};
/** What the test waits for: with less nothing much was tried. (The log goes by whole days, so none of it can go here.) */
const ENOUGH = { operations: 30, kills: 8, optimized: 1, vacuumed: 1, reads: 12 };
/** It hangs, rather than being slow. */
const PATIENCE_MS = 270_000;

describe('random maintenance beside random writers and readers, killed at random', () => {
  let stack: TestStack;
  let folder: string;
  beforeAll(async () => {
    stack = await testStack('s3');
    folder = mkdtempSync(path.join(tmpdir(), 'datalab-maintenance-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  // Both at once: each waits for a good part of its time.
  it.concurrent.for(['local files', 'the S3 gateway'] as const)(
    'loses and doubles nothing, on %s',
    async (place, { expect, onTestFinished }) => {
      const seed = seedOf(place === 'local files' ? 11 : 23);
      const { endpoint, region, accessKeyId, secretAccessKey, bucket } = stack.s3;
      const s3 = { endpoint, region, accessKeyId, secretAccessKey };
      const uri =
        place === 'local files'
          ? pathToFileURL(path.join(folder, 'lake', 'table')).href
          : `s3://${bucket}/maintenance-faults/${randomUUID()}`;
      const own = mkdtempSync(path.join(folder, 'case-'));
      const engine = createDuckDbEngine({
        ...{ memoryLimit: '300MB', threads: 1, spillDirectory: path.join(own, 'spill') },
      });
      const store = openObjectStore(uri, { s3, cacheDirectory: path.join(own, 'cache'), cacheBytes: 1e8 });
      const table = new DeltaTable(store, { engine, scratchDirectory: own });
      await table.create(
        {
          type: 'struct',
          fields: [
            { name: 'writer', type: 'string', nullable: true, metadata: {} },
            { name: 'id', type: 'long', nullable: true, metadata: {} },
            { name: 'value', type: 'long', nullable: true, metadata: {} },
          ],
        },
        { properties: PROPERTIES },
      );
      const rowsAt = (version: number): Promise<string[]> => rowsOfVersion(store, engine, own, version);

      const ledger = new Ledger(table, RETENTION_MS);
      const request = (role: string, number: number) => ({ role, seed: seed + number, uri, s3, folder: own });
      const actors = [
        new Actor('writer1', request('writer', 1), randomOf(seed + 1)),
        new Actor('writer2', request('writer', 2), randomOf(seed + 2)),
        new Actor('maintainer1', request('maintainer', 3), randomOf(seed + 3)),
        new Actor('maintainer2', request('maintainer', 4), randomOf(seed + 4)),
      ];
      onTestFinished(() => actors.forEach((actor) => actor.stop()));
      const running = actors.map((actor) => actor.run());
      const done = { operations: 0, kills: 0, optimized: 0, vacuumed: 0, reads: 0 };
      const began = Date.now();
      const random = randomOf(seed);
      const isEnough = (): boolean =>
        (Object.keys(ENOUGH) as Array<keyof typeof ENOUGH>).every((key) => done[key] >= ENOUGH[key]);
      while (!isEnough() && Date.now() - began < PATIENCE_MS) {
        const newest = await ledger.follow();
        const kept = ledger.infos.map((_, version) => version).filter((version) => ledger.isKept(version));
        const version = kept[Math.floor(random() * kept.length)] ?? newest;
        try {
          expect(await rowsAt(version), `version ${version}`).toEqual(
            sorted(ledger.states[version] ?? new Map()),
          );
          done.reads += 1;
        } catch (error) {
          // Its time may have run out while it was read; then it may be gone, but never be something else.
          if (ledger.isKept(version) || (error as Error).name === 'AssertionError') throw error;
        }
        const said = actors.flatMap((actor) => actor.said);
        expect(said.filter((line) => 'failed' in line)).toEqual([]);
        expect(said.filter(({ findings }) => typeof findings === 'number' && findings > 0)).toEqual([]);
        const sum = (task: string, figure: string): number =>
          said
            .filter((line) => line['task'] === task)
            .reduce((total, line) => total + Number(line[figure] ?? 0), 0);
        done.operations = ledger.landed().length;
        done.kills = actors.reduce((total, { kills }) => total + kills, 0);
        // By the log: who was killed right after its commit could not say so.
        done.optimized = ledger.infos.filter(({ operation }) => operation === 'OPTIMIZE').length;
        done.vacuumed = sum('vacuum', 'deleted');
        // Once enough was read, the others need the processor more.
        await delay(done.reads < ENOUGH.reads ? 100 : 500);
      }
      actors.forEach((actor) => actor.stop());
      await Promise.all(running);
      await ledger.follow();
      for (const key of Object.keys(ENOUGH) as Array<keyof typeof ENOUGH>)
        expect(done[key], key).toBeGreaterThanOrEqual(ENOUGH[key]);

      // Nothing is lost, nothing is there twice: by number, and row by row.
      const landed = ledger.landed().map(({ writer, number }) => `${writer} ${number}`);
      expect(new Set(landed).size).toBe(landed.length);
      for (const actor of actors.filter(({ isWriter }) => isWriter))
        for (const number of actor.acknowledged()) expect(landed).toContain(`${actor.name} ${number}`);
      const newest = ledger.infos.length - 1;
      expect(await rowsAt(newest)).toEqual(sorted(ledger.states[newest] ?? new Map()));
      for (let version = newest - 1; version >= 0 && ledger.isKept(version); version -= 1) {
        const rows = await rowsAt(version).catch((error: unknown) => {
          if (ledger.isKept(version)) throw error;
        });
        if (rows) expect(rows, `version ${version}`).toEqual(sorted(ledger.states[version] ?? new Map()));
      }
      expect((await table.fsck({ statistics: true })).findings).toEqual([]);
      const whole = sorted(ledger.states[newest] ?? new Map());
      if (place === 'local files' && SPARK_IS_PREPARED)
        expect(await readWithSpark(path.join(folder, 'lake', 'table'))).toEqual(whole);
      if (TEST_PYTHON === undefined) return;
      const storage = {
        ...{ AWS_ENDPOINT_URL: endpoint, AWS_REGION: region, AWS_ALLOW_HTTP: 'true' },
        ...{ AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
      };
      const theirs = await readWithDeltaRs(
        place === 'local files' ? path.join(folder, 'lake', 'table') : uri,
        'SELECT writer, id, value FROM t',
        place === 'local files' ? {} : { storage },
      );
      expect(theirs.version).toBe(newest);
      expect(theirs.rows.map(({ writer, id, value }) => `${writer} ${id} ${value}`).sort()).toEqual(whole);
    },
  );
});

/** The rows that Spark finds, as the ledger writes them. (It reads folders; S3 would take jars of its own.) */
async function readWithSpark(folder: string): Promise<string[]> {
  const spark = new SparkSession();
  try {
    await spark.ready();
    const rows = await spark.sql(`SELECT writer, id, value FROM delta.\`${folder}\``);
    return rows.map(({ writer, id, value }) => `${String(writer)} ${String(id)} ${String(value)}`).sort();
  } finally {
    await spark.close();
  }
}
