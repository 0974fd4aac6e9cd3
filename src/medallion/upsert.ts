/**
 * Bronze → Silver by increments: new Bronze rows against the published rows. Files that no changed row is in stay as
 * they are. What comes out is what a rebuild would give (DESIGN law 4): the newest row of a key wins wherever it came
 * from, and a late row has the flags of the rows after it judged again.
 */
import type { Ledger } from '../contracts/ledger.js';
import { identifier, identifiers, literal } from '../contracts/sql-text.js';
import type { EngineSession, ScanPlan, WrittenFile } from '../delta/ports.js';
import type { StructType } from '../delta/schema.js';
import { balanced } from './ledger.js';
import { changedFlags } from './outliers.js';
import { clean, type RefineInput } from './refine.js';
import { beyondTheRow } from './row-local.js';
import { QUARANTINE_SCHEMA } from './schema.js';
import {
  fileOrder,
  newestOfKey,
  OUTLIER_COLUMNS,
  passes,
  publishedRows,
  PUBLISHED_FILE,
} from './silver-sql.js';

export interface UpsertInput extends RefineInput {
  /** All of Silver as it is published. */
  readonly silver: ScanPlan;
}

export interface Upserted {
  /** Local paths, from the plan, of the published files whose rows are all in the new files. */
  readonly replaced: readonly string[];
  readonly silver: readonly WrittenFile[];
  readonly schema: StructType;
  readonly quarantine: readonly WrittenFile[];
  readonly quarantineSchema: StructType;
  /** `duplicate`: superseded within the increment, older than the published row, or equal to it. */
  readonly ledger: Ledger;
  /** By how many rows the table grows: those with a key that it did not have. */
  readonly grown: number;
  /** Silver's rows that changed, as they were and as they are; undefined where none did. */
  readonly changes: WrittenFile | undefined;
}

/** Column of the rows of `changes`: whether the row is as it was before, or as it is after the increment. */
export const CHANGE_COLUMN = '_change';

/**
 * Adds the increment. Returns why it cannot be done by increments, where silver.sql looks at more than one row. Throws
 * SILVER_COLUMNS_MISSING, LEDGER_UNBALANCED and the engine's errors.
 */
export async function upsert(input: UpsertInput): Promise<Upserted | { readonly whole: string }> {
  const session = await input.engine.open({
    inputs: [...input.bronze.files, ...input.silver.files].map((file) => file.localPath),
    outputDirectory: input.outputDirectory,
    medians: true,
    ...(input.signal ? { signal: input.signal } : {}),
  });
  try {
    const { name, silver } = input.dataset;
    const beyond = await beyondTheRow(session, silver.sql, { schema: 'bronze', name });
    if (beyond !== undefined) return { whole: `silver.sql looks at more than one row: ${beyond}` };
    return await upsertIn(session, input);
  } finally {
    await session.close();
  }
}

async function upsertIn(
  session: EngineSession,
  input: UpsertInput,
): Promise<Upserted | { readonly whole: string }> {
  const { dataset, onProgress } = input;
  const { outliers } = dataset.silver;
  const { read, schema, refused } = await clean(session, input);
  await session.run(`CREATE VIEW published AS ${publishedRows(input.engine, input.silver)}`);
  const renewed = dataset.replaces === true ? await replacedFile(session) : undefined;
  if (renewed !== undefined)
    return { whole: `${renewed} changed, and takes the place of what it held before` };
  const step = (phase: string): void => onProgress?.({ phase, done: read, total: read, unit: 'rows' });
  step('comparing');
  await session.run(contest(input));
  const [counts] = await session.rows<Counts>(COUNTS);
  step('judging outliers');
  await session.run(outliers ? changedFlags(outliers, dataset.key) : NO_FLAGS(dataset.key));
  step('writing silver');
  const replaced = await touchedFiles(session);
  const silver = await writeRows(session, input, replaced);
  const changes = await session.writeParquet(changesSelect(input), 'changes.parquet');
  const fresh = Number(counts?.fresh ?? 0n);
  const accepted = Number(counts?.inserted ?? 0n) + Number(counts?.updated ?? 0n);
  const quarantine = await refused(read - fresh);
  const ledger = balanced(`silver.${dataset.name}`, {
    read,
    accepted,
    duplicate: fresh - accepted,
    quarantined: quarantine?.rows ?? 0,
  });
  return {
    replaced,
    silver,
    schema,
    quarantine: quarantine ? [quarantine] : [],
    quarantineSchema: QUARANTINE_SCHEMA,
    ledger,
    grown: Number(counts?.inserted ?? 0n),
    changes,
  };
}

