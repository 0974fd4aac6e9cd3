/** The lake as a reader sees it: which tables there are, what they hold, how they came to be. */
import type { Layer } from '../contracts/run.js';
import { DatalabError } from '../contracts/errors.js';
import { DeltaTable, mapLimited, type CommitInfo, type Engine, type ObjectStore } from '../delta/index.js';

/** The layers in the order in which rows pass through them. */
export const LAYERS = ['bronze', 'silver', 'gold', 'quarantine', 'meta'] as const satisfies readonly Layer[];

/** `layer.table`, as SQL names it; the table is at `<layer>/<table>` in the lake. */
export interface TableName {
  readonly layer: Layer;
  readonly table: string;
}

/** What reading needs: the lake's root, and the engine that reads checkpoints and answers SQL. */
export interface LakeReader {
  readonly store: ObjectStore;
  readonly engine: Engine;
}

/** One table at its newest version. */
export interface TableInfo {
  readonly name: string;
  readonly version: number;
  /** By the statistics in the log; null where a file has none. */
  readonly rows: number | null;
  readonly files: number;
  readonly bytes: number;
  /** ISO instant of the newest commit. */
  readonly changedAt: string;
}

export interface TableDetail extends TableInfo {
  readonly uri: string;
  readonly id: string;
  readonly columns: ReadonlyArray<{
    readonly name: string;
    readonly type: string;
    readonly nullable: boolean;
    readonly comment: string | null;
  }>;
  readonly partitionColumns: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
  readonly protocol: { readonly reader: number; readonly writer: number };
}

/** One commit. `note` is what DataLab wrote into it: run, ledger, why it was rebuilt. */
export interface TableVersion {
  readonly version: number;
  readonly at: string | null;
  readonly operation: string;
  readonly metrics: Readonly<Record<string, string>>;
  readonly runId: string | null;
  readonly note: unknown;
}

const PARALLEL = 8;

export const nameOf = ({ layer, table }: TableName): string => `${layer}.${table}`;

/**
 * The tables of the lake, found by listing: a page of a thousand keys at a time over small tables, and two requests for a
 * large one, however many objects it has.
 */
export async function listTables({ store }: Pick<LakeReader, 'store'>): Promise<TableName[]> {
  const found = await Promise.all(LAYERS.map((layer) => tablesOf(store, layer)));
  return found.flat();
}

/** Keys of one folder that are read on before the rest of it is jumped over. */
const KEYS_BEFORE_JUMP = 200;

async function tablesOf(store: ObjectStore, layer: Layer): Promise<TableName[]> {
  const tables: TableName[] = [];
  for (let after: string | undefined; ;) {
    const jump = await readOn(store, layer, after, tables);
    if (jump === undefined) return tables;
    after = jump;
  }
}

/** Adds the tables that are listed, up to the end of the layer or of a large folder; then says where to go on. */
async function readOn(
  store: ObjectStore,
  layer: Layer,
  after: string | undefined,
  tables: TableName[],
): Promise<string | undefined> {
  let folder = '';
  let seen = 0;
  for await (const { key } of store.list(`${layer}/`, after === undefined ? {} : { startAfter: after })) {
    const [, table = '', ...rest] = key.split('/');
    // An object beside the folders is no table.
    if (table === '' || rest.length === 0) continue;
    if (folder !== `${layer}/${table}/`) {
      folder = `${layer}/${table}/`;
      seen = 0;
    }
    seen += 1;
    // A folder without a log is what a run left that never published.
    const log = `${folder}_delta_log/`;
    const known = tables.at(-1)?.table === table;
    if (!known && key.startsWith(log)) tables.push({ layer, table });
    if (seen < KEYS_BEFORE_JUMP) continue;
    if (tables.at(-1)?.table !== table && (await firstKey(store, log)) !== undefined)
      tables.push({ layer, table });
    // The greatest character there is: after everything in this folder, before what is next to it.
    return `${folder}\u{10ffff}`;
  }
  return undefined;
}

