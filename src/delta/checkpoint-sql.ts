/**
 * The SQL that makes and checks a classic checkpoint. File actions stream from the log's own files to the new one; only
 * what is small (protocol, metadata, transactions, domains) comes from the snapshot, as lines of JSON.
 */
import { quoteName, quoteText, statsSql } from './checkpoint-parquet.js';
import type { EngineSession } from './ports.js';

const TEXTS = 'MAP(VARCHAR, VARCHAR)';
const VECTOR =
  'STRUCT(storageType VARCHAR, pathOrInlineDv VARCHAR, "offset" INTEGER, sizeInBytes INTEGER, cardinality BIGINT)';

/** What both kinds of file actions have. */
const FILE: Readonly<Record<string, string>> = {
  path: 'VARCHAR',
  partitionValues: TEXTS,
  size: 'BIGINT',
  deletionVector: VECTOR,
  baseRowId: 'BIGINT',
  defaultRowCommitVersion: 'BIGINT',
};
const ADD: Readonly<Record<string, string>> = {
  ...FILE,
  modificationTime: 'BIGINT',
  tags: TEXTS,
  clusteringProvider: 'VARCHAR',
  stats: 'VARCHAR',
};
const REMOVE: Readonly<Record<string, string>> = {
  ...FILE,
  deletionTimestamp: 'BIGINT',
  extendedFileMetadata: 'BOOLEAN',
};
/** Actions that the snapshot holds whole. */
const SMALL: Readonly<Record<string, string>> = {
  protocol:
    'STRUCT(minReaderVersion INTEGER, minWriterVersion INTEGER, readerFeatures VARCHAR[], writerFeatures VARCHAR[])',
  metaData:
    `STRUCT(id VARCHAR, name VARCHAR, description VARCHAR, format STRUCT(provider VARCHAR, options ${TEXTS}), ` +
    `schemaString VARCHAR, partitionColumns VARCHAR[], configuration ${TEXTS}, createdTime BIGINT)`,
  txn: 'STRUCT(appId VARCHAR, version BIGINT, lastUpdated BIGINT)',
  domainMetadata: 'STRUCT(domain VARCHAR, configuration VARCHAR, removed BOOLEAN)',
};

/** A log file that is there locally. */
export interface LocalLogFile {
  readonly path: string;
  readonly version: number;
}

/** Local files that a checkpoint is made from. */
export interface CheckpointSources {
  /** Lines of JSON: protocol, metaData, txn, domainMetadata. */
  readonly small: string;
  /** Commits above the older checkpoint, and its JSON head where it has one. */
  readonly json: readonly LocalLogFile[];
  /** Parquet files of the older checkpoint, sidecars included. */
  readonly parquet: readonly string[];
}

export interface CheckpointForm {
  /** Tombstones of this time or older are left out, in milliseconds since the epoch. */
  readonly expiredMs: number;
  readonly statsAsJson: boolean;
  /** SQL types of the parsed statistics and partition values, where they are wanted. */
  readonly statsType?: string | undefined;
  readonly partitionTypes?: Readonly<Record<string, string>> | undefined;
}

/**
 * The SELECT whose result is the checkpoint. Prepares the session: afterwards it holds, for every file that the JSON
 * names, which of its actions is the newest.
 */
export async function checkpointSelect(
  session: EngineSession,
  sources: CheckpointSources,
  form: CheckpointForm,
): Promise<string> {
  const { json, parquet } = sources;
  const parts: string[] = [];
  if (json.length > 0) {
    await session.run(
      `CREATE TABLE newest AS SELECT key, max(seq) AS seq, count(*) AS n FROM (${tailSelect(json, false)}) GROUP BY key`,
    );
    const [{ most = 0n } = {}] = await session.rows<{ most: bigint | null }>(
      'SELECT max(n) AS most FROM newest',
    );
    // Where every file is named once, as in a tail of appends, there is nothing to choose.
    const chosen = (most ?? 0n) > 1n ? ' SEMI JOIN newest USING (key, seq)' : '';
    parts.push(`SELECT t.add, t.remove FROM (${tailSelect(json, true)}) t${chosen}`);
  }
  if (parquet.length > 0) {
    const base = await baseSelect(session, parquet);
    const superseded = json.length > 0 ? ' ANTI JOIN newest USING (key)' : '';
    parts.push(`SELECT b.add, b.remove FROM (${base}) b${superseded}`);
  }
  const small = Object.keys(SMALL).map(quoteName).join(', ');
  const columns = Object.entries(SMALL).map(([name, type]) => `${name}: ${quoteText(type)}`);
  return [
    `SELECT ${small}, NULL::${addType(form)} AS "add", NULL::${removeType()} AS "remove"`,
    `FROM read_json(${quoteText(sources.small)}, ${JSON_OPTIONS}, columns = {${columns.join(', ')}})`,
    `UNION ALL SELECT ${nulls()}, ${addOf(form)}, ${removeOf(form)} FROM (${parts.join(' UNION ALL ')}) f`,
    `WHERE f.add IS NOT NULL OR coalesce(f.remove.deletionTimestamp, 0) > ${form.expiredMs}`,
  ].join('\n');
}