/** A file of the increment of which other rows are published, or that came in two states; undefined where none is. */
async function replacedFile(session: EngineSession): Promise<string | undefined> {
  const [row] = await session.rows<{ file: string }>(
    `SELECT _source_file AS file FROM (SELECT DISTINCT _source_file, _source_id FROM cleaned ` +
      `UNION SELECT DISTINCT p._source_file, p._source_id FROM published p SEMI JOIN cleaned USING (_source_file)) ` +
      `GROUP BY ALL HAVING count(*) > 1 ORDER BY file LIMIT 1`,
  );
  return row?.file;
}

interface Counts {
  /** Rows of the increment that met the rules. */
  readonly fresh: bigint;
  readonly inserted: bigint;
  /** Keys whose newest row is new and says something else than the published one. */
  readonly updated: bigint;
}

const COUNTS = `SELECT (SELECT count(*) FROM fresh) AS fresh,
  (SELECT count(*) FROM winners WHERE kind = 'inserted') AS inserted,
  (SELECT count(*) FROM winners WHERE kind = 'updated') AS updated`;

const FLAGS = OUTLIER_COLUMNS.map(({ name }) => name);

/** What stands for {@link changedFlags} where the dataset flags no outliers. */
const NO_FLAGS = (key: readonly string[]): string =>
  `CREATE TABLE flagged AS SELECT ${identifiers(key)}, NULL::VARCHAR AS _published_file, false AS is_outlier, ` +
  `NULL::DOUBLE AS outlier_score FROM winners WHERE false; CREATE TABLE reflagged AS SELECT * FROM flagged`;

/**
 * Tables of the session: `fresh` (rows of the increment that meet the rules), `old` (published rows with a key of theirs,
 * as they are), `winners` (fresh rows that are the newest of their key; `kind` inserted, updated, or moved: equal values
 * from a newer place, which must be remembered, since a row in between may still come).
 */
function contest({ dataset, silver }: UpsertInput): string {
  const key = identifiers(dataset.key);
  const own = dataset.silver.outliers ? FLAGS : [];
  const same = silver.schema.fields
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('_') && !dataset.key.includes(name) && !own.includes(name))
    .map((name) => `n.${identifier(name)} IS NOT DISTINCT FROM o.${identifier(name)}`);
  return [
    `CREATE TABLE fresh AS SELECT * FROM cleaned WHERE ${passes(dataset)}`,
    `CREATE TABLE newest AS SELECT * FROM fresh ${newestOfKey(dataset)}`,
    `CREATE TABLE old AS SELECT * FROM published SEMI JOIN newest USING (${key})`,
    // Old and new in one ranking, so that NULLs and ties are settled in one way wherever the rows come from.
    `CREATE TABLE winners AS WITH both_sides AS (
  SELECT *, true AS is_new FROM newest
  UNION ALL BY NAME SELECT * EXCLUDE (${identifiers([PUBLISHED_FILE, ...own])}), false AS is_new FROM old
), won AS (SELECT ${key}, is_new FROM both_sides ${newestOfKey(dataset)})
SELECT n.*, o.${PUBLISHED_FILE}, CASE WHEN o.${PUBLISHED_FILE} IS NULL THEN 'inserted'
  WHEN ${same.join(' AND ') || 'true'} THEN 'moved' ELSE 'updated' END AS kind
FROM newest n SEMI JOIN (SELECT ${key} FROM won WHERE is_new) USING (${key}) LEFT JOIN old o USING (${key})`,
  ].join('; ');
}

/** The published files that a changed row is in. */
async function touchedFiles(session: EngineSession): Promise<string[]> {
  const rows = await session.rows<{ file: string }>(
    'SELECT DISTINCT _published_file AS file FROM (SELECT _published_file FROM winners UNION ALL SELECT _published_file FROM reflagged) ' +
      'WHERE _published_file IS NOT NULL ORDER BY file',
  );
  return rows.map(({ file }) => file);
}

