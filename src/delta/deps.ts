/** What a table needs besides its store: time, chance and names are handed in, so that tests can hold them. */
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock, Engine, RowParquet } from './ports.js';

export interface DeltaDeps {
  /** Reads Parquet checkpoints. Without it only tables whose log is JSON can be opened. */
  readonly engine?: Engine;
  /** Writes the values of `append({ rows })` without the engine, where nothing about them asks for it. */
  readonly rowParquet?: RowParquet;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** A name that nobody else uses (UUID). */
  readonly newId: () => string;
  /**
   * A Parquet checkpoint of so many bytes or more is opened without the statistics of its files: they are read when an
   * operation needs them, or by `files.readStatistics()`.
   */
  readonly lateStatisticsBytes: number;
  /** Folder for files that are being written; each operation has one of its own in it, and removes it. */
  readonly scratchDirectory: string;
}

/** Below it, about a hundred thousand files, statistics cost a tenth of a second. */
const LATE_STATISTICS_BYTES = 8 << 20;

/** The machine's own clock, chance and names. */
export function systemDeps(overrides: Partial<DeltaDeps> = {}): DeltaDeps {
  return {
    clock: { nowMs: () => Date.now() },
    random: Math.random,
    sleep: async (ms) => {
      await delay(ms);
    },
    newId: randomUUID,
    lateStatisticsBytes: LATE_STATISTICS_BYTES,
    scratchDirectory: tmpdir(),
    ...overrides,
  };
}