async function firstKey(
  store: ObjectStore,
  prefix: string,
  startAfter?: string,
): Promise<string | undefined> {
  for await (const { key } of store.list(prefix, startAfter === undefined ? {} : { startAfter })) return key;
  return undefined;
}

/** `layer.table` in its parts. Throws DatalabError TABLE_UNKNOWN where it is no such name. */
export function parseTableName(text: string): TableName {
  const match = /^([a-z]+)\.([A-Za-z0-9_-]+)$/.exec(text);
  const layer = LAYERS.find((known) => known === match?.[1]);
  if (layer && match?.[2] !== undefined) return { layer, table: match[2] };
  throw new DatalabError(
    'TABLE_UNKNOWN',
    `'${text}' is no table name: layer.table is expected, with a layer of ${LAYERS.join(', ')}`,
  );
}

export function tableOf({ store, engine }: LakeReader, { layer, table }: TableName): DeltaTable {
  // Whoever looks at a table of the lake is told its rows, which are counted by the statistics of its files.
  return new DeltaTable(store.at(`${layer}/${table}`), { engine, lateStatisticsBytes: Infinity });
}

/** Every table of the lake at its newest version. */
export async function describeTables(lake: LakeReader): Promise<TableInfo[]> {
  const names = await listTables(lake);
  return mapLimited(names, PARALLEL, async (name) => infoOf(name, await tableOf(lake, name).snapshot()));
}

/** One table, whole. Throws DeltaError DELTA_TABLE_NOT_FOUND. */
export async function describeTable(lake: LakeReader, name: TableName): Promise<TableDetail> {
  const table = tableOf(lake, name);
  const snapshot = await table.snapshot();
  const { metadata, protocol, schema, partitionColumns } = snapshot;
  return {
    ...infoOf(name, snapshot),
    uri: table.store.uri,
    id: metadata.id,
    columns: schema.fields.map(({ name: column, type, nullable, metadata: { comment } }) => ({
      name: column,
      type: typeof type === 'string' ? type : JSON.stringify(type),
      nullable,
      comment: typeof comment === 'string' ? comment : null,
    })),
    partitionColumns,
    properties: metadata.configuration,
    protocol: { reader: protocol.minReaderVersion, writer: protocol.minWriterVersion },
  };
}

type SnapshotOf = Awaited<ReturnType<DeltaTable['snapshot']>>;

/** The figures of a snapshot that is at hand. */
export function infoOf(
  name: TableName,
  { version, files, timestampMs }: Pick<SnapshotOf, 'version' | 'files' | 'timestampMs'>,
): TableInfo {
  const counts = files.map(({ stats, deletionVector }) => {
    const rows = stats === undefined ? undefined : (JSON.parse(stats) as { numRecords?: number }).numRecords;
    return rows === undefined ? null : rows - (deletionVector?.cardinality ?? 0);
  });
  return {
    name: nameOf(name),
    version,
    rows: counts.reduce((sum, rows) => (sum === null || rows === null ? null : sum + rows), 0),
    files: files.length,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
    changedAt: new Date(timestampMs).toISOString(),
  };
}

/** The newest commits first. Throws DeltaError DELTA_TABLE_NOT_FOUND. */
export async function tableHistory(
  lake: LakeReader,
  name: TableName,
  options: { limit?: number },
): Promise<TableVersion[]> {
  const table = tableOf(lake, name);
  await table.snapshot();
  const commits = await table.history(options);
  return commits.map(({ version, info }) => versionOf(version, info));
}

function versionOf(version: number, info: CommitInfo): TableVersion {
  const at = info.inCommitTimestamp ?? info.timestamp;
  const note = info['datalab'] as { run?: { runId?: string } } | undefined;
  return {
    version,
    at: at === undefined ? null : new Date(at).toISOString(),
    operation: info.operation ?? '',
    metrics: info.operationMetrics ?? {},
    runId: note?.run?.runId ?? null,
    note: note ?? null,
  };
}
