/** The dataset's own checks, measured on all of Bronze as it is published. */
import type { BadRow, CheckDefinition, CheckResult } from '../../../contracts/quality.js';
import { literal } from '../../../contracts/sql-text.js';
import { badRowExamples, judge, measure } from '../../../quality/index.js';
import type { PreviousAudit } from './previous.js';
import { exampleOf, numberOf, viewOf, type AuditGround, type Found } from './ground.js';

/**
 * As at ingest, with what differs for a published table: combinations are compared within the run that brought them,
 * since a revision of a source brings its rows again by right; differences of the columns are those of the newest batch;
 * `distribution` is held against earlier audits; and `volume` holds the rows that are there of the newest run against
 * those of the runs before, so that rows that went since a publish are missed.
 */
export async function declaredChecks(ground: AuditGround, previous: PreviousAudit): Promise<Found[]> {
  const { session, dataset, run } = ground;
  const relation = viewOf(ground.own);
  const checks = dataset.checks.map(perRun);
  if (checks.length === 0) return [];
  const volumes = checks.some(({ kind }) => kind === 'volume') ? await rowsByRun(ground, relation) : [];
  const [all, columnDifferences] = [
    await measure(session, checks, relation),
    await undeclared(ground, relation),
  ];
  const [newest = 0, ...before] = volumes;
  const measured = all.map((one, index) =>
    checks[index]?.kind === 'volume' ? { ...one, rows: newest } : one,
  );
  const total = await numberOf(session, `SELECT count(*) AS n FROM ${relation}`);
  const examples = await badRowExamples(session, checks, measured, relation);
  const { results } = judge(
    checks,
    measured,
    {
      ...{ publishedRows: 0, newRows: total, logicalTime: run.at, columnDifferences },
      history: new Map([
        ...previous.observed,
        ...checks.flatMap(({ kind, name }) => (kind === 'volume' ? [[name, before] as const] : [])),
      ]),
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

/**
 * How many rows are there of each run, the newest run first. A row counts for the run that first brought its source: what a
 * replay took out of quarantine later came with that run.
 */
async function rowsByRun({ session }: AuditGround, relation: string): Promise<number[]> {
  const rows = await session.rows<{ n: bigint }>(
    `SELECT sum(n)::BIGINT AS n FROM (SELECT min_by(_run_id, _ingested_at) AS run, min(_ingested_at) AS since, ` +
      `count(*) AS n FROM ${relation} GROUP BY _source_id) GROUP BY run ORDER BY max(since) DESC LIMIT ${RUNS_MAX}`,
  );
  return rows.map(({ n }) => Number(n));
}

const RUNS_MAX = 500;

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
