/**
 * Silver's memory of what Bronze has forgotten. Retention takes old rows out of Bronze; Silver keeps what it made of them
 * (DESIGN laws 4 and 12). A rebuild computes Silver from Bronze, so it takes the published rows whose Bronze rows
 * retention took as a second source: they stand for those rows, in the same contest for each key, and their outlier flags
 * are judged anew with all others. While the definition is the same, that gives the rows that a rebuild from the whole of
 * Bronze would give; where it changed, they are what the earlier definition made of them, cast to the columns of the new
 * one. A row that cannot be kept so is never dropped in silence.
 */
import type { DatasetDefinition } from '../contracts/dataset.js';
import { DatalabError } from '../contracts/errors.js';
import { identifier, literal } from '../contracts/sql-text.js';
import type { Engine, EngineSession, ScanPlan } from '../delta/ports.js';
import { passes } from './silver-sql.js';

export interface Survivors {
  /** The files of Silver, as published, that may hold rows that Bronze no longer has. */
  readonly published: ScanPlan;
  /** ISO instant up to which retention took rows out of Bronze, by `_ingested_at`. */
  readonly before: string;
  /** Rows that the definition has no place for are dropped instead of refused. */
  readonly acceptLoss: boolean;
}

/** Session view of the rows that are kept, with the columns of `cleaned`. */
export const SURVIVORS = 'survivors';

const FILE = 'survivors.parquet';

/**
 * Makes the view {@link SURVIVORS} beside `cleaned` and `bronze.<dataset>`, and returns how many rows it has. Throws
 * SILVER_HISTORY_UNFIT where rows cannot be kept under the definition as it is now.
 */
export async function keepSurvivors(
  session: EngineSession,
  engine: Engine,
  dataset: DatasetDefinition,
  { published, before, acceptLoss }: Survivors,
): Promise<number> {
  const columns = await session.describe('SELECT * FROM cleaned');
  const there = new Set(published.schema.fields.map(({ name }) => name));
  const cast = columns.map(({ name, type }) =>
    there.has(name)
      ? `TRY_CAST(s.${identifier(name)} AS ${type}) AS ${identifier(name)}`
      : `NULL::${type} AS ${identifier(name)}`,
  );
  const uncast = columns
    .filter(({ name }) => there.has(name))
    .map(
      ({ name, type }) =>
        `(s.${identifier(name)} IS NOT NULL AND TRY_CAST(s.${identifier(name)} AS ${type}) IS NULL)`,
    );
  const forgotten =
    `SELECT s.* FROM ${engine.relation(published)} s ANTI JOIN bronze.${identifier(dataset.name)} b ` +
    `ON s._source_id = b._source_id AND s._source_line = b._source_line ` +
    `WHERE s._ingested_at < ${literal(before)}::TIMESTAMPTZ`;
  const file = await session.writeParquet(
    `SELECT *, fits AND ${passes(dataset)} AS _fits FROM (SELECT ${cast.join(', ')}, NOT (${uncast.join(' OR ') || 'false'}) AS fits FROM (${forgotten}) s)`,
    FILE,
  );
  const all = file
    ? `read_parquet(${literal(file.localPath)}, hive_partitioning = false)`
    : '(SELECT *, true AS fits, true AS _fits FROM cleaned WHERE false)';
  await session.run(`CREATE VIEW ${SURVIVORS} AS SELECT * EXCLUDE (fits, _fits) FROM ${all} WHERE _fits`);
  const [counts] = await session.rows<{ kept: bigint; unfit: bigint }>(
    `SELECT count(*) FILTER (WHERE _fits) AS kept, count(*) FILTER (WHERE _fits IS NOT TRUE) AS unfit FROM ${all}`,
  );
  const unfit = Number(counts?.unfit ?? 0n);
  if (unfit > 0 && !acceptLoss) {
    throw new DatalabError(
      'SILVER_HISTORY_UNFIT',
      `silver.${dataset.name} holds ${unfit} rows that came in before ${before} and are no longer in Bronze; under the ` +
        `definition as it is now they break a rule, lack their key, or do not fit a column's type`,
    );
  }
  return Number(counts?.kept ?? 0n);
}
