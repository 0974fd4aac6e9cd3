/**
 * The live files of one Parquet checkpoint. There may be a million, so they come as long texts of many rows, cut apart here:
 * a value handed over by the engine one by one costs more than all else, as does JSON around statistics that are JSON.
 */
import type { AddFile } from './actions.js';
import { quoteName, quoteText, statsSql } from './checkpoint-parquet.js';
import { toAction } from './commit-json.js';
import type { EngineSession } from './ports.js';

/** Rows of one text, and of one statement: what is in memory twice is bounded by the latter. */
const ROWS_PER_TEXT = 1024;
const ROWS_PER_STATEMENT = 245_760;
/** Between rows, and between the members of one; values that have them are handed over as JSON. */
const ROW_END = 0x1e;
const MEMBER_END = 0x1f;
const [ROW, MEMBER] = [String.fromCharCode(ROW_END), String.fromCharCode(MEMBER_END)];

/** Members that every add has; all others are rare, and stand in one JSON object. */
const PLAIN = new Set(['path', 'partitionValues', 'size', 'modificationTime', 'dataChange', 'stats']);

/** All adds of the file, none where it has none. */
export async function checkpointAdds(
  session: EngineSession,
  localPath: string,
  where: string,
): Promise<AddFile[]> {
  const source = `read_parquet(${quoteText(localPath)}, hive_partitioning=false, file_row_number=true)`;
  const columns = await session.describe(`SELECT * FROM ${source}`);
  if (!columns.some(({ name }) => name === 'add')) return [];
  const fields = (await session.describe(`SELECT unnest("add") FROM ${source}`)).map(({ name }) => name);
  const stats = await statsSql(session, source, fields);
  const [total] = await session.rows<{ rows: bigint }>(`SELECT count(*) AS rows FROM ${source}`);
  const adds: AddFile[] = [];
  const values = new Map<string, AddFile['partitionValues']>();
  for (let from = 0; from < Number(total?.rows ?? 0); from += ROWS_PER_STATEMENT) {
    const range = `file_row_number >= ${from} AND file_row_number < ${from + ROWS_PER_STATEMENT}`;
    const rows =
      `SELECT ${rowSql(fields, stats)} AS r, file_row_number // ${ROWS_PER_TEXT} AS part FROM ${source} ` +
      `WHERE "add"."path" IS NOT NULL AND ${range}`;
    const texts = session.stream(
      `SELECT string_agg(r, chr(${ROW_END})) AS rows FROM (${rows}) GROUP BY part ORDER BY part`,
    );
    for await (const { columns: batch } of texts) {
      for (const text of batch[0] ?? [])
        for (const row of String(text).split(ROW)) adds.push(addOf(row, values, where));
    }
  }
  return adds;
}

/** One row as text: its members, or all of it as JSON where a value has a sign of ours. */
function rowSql(fields: readonly string[], stats: string | undefined): string {
  const own = (name: string): string => (fields.includes(name) ? `"add".${quoteName(name)}` : 'NULL');
  const rare = fields.filter((name) => !PLAIN.has(name) && !name.endsWith('_parsed'));
  const isRare = rare.map((name) => `${own(name)} IS NOT NULL`).join(' OR ') || 'false';
  const packed = (names: readonly string[]): string =>
    `struct_pack(${names.map((name) => `${quoteName(name)} := ${own(name)}`).join(', ')})`;
  const statistics = stats ?? 'NULL::VARCHAR';
  const partitions = own('partitionValues');
  const members = [
    own('path'),
    `CASE WHEN ${partitions} IS NULL OR cardinality(${partitions}) = 0 THEN '' ELSE CAST(to_json(${partitions}) AS VARCHAR) END`,
    `coalesce(CAST(${own('size')} AS VARCHAR), '')`,
    `coalesce(CAST(${own('modificationTime')} AS VARCHAR), '')`,
    `coalesce(CAST(${own('dataChange')} AS VARCHAR), '')`,
    `coalesce(${statistics}, '')`,
    rare.length === 0
      ? `''`
      : `CASE WHEN ${isRare} THEN CAST(to_json(${packed(rare)}) AS VARCHAR) ELSE '' END`,
  ];
  const line = `concat_ws(chr(${MEMBER_END}), ${members.join(', ')})`;
  const whole = fields.filter((name) => name !== 'stats' && !name.endsWith('_parsed'));
  const json = `CAST(to_json(struct_pack(${whole
    .map((name) => `${quoteName(name)} := ${own(name)}`)
    .join(', ')}, stats := ${statistics})) AS VARCHAR)`;
  // JSON escapes control characters. JSON texts among the members have escaped theirs already.
  const odd = [own('path'), statistics]
    .flatMap((text) =>
      [ROW_END, MEMBER_END].map((sign) => `coalesce(contains(${text}, chr(${sign})), false)`),
    )
    .join(' OR ');
  return `CASE WHEN ${odd} THEN ${json} ELSE ${line} END`;
}

function addOf(row: string, known: Map<string, AddFile['partitionValues']>, where: string): AddFile {
  const [path = '', partitions, size, modified, change, stats, rare] = row.split(MEMBER);
  // Without a second member the row came as JSON.
  if (partitions === undefined || rare === undefined) return parsed(JSON.parse(row) as object, where);
  let partitionValues = known.get(partitions);
  if (!partitionValues) {
    partitionValues =
      partitions === '' ? {} : (JSON.parse(partitions) as NonNullable<typeof partitionValues>);
    known.set(partitions, partitionValues);
  }
  const add = {
    path,
    partitionValues,
    size: Number(size),
    modificationTime: Number(modified),
    dataChange: change === 'true',
    ...(stats === '' ? {} : { stats }),
  };
  return rare === '' ? (add as AddFile) : parsed({ ...add, ...(JSON.parse(rare) as object) }, where);
}

/** By the same rules as an add of a commit: what is NULL is absent. */
function parsed(body: object, where: string): AddFile {
  const [action] = toAction({ add: body as Readonly<Record<string, unknown>> }, where);
  if (!action || !('add' in action)) throw new Error(`an add of ${where} is none`);
  return action.add;
}
