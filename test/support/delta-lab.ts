/** Tables for tests of the Delta operations: the real engine, a store to choose, and all rows of a version. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { createDuckDbEngine } from '../../src/connectors/duckdb/engine.js';
import { MemoryObjectStore } from '../../src/connectors/object-store/memory.js';
import { createRowParquet } from '../../src/connectors/parquet-rows.js';
import {
  checkoutScan,
  DeltaTable,
  type DeltaDeps,
  type Engine,
  type ObjectStore,
  type Snapshot,
} from '../../src/delta/index.js';

export interface DeltaLab {
  readonly folder: string;
  readonly engine: Engine;
  /** A table in a store, by default a new one in memory. */
  table(store?: ObjectStore, deps?: Partial<DeltaDeps>): DeltaTable;
  /** Rows of a SELECT over the newest version, or over the one given. */
  query(
    table: DeltaTable,
    select: (from: string) => string,
    at?: Snapshot,
  ): Promise<Array<Record<string, unknown>>>;
  /** All its rows, as the engine has them. */
  rows(table: DeltaTable, order?: string, at?: Snapshot): Promise<Array<Record<string, unknown>>>;
}

/** Call it at the top of a test file: its folder goes when the file's tests are done. */
export function deltaLab(): DeltaLab {
  const folder = mkdtempSync(join(tmpdir(), 'datalab-delta-lab-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const engine = createDuckDbEngine({
    memoryLimit: '300MB',
    threads: 2,
    spillDirectory: join(folder, 'spill'),
  });
  const query: DeltaLab['query'] = async (table, select, at) => {
    const { plan, inputs, release } = await checkoutScan(table.store, at ?? (await table.snapshot()));
    const session = await engine.open({ inputs });
    try {
      return await session.rows(select(engine.relation(plan)));
    } finally {
      await session.close();
      release();
    }
  };
  return {
    folder,
    engine,
    query,
    table: (store = new MemoryObjectStore(), deps = {}) =>
      new DeltaTable(store, {
        ...{ engine, rowParquet: createRowParquet(), scratchDirectory: folder },
        sleep: () => Promise.resolve(),
        ...deps,
      }),
    rows: (table, order = 'ALL', at) => query(table, (from) => `SELECT * FROM ${from} ORDER BY ${order}`, at),
  };
}
