/** The dataset's own checks, measured on all of Bronze as it is published. */
import type { BadRow, CheckDefinition, CheckResult } from '../../../contracts/quality.js';
import { literal } from '../../../contracts/sql-text.js';
import { badRowExamples, judge, measure } from '../../../quality/index.js';
import type { PreviousAudit } from './previous.js';
import { exampleOf, viewOf, type AuditGround, type Found } from './ground.js';

/**
 * As at ingest, with what differs for a published table: combinations are compared within the run that brought them,
 * since a revision of a source brings its rows again by right; differences of the columns are those of the newest batch;
 * and `distribution` is held against earlier audits. `volume` is about one batch, which ingest judged, and is not measured.
 */
export async function declaredChecks(ground: AuditGround, previous: PreviousAudit): Promise<Found[]> {
  const { session, dataset, run } = ground;
  const relation = viewOf(ground.own);
  const checks = dataset.checks.filter(({ kind }) => kind !== 'volume').map(perRun);
  if (checks.length === 0) return [];
  const [measured, columnDifferences] = [
    await measure(session, checks, relation),
    await undeclared(ground, relation),
  ];
  const examples = await badRowExamples(session, checks, measured, relation);
  const { results } = judge(
    checks,
    measured,
    {
      ...{ publishedRows: 0, newRows: measured[0]?.rows ?? 0, logicalTime: run.at, columnDifferences },
      history: previous.observed,
    },
    examples,
  );
  const found: Found[] = [];
  for (const result of results)
    found.push({ ...asFound(result), examples: await shown(ground, result.examples) });
  return found;
}

function perRun(check: CheckDefinition): CheckDefinition {
  return check.kind === 'unique' || check.kind === 'duplicates'
    ? { ...check, columns: ['_run_id', ...check.columns] }
    : check;
}

function asFound(result: CheckResult): Omit<Found, 'examples'> {
  const { examples: _, ...rest } = result;
  return rest;
}

/** Columns that the newest batch had besides the declared ones: they are kept in `_extra`. */
async function undeclared({ session }: AuditGround, relation: string): Promise<string[]> {
  const rows = await session.rows<{ name: string }>(
    `SELECT DISTINCT unnest(json_keys(_extra)) AS name FROM ${relation} WHERE _extra IS NOT NULL ` +
      `AND _run_id = (SELECT max_by(_run_id, _ingested_at) FROM ${relation}) ORDER BY name LIMIT 100`,
  );
  return rows.map(({ name }) => `'${name}' is not declared`);
}

/** The rows themselves, beside their places. */
async function shown({ session, own }: AuditGround, places: readonly BadRow[]): Promise<Found['examples']> {
  if (places.length === 0) return [];
  const list = places.map(({ file, line }) => `(${literal(file)}, ${line})`).join(', ');
  const rows = await session.rows<{ file: string; line: bigint; row: string }>(
    `SELECT _source_file AS file, _source_line AS line, to_json(o)::VARCHAR AS row FROM ` +
      `(SELECT * EXCLUDE (_source_id, _source_modified_at, _ingested_at, _run_id) FROM ${viewOf(own)}) o ` +
      `WHERE (_source_file, _source_line) IN (${list}) LIMIT ${places.length}`,
  );
  return places.map(({ file, line }) => {
    const row = rows.find((one) => one.file === file && Number(one.line) === line)?.row ?? null;
    return exampleOf({ file, line, row });
  });
}
