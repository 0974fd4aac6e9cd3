/** Statistics of data files against their rows. */
import type { AddFile } from '../actions.js';
import type { Snapshot, TableHandle } from '../api.js';
import { quoteName } from '../checkpoint-parquet.js';
import { comparable, compareValues } from '../expression/comparable.js';
import { fileStats } from '../file-facts.js';
import { canonicalPath, keyOfPath } from '../path.js';
import { physicalName } from '../physical-name.js';
import type { ColumnTextStats } from '../ports.js';
import type { MaintenanceOptions } from '../progress.js';
import { scanPlan } from '../scan.js';
import { requireEngine } from '../scratch.js';
import type { StructField } from '../schema.js';
import { indexedFields, statsJson } from '../stats.js';
import { tableProperties } from '../table-properties.js';
import type { FsckFinding } from './fsck.js';

/** Files that one session reads. */
const BATCH = 64;
/** Others round times down to milliseconds, the greatest too. */
const MICROS_LOST = 999n;

export interface WrongStatistics {
  readonly finding: FsckFinding;
  /** The file as it should be in the log. */
  readonly add: AddFile;
}

/** The files whose statistics would hide rows from a reader, or miscount them. */
export async function checkStatistics(
  table: TableHandle,
  snapshot: Snapshot,
  files: readonly AddFile[],
  { signal, progress }: MaintenanceOptions,
): Promise<WrongStatistics[]> {
  const { store, deps } = table;
  const engine = requireEngine(deps, store.uri);
  const wrong: WrongStatistics[] = [];
  const stated = files.filter(({ stats }) => stats !== undefined);
  for (let done = 0; done < stated.length; done += BATCH) {
    const batch = stated.slice(done, done + BATCH);
    const local = await store.checkout(
      batch.map(({ path }) => keyOfPath(path, store.uri)),
      signal ? { signal } : {},
    );
    try {
      // Statistics are of all rows of a file, the deleted ones included.
      const nothing = new Map(batch.map((file) => [canonicalPath(file.path), [] as number[]]));
      const plan = scanPlan({ ...planned(snapshot), files: batch }, (key) => local.pathOf(key), {
        deletedRows: nothing,
        tableUri: store.uri,
      });
      const inputs = plan.files.map(({ localPath }) => localPath);
      const session = await engine.open({ inputs, ...(signal ? { signal } : {}) });
      try {
        for (const [index, file] of batch.entries()) {
          const scanned = plan.files[index];
          if (!scanned) continue;
          const relation = engine.relation({ ...plan, files: [scanned] });
          const found = await session.rows<MeasuredRow>(measureSql(relation, measuredFields(snapshot)));
          const finding = compare(file, snapshot, found[0] ?? {});
          if (finding) wrong.push({ finding, add: restated(file, snapshot, found[0] ?? {}) });
        }
      } finally {
        await session.close();
      }
    } finally {
      local.release();
    }
    progress?.({
      phase: 'statistics',
      done: Math.min(done + BATCH, stated.length),
      total: stated.length,
      unit: 'files',
    });
  }
  return wrong;
}

type MeasuredRow = Readonly<Record<string, string | bigint | null>>;

function planned({
  schema,
  partitionColumns,
  protocol,
  metadata,
}: Snapshot): Pick<Snapshot, 'schema' | 'partitionColumns' | 'protocol' | 'metadata'> {
  return { schema, partitionColumns, protocol, metadata };
}

/** Columns of simple types; `variant` has no type in the engine. */
function measuredFields({ schema, partitionColumns }: Snapshot): readonly StructField[] {
  return indexedFields(schema, partitionColumns, { indexedColumns: -1 }).filter(
    ({ type }) => typeof type === 'string' && type !== 'variant' && type !== 'void' && type !== 'binary',
  );
}

function measureSql(relation: string, fields: readonly StructField[]): string {
  const columns = fields.flatMap(({ name }, index) => {
    const column = quoteName(name);
    return [
      `CAST(min(${column}) AS VARCHAR) AS min${index}`,
      `CAST(max(${column}) AS VARCHAR) AS max${index}`,
      `count(*) - count(${column}) AS nulls${index}`,
    ];
  });
  return `SELECT ${['count(*) AS rows', ...columns].join(', ')} FROM ${relation}`;
}

function compare(file: AddFile, snapshot: Snapshot, row: MeasuredRow): FsckFinding | undefined {
  const stats = fileStats(file);
  const wrong: string[] = [];
  if (stats.numRecords !== undefined && stats.numRecords !== String(row['rows'])) {
    wrong.push(`${String(row['rows'])} rows, not ${stats.numRecords}`);
  }
  for (const [index, field] of measuredFields(snapshot).entries()) {
    const name = physicalName(snapshot, field);
    const nulls = stats.nullCount?.[name];
    if (typeof nulls === 'string' && nulls !== String(row[`nulls${index}`])) {
      wrong.push(`${String(row[`nulls${index}`])} NULLs in ${field.name}, not ${nulls}`);
    }
    const out = (side: 'min' | 'max', stated: unknown): boolean => {
      const value = row[`${side}${index}`];
      if (typeof stated !== 'string' || typeof value !== 'string') return false;
      const [bound, actual] = [comparable(field.type, stated), comparable(field.type, value)];
      if (!bound || !actual) return false;
      const widened =
        side === 'max' && bound.kind === 'micros' ? { ...bound, value: bound.value + MICROS_LOST } : bound;
      const order = compareValues(actual, widened) ?? 0;
      return side === 'min' ? order < 0 : order > 0;
    };
    if (out('min', stats.minValues?.[name])) wrong.push(`a lower ${field.name} than the minimum`);
    if (out('max', stats.maxValues?.[name])) wrong.push(`a higher ${field.name} than the maximum`);
  }
  return wrong.length === 0
    ? undefined
    : { path: file.path, problem: 'wrong statistics', detail: wrong.join('; ') };
}

/** The file with statistics of its rows; with a deletion vector they are bounds of more rows than there are. */
function restated(file: AddFile, snapshot: Snapshot, row: MeasuredRow): AddFile {
  const columns: Record<string, ColumnTextStats> = {};
  for (const [index, field] of measuredFields(snapshot).entries()) {
    const [min, max] = [row[`min${index}`], row[`max${index}`]];
    columns[field.name] = {
      ...(typeof min === 'string' ? { min } : {}),
      ...(typeof max === 'string' ? { max } : {}),
      nullCount: Number(row[`nulls${index}`] ?? 0),
    };
  }
  const measured = { rows: Number(row['rows'] ?? 0), columns };
  const stats = statsJson(measured, snapshot.schema, {
    ...tableProperties(snapshot.metadata.configuration),
    partitionColumns: snapshot.partitionColumns,
  });
  return { ...file, stats: file.deletionVector ? stats.replace(/\}$/, ',"tightBounds":false}') : stats };
}
