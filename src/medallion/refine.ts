/** Bronze → Silver as a whole: typed, clean, one row per key; refused rows in quarantine, outliers flagged and kept. */
import type { DatasetDefinition } from '../contracts/dataset.js';
import type { Progress } from '../contracts/flows.js';
import type { Ledger } from '../contracts/ledger.js';
import { identifier, identifiers, literal } from '../contracts/sql-text.js';
import type { Engine, EngineSession, ScanPlan, WrittenFile } from '../delta/ports.js';
import type { StructType } from '../delta/schema.js';
import type { RunStamp } from './ingest.js';
import { balanced } from './ledger.js';
import { flagColumns, returnsTable, scoredTable } from './outliers.js';
import { beyondTheRow } from './row-local.js';
import { QUARANTINE_SCHEMA, schemaOf } from './schema.js';
import { keepSurvivors, SURVIVORS, type Survivors } from './survivors.js';
import {
  fileOrder,
  newestOfKey,
  OUTLIER_COLUMNS,
  passes,
  refusedSelect,
  requireColumns,
  timeColumns,
} from './silver-sql.js';

export interface RefineInput {
  readonly engine: Engine;
  readonly dataset: DatasetDefinition;
  /** All of Bronze, or for an increment the rows that Silver has not seen. */
  readonly bronze: ScanPlan;
  /** Of a rebuild over a Bronze that retention took rows out of: what Silver made of them. */
  readonly survivors?: Survivors;
  /** An empty folder for the Parquet files; what else is left in it may be removed afterwards. */
  readonly outputDirectory: string;
  readonly run: RunStamp;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

export interface Refined {
  /** Files of `schema`, sorted by key; none where no row is left. */
  readonly silver: readonly WrittenFile[];
  readonly schema: StructType;
  /** All rows that Silver refuses, as files of `quarantineSchema` without its partition column `layer` (`silver`). */
  readonly quarantine: readonly WrittenFile[];
  readonly quarantineSchema: StructType;
  /** `read` counts the survivors too. */
  readonly ledger: Ledger;
  /** Published rows that were kept, since Bronze no longer has theirs. */
  readonly survivors?: number;
}

/** Where the cleaned rows wait for their rules: a file, since a table in memory would cost three times as much. */
const CLEANED = 'cleaned.parquet';

/**
 * Rebuilds Silver. `read` is counted on Bronze, `duplicate` on the keys, the others on what was written. Throws
 * SILVER_COLUMNS_MISSING, LEDGER_UNBALANCED where silver.sql drops or multiplies rows, and the engine's errors.
 */
export async function refine(input: RefineInput): Promise<Refined> {
  const session = await input.engine.open({
    inputs: [...input.bronze.files, ...(input.survivors?.published.files ?? [])].map(
      (file) => file.localPath,
    ),
    outputDirectory: input.outputDirectory,
    ...(input.signal ? { signal: input.signal } : {}),
  });
  try {
    return await refineIn(session, input);
  } finally {
    await session.close();
  }
}

async function refineIn(session: EngineSession, input: RefineInput): Promise<Refined> {
  const { dataset } = input;
  const { read: fromBronze, schema, quarantine } = await clean(session, input);
  const survivors = input.survivors
    ? await keepSurvivors(session, input.engine, dataset, input.survivors)
    : undefined;
  const read = fromBronze + (survivors ?? 0);
  const step = (phase: string): void => input.onProgress?.({ phase, done: read, total: read, unit: 'rows' });
  step('looking for duplicates');
  const more = survivors === undefined ? '' : ` UNION ALL BY NAME SELECT * FROM ${SURVIVORS}`;
  await session.run(`CREATE VIEW kept AS SELECT * FROM cleaned WHERE ${passes(dataset)}${more}`);
  const duplicate = await keepNewest(session, dataset);
  const { outliers } = dataset.silver;
  if (outliers) {
    step('judging outliers');
    await session.run(scoredTable(outliers, dataset.key));
  }
  const silver: WrittenFile[] = [];
  for (const [index, slice] of (await timeSlices(session, dataset, read)).entries()) {
    step('writing silver');
    silver.push(...(await session.writeParquetFiles(silverSelect(dataset, slice), `silver-${index}`)));
  }
  const accepted = silver.reduce((sum, file) => sum + file.rows, 0);
  const ledger = balanced(`silver.${dataset.name}`, {
    read,
    accepted,
    duplicate,
    quarantined: quarantine?.rows ?? 0,
  });
  return {
    silver,
    schema,
    quarantine: quarantine ? [quarantine] : [],
    quarantineSchema: QUARANTINE_SCHEMA,
    ledger,
    ...(survivors !== undefined && { survivors }),
  };
}

/** Bronze as cleaned rows, before anything was chosen among them. */
export interface Cleaned {
  /** Rows of Bronze. */
  readonly read: number;
  /** Silver's schema: what silver.sql selects, and the outlier columns. */
  readonly schema: StructType;
  readonly quarantine: WrittenFile | undefined;
}

/** Makes the view `cleaned` over the Bronze rows and writes those that a rule refuses. */
export async function clean(session: EngineSession, input: RefineInput): Promise<Cleaned> {
  const { dataset } = input;
  const name = identifier(dataset.name);
  await session.run(
    `CREATE SCHEMA bronze; CREATE VIEW bronze.${name} AS SELECT * FROM ${input.engine.relation(input.bronze)}`,
  );
  const columns = await session.describe(dataset.silver.sql);
  requireColumns(
    dataset,
    columns.map((column) => column.name),
  );
  const read = await count(session, `SELECT count(*) AS n FROM bronze.${name}`);
  input.onProgress?.({ phase: 'cleaning', done: 0, total: read, unit: 'rows' });
  const outlierColumns = dataset.silver.outliers ? OUTLIER_COLUMNS : [];
  const schema = schemaOf([...columns, ...outlierColumns]);
  await session.run(`CREATE VIEW cleaned AS ${await cleanedSelect(session, dataset)}`);
  input.onProgress?.({ phase: 'applying rules', done: read, total: read, unit: 'rows' });
  const quarantine = await session.writeParquet(
    refusedSelect(dataset, input.run, 'cleaned'),
    'quarantine-silver.parquet',
  );
  return { read, schema, quarantine };
}

/**
 * A SELECT that goes row by row is cheap enough to be asked for again and again. Any other is run once, also because it
 * might not give the same rows twice.
 */
async function cleanedSelect(session: EngineSession, dataset: DatasetDefinition): Promise<string> {
  const { sql } = dataset.silver;
  if ((await beyondTheRow(session, sql, { schema: 'bronze', name: dataset.name })) === undefined) {
    return `SELECT * FROM (\n${sql}\n)`;
  }
  const cleaned = await session.writeParquet(sql, CLEANED);
  if (!cleaned) return `SELECT * FROM (\n${sql}\n) WHERE false`;
  return `SELECT * FROM read_parquet(${literal(cleaned.localPath)}, hive_partitioning = false)`;
}

/**
 * Leaves in `kept` the newest row of each key, and returns how many others there were. Where outliers are judged, it
 * leaves `returns` of those rows too: they stand in the order in which equal keys are neighbours, so that counting the
 * duplicates costs nothing then.
 */
async function keepNewest(session: EngineSession, dataset: DatasetDefinition): Promise<number> {
  const { key, silver } = dataset;
  const { outliers } = silver;
  const neighbours = outliers && isSameSet(key, [...outliers.group, outliers.order]);
  if (outliers) await session.run(returnsTable(outliers, key, 'kept'));
  const duplicate = await count(
    session,
    neighbours
      ? 'SELECT count(*) AS n FROM returns WHERE again'
      : `SELECT coalesce(sum(rows - 1), 0)::BIGINT AS n FROM (SELECT count(*) AS rows FROM kept GROUP BY ${identifiers(key)})`,
  );
  if (duplicate === 0) return 0;
  const newest = await session.writeParquet(`SELECT * FROM kept ${newestOfKey(dataset)}`, 'newest.parquet');
  await session.run(
    `CREATE OR REPLACE VIEW kept AS SELECT * FROM read_parquet(${literal(newest?.localPath ?? '')}, hive_partitioning = false)`,
  );
  if (outliers) await session.run(`DROP TABLE returns; ${returnsTable(outliers, key, 'kept')}`);
  return duplicate;
}

function isSameSet(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((name) => right.includes(name));
}

/** Rows that are sorted and joined at a time: as many as one file holds, and few enough for the memory. */
const SLICE_ROWS = 1_000_000;

/**
 * Conditions that part the rows of `kept` by time, so that no step has to hold all of them. One that is always true
 * where the rows are few, or where their key has no time.
 */
async function timeSlices(
  session: EngineSession,
  dataset: DatasetDefinition,
  rows: number,
): Promise<string[]> {
  const slices = Math.round(rows / SLICE_ROWS);
  const [time] = timeColumns(dataset);
  if (slices < 2 || time === undefined) return ['true'];
  const column = identifier(time);
  const shares = Array.from({ length: slices - 1 }, (_, index) => (index + 1) / slices).join(', ');
  await session.run(
    `SET VARIABLE bounds = (SELECT list_sort(list_distinct(quantile_disc(${column}, [${shares}]))) FROM kept)`,
  );
  const bounds = await count(session, `SELECT len(getvariable('bounds'))::BIGINT AS n`);
  const bound = (index: number): string => `getvariable('bounds')[${index}]`;
  return Array.from({ length: bounds + 1 }, (_, index) =>
    [
      ...(index > 0 ? [`${column} >= ${bound(index)}`] : []),
      ...(index < bounds ? [`${column} < ${bound(index + 1)}`] : []),
    ].join(' AND '),
  );
}

function silverSelect(dataset: DatasetDefinition, slice: string): string {
  const { key, silver } = dataset;
  const rows = `(SELECT * FROM kept WHERE ${slice}) k`;
  const order = fileOrder(dataset, 'k');
  if (silver.outliers === undefined) return `SELECT k.* FROM ${rows} ${order}`;
  return (
    `SELECT k.*, ${flagColumns(silver.outliers)} FROM ${rows} ` +
    `LEFT JOIN (SELECT * FROM scored WHERE ${slice}) s USING (${identifiers(key)}) ${order}`
  );
}

/** The number that a statement gives under the name `n`. */
export async function count(session: EngineSession, sql: string): Promise<number> {
  const [row] = await session.rows<{ n: bigint }>(sql);
  return Number(row?.n ?? 0n);
}
