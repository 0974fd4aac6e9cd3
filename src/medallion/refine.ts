/** Bronze → Silver as a whole: typed, clean, one row per key; refused rows in quarantine, outliers flagged and kept. */
import type { DatasetDefinition } from '../contracts/dataset.js';
import type { Progress } from '../contracts/flows.js';
import type { Ledger } from '../contracts/ledger.js';
import { identifier, literal } from '../contracts/sql-text.js';
import type { Engine, EngineSession, ScanPlan, WrittenFile } from '../delta/ports.js';
import type { StructType } from '../delta/schema.js';
import { count } from './count.js';
import type { RunStamp } from './ingest.js';
import { balanced } from './ledger.js';
import { rebuild } from './rebuild.js';
import { beyondTheRow } from './row-local.js';
import { QUARANTINE_SCHEMA, schemaOf } from './schema.js';
import { keepSurvivors, SURVIVORS, type Survivors } from './survivors.js';
import { newestStates, OUTLIER_COLUMNS, passes, refusedSelect, requireColumns } from './silver-sql.js';

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
  /** About how many rows of a whole table are sorted and judged at a time. */
  readonly partRows?: number;
  /** Hears of each file of Silver when it is written, while others still are made. */
  readonly onFile?: (file: WrittenFile) => void;
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
    // A part is joined with its scores, which are narrow, and keeps its order so.
    joins: 'as written',
    medians: true,
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
  const { read: fromBronze, schema, refused } = await clean(session, input);
  const survivors = input.survivors
    ? await keepSurvivors(session, input.engine, dataset, input.survivors)
    : undefined;
  const read = fromBronze + (survivors ?? 0);
  const more = survivors === undefined ? '' : ` UNION ALL BY NAME SELECT * FROM ${SURVIVORS}`;
  await session.run(
    `CREATE VIEW arrived AS SELECT * FROM cleaned${more}; ` +
      `CREATE VIEW sound AS SELECT * FROM cleaned WHERE ${passes(dataset)}${more}`,
  );
  const superseded = await keepStates(session, dataset);
  const rebuilt = await rebuild({
    session,
    dataset,
    rows: read,
    ...(input.partRows !== undefined && { partRows: input.partRows }),
    ...(input.onFile && { onFile: input.onFile }),
    onPart: (done, parts) =>
      input.onProgress?.({ phase: 'writing silver', done, total: parts, unit: 'parts' }),
  });
  const { silver } = rebuilt;
  const duplicate = rebuilt.duplicate + superseded;
  const accepted = silver.reduce((sum, file) => sum + file.rows, 0);
  const quarantine = await refused(read - accepted - duplicate);
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

/** Makes the view `kept` of the view `sound`: all of it, or the newest state of each file. Returns how many rows it leaves out. */
async function keepStates(session: EngineSession, { replaces = false }: DatasetDefinition): Promise<number> {
  if (!replaces) {
    await session.run('CREATE VIEW kept AS SELECT * FROM sound');
    return 0;
  }
  const same = `ON r._source_file = s._source_file AND r._source_id = s._source_id`;
  await session.run(
    `CREATE TABLE states AS ${newestStates('arrived')}; ` +
      `CREATE VIEW kept AS SELECT r.* FROM sound r SEMI JOIN states s ${same}`,
  );
  return count(session, `SELECT count(*) AS n FROM sound r ANTI JOIN states s ${same}`);
}

/** Bronze as cleaned rows, before anything was chosen among them. */
export interface Cleaned {
  /** Rows of Bronze. */
  readonly read: number;
  /** Silver's schema: what silver.sql selects, and the outlier columns. */
  readonly schema: StructType;
  /**
   * Writes the rows that a rule refuses, given how many rows found no other end. Where silver.sql goes row by row, none is
   * missing only if none is refused, and they need not be looked for.
   */
  readonly refused: (missing: number) => Promise<WrittenFile | undefined>;
}

/** Makes the view `cleaned` over the Bronze rows. */
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
  const { select, rowByRow } = await cleanedSelect(session, dataset);
  await session.run(`CREATE VIEW cleaned AS ${select}`);
  const refused = async (missing: number): Promise<WrittenFile | undefined> => {
    if (rowByRow && missing === 0) return undefined;
    input.onProgress?.({ phase: 'setting aside what a rule refuses', done: read, total: read, unit: 'rows' });
    return session.writeParquet(refusedSelect(dataset, input.run, 'cleaned'), 'quarantine-silver.parquet');
  };
  return { read, schema, refused };
}

/**
 * A SELECT that goes row by row is cheap enough to be asked for again and again. Any other is run once, also because it
 * might not give the same rows twice.
 */
async function cleanedSelect(
  session: EngineSession,
  dataset: DatasetDefinition,
): Promise<{ select: string; rowByRow: boolean }> {
  const { sql } = dataset.silver;
  if ((await beyondTheRow(session, sql, { schema: 'bronze', name: dataset.name })) === undefined) {
    return { select: `SELECT * FROM (\n${sql}\n)`, rowByRow: true };
  }
  const cleaned = await session.writeParquet(sql, CLEANED);
  const select = cleaned
    ? `SELECT * FROM read_parquet(${literal(cleaned.localPath)}, hive_partitioning = false)`
    : `SELECT * FROM (\n${sql}\n) WHERE false`;
  return { select, rowByRow: false };
}
