/**
 * The flow `lakeMaintenance` on the real Temporal server, over and over, beside writers and readers: the workers of its pool
 * are killed with SIGKILL in the middle of tables, the writers at any moment. The tables have a history of forty days ago, so
 * that retention, VACUUM and the clean-up of logs have something to take too. Every version inside the retention must be
 * what a plain model says, whenever it is read, and nothing is lost or doubled at the end.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createDuckDbEngine } from '../../src/connectors/duckdb/engine.js';
import { openObjectStore } from '../../src/connectors/object-store/index.js';
import { TASK_QUEUES } from '../../src/contracts/flows.js';
import type { LakeMaintenanceSummary } from '../../src/contracts/lake-maintenance.js';
import { DeltaTable, type Engine, type ObjectStore } from '../../src/delta/index.js';
import { readWithDeltaRs, TEST_PYTHON } from '../support/delta-rs.js';
import { ownNamespace } from '../support/namespace.js';
import { seedOf } from '../support/seed.js';
import { testStack, type TestStack } from '../support/stack.js';
import { WorkerProcess, type Environment } from '../support/worker-process.js';
import { Actor, Ledger, randomOf, rowsAt, sorted } from './ledger.js';

const DAY_MS = 86_400_000;
const KEPT_MS = 7 * DAY_MS;
const OLD_MS = 40 * DAY_MS;
const TABLES = ['silver/one', 'silver/two'] as const;
/** Of the old rows those with a smaller number are past the retention of their table. */
const EXPIRED = 40;
/** What the test waits for: with less nothing much was tried. */
const ENOUGH = {
  flows: 2,
  workerKills: 3,
  writerKills: 2,
  operations: 20,
  reads: 20,
  optimized: 2,
  vacuumed: 1,
};
/** It hangs, rather than being slow. */
const PATIENCE_MS = 240_000;

const FIELDS = [
  ...[['writer', 'string'] as const, ['id', 'long'] as const, ['value', 'long'] as const],
  ['day', 'date'] as const,
].map(([name, type]) => ({ name, type, nullable: true, metadata: {} }));

/** Commits of forty days ago: rows that retention takes and others, files that left the table, a checkpoint, small files. */
async function oldHistory(store: ObjectStore, engine: Engine, folder: string): Promise<void> {
  const clock = { nowMs: () => Date.now() - OLD_MS };
  const table = new DeltaTable(store, { engine, scratchDirectory: folder, clock });
  await table.create({ type: 'struct', fields: FIELDS }, { properties: { 'delta.checkpointInterval': '5' } });
  const append = (number: number) =>
    table.append(
      {
        sql:
          `SELECT 'old' AS writer, ${number * 10} + i AS id, i::BIGINT AS value, ` +
          `DATE '${number * 10 < EXPIRED ? '2001-02-03' : '2099-02-03'}' AS day FROM range(10) r(i)`,
      },
      { info: { op: { writer: 'old', number, kind: 'append', from: number * 10, count: 10 } } },
    );
  for (let number = 0; number < 22; number += 1) await append(number);
  for (const rest of [1, 2])
    await table.delete({
      where: `id % 7 = ${rest}`,
      info: { op: { writer: 'old', number: 100 + rest, kind: 'delete', modulus: 7, rest, by: 0 } },
    });
  await table.checkpoint();
  for (let number = 22; number < 32; number += 1) await append(number);
}

/** Data files that no version of the table needs any more, each as a look whether it is still there. */
async function departedFiles(table: DeltaTable): Promise<Array<() => Promise<unknown>>> {
  const { files } = await table.snapshot();
  const live = new Set(files.map(({ path: key }) => key));
  const departed: string[] = [];
  for await (const { key } of table.store.list(''))
    if (key.endsWith('.parquet') && !key.startsWith('_delta_log/') && !live.has(key)) departed.push(key);
  return departed.map((key) => () => table.store.head(key));
}

/** Gives every file below the folder the time that its table's clock had. */
function backdate(folder: string): void {
  const at = (Date.now() - OLD_MS) / 1000;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) utimesSync(path.join(entry.parentPath, entry.name), at, at);
}

/** Two workers of the pool, one of which is killed whenever it works on a table; another takes its place. */
class Pool {
  kills = 0;
  readonly #workers = new Map<number, WorkerProcess>();

  constructor(
    private readonly env: Environment,
    private readonly project: string,
    private readonly random: () => number,
  ) {}

  async add(): Promise<void> {
    const worker = await WorkerProcess.start(this.env, ['maintenance'], this.project);
    this.#workers.set(worker.pid, worker);
  }

  /** Kills the worker with the identity `pid@host` at some moment of its work. */
  async strike(identity: string): Promise<void> {
    const worker = this.#workers.get(Number(identity.split('@')[0]));
    if (!worker?.running) return;
    await delay(this.random() ** 2 * 1500);
    await worker.kill();
    this.#workers.delete(worker.pid);
    this.kills += 1;
    await this.add();
  }

