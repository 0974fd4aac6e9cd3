/** Bronze → Silver: typed, clean, one row per key; refused rows in quarantine, outliers flagged and kept. */
import type { DatasetDefinition } from '../contracts/dataset.js';
import { DatalabError } from '../contracts/errors.js';
import type { Progress } from '../contracts/flows.js';
import type { Ledger } from '../contracts/ledger.js';
import { identifier, identifiers, literal } from '../contracts/sql-text.js';
import type { Engine, EngineSession, ScanPlan, WrittenFile } from '../delta/ports.js';
import type { StructType } from '../delta/schema.js';
import type { RunStamp } from './ingest.js';
import { balanced } from './ledger.js';
import { outlierSql } from './outliers.js';
import { LINEAGE_COLUMNS, QUARANTINE_SCHEMA, schemaOf } from './schema.js';

export interface RefineInput {
  readonly engine: Engine;
  readonly dataset: DatasetDefinition;
  /** All of Bronze: Silver is rebuilt whole. */
  readonly bronze: ScanPlan;
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
  readonly ledger: Ledger;
}

/** Where the cleaned rows wait for their rules: a file, since a table in memory would cost three times as much. */
const CLEANED = 'cleaned.parquet';

/**
 * Rebuilds Silver. `read` is counted on Bronze, `duplicate` on the keys, the others on what was written. Throws
 * SILVER_COLUMNS_MISSING, LEDGER_UNBALANCED where silver.sql drops or multiplies rows, and the engine's errors.
 */
export async function refine(input: RefineInput): Promise<Refined> {
  const session = await input.engine.open({
    inputs: input.bronze.files.map((file) => file.localPath),
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
  const step = (phase: string, done: number): void =>
    input.onProgress?.({ phase, done, total: read, unit: 'rows' });
  step('cleaning', 0);
  const cleaned = await session.writeParquet(dataset.silver.sql, CLEANED);
  const schema = schemaOf([...columns, ...outlierColumns(dataset)]);
  if (!cleaned) {
    const ledger = balanced(`silver.${dataset.name}`, { read, accepted: 0, duplicate: 0, quarantined: 0 });
    return { silver: [], schema, quarantine: [], quarantineSchema: QUARANTINE_SCHEMA, ledger };
  }
  await session.run(
    `CREATE VIEW cleaned AS SELECT * FROM read_parquet(${literal(cleaned.localPath)}, hive_partitioning = false)`,
  );
  step('applying rules', cleaned.rows);
  const quarantine = await session.writeParquet(refusedSelect(input), 'quarantine-silver.parquet');
  const duplicate = await count(session, duplicateCount(dataset));
  const silver = await session.writeParquet(silverSelect(dataset, duplicate > 0), 'silver.parquet');
  step('writing silver', read);
  const ledger = balanced(`silver.${dataset.name}`, {
    read,
    accepted: silver?.rows ?? 0,
    duplicate,
    quarantined: quarantine?.rows ?? 0,
  });
  return {
    silver: silver ? [silver] : [],
    schema,
    quarantine: quarantine ? [quarantine] : [],
    quarantineSchema: QUARANTINE_SCHEMA,
    ledger,
  };
}

function outlierColumns({ silver }: DatasetDefinition): Array<{ name: string; type: string }> {
  if (silver.outliers === undefined) return [];
  return [
    { name: 'is_outlier', type: 'BOOLEAN' },
    { name: 'outlier_score', type: 'DOUBLE' },
  ];
}

function requireColumns(dataset: DatasetDefinition, columns: readonly string[]): void {
  const { outliers } = dataset.silver;
  const needed = [
    ...dataset.key,
    ...(outliers ? [...outliers.group, outliers.order, outliers.value] : []),
    ...LINEAGE_COLUMNS,
  ];
  const missing = [...new Set(needed)].filter((name) => !columns.includes(name));
  if (missing.length === 0) return;
  throw new DatalabError(
    'SILVER_COLUMNS_MISSING',
    `silver.sql of '${dataset.name}' does not select ${missing.join(', ')}; it selects ${columns.join(', ')}`,
  );
}

/** The row's rules in order: its key first, then the declared ones. The first that it fails names its outcome. */
function rulesOf(dataset: DatasetDefinition): ReadonlyArray<{ name: string; must: string; reason: string }> {
  const key = {
    name: 'key_missing',
    must: dataset.key.map((name) => `${identifier(name)} IS NOT NULL`).join(' AND '),
    reason: `a part of the key (${dataset.key.join(', ')}) is missing`,
  };
  return [key, ...dataset.silver.rules];
}

/** TRUE or something else: NULL, as from a missing or unordered value, is not TRUE. The line end closes comments. */
function failed(must: string): string {
  return `((${must}\n) IS NOT TRUE)`;
}

function refusedSelect({ dataset, run }: RefineInput): string {
  const rules = rulesOf(dataset);
  const cases = (then: (rule: { name: string; reason: string }) => string): string =>
    rules.map((rule) => `WHEN ${failed(rule.must)} THEN ${literal(then(rule))}`).join(' ');
  const reasons = rules.map((rule) => `CASE WHEN ${failed(rule.must)} THEN ${literal(rule.reason)} END`);
  return (
    `SELECT _source_id, _source_file, _source_line, CASE ${cases((rule) => rule.name)} END AS rule, ` +
    `concat_ws('; ', ${reasons.join(', ')}) AS reason, to_json(cleaned)::VARCHAR AS raw, ` +
    `${literal(run.at)}::TIMESTAMPTZ AS _ingested_at, ${literal(run.runId)} AS _run_id ` +
    `FROM cleaned WHERE NOT ${passes(dataset)} ORDER BY _source_file, _source_line`
  );
}

function passes(dataset: DatasetDefinition): string {
  return `(NOT (${rulesOf(dataset)
    .map((rule) => failed(rule.must))
    .join(' OR ')}))`;
}

/** Rows beyond the first of each key, counted without choosing any. */
function duplicateCount(dataset: DatasetDefinition): string {
  return (
    `SELECT coalesce(sum(rows - 1), 0)::BIGINT AS n FROM ` +
    `(SELECT count(*) AS rows FROM cleaned WHERE ${passes(dataset)} GROUP BY ${identifiers(dataset.key)})`
  );
}

/** Keeps the newest row per key: by ingestion, then by source and line. Without duplicates there is nothing to choose. */
function silverSelect(dataset: DatasetDefinition, hasDuplicates: boolean): string {
  const key = identifiers(dataset.key);
  const { outliers } = dataset.silver;
  const newest =
    `QUALIFY row_number() OVER (PARTITION BY ${key} ` +
    `ORDER BY _ingested_at DESC, _source_file DESC, _source_line DESC) = 1`;
  const kept = `kept AS (SELECT * FROM cleaned WHERE ${passes(dataset)} ${hasDuplicates ? newest : ''})`;
  const order = `ORDER BY ${dataset.key.map((name) => `k.${identifier(name)}`).join(', ')}`;
  if (outliers === undefined) return `WITH ${kept} SELECT k.* FROM kept k ${order}`;
  const flags = outlierSql(outliers, dataset.key, 'kept', 'k');
  return `WITH ${kept}, ${flags.ctes} SELECT k.*, ${flags.columns} FROM kept k ${flags.join} ${order}`;
}

async function count(session: EngineSession, sql: string): Promise<number> {
  const [row] = await session.rows<{ n: bigint }>(sql);
  return Number(row?.n ?? 0n);
}
