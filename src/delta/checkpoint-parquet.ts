/** The SQL that reads one Parquet checkpoint file. Actions come out as JSON text, so that every engine agrees on them. */
import type { RawAction } from './commit-json.js';
import type { EngineSession } from './ports.js';

/** One row of a checkpoint: an action by name, `sidecar` and `checkpointMetadata` included. */
export type RawCheckpointRow = RawAction;

const ACTIONS = ['protocol', 'metaData', 'txn', 'domainMetadata', 'sidecar'] as const;
const TOMBSTONES = ['remove', 'sidecar'] as const;
type CheckpointAction = (typeof ACTIONS)[number] | 'remove';

/** The sidecars that one checkpoint file names; none where it is not the head of a V2 checkpoint. */
export async function sidecarRows(
  session: EngineSession,
  localPath: string,
): Promise<Array<{ readonly path: string }>> {
  const source = `read_parquet(${quoteText(localPath)}, hive_partitioning=false)`;
  const columns = await session.describe(`SELECT * FROM ${source}`);
  if (!columns.some(({ name }) => name === 'sidecar')) return [];
  return session.rows<{ path: string }>(
    `SELECT "sidecar"."path" AS path FROM ${source} WHERE "sidecar"."path" IS NOT NULL`,
  );
}

/**
 * Fields of actions that no row of the file has anything in, as in `add.tags`, by the counts in its footer: most of a large
 * checkpoint's columns are such, and need not be read.
 */
export async function emptyFields(session: EngineSession, localPath: string): Promise<ReadonlySet<string>> {
  const found = await session.rows<{ name: string }>(
    `SELECT split_part(path_in_schema, ', ', 1) || '.' || split_part(path_in_schema, ', ', 2) AS name
    FROM parquet_metadata(${quoteText(localPath)}) GROUP BY 1
    HAVING bool_and(coalesce(stats_null_count = num_values, false))`,
  );
  return new Set(found.map(({ name }) => name));
}

/** Rows that are asked for by their number; more are looked for once more. */
const ROWS_BY_NUMBER = 1000;

/**
 * Actions of one checkpoint file: all but adds (see checkpoint-adds.ts) and tombstones, or the tombstones alone. Columns that
 * the file does not have are no actions.
 */
export async function checkpointActions(
  session: EngineSession,
  localPath: string,
  what: 'live' | 'tombstones' = 'live',
  empty: ReadonlySet<string> = new Set(),
): Promise<RawCheckpointRow[]> {
  const source = `read_parquet(${quoteText(localPath)}, hive_partitioning=false, file_row_number=true)`;
  const columns = new Set((await session.describe(`SELECT * FROM ${source}`)).map(({ name }) => name));
  const wanted = new Map<CheckpointAction, string>();
  for (const action of what === 'live' ? ACTIONS : TOMBSTONES) {
    if (!columns.has(action) || empty.has(`${action}.${MANDATORY[action]}`)) continue;
    const fields = (await session.describe(`SELECT unnest("${action}") FROM ${source}`)).map(
      ({ name }) => name,
    );
    wanted.set(action, present(action, fields));
  }
  if (wanted.size === 0) return [];
  const narrowed = await rowsOf(session, source, [...wanted.values()]);
  const rows: RawCheckpointRow[] = [];
  for (const [action, condition] of wanted) {
    const bodies = session.stream(
      `SELECT CAST(to_json("${action}") AS VARCHAR) AS body FROM ${source} WHERE ${condition}${narrowed}`,
    );
    for await (const { columns: batch } of bodies) {
      for (const body of batch[0] ?? [])
        rows.push({ [action]: withoutNulls(JSON.parse(String(body)) as object) });
    }
  }
  return rows;
}

/**
 * Where few rows of a file have such actions, a condition that names them: they are found by one column each, and the
 * others, which are most of a large file, are not read for them.
 */
async function rowsOf(
  session: EngineSession,
  source: string,
  conditions: readonly string[],
): Promise<string> {
  const found = await session.rows<{ row: bigint }>(
    `SELECT file_row_number AS row FROM ${source} WHERE ${conditions.map((one) => `(${one})`).join(' OR ')} ` +
      `LIMIT ${ROWS_BY_NUMBER + 1}`,
  );
  if (found.length > ROWS_BY_NUMBER) return '';
  return found.length === 0
    ? ' AND false'
    : ` AND file_row_number IN (${found.map(({ row }) => row).join(', ')})`;
}

/** Some writers make the struct present with all fields null; the mandatory field tells. */
function present(action: CheckpointAction, fields: readonly string[]): string {
  const key = MANDATORY[action];
  return fields.includes(key) ? `"${action}"."${key}" IS NOT NULL` : `"${action}" IS NOT NULL`;
}

const MANDATORY = {
  protocol: 'minReaderVersion',
  metaData: 'id',
  remove: 'path',
  txn: 'appId',
  domainMetadata: 'domain',
  sidecar: 'path',
} as const;

/** SQL for the statistics of the file's adds as JSON text, or undefined where it has none. */
export async function statsSql(
  session: EngineSession,
  source: string,
  fields: readonly string[],
): Promise<string | undefined> {
  const text = fields.includes('stats') ? '"add"."stats"' : undefined;
  if (!fields.includes('stats_parsed')) return text;
  const packed = await jsonReady(session, source, '"add"."stats_parsed"');
  const parsed = `CASE WHEN "add"."stats_parsed" IS NOT NULL THEN CAST(to_json(${packed}) AS VARCHAR) END`;
  return text ? `coalesce(${text}, ${parsed})` : parsed;
}

/** The struct with its timestamps as the text that statistics have, and without what JSON cannot say. */
async function jsonReady(session: EngineSession, source: string, struct: string): Promise<string> {
  const members: string[] = [];
  for (const { name, type } of await session.describe(`SELECT unnest(${struct}) FROM ${source}`)) {
    const member = `${struct}.${quoteName(name)}`;
    const value =
      type.startsWith('STRUCT(') && !type.endsWith(']') ? jsonReady(session, source, member) : undefined;
    members.push(`${quoteName(name)} := ${value ? await value : plainMember(member, type)}`);
  }
  return `struct_pack(${members.join(', ')})`;
}

function plainMember(member: string, type: string): string {
  // JSON has no words for what is not finite.
  if (type === 'FLOAT' || type === 'DOUBLE') return `CASE WHEN isfinite(${member}) THEN ${member} END`;
  if (type === 'TIMESTAMP') return `strftime(${member}, '%Y-%m-%dT%H:%M:%S.%f')`;
  return /^TIMESTAMP(TZ| WITH TIME ZONE)$/.test(type)
    ? `strftime(${member}, '%Y-%m-%dT%H:%M:%S.%fZ')`
    : member;
}

function withoutNulls(body: object): Readonly<Record<string, unknown>> {
  const fields = body as Record<string, unknown>;
  for (const name of Object.keys(fields)) if (fields[name] === null) delete fields[name];
  return fields;
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
