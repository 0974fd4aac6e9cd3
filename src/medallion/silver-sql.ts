/** SQL that Silver is made with, whole or by increments: the row rules, who is newest of a key, what is refused. */
import type { DatasetDefinition } from '../contracts/dataset.js';
import { DatalabError } from '../contracts/errors.js';
import { identifier, identifiers, literal } from '../contracts/sql-text.js';
import { ROW_ID, type Engine, type ScanPlan } from '../delta/ports.js';
import type { RunStamp } from './ingest.js';
import { LINEAGE_COLUMNS } from './schema.js';

/** Columns that the outlier flags add to what silver.sql selects, with their engine types. */
export const OUTLIER_COLUMNS: ReadonlyArray<{ name: string; type: string }> = [
  { name: 'is_outlier', type: 'BOOLEAN' },
  { name: 'outlier_score', type: 'DOUBLE' },
];

/** Throws SILVER_COLUMNS_MISSING where the SELECT lacks a column that the definition or DataLab needs. */
export function requireColumns(dataset: DatasetDefinition, columns: readonly string[]): void {
  const { outliers, sequenceBy } = dataset.silver;
  const needed = [
    ...dataset.key,
    ...sequenceBy,
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
export function rulesOf(
  dataset: DatasetDefinition,
): ReadonlyArray<{ name: string; must: string; reason: string }> {
  const key = {
    name: 'key_missing',
    must: dataset.key.map((name) => `${identifier(name)} IS NOT NULL`).join(' AND '),
    reason: `a part of the key (${dataset.key.join(', ')}) is missing`,
  };
  return [key, ...dataset.silver.rules];
}

/** TRUE or something else: NULL, as from a missing or unordered value, is not TRUE. The line end closes comments. */
export function failed(must: string): string {
  return `((${must}\n) IS NOT TRUE)`;
}

/** Condition on a cleaned row: it meets every rule. */
export function passes(dataset: DatasetDefinition): string {
  return `(NOT (${rulesOf(dataset)
    .map((rule) => failed(rule.must))
    .join(' OR ')}))`;
}

/** The rows of `cleaned` that a rule refuses, as quarantine keeps them. */
export function refusedSelect(dataset: DatasetDefinition, run: RunStamp, cleaned: string): string {
  const rules = rulesOf(dataset);
  const cases = rules.map((rule) => `WHEN ${failed(rule.must)} THEN ${literal(rule.name)}`).join(' ');
  const reasons = rules.map((rule) => `CASE WHEN ${failed(rule.must)} THEN ${literal(rule.reason)} END`);
  return (
    `SELECT _source_id, _source_file, _source_line, CASE ${cases} END AS rule, ` +
    `concat_ws('; ', ${reasons.join(', ')}) AS reason, to_json(${cleaned})::VARCHAR AS raw, ` +
    `${literal(run.at)}::TIMESTAMPTZ AS _ingested_at, ${literal(run.runId)} AS _run_id ` +
    `FROM ${cleaned} WHERE NOT ${passes(dataset)} ORDER BY _source_file, _source_line`
  );
}

/**
 * ORDER BY that puts the newest row of a key first. It depends on the rows alone, so that any history of increments
 * keeps the row that a rebuild keeps (DESIGN law 4); the source's identity settles what even the place leaves open.
 */
export function newestFirst(dataset: DatasetDefinition): string {
  return [...dataset.silver.sequenceBy, '_source_modified_at', '_source_file', '_source_line', '_source_id']
    .map((name) => `${identifier(name)} DESC NULLS LAST`)
    .join(', ');
}

/** QUALIFY clause that keeps the newest row of each key. */
export function newestOfKey(dataset: DatasetDefinition): string {
  return `QUALIFY row_number() OVER (PARTITION BY ${identifiers(dataset.key)} ORDER BY ${newestFirst(dataset)}) = 1`;
}

/**
 * The newest state of each file among rows of `relation`, as `_source_file` and `_source_id`. A file that holds no row any
 * more has none here, and so leaves what it held before: an empty file is mostly an accident.
 */
export function newestStates(relation: string): string {
  return `SELECT _source_file, arg_max(_source_id, (_source_modified_at, _ingested_at, _source_id)) AS _source_id FROM ${relation} GROUP BY ALL`;
}

/** Columns of the key that are times, in their order. */
export function timeColumns({ key, columns }: DatasetDefinition): string[] {
  const times = new Set(
    columns.filter(({ type }) => type === 'date' || type === 'timestamp').map(({ name }) => name),
  );
  return key.filter((name) => times.has(name));
}

/**
 * The order of the rows in Silver's files: by time first where the key has a time, so that new rows, which most often
 * are of late times, touch few files.
 */
export function fileOrder(dataset: DatasetDefinition, alias: string): string {
  const times = timeColumns(dataset);
  const names = [...times, ...dataset.key.filter((name) => !times.includes(name))];
  return `ORDER BY ${names.map((name) => `${alias}.${identifier(name)}`).join(', ')}`;
}

/** Column of session tables: local path of the published file that a row is in. */
export const PUBLISHED_FILE = '_published_file';

/** The rows of a published table, each with the file that it is in. */
export function publishedRows(engine: Engine, plan: ScanPlan): string {
  const { file, row } = ROW_ID;
  return `SELECT * EXCLUDE (${row}) RENAME (${file} AS ${PUBLISHED_FILE}) FROM ${engine.relation({ ...plan, rowId: true })}`;
}
