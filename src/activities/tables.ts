/** The lake's tables by name. One DeltaTable each per worker, so that a table once read is refreshed, not re-read. */
import { DeltaTable, type DeltaDeps, type ObjectStore, type Snapshot } from '../delta/index.js';
import type { Layer, TableState } from '../contracts/run.js';

export class LakeTables {
  private readonly open = new Map<string, DeltaTable>();

  constructor(
    private readonly lake: ObjectStore,
    private readonly deps: Partial<DeltaDeps>,
  ) {}

  table(layer: Layer, name: string): DeltaTable {
    const key = `${layer}/${name}`;
    let table = this.open.get(key);
    if (!table) {
      // Every step counts rows by the statistics of the log.
      const deps = { lateStatisticsBytes: Infinity, ...this.deps };
      table = new DeltaTable(this.store(layer, name), deps);
      this.open.set(key, table);
    }
    return table;
  }

  store(layer: Layer, name: string): ObjectStore {
    return this.lake.at(`${layer}/${name}`);
  }
}

/** Rows by the statistics of the log; deleted rows are taken off. */
export function rowCount(snapshot: Snapshot): number {
  return snapshot.files.reduce((sum, file) => {
    const stats = file.stats === undefined ? undefined : (JSON.parse(file.stats) as { numRecords?: number });
    return sum + (stats?.numRecords ?? 0) - (file.deletionVector?.cardinality ?? 0);
  }, 0);
}

export function stateOf(table: string, snapshot: Snapshot, changed: boolean): TableState {
  return {
    table,
    version: snapshot.version,
    rows: rowCount(snapshot),
    files: snapshot.files.length,
    changed,
  };
}