/** Every touched file anew, each for itself so that files go on holding rows that belong together; new rows apart. */
async function writeRows(
  session: EngineSession,
  input: UpsertInput,
  touched: readonly string[],
): Promise<WrittenFile[]> {
  const { dataset } = input;
  const written: WrittenFile[] = [];
  for (const [index, path] of touched.entries()) {
    input.onProgress?.({ phase: 'writing silver', done: index, total: touched.length, unit: 'files' });
    const own = input.silver.files.filter((file) => file.localPath === path);
    const rows = `${stayingRows(input, own)} UNION ALL BY NAME ${winningRows(dataset, `w._published_file = ${literal(path)}`)}`;
    written.push(
      ...(await session.writeParquetFiles(
        `SELECT * FROM (${rows}) k ${fileOrder(dataset, 'k')}`,
        `silver-${index}`,
      )),
    );
  }
  const inserted = `SELECT * FROM (${winningRows(dataset, 'w._published_file IS NULL')}) k ${fileOrder(dataset, 'k')}`;
  return [...written, ...(await session.writeParquetFiles(inserted, 'silver-new'))];
}

/** Rows of published files whose key no new row has won, with their flags as they are now. */
function stayingRows({ engine, dataset, silver }: UpsertInput, files: ScanPlan['files']): string {
  const key = identifiers(dataset.key);
  const rows = `SELECT * FROM ${engine.relation({ ...silver, files })} ANTI JOIN winners USING (${key})`;
  if (!dataset.silver.outliers) return rows;
  const flags = FLAGS.map(
    (name) => `CASE WHEN f._published_file IS NULL THEN s.${name} ELSE f.${name} END AS ${name}`,
  );
  return `SELECT s.* REPLACE (${flags.join(', ')}) FROM (${rows}) s LEFT JOIN reflagged f USING (${key})`;
}

/** Winning rows as Silver has them: one that only moved keeps its flags, any other has those that were judged. */
function winningRows(dataset: UpsertInput['dataset'], where: string): string {
  const columns = 'w.* EXCLUDE (_published_file, kind)';
  if (!dataset.silver.outliers) return `SELECT ${columns} FROM winners w WHERE ${where}`;
  const key = identifiers(dataset.key);
  return (
    `SELECT ${columns}, CASE WHEN kind = 'moved' THEN o.is_outlier ELSE coalesce(f.is_outlier, false) END AS is_outlier, ` +
    `CASE WHEN kind = 'moved' THEN o.outlier_score ELSE f.outlier_score END AS outlier_score ` +
    `FROM winners w LEFT JOIN flagged f USING (${key}) LEFT JOIN (SELECT ${key}, ${identifiers(FLAGS)} FROM old) o ` +
    `USING (${key}) WHERE ${where}`
  );
}

/**
 * What Gold needs to know: every changed row as it was and as it is. `_moved` marks rows of which only the place changed
 * that they came from.
 */
function changesSelect(input: UpsertInput): string {
  const { dataset } = input;
  const key = identifiers(dataset.key);
  const reflagged = dataset.silver.outliers
    ? ` UNION ALL BY NAME SELECT * EXCLUDE (${PUBLISHED_FILE}), 'before' AS ${CHANGE_COLUMN}, false AS _moved ` +
      `FROM published SEMI JOIN reflagged USING (${key}) ` +
      `UNION ALL BY NAME SELECT s.* EXCLUDE (${PUBLISHED_FILE}) REPLACE (f.is_outlier AS is_outlier, f.outlier_score AS outlier_score), ` +
      `'after' AS ${CHANGE_COLUMN}, false AS _moved FROM published s JOIN (SELECT * FROM reflagged) f USING (${key})`
    : '';
  return (
    `SELECT * EXCLUDE (${PUBLISHED_FILE}, kind), 'before' AS ${CHANGE_COLUMN}, kind = 'moved' AS _moved ` +
    `FROM old JOIN (SELECT ${key}, kind FROM winners) USING (${key}) ` +
    `UNION ALL BY NAME SELECT r.*, 'after' AS ${CHANGE_COLUMN}, kind = 'moved' AS _moved ` +
    `FROM (${winningRows(dataset, 'true')}) r JOIN (SELECT ${key}, kind FROM winners) USING (${key})${reflagged}`
  );
}
