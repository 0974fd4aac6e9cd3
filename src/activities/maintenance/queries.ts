/** Takes the log of queries into `meta.queries`: what lies beside the tables becomes rows, once, and goes. */
import type { MaintenanceRun } from '../../contracts/lake-maintenance.js';
import { QUERY_LOG_PREFIX, type QueryRecord } from '../../contracts/query-log.js';
import { appendRows, mapLimited, ObjectNotFoundError, type Row } from '../../delta/index.js';
import { checkpointIfDue } from '../checkpoint.js';
import { recordSchema } from '../record-schema.js';
import type { LakeTables } from '../tables.js';
import type { MaintenanceDeps } from './deps.js';
import { MaintenanceFiles } from './files.js';

const PARALLEL = 16;
/** Taken at once; the next run takes the rest. */
const QUERIES_MAX = 20_000;

/** Repeating it appends nothing: what the first attempt took is noted before it is taken. */
export async function gatherQueries(
  deps: MaintenanceDeps,
  tables: LakeTables,
  run: MaintenanceRun,
): Promise<void> {
  const files = new MaintenanceFiles(deps.lake, run);
  const keys = await files.read<string[]>('queries').catch(async (error: unknown) => {
    if (!(error instanceof ObjectNotFoundError)) throw error;
    const found = await listed(deps);
    await files.write('queries', found);
    return found;
  });
  const records = await mapLimited(keys, PARALLEL, (key) => recordAt(deps, key));
  const rows = records.flatMap((record) => (record ? rowsOf(record) : []));
  const transaction = { appId: `datalab:queries:${run.runId}`, version: 1 };
  const table = tables.table('meta', 'queries');
  await appendRows(table, deps.rowParquet, rows, { schema: SCHEMA, transaction });
  await deps.lake.delete(keys);
  await checkpointIfDue(deps, table);
}

async function listed({ lake }: MaintenanceDeps): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of lake.list(QUERY_LOG_PREFIX)) {
    keys.push(key);
    if (keys.length === QUERIES_MAX) break;
  }
  return keys;
}

/** One that cannot be read is passed over: it says how the lake is used, and nothing depends on it. */
async function recordAt({ lake }: MaintenanceDeps, key: string): Promise<QueryRecord | undefined> {
  try {
    const record = JSON.parse(new TextDecoder().decode(await lake.get(key))) as QueryRecord;
    const isOne = Array.isArray(record.tables) && !Number.isNaN(Date.parse(record.at));
    return isOne ? record : undefined;
  } catch (error) {
    if (error instanceof ObjectNotFoundError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function rowsOf({ id, at, by, tables, ms, rows }: QueryRecord): Row[] {
  return tables.map((name) => ({
    ...{ query_id: id, started_at: at, source: by, table_name: name },
    ...{ ms: Math.round(Number(ms) || 0), rows: Math.round(Number(rows) || 0) },
  }));
}

/** A row per query and table that it read. */
const SCHEMA = recordSchema({
  query_id: 'string',
  started_at: 'timestamp',
  source: 'string',
  table_name: 'string',
  ms: 'long',
  rows: 'long',
});