  async end(): Promise<void> {
    await Promise.all([...this.#workers.values()].map((worker) => worker.kill()));
  }
}

describe('the flow lakeMaintenance with its workers killed at random, beside writers and readers', () => {
  let stack: TestStack;
  let connection: Connection;
  let client: Client;
  let namespace: string;
  let folder: string;
  const ending: Array<() => unknown> = [];
  beforeAll(async () => {
    stack = await testStack('s3', 'temporal');
    namespace = await ownNamespace(stack.temporal.address, 'lake-maintenance');
    connection = await Connection.connect({ address: stack.temporal.address });
    client = new Client({ connection, namespace });
    folder = mkdtempSync(path.join(tmpdir(), 'datalab-lake-maintenance-'));
  }, 180_000);
  afterEach(async () => {
    for (const end of ending.splice(0)) await end();
  });
  afterAll(async () => {
    await connection?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(['local files', 'the S3 gateway'] as const)(
    'loses and doubles nothing, on %s',
    async (place) => {
      const seed = seedOf(place === 'local files' ? 31 : 47);
      const random = randomOf(seed);
      const own = mkdtempSync(path.join(folder, 'case-'));
      const { endpoint, region, accessKeyId, secretAccessKey, bucket } = stack.s3;
      const s3 = { endpoint, region, accessKeyId, secretAccessKey };
      const isLocal = place === 'local files';
      const prefix = `lake-maintenance/${randomUUID()}`;
      const lakeFolder = isLocal
        ? path.join(own, 'lake')
        : path.join(stack.env['DATALAB_STATE_DIR'] ?? '', 'data', 's3', bucket, prefix);
      const lakeUri = isLocal ? pathToFileURL(lakeFolder).href : `s3://${bucket}/${prefix}`;
      const engine = createDuckDbEngine({
        ...{ memoryLimit: '300MB', threads: 1, spillDirectory: path.join(own, 'spill') },
      });
      const lake = openObjectStore(lakeUri, { s3, cacheDirectory: path.join(own, 'cache'), cacheBytes: 1e8 });
      for (const name of TABLES) await oldHistory(lake.at(name), engine, own);
      backdate(lakeFolder);
      const ledgers = TABLES.map(
        (name) =>
          new Ledger(
            new DeltaTable(lake.at(name), { engine, scratchDirectory: own }),
            KEPT_MS,
            // Of `two` rows stay for ever.
            (rows) =>
              new Map(
                [...rows].filter(([key]) => !(key.startsWith('old ') && Number(key.slice(4)) < EXPIRED)),
              ),
          ),
      );
      for (const ledger of ledgers) await ledger.follow();
      const firstKept = ledgers.map(({ infos }) => infos.length - 1);
      const departed = await Promise.all(ledgers.map(({ table }) => departedFiles(table)));

      const project = path.join(own, 'project');
      mkdirSync(path.join(project, 'datasets'), { recursive: true });
      writeFileSync(
        path.join(project, 'datalab.yaml'),
        'maintenance: { retention: { tables: [{ table: silver.one, column: day, days: 365 }] } }\n',
      );
      const env: Environment = {
        ...stack.env,
        DATALAB_LAKE_URI: lakeUri,
        DATALAB_DATASETS_DIRECTORY: path.join(project, 'datasets'),
        DATALAB_CACHE_DIRECTORY: path.join(own, 'worker-cache'),
        DATALAB_SCRATCH_DIRECTORY: path.join(own, 'scratch'),
        DATALAB_HEARTBEAT_SECONDS: '5',
        DATALAB_KAFKA_ENABLED: 'false',
        TEMPORAL_NAMESPACE: namespace,
      };
      const flows = await WorkerProcess.start(env, ['flows'], project);
      const pool = new Pool(env, project, randomOf(seed + 9));
      ending.push(
        () => flows.kill(),
        () => pool.end(),
      );
      await Promise.all([pool.add(), pool.add()]);
      const writers = TABLES.map((name, index) => {
        // Changes pack the files that they touch: few of them, so that something is left to pack.
        const how = {
          role: 'writer',
          appends: 28,
          seed: seed + index,
          uri: lake.at(name).uri,
          s3,
          folder: own,
        };
        return new Actor(`writer${index}`, how, randomOf(seed + index));
      });
      const writing = writers.map((writer) => writer.run());
      ending.push(() => writers.forEach((writer) => writer.stop()));

      const done = {
        ...{ flows: 0, workerKills: 0, writerKills: 0, operations: 0, reads: 0, optimized: 0, vacuumed: 0 },
      };
      const isEnough = (): boolean =>
        (Object.keys(ENOUGH) as Array<keyof typeof ENOUGH>).every((key) => done[key] >= ENOUGH[key]);
      const began = Date.now();
      const isOver = (): boolean => isEnough() || Date.now() - began > PATIENCE_MS;
      const worked: string[] = [];

      const maintain = async (): Promise<void> => {
        for (;;) {
          const handle = await client.workflow.start('lakeMaintenance', {
            ...{ workflowId: `maintenance-${randomUUID()}`, taskQueue: TASK_QUEUES.flows, args: [] },
          });
          const result = handle.result() as Promise<LakeMaintenanceSummary>;
          let running = true;
          const hunt = (async () => {
            while (running) {
              const { raw } = await handle.describe();
              const busy = (raw.pendingActivities ?? []).find(
                // The third attempt is the last.
                ({ activityType, state, attempt, lastWorkerIdentity }) =>
                  activityType?.name === 'tendTable' &&
                  state === 2 &&
                  (attempt ?? 1) < 3 &&
                  lastWorkerIdentity,
              );
              if (busy && random() < 0.6) await pool.strike(busy.lastWorkerIdentity ?? '');
              else await delay(60);
            }
          })();
          const summary = await result.finally(() => (running = false));
          await hunt;
          worked.push(...summary.worked.map(({ table, detail }) => `${table} ${detail}`));
          expect(summary.outcomes.failed, JSON.stringify(summary.worked)).toBe(0);
          expect(summary.problems).toEqual([]);
          expect([summary.unreadable, summary.damaged]).toEqual([0, 0]);
          done.flows += 1;
          if (isOver()) return;
        }
      };
      const read = async (): Promise<void> => {
        while (!isOver()) {
          for (const [index, ledger] of ledgers.entries()) {
            const newest = await ledger.follow();
            const least = firstKept[index] ?? 0;
            const version = least + Math.floor(random() * (newest - least + 1));
            const rows = await rowsAt(ledger.table.store, engine, own, version);
            expect(rows, `${TABLES[index]} version ${version}`).toEqual(
              sorted(ledger.states[version] ?? new Map()),
            );
            done.reads += 1;
            // What is older may be gone, and is never something else.
            const older = Math.floor(random() * least);
            const stale = await rowsAt(ledger.table.store, engine, own, older).catch(() => undefined);
            if (stale) expect(stale).toEqual(sorted(ledger.states[older] ?? new Map()));
          }
          const said = writers.flatMap((writer) => writer.said);
          expect(said.filter((line) => 'failed' in line)).toEqual([]);
          done.operations = ledgers.reduce((sum, ledger) => sum + ledger.landed().length, 0) - 2 * 34;
          done.workerKills = pool.kills;
          done.writerKills = writers.reduce((sum, { kills }) => sum + kills, 0);
          done.optimized = ledgers
            .flatMap(({ infos }) => infos)
            .filter(({ operation }) => operation === 'OPTIMIZE').length;
          // By what is gone: an attempt that was killed after its VACUUM leaves nothing to tell for the next one.
          const left = await Promise.all(departed.flat().map((file) => file()));
          done.vacuumed = left.filter((found) => found === undefined).length;
          await delay(50);
        }
      };
      await Promise.all([maintain(), read()]);
      writers.forEach((writer) => writer.stop());
      await Promise.all(writing);
      for (const key of Object.keys(ENOUGH) as Array<keyof typeof ENOUGH>)
        expect(done[key], `${key}: ${JSON.stringify({ done, worked })}`).toBeGreaterThanOrEqual(ENOUGH[key]);

      for (const [index, ledger] of ledgers.entries()) {
        const name = TABLES[index] ?? '';
        const newest = await ledger.follow();
        // Nothing is lost, nothing is there twice: by number, and row by row at every version inside the retention.
        const landed = ledger.landed().map(({ writer, number }) => `${writer} ${number}`);
        expect(new Set(landed).size).toBe(landed.length);
        for (const number of writers[index]?.acknowledged() ?? [])
          expect(landed).toContain(`writer${index} ${number}`);
        for (let version = firstKept[index] ?? 0; version <= newest; version += 1)
          expect(await rowsAt(ledger.table.store, engine, own, version), `${name} ${version}`).toEqual(
            sorted(ledger.states[version] ?? new Map()),
          );
        expect((await ledger.table.fsck({ statistics: true })).findings).toEqual([]);
        // The log of forty days ago is gone, whoever of the killed workers took it.
        const oldest = [];
        for await (const { key } of ledger.table.store.list('_delta_log/'))
          if (/\/0{19}\d\.json$/.test(key)) oldest.push(key);
        expect(oldest, name).toEqual([]);
        if (TEST_PYTHON === undefined) continue;
        const storage = {
          ...{ AWS_ENDPOINT_URL: endpoint, AWS_REGION: region, AWS_ALLOW_HTTP: 'true' },
          ...{ AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
        };
        const theirs = await readWithDeltaRs(
          isLocal ? path.join(lakeFolder, name) : `${lakeUri}/${name}`,
          'SELECT writer, id, value FROM t',
          isLocal ? {} : { storage },
        );
        expect(theirs.version).toBe(newest);
        expect(theirs.rows.map(({ writer, id, value }) => `${writer} ${id} ${value}`).sort()).toEqual(
          sorted(ledger.states[newest] ?? new Map()),
        );
      }
      // Retention took from `one` alone.
      const expired = ledgers.map(({ infos }) =>
        infos.some((info) => (info['datalab'] as { kind?: string } | undefined)?.kind === 'retention'),
      );
      expect(expired).toEqual([true, false]);
    },
    300_000,
  );
});
