/**
 * The live files of one Parquet checkpoint. There may be a million, so the engine writes them as text and they are cut into
 * columns from there: a value handed over by the engine one by one costs more than all else. The statistics of a large one
 * are left where they are until somebody asks for them.
 */
import { join } from 'node:path';
import type { AddFile } from './actions.js';
import { quoteName, quoteText, statsSql } from './checkpoint-parquet.js';
import { toAction } from './commit-json.js';
import { LATE, PLAIN, type FileColumns, type FileRow, type RareFields } from './files/file-columns.js';
import { eachRow, ENGINE_TEXT, type TextRow } from './files/text-table.js';
import type { EngineSession } from './ports.js';

/** Fields of a row, in their order. The longest is last: it is found without a look at each of its bytes. */
const SIZE = 0;
const MODIFIED = 1;
const CHANGE = 2;
const PARTITION = 3;
const RARE = 4;
const STATS = 5;
const PATH = 6;

export interface AddsOptions {
  /** A folder that the session may write to. */
  readonly folder: string;
  /** For messages. */
  readonly where: string;
  /** Leaves the statistics out; whether there are any is returned. */
  readonly late: boolean;
  /** As {@link emptyFields} has them. */
  readonly empty?: ReadonlySet<string>;
}

/** Takes all adds of the file into the columns. Whether statistics were left out. */
export async function checkpointAdds(
  session: EngineSession,
  localPath: string,
  into: FileColumns,
  { folder, where, late, empty }: AddsOptions,
): Promise<boolean> {
  const found = await sourceOf(session, localPath, empty);
  if (!found) return false;
  const { source, fields, stats } = found;
  const text = join(folder, 'adds');
  const select = `SELECT ${rowSql(fields, late ? undefined : stats)} FROM ${source} WHERE "add"."path" IS NOT NULL`;
  await session.writeText(select, 'adds', ENGINE_TEXT);
  const isLate = late && stats !== undefined;
  if (late) into.reserve(await rowsOf(session, localPath));
  let [block, base] = [Buffer.alloc(0), 0];
  // One object for all rows.
  const file: { -readonly [Field in keyof FileRow]: FileRow[Field] } = {
    ...{ pathAddress: 0, pathBytes: 0, size: 0, modificationTime: 0, dataChange: false },
    ...{ partition: 0, rare: undefined, stats: undefined },
  };
  await eachRow(text, PATH + 1, (row) => {
    let address: number;
    let bytes: number;
    if (isLate && row.isPlain(PATH)) {
      if (row.block !== block) {
        block = row.block;
        base = into.paths.adopt(block);
      }
      address = base + row.start(PATH);
      bytes = row.end(PATH) - row.start(PATH);
    } else ({ address, bytes } = into.paths.add(row.text(PATH)));
    file.pathAddress = address;
    file.pathBytes = bytes;
    file.size = row.number(SIZE);
    file.modificationTime = row.number(MODIFIED);
    file.dataChange = row.number(CHANGE) === 1;
    file.partition = row.isNull(PARTITION) ? 0 : into.partition(row.text(PARTITION));
    file.rare = row.isNull(RARE) ? undefined : rareOf(row.text(RARE), where);
    file.stats = statsOf(row, isLate);
    into.addRow(file);
  });
  return isLate;
}

function statsOf(row: TextRow, isLate: boolean): string | undefined | typeof LATE {
  if (isLate) return LATE;
  return row.isNull(STATS) ? undefined : row.text(STATS);
}

/** The statistics that {@link checkpointAdds} left out. The file may be another one by now, so each goes by its path. */
export async function checkpointStatistics(
  session: EngineSession,
  localPath: string,
  into: FileColumns,
  folder: string,
): Promise<void> {
  const found = await sourceOf(session, localPath);
  if (!found?.stats) return;
  const { source, stats } = found;
  await session.writeText(
    `SELECT path, stats FROM (SELECT "add"."path" AS path, ${stats} AS stats FROM ${source}) ` +
      `WHERE path IS NOT NULL AND stats IS NOT NULL`,
    'statistics',
    ENGINE_TEXT,
  );
  await eachRow(join(folder, 'statistics'), 2, (row) => {
    const live = into.find(row.text(0));
    if (live === undefined) return;
    if (row.isPlain(1)) into.setStatistics(live, row.block, row.start(1), row.end(1));
    else {
      const bytes = Buffer.from(row.text(1));
      into.setStatistics(live, bytes, 0, bytes.length);
    }
  });
}

async function rowsOf(session: EngineSession, localPath: string): Promise<number> {
  const [counted] = await session.rows<{ rows: bigint }>(
    `SELECT sum(num_rows)::BIGINT AS rows FROM parquet_file_metadata(${quoteText(localPath)})`,
  );
  return Number(counted?.rows ?? 0);
}

async function sourceOf(
  session: EngineSession,
  localPath: string,
  empty: ReadonlySet<string> = new Set(),
): Promise<{ source: string; fields: readonly string[]; stats: string | undefined } | undefined> {
  const source = `read_parquet(${quoteText(localPath)}, hive_partitioning=false)`;
  const columns = await session.describe(`SELECT * FROM ${source}`);
  if (!columns.some(({ name }) => name === 'add')) return undefined;
  const all = (await session.describe(`SELECT unnest("add") FROM ${source}`)).map(({ name }) => name);
  const fields = all.filter((name) => !empty.has(`add.${name}`));
  // A head of sidecars alone.
  if (!fields.includes('path')) return undefined;
  return { source, fields, stats: await statsSql(session, source, fields) };
}

function rowSql(fields: readonly string[], stats: string | undefined): string {
  const own = (name: string): string => (fields.includes(name) ? `"add".${quoteName(name)}` : 'NULL');
  const plain: readonly string[] = PLAIN;
  const rare = fields.filter((name) => !plain.includes(name) && !name.endsWith('_parsed'));
  const isRare = rare.map((name) => `${own(name)} IS NOT NULL`).join(' OR ');
  const packed = `struct_pack(${rare.map((name) => `${quoteName(name)} := ${own(name)}`).join(', ')})`;
  const partitions = own('partitionValues');
  return [
    own('size'),
    own('modificationTime'),
    `CAST(${own('dataChange')} AS TINYINT)`,
    partitions === 'NULL'
      ? 'NULL'
      : `CASE WHEN cardinality(${partitions}) > 0 THEN CAST(to_json(${partitions}) AS VARCHAR) END`,
    rare.length === 0 ? 'NULL' : `CASE WHEN ${isRare} THEN CAST(to_json(${packed}) AS VARCHAR) END`,
    stats ?? 'NULL',
    own('path'),
  ].join(', ');
}

/** By the same rules as an add of a commit: what is NULL is absent. */
function rareOf(json: string, where: string): RareFields | undefined {
  const body = { path: '', ...(JSON.parse(json) as object) } as Readonly<Record<string, unknown>>;
  const [action] = toAction({ add: body }, where);
  if (!action || !('add' in action)) throw new Error(`an add of ${where} is none`);
  const { path: _, partitionValues: __, ...rare } = action.add as Partial<AddFile>;
  return Object.keys(rare).length === 0 ? undefined : (rare as RareFields);
}
