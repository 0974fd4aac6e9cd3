/**
 * Quarantine → Bronze, once more: which refused rows are still owed, and which of the rows that were read again are
 * theirs. A row keeps its place (source and line) wherever it goes, so that a row is taken in once however often this is
 * repeated.
 */
import { literal, literalList } from '../contracts/sql-text.js';
import type { ReplayFilter } from '../contracts/replay.js';

/** The relations that the statements here are over. */
export interface ReplayRelations {
  /** What Bronze refused: rows of the quarantine whose layer is Bronze. */
  readonly refused: string;
  /** Rows of Bronze, at least those of the sources in question. */
  readonly held: string;
}

/** Rows of this are lines: a file that was refused whole has no line. */
export interface OwedSource {
  readonly id: string;
  readonly path: string;
  readonly lines: number;
  /** Whether the file was refused whole. */
  readonly whole: boolean;
  /** When the source was written, as its rows in Bronze say, or when it was refused, where there are none. */
  readonly modifiedMs: number;
}

/** Views `refused` and `held`, which the other statements are over. */
export function replayViews({ refused, held }: ReplayRelations): string {
  return (
    `CREATE VIEW refused AS SELECT * FROM ${refused} WHERE layer = 'bronze'; ` +
    `CREATE VIEW held AS SELECT _source_id, _source_line, _source_modified_at FROM ${held}`
  );
}

/**
 * TRUE for a row `r` of `refused` that Bronze holds by now. A file that was refused whole has been read again once any of
 * its lines is somewhere.
 */
const IS_HELD = `CASE WHEN r._source_line IS NULL
  THEN r._source_id IN (SELECT _source_id FROM held)
    OR r._source_id IN (SELECT _source_id FROM refused WHERE _source_line IS NOT NULL)
  ELSE EXISTS (SELECT 1 FROM held h WHERE h._source_id = r._source_id AND h._source_line = r._source_line) END`;

/** TRUE for rows of `r` that are asked for. */
export function isAsked({ rule, source }: ReplayFilter): string {
  const conditions = [
    rule === undefined ? [] : `r.rule = ${literal(rule)}`,
    source === undefined ? [] : `contains(r._source_file, ${literal(source)})`,
  ].flat();
  return conditions.length === 0 ? 'true' : conditions.join(' AND ');
}

/** Table `owed` (id, line, raw, rule): what was refused, is asked for and is not in Bronze, each line once. */
export function owedTable(filter: ReplayFilter): string {
  return (
    `CREATE TABLE owed AS SELECT r._source_id AS id, r._source_line AS line, any_value(r._source_file) AS path, ` +
    `any_value(r.raw) AS raw, bool_or(r.rule IN (${CUT_RULES.map(literal).join(', ')})) AS is_cut, ` +
    `max(r._ingested_at) AS refused_at FROM refused r WHERE ${isAsked(filter)} AND NOT (${IS_HELD}) GROUP BY 1, 2`
  );
}

/** Of rows that these rules refused, the quarantine does not have every byte. */
const CUT_RULES = ['bad_encoding', 'line_too_long'] as const;

/** Rows of {@link OwedSource}, times in milliseconds. */
export const OWED_SOURCES = `SELECT o.id, any_value(o.path) AS path, count(*)::INTEGER AS lines,
  bool_or(o.line IS NULL) AS whole, epoch_ms(coalesce(any_value(h.modified), max(o.refused_at)))::DOUBLE AS "modifiedMs"
  FROM owed o LEFT JOIN (SELECT _source_id, min(_source_modified_at) AS modified FROM held GROUP BY 1) h
  ON h._source_id = o.id GROUP BY o.id ORDER BY path, o.id`;

/** The owed lines as they came, for sources of lines that need nothing beside them to be read. */
export const OWED_LINES =
  'SELECT id, line, raw FROM owed WHERE line IS NOT NULL AND raw IS NOT NULL AND NOT is_cut ORDER BY id, line';

/** Views `accepted` and `refused_again`: what came of reading the sources once more. The lists are of Parquet files. */
export function againViews(accepted: readonly string[], refused: readonly string[]): string {
  return `CREATE VIEW accepted AS ${rowsOf(accepted)}; CREATE VIEW refused_again AS ${rowsOf(refused)}`;
}

function rowsOf(files: readonly string[]): string {
  if (files.length > 0) return `SELECT * FROM read_parquet(${literalList(files)})`;
  return 'SELECT NULL::VARCHAR AS _source_id, NULL::BIGINT AS _source_line WHERE false';
}

/** Accepted rows that are owed, for Bronze. */
export const OWED_ROWS = `SELECT a.* FROM accepted a WHERE EXISTS
  (SELECT 1 FROM owed o WHERE o.id = a._source_id AND (o.line IS NULL OR o.line = a._source_line))`;

/** Refused rows that the quarantine does not have yet: lines of files that were refused whole and can be read now. */
export const NEWLY_REFUSED = `SELECT q.* FROM refused_again q WHERE q._source_line IS NOT NULL
  AND EXISTS (SELECT 1 FROM owed o WHERE o.id = q._source_id AND o.line IS NULL)`;

/** One row: the owed lines of these sources, and how many of them were accepted and refused. */
export function outcomes(sourceIds: readonly string[]): string {
  return `SELECT count(*)::INTEGER AS read, count(*) FILTER (accepted)::INTEGER AS accepted,
    count(*) FILTER (refused)::INTEGER AS quarantined FROM (SELECT
      EXISTS (SELECT 1 FROM accepted a WHERE a._source_id = o.id AND a._source_line = o.line) AS accepted,
      EXISTS (SELECT 1 FROM refused_again q WHERE q._source_id = o.id AND coalesce(q._source_line, o.line) = o.line) AS refused
      FROM owed o WHERE o.line IS NOT NULL AND o.id IN (SELECT unnest(${literalList(sourceIds)}::VARCHAR[])))`;
}

/** Rows of the quarantine file `file` that are to stay, because Bronze does not hold them. */
export function unreleased(file: string): string {
  return `SELECT * EXCLUDE (layer) FROM ${file} r WHERE NOT (${IS_HELD})`;
}
