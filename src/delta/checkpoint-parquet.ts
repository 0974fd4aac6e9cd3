/** The SQL that reads one Parquet checkpoint file. Actions come out as JSON text, so that every engine agrees on them. */
import type { RawAction } from './commit-json.js';
import type { EngineSession } from './ports.js';

/** One row of a checkpoint: an action by name, `sidecar` and `checkpointMetadata` included. */
export type RawCheckpointRow = RawAction;

const ACTIONS = ['protocol', 'metaData', 'add', 'txn', 'domainMetadata', 'sidecar'] as const;

/** Actions of one checkpoint file, tombstones left out. Columns that the file does not have are no actions. */
export async function checkpointActions(
  session: EngineSession,
  localPath: string,
): Promise<RawCheckpointRow[]> {
  const source = `read_parquet(${quoteText(localPath)}, hive_partitioning=false)`;
  const columns = new Set((await session.describe(`SELECT * FROM ${source}`)).map(({ name }) => name));
  const rows: RawCheckpointRow[] = [];
  for (const action of ACTIONS) {
    if (!columns.has(action)) continue;
    const fields = (await session.describe(`SELECT unnest("${action}") FROM ${source}`)).map(
      ({ name }) => name,
    );
    const json = action === 'add' ? addJson(fields) : `to_json("${action}")`;
    const found = await session.rows<{ body: string }>(
      `SELECT CAST(${json} AS VARCHAR) AS body FROM ${source} WHERE "${action}" IS NOT NULL${present(action, fields)}`,
    );
    for (const { body } of found) rows.push({ [action]: withoutNulls(JSON.parse(body) as object) });
  }
  return rows;
}

/** Some writers make the struct present with all fields null; the mandatory field tells. */
function present(action: (typeof ACTIONS)[number], fields: readonly string[]): string {
  const key = MANDATORY[action];
  return fields.includes(key) ? ` AND "${action}"."${key}" IS NOT NULL` : '';
}

const MANDATORY = {
  protocol: 'minReaderVersion',
  metaData: 'id',
  add: 'path',
  txn: 'appId',
  domainMetadata: 'domain',
  sidecar: 'path',
} as const;

/** The parsed copies of statistics and partition values are wide: they are left behind, unless nothing else is there. */
function addJson(fields: readonly string[]): string {
  const kept = fields.filter((name) => name !== 'stats' && !name.endsWith('_parsed'));
  const parts = kept.map((name) => `"${name}" := "add"."${name}"`);
  const stats = statsSql(fields);
  if (stats) parts.push(`"stats" := ${stats}`);
  return `to_json(struct_pack(${parts.join(', ')}))`;
}

function statsSql(fields: readonly string[]): string | undefined {
  const parsed = `CAST(to_json("add"."stats_parsed") AS VARCHAR)`;
  const text = fields.includes('stats');
  if (!fields.includes('stats_parsed')) return text ? '"add"."stats"' : undefined;
  return text ? `coalesce("add"."stats", ${parsed})` : parsed;
}

function withoutNulls(body: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
}

function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
