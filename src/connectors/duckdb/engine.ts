/** The Engine of `src/delta` on DuckDB: one in-memory instance per session, locked down before it is handed out. */
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { literal, literalList } from '../../contracts/sql-text.js';
import type { Engine, EngineSession, ScanPlan, SessionOptions } from '../../delta/ports.js';
import { engineError } from './errors.js';
import { addMedianAndMad } from './median-and-mad.js';
import { relationSql } from './relation.js';
import { DuckDbSession } from './session.js';
import { sqlType } from './sql-type.js';

export interface DuckDbOptions {
  /** Memory of one session as DuckDB writes it, as in `1500MB`. The process takes 0.1 to 0.9 GB more. */
  readonly memoryLimit: string;
  /** Threads of one session; more than there are cores is slower. */
  readonly threads: number;
  /** Folder for what does not fit in memory. Each session has its own folder in it, and removes it. */
  readonly spillDirectory: string;
}

/** Makes the engine. Nothing is opened before {@link Engine.open}. */
export function createDuckDbEngine(options: DuckDbOptions): Engine {
  return {
    threads: options.threads,
    open: (session) => openSession(options, session),
    sqlType: (type) => sqlType(type),
    relation: (plan: ScanPlan) => relationSql(plan),
  };
}

async function openSession(engine: DuckDbOptions, session: SessionOptions): Promise<EngineSession> {
  session.signal?.throwIfAborted();
  const spill = join(resolve(engine.spillDirectory), `duckdb-${randomUUID()}`);
  await mkdir(spill, { recursive: true });
  const setUp = confinement(session);
  const { lanes = 1, unordered = false } = session;
  try {
    const instance = await DuckDBInstance.create(':memory:', {
      threads: String(Math.max(1, Math.floor(engine.threads / lanes))),
      memory_limit: shareOf(engine.memoryLimit, lanes),
      temp_directory: spill,
      preserve_insertion_order: String(!unordered),
      // Memory that one part of a step has freed goes back while the next one computes: else it counts beside the next one's.
      allocator_background_threads: 'true',
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    });
    const connection = await instance.connect();
    if (session.medians === true) addMedianAndMad(connection);
    await connection.run(setUp);
    return new DuckDbSession(instance, connection, session, spill);
  } catch (error) {
    throw engineError(error, 'opening a session');
  }
}

/** A part of an amount with its unit, as in `750MB` of `1500MB`. */
function shareOf(memory: string, lanes: number): string {
  const [, amount, unit] = /^([\d.]+)\s*(\S+)$/.exec(memory) ?? [];
  return lanes === 1 || amount === undefined ? memory : `${Number(amount) / lanes}${unit}`;
}

/** Naming ten thousand files one by one costs as much as reading a thousand of them. */
const BY_FOLDER_FROM = 1000;

/** What may be touched is named first, then the door is closed, then the lock is turned. */
function confinement({ inputs, outputDirectory, isOwn = false, joins }: SessionOptions): string {
  const paths = inputs.map((path) => resolve(path));
  const byFolder = isOwn && paths.length >= BY_FOLDER_FROM;
  const directories = new Set(byFolder ? paths.map((path) => `${dirname(path)}/`) : []);
  if (outputDirectory !== undefined) directories.add(`${resolve(outputDirectory)}/`);
  return [
    ...(joins === 'as written' ? [`SET disabled_optimizers = 'build_side_probe_side'`] : []),
    `SET TimeZone = ${literal('UTC')}`,
    `SET allowed_paths = ${literalList(byFolder ? [] : paths)}`,
    `SET allowed_directories = ${literalList([...directories])}`,
    'SET enable_external_access = false',
    'SET lock_configuration = true',
  ].join('; ');
}
