/**
 * The report of a run: gathered from its summary, the records, the quarantine and the published tables, and put into the
 * lake as a page and as data. A part that cannot be made is named in the report, and takes nothing else with it.
 */
import type { Reported, RunReport } from '../contracts/activities.js';
import type { DatasetDefinition } from '../contracts/dataset.js';
import { ERRORS } from '../contracts/errors.js';
import {
  REPORT_SCHEMA,
  type RefusedRows,
  type ReportDocument,
  type ScorePoint,
} from '../contracts/report.js';
import type { ReportRef, RunOutcome, RunRef } from '../contracts/run.js';
import { literal } from '../contracts/sql-text.js';
import { checkoutScan, DELTA_ERRORS, type AddFile, type Snapshot } from '../delta/index.js';
import { renderReport } from '../report/index.js';
import { drawCharts } from './report-charts.js';
import type { ActivityDeps } from './deps.js';
import { runStep } from './step.js';
import type { LakeTables } from './tables.js';

/** Scores that the page shows. */
const SCORES_MAX = 60;
/** Every run adds a file to `meta.runs`; the newest hold more scores than are shown. */
const FILES_MAX = 400;
const RULES_MAX = 50;
const EXAMPLES_MAX = 5;
const RAW_MAX = 600;

export async function writeReport(
  deps: ActivityDeps,
  tables: LakeTables,
  report: RunReport,
): Promise<Reported> {
  const { run } = report.summary;
  const { step, value } = await runStep('report', deps.scratchDirectory, async ({ signal }) => {
    const document = await gather(deps, tables, report, signal);
    const page = Buffer.from(renderReport(document));
    const data = Buffer.from(JSON.stringify(document));
    const keys = reportKeys(run);
    await Promise.all([deps.lake.put(keys.html, page), deps.lake.put(keys.json, data)]);
    for (const problem of document.problems) deps.log({}, problem, 'warn');
    const left = document.problems.length === 0 ? '' : `, ${document.problems.length} parts are missing`;
    return { rows: 0, bytes: page.length + data.length, detail: `${keys.html}${left}`, value: keys };
  });
  return { step, report: value };
}

/** By dataset and time, and by execution, so that a reset does not overwrite what it was a reset of. */
function reportKeys({ dataset, logicalTime, executionId }: RunRef): ReportRef {
  const at = logicalTime.replace(/\.\d+Z$/, 'Z').replaceAll(':', '');
  const stem = `reports/${dataset}/${at}-${executionId}`;
  return { html: `${stem}.html`, json: `${stem}.json` };
}

async function gather(
  deps: ActivityDeps,
  tables: LakeTables,
  { summary, outcome, startedAt, finishedAt, verdict, error }: RunReport,
  signal: AbortSignal,
): Promise<ReportDocument> {
  const { run } = summary;
  const problems: string[] = [];
  const orElse = <T>(what: string, nothing: T, making: Promise<T>): Promise<T> =>
    making.catch((problem: unknown) => {
      signal.throwIfAborted();
      const why = problem instanceof Error ? problem.message : String(problem);
      problems.push(`${what} could not be shown: ${why.slice(0, 500)}`);
      return nothing;
    });
  // A dataset that cannot be loaded is what the run failed of, and is said there.
  const dataset = await deps.loadDataset(run.dataset).catch((): DatasetDefinition | null => null);
  const [earlier, quarantine, charts] = await Promise.all([
    orElse('Earlier scores', [], earlierScores(deps, tables, run, signal)),
    orElse('Refused rows', [], refusedRows(deps, tables, run, signal)),
    dataset === null ? [] : drawCharts(deps, tables, dataset, signal, orElse),
  ]);
  const own: ScorePoint[] =
    summary.score === null ? [] : [{ runId: run.runId, at: startedAt, score: summary.score, outcome }];
  return {
    schema: REPORT_SCHEMA,
    dataset: { name: run.dataset, description: dataset?.description ?? '' },
    ...{ run, outcome, startedAt, reportedAt: finishedAt },
    error: error && { ...error, remedy: remedyOf(error.code) },
    ...{ sources: summary.sources, bronze: summary.bronze, silver: summary.silver, score: summary.score },
    checks: verdict?.results ?? [],
    scores: [...earlier, ...own].slice(-SCORES_MAX),
    ...{ charts, tables: summary.tables, steps: summary.steps, quarantine, problems },
  };
}