/** Lines up to 16 MiB: the engine sets twice the longest aside for every thread. */
const JSON_OPTIONS = `format = 'newline_delimited', maximum_object_size = 16777216`;

/** One row per file action: `key` names the file and its deletion vector, `seq` orders the actions of one key. */
function tailSelect(files: readonly LocalLogFile[], whole: boolean): string {
  const versions = files.map(({ path, version }) => `(${quoteText(path)}, ${version}::BIGINT)`).join(', ');
  const key: Readonly<Record<string, string>> = { path: 'VARCHAR', deletionVector: VECTOR };
  const columns = `{add: ${quoteText(structType(whole ? ADD : key))}, remove: ${quoteText(structType(whole ? REMOVE : key))}}`;
  const paths = `[${files.map(({ path }) => quoteText(path)).join(', ')}]`;
  return (
    `SELECT v.version * 2 + (j.add.path IS NOT NULL)::BIGINT AS seq, ${keyOf('j')} AS key, j.add, j.remove ` +
    `FROM read_json(${paths}, ${JSON_OPTIONS}, filename = 'log_file', columns = ${columns}) j ` +
    `JOIN (VALUES ${versions}) v(log_file, version) USING (log_file) ` +
    `WHERE j.add.path IS NOT NULL OR j.remove.path IS NOT NULL`
  );
}

/** The file actions of the older checkpoint, in the same shape. Columns that it lacks are NULL. */
async function baseSelect(session: EngineSession, paths: readonly string[]): Promise<string> {
  const list = `[${paths.map(quoteText).join(', ')}]`;
  const source = `read_parquet(${list}, hive_partitioning = false, union_by_name = true)`;
  const columns = new Set((await session.describe(`SELECT * FROM ${source}`)).map(({ name }) => name));
  const fieldsOf = async (action: 'add' | 'remove'): Promise<string[]> =>
    columns.has(action)
      ? (await session.describe(`SELECT unnest("${action}") FROM ${source}`)).map(({ name }) => name)
      : [];
  const addFields = await fieldsOf('add');
  const stats = await statsSql(session, source, addFields);
  const add = structOf('add', ADD, addFields, { stats });
  const remove = structOf('remove', REMOVE, await fieldsOf('remove'), {});
  const shaped = `SELECT ${add} AS "add", ${remove} AS "remove" FROM ${source}`;
  return (
    `SELECT ${keyOf('j')} AS key, j.add, j.remove FROM (${shaped}) j ` +
    `WHERE j.add IS NOT NULL OR j.remove IS NOT NULL`
  );
}

function structOf(
  action: 'add' | 'remove',
  wanted: Readonly<Record<string, string>>,
  present: readonly string[],
  given: Readonly<Record<string, string | undefined>>,
): string {
  if (!present.includes('path')) return `NULL::${structType(wanted)}`;
  const members = Object.entries(wanted).map(([name, type]) => {
    const own = present.includes(name) ? `"${action}".${quoteName(name)}` : 'NULL';
    return `${quoteName(name)} := CAST(${given[name] ?? own} AS ${type})`;
  });
  return `CASE WHEN "${action}"."path" IS NOT NULL THEN struct_pack(${members.join(', ')}) END`;
}

/** As `canonicalPath` and `vectorId` have it. The counts are compared with the snapshot's afterwards. */
function keyOf(row: string): string {
  const path = `coalesce(${row}.add.path, ${row}.remove.path)`;
  const decoded = `regexp_replace(coalesce(TRY(url_decode(${path})), ${path}), '^file:/+', '/', 'i')`;
  const plain = `NOT contains(${path}, '%') AND NOT contains(${path}, ':')`;
  const vector = (field: string): string =>
    `CASE WHEN ${row}.add.path IS NOT NULL THEN ${row}.add.deletionVector.${field} ` +
    `ELSE ${row}.remove.deletionVector.${field} END`;
  return (
    `CASE WHEN ${plain} THEN ${path} ELSE ${decoded} END || chr(10) || coalesce(${vector('storageType')} || ` +
    `${vector('pathOrInlineDv')} || coalesce('@' || ${vector('"offset"')}, ''), '')`
  );
}

function structType(fields: Readonly<Record<string, string>>): string {
  return `STRUCT(${Object.entries(fields)
    .map(([name, type]) => `${quoteName(name)} ${type}`)
    .join(', ')})`;
}

const nulls = (): string =>
  Object.entries(SMALL)
    .map(([name, type]) => `NULL::${type} AS ${quoteName(name)}`)
    .join(', ');

