/** What each column of a table holds: nulls, distinct values, range, and how the values are spread. */
import { identifier } from '../contracts/sql-text.js';
import { checkoutScan, type AddFile, type EngineSession } from '../delta/index.js';
import { nameOf, tableOf, type LakeReader, type TableName } from './tables.js';

export interface ColumnProfile {
  readonly name: string;
  readonly type: string;
  readonly nulls: number;
  /** By HyperLogLog: about. */
  readonly distinct: number;
  readonly min: string | null;
  readonly max: string | null;
  /** Of numbers and times: rows from one value to the next. Of others: the most frequent values, with `to` null. */
  readonly histogram: readonly HistogramBar[];
}

export interface HistogramBar {
  readonly from: string;
  readonly to: string | null;
  readonly rows: number;
}

export interface TableProfile {
  readonly table: string;
  readonly version: number;
  /** Rows that were read: all, or those of the first files of a large table. */
  readonly rows: number;
  readonly complete: boolean;
  readonly columns: readonly ColumnProfile[];
}

/** A profile of more than this would take the machine for itself. */
const PROFILE_BYTES_MAX = 512 * 2 ** 20;
const BINS = 20;
const FREQUENT = 10;
/** A histogram costs a pass over its column. */
const HISTOGRAMS_MAX = 60;

/** Reads the table, or as much of it as may be read for a look. */
export async function profileTable(
  lake: LakeReader,
  name: TableName,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<TableProfile> {
  const table = tableOf(lake, name);
  const snapshot = await table.snapshot();
  const files = firstOf(snapshot.files);
  const scan = await checkoutScan(table.store, snapshot, { files, ...(signal && { signal }) });
  try {
    const session = await lake.engine.open({ inputs: scan.inputs, ...(signal && { signal }) });
    try {
      const profile = await profileOf(session, `SELECT * FROM ${lake.engine.relation(scan.plan)}`);
      return {
        ...{ table: nameOf(name), version: snapshot.version },
        ...{ complete: files.length === snapshot.files.length, ...profile },
      };
    } finally {
      await session.close();
    }
  } finally {
    scan.release();
  }
}

function firstOf(all: Iterable<AddFile>): AddFile[] {
  const files: AddFile[] = [];
  let bytes = 0;
  for (const file of all) {
    bytes += file.size;
    if (files.length > 0 && bytes > PROFILE_BYTES_MAX) break;
    files.push(file);
  }
  return files;
}

type Spread = 'number' | 'time' | 'value' | 'none';

/** How values of an engine type are counted. */
function spreadOf(type: string): Spread {
  if (/\[|STRUCT|MAP|BLOB/.test(type)) return 'none';
  if (/^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL.*)$/.test(type)) return 'number';
  return /^(DATE|TIMESTAMP.*)$/.test(type) ? 'time' : 'value';
}

async function profileOf(
  session: EngineSession,
  select: string,
): Promise<Pick<TableProfile, 'rows' | 'columns'>> {
  const columns = (await session.describe(select)).map((column) => ({
    ...column,
    quoted: identifier(column.name),
    spread: spreadOf(column.type),
  }));
  const figures = columns.flatMap(({ quoted, spread }, index) => {
    const edge = (fold: string): string =>
      spread === 'none' ? 'NULL' : `left(CAST(${fold}(${quoted}) AS VARCHAR), 80)`;
    const value = numeric(spread, quoted);
    return [
      `count(*) - count(${quoted}) AS nulls_${index}`,
      `approx_count_distinct(${spread === 'none' ? `CAST(${quoted} AS VARCHAR)` : quoted}) AS distinct_${index}`,
      `${edge('min')} AS min_${index}`,
      `${edge('max')} AS max_${index}`,
      `${value === null ? 'NULL' : `min(${value}) FILTER (isfinite(${value}))`} AS low_${index}`,
      `${value === null ? 'NULL' : `max(${value}) FILTER (isfinite(${value}))`} AS high_${index}`,
    ];
  });
  const [row = {}] = await session.rows<Record<string, unknown>>(
    `SELECT count(*) AS n, ${figures.join(', ')} FROM (${select})`,
  );
  const text = (key: string): string | null => (row[key] == null ? null : String(row[key]));
  const profiles: ColumnProfile[] = [];
  for (const [index, { name, type, quoted, spread }] of columns.entries()) {
    const range = [row[`low_${index}`], row[`high_${index}`]] as [number | null, number | null];
    profiles.push({
      ...{ name, type, min: text(`min_${index}`), max: text(`max_${index}`) },
      nulls: Number(row[`nulls_${index}`] ?? 0),
      distinct: Number(row[`distinct_${index}`] ?? 0),
      histogram:
        index < HISTOGRAMS_MAX ? await histogramOf(session, select, { quoted, spread, type, range }) : [],
    });
  }
  return { rows: Number(row['n'] ?? 0), columns: profiles };
}

/** The value as a number: seconds since 1970 of a time. */
function numeric(spread: Spread, quoted: string): string | null {
  if (spread === 'number') return `CAST(${quoted} AS DOUBLE)`;
  return spread === 'time' ? `CAST(epoch(${quoted}) AS DOUBLE)` : null;
}

interface Counted {
  readonly quoted: string;
  readonly spread: Spread;
  readonly type: string;
  readonly range: readonly [number | null, number | null];
}

async function histogramOf(
  session: EngineSession,
  select: string,
  { quoted, spread, type, range: [low, high] }: Counted,
): Promise<HistogramBar[]> {
  if (spread === 'none') return [];
  const value = numeric(spread, quoted);
  if (value === null) {
    const rows = await session.rows<{ v: string; n: bigint }>(
      `SELECT left(CAST(${quoted} AS VARCHAR), 80) AS v, count(*) AS n FROM (${select}) WHERE ${quoted} IS NOT NULL ` +
        `GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${FREQUENT}`,
    );
    return rows.map(({ v, n }) => ({ from: v, to: null, rows: Number(n) }));
  }
  if (low === null || high === null) return [];
  const width = (high - low) / BINS || 1;
  const bins = high === low ? 1 : BINS;
  const rows = await session.rows<{ bin: number; n: bigint }>(
    `SELECT CAST(least(${bins - 1}, greatest(0, floor((v - ${low}) / ${width}))) AS INTEGER) AS bin, count(*) AS n ` +
      `FROM (SELECT ${value} AS v FROM (${select})) WHERE isfinite(v) GROUP BY 1`,
  );
  const counts = new Map(rows.map(({ bin, n }) => [bin, Number(n)]));
  const edge = (at: number): string => edgeText(low + at * width, spread, type);
  return Array.from({ length: bins }, (_, at) => ({
    from: edge(at),
    to: edge(at + 1),
    rows: counts.get(at) ?? 0,
  }));
}

function edgeText(value: number, spread: Spread, type: string): string {
  if (spread === 'number') return String(Number(value.toPrecision(6)));
  const iso = new Date(value * 1000).toISOString();
  return type === 'DATE' ? iso.slice(0, 10) : `${iso.slice(0, 19)}Z`;
}