function remedyOf(code: string): string | null {
  const entries: Readonly<Record<string, { readonly remedy: string }>> = { ...ERRORS, ...DELTA_ERRORS };
  return entries[code]?.remedy ?? null;
}

/** The scores of the dataset's runs before, oldest first. */
async function earlierScores(
  deps: ActivityDeps,
  tables: LakeTables,
  run: RunRef,
  signal: AbortSignal,
): Promise<ScorePoint[]> {
  interface Found {
    readonly runId: string;
    readonly at: string;
    readonly score: number;
    readonly outcome: string;
  }
  const snapshot = await tables.table('meta', 'runs').snapshotIfExists();
  if (!snapshot) return [];
  const newest = [...snapshot.files].sort((left, right) => right.modificationTime - left.modificationTime);
  const rows = await query<Found>(
    deps,
    tables,
    ['meta', 'runs'],
    snapshot,
    newest.slice(0, FILES_MAX),
    signal,
    (from) =>
      `SELECT run_id AS "runId", started_at AS at, quality_score AS score, outcome FROM ${from} ` +
      `WHERE dataset = ${literal(run.dataset)} AND quality_score IS NOT NULL ` +
      `AND execution_id <> ${literal(run.executionId)} ORDER BY started_at DESC LIMIT ${SCORES_MAX}`,
  );
  return rows.reverse().map((row) => ({ ...row, outcome: row.outcome as RunOutcome }));
}

/** What the rules refused in this run, the largest first. Of a run that published nothing there is nothing. */
async function refusedRows(
  deps: ActivityDeps,
  tables: LakeTables,
  run: RunRef,
  signal: AbortSignal,
): Promise<RefusedRows[]> {
  interface Found extends Omit<RefusedRows, 'rows' | 'examples'> {
    readonly rows: bigint;
    readonly examples: ReadonlyArray<{ file: string | null; line: bigint | null; raw: string | null }>;
  }
  const snapshot = await tables.table('quarantine', run.dataset).snapshotIfExists();
  if (!snapshot) return [];
  const place = `{file: _source_file, line: _source_line, raw: left(raw, ${RAW_MAX})}`;
  const rows = await query<Found>(
    deps,
    tables,
    ['quarantine', run.dataset],
    snapshot,
    snapshot.files.toArray(),
    signal,
    (from) =>
      `SELECT layer, rule, min(reason) AS reason, count(*) AS rows, min(${place}, ${EXAMPLES_MAX}) AS examples ` +
      `FROM ${from} WHERE _run_id = ${literal(run.runId)} GROUP BY layer, rule ORDER BY rows DESC, layer, rule LIMIT ${RULES_MAX}`,
  );
  return rows.map(({ examples, ...row }) => ({
    ...row,
    rows: Number(row.rows),
    examples: examples.map(({ line, ...example }) => ({
      ...example,
      line: line === null ? null : Number(line),
    })),
  }));
}

async function query<Row extends object>(
  deps: ActivityDeps,
  tables: LakeTables,
  [layer, name]: readonly ['meta' | 'quarantine', string],
  snapshot: Snapshot,
  files: readonly AddFile[],
  signal: AbortSignal,
  sql: (from: string) => string,
): Promise<Row[]> {
  const scan = await checkoutScan(tables.store(layer, name), snapshot, { files, signal });
  try {
    const session = await deps.engine.open({ inputs: scan.inputs, signal });
    try {
      return await session.rows<Row>(sql(deps.engine.relation(scan.plan)));
    } finally {
      await session.close();
    }
  } finally {
    scan.release();
  }
}