/** The fields of an add in a checkpoint: its SQL type, and its expression over `f.add`. */
function addFields(form: CheckpointForm): Array<{ name: string; type: string; value: string }> {
  const own = (name: string, type: string): { name: string; type: string; value: string } => ({
    name,
    type,
    value: name === 'deletionVector' ? vectorOf('f.add') : `f.add.${quoteName(name)}`,
  });
  const { stats, ...rest } = ADD;
  const fields = Object.entries(rest).map(([name, type]) => own(name, type));
  fields.push({ name: 'dataChange', type: 'BOOLEAN', value: 'false' });
  if (form.statsAsJson) fields.push(own('stats', stats ?? 'VARCHAR'));
  if (form.statsType !== undefined) {
    // Text that is no JSON, or no statistics of these types, gives NULLs: nothing is known then.
    const value = `TRY_CAST(TRY_CAST(f.add.stats AS JSON) AS ${form.statsType})`;
    fields.push({ name: 'stats_parsed', type: form.statsType, value });
  }
  const partitions = Object.entries(form.partitionTypes ?? {});
  if (partitions.length > 0) {
    const members = partitions.map(([name, type]) => {
      const text = `f.add.partitionValues[${quoteText(name)}]`;
      return `${quoteName(name)} := ${parsedValue(text, type)}`;
    });
    const value = `struct_pack(${members.join(', ')})`;
    fields.push({ name: 'partitionValues_parsed', type: structType(Object.fromEntries(partitions)), value });
  }
  return fields;
}

/** A partition value of its type. Bytes are the text's, as every reader but ours takes it. */
function parsedValue(text: string, type: string): string {
  if (type === 'BLOB') return `encode(${text})`;
  return `TRY_CAST(${type === 'VARCHAR' ? text : `nullif(${text}, '')`} AS ${type})`;
}

function addType(form: CheckpointForm): string {
  return structType(Object.fromEntries(addFields(form).map(({ name, type }) => [name, type])));
}

function addOf(form: CheckpointForm): string {
  const members = addFields(form).map(({ name, value }) => `${quoteName(name)} := ${value}`);
  return `CASE WHEN f.add IS NOT NULL THEN struct_pack(${members.join(', ')}) END`;
}

function removeType(): string {
  return structType({ ...REMOVE, dataChange: 'BOOLEAN' });
}

/** Tombstones that are kept. A member that is NULL in the log stays so. */
function removeOf({ expiredMs }: CheckpointForm): string {
  const members = Object.keys(REMOVE).map((name) => {
    const value = name === 'deletionVector' ? vectorOf('f.remove') : `f.remove.${quoteName(name)}`;
    return `${quoteName(name)} := ${value}`;
  });
  const packed = `struct_pack(${members.join(', ')}, "dataChange" := false)`;
  return `CASE WHEN f.add IS NULL AND coalesce(f.remove.deletionTimestamp, 0) > ${expiredMs} THEN ${packed} END`;
}

/** NULL as a whole where there is none: readers fail over a struct whose fields are all NULL. */
function vectorOf(file: string): string {
  return `CASE WHEN ${file}.deletionVector.storageType IS NOT NULL THEN ${file}.deletionVector END`;
}

/** What is counted in a checkpoint that was written. */
export interface CheckpointCounts {
  readonly actions: bigint;
  readonly adds: bigint;
  readonly bytes: bigint;
  readonly removes: bigint;
  readonly transactions: bigint;
  readonly domains: bigint;
  readonly protocols: bigint;
  readonly metadatas: bigint;
  /** Rows that are not exactly one whole action. */
  readonly odd: bigint;
}

/** Counts a written checkpoint, reading it anew. */
export async function countCheckpoint(session: EngineSession, path: string): Promise<CheckpointCounts> {
  const actions = ['protocol', 'metaData', 'txn', 'domainMetadata', 'add', 'remove'];
  const present = actions.map((name) => `("${name}" IS NOT NULL)::INTEGER`).join(' + ');
  const [counts] = await session.rows<CheckpointCounts>(
    `SELECT count(*) AS actions, count("add"."path") AS adds, coalesce(sum("add"."size"), 0)::BIGINT AS bytes,
      count("remove"."path") AS removes, count("txn"."appId") AS transactions,
      count("domainMetadata"."domain") AS domains, count("protocol"."minReaderVersion") AS protocols,
      count("metaData"."id") AS metadatas,
      count(*) FILTER (WHERE ${present} <> 1
        OR ("add" IS NOT NULL AND "add"."path" IS NULL)
        OR ("remove" IS NOT NULL AND "remove"."path" IS NULL)
        OR ("add"."deletionVector" IS NOT NULL AND "add"."deletionVector"."storageType" IS NULL)) AS odd
    FROM read_parquet(${quoteText(path)}, hive_partitioning = false)`,
  );
  if (!counts) throw new Error('an aggregate without groups has one row');
  return counts;
}
