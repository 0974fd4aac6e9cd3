/** Datasets as their records tell them: how fresh, how good, and what the last run came to. */
import path from 'node:path';
import { listDatasets } from '../../config/datasets.js';
import type { DashboardDeps } from './deps.js';
import type { Records } from './records.js';

export interface DatasetRow {
  readonly dataset: string;
  /** Newest logical time of a run that took rows in (DESIGN law 6); null: none yet. */
  readonly freshAt: string | null;
  readonly score: number | null;
  /** Newest last. */
  readonly scores: ReadonlyArray<{ readonly at: string; readonly score: number }>;
  readonly lastOutcome: string | null;
  readonly lastRunAt: string | null;
  readonly lastWorkflowId: string | null;
  readonly lastRunId: string | null;
  readonly failedChecks: number | null;
  readonly quarantined: number | null;
}

/** What the overview shows: the datasets that want attention first, at most so many. */
export interface DatasetsNow {
  readonly total: number;
  readonly rows: ReadonlyArray<Omit<DatasetRow, 'scores'>>;
}

const SHOWN = 30;
const WELL: ReadonlySet<string> = new Set(['ok', 'empty']);

/** Those whose last run did not end well first, then those with failed checks, then by name. */
export function newestDatasets(all: readonly DatasetRow[]): DatasetsNow {
  const care = (row: DatasetRow): number =>
    row.lastOutcome !== null && !WELL.has(row.lastOutcome) ? 0 : (row.failedChecks ?? 0) > 0 ? 1 : 2;
  const rows = [...all].sort((a, b) => care(a) - care(b) || a.dataset.localeCompare(b.dataset));
  return { total: all.length, rows: rows.slice(0, SHOWN).map(({ scores: _, ...row }) => row) };
}

interface RecordedRun {
  readonly dataset: string;
  readonly workflow_id: string;
  readonly execution_id: string;
  readonly logical_time: string;
  readonly finished_at: string;
  readonly outcome: string;
  readonly bronze_accepted: number;
  readonly quarantined: number;
  readonly quality_score: number | null;
  readonly failed_checks: number;
}

const RUNS =
  'SELECT dataset, workflow_id, execution_id, logical_time, finished_at, outcome, bronze_accepted, ' +
  'bronze_quarantined + silver_quarantined AS quarantined, quality_score, failed_checks ' +
  // A training's record stands under its model's name. Of each dataset the newest: one that is seldom run counts too.
  `FROM runs WHERE flow <> 'mlopsTraining' ` +
  'QUALIFY row_number() OVER (PARTITION BY dataset ORDER BY finished_at DESC) <= 60 ORDER BY finished_at DESC';

export async function datasetsNow(deps: DashboardDeps, records: Records): Promise<DatasetRow[]> {
  const { config, projectDirectory } = deps;
  const [declared, runs] = await Promise.all([
    listDatasets(path.resolve(projectDirectory, config.datasets.directory)),
    records.rows<RecordedRun>(['runs'], RUNS),
  ]);
  const names = [...new Set([...declared, ...runs.map(({ dataset }) => dataset)])].sort();
  const byDataset = new Map<string, RecordedRun[]>(names.map((name) => [name, []]));
  for (const run of runs) byDataset.get(run.dataset)?.push(run);
  return names.map((dataset) => rowOf(dataset, byDataset.get(dataset) ?? []));
}

function rowOf(dataset: string, runs: readonly RecordedRun[]): DatasetRow {
  const [last] = runs;
  const times = runs
    .filter(({ bronze_accepted }) => bronze_accepted > 0)
    .map((run) => instant(run.logical_time));
  const scored = runs.filter(({ quality_score }) => quality_score !== null);
  return {
    dataset,
    freshAt: times.sort().at(-1) ?? null,
    score: scored[0]?.quality_score ?? null,
    scores: scored
      .slice(0, 60)
      .reverse()
      .map(({ finished_at, quality_score }) => ({
        at: instant(finished_at),
        score: quality_score as number,
      })),
    lastOutcome: last?.outcome ?? null,
    lastRunAt: last ? instant(last.finished_at) : null,
    lastWorkflowId: last?.workflow_id ?? null,
    lastRunId: last?.execution_id ?? null,
    failedChecks: last?.failed_checks ?? null,
    quarantined: last?.quarantined ?? null,
  };
}

/** The engine's text of a TIMESTAMP as an ISO instant in UTC. */
export function instant(text: string): string {
  const iso = text.replace(' ', 'T').replace(/([+-]\d{2})$/, '$1:00');
  const time = new Date(/Z$|[+-]\d{2}:\d{2}$/.test(iso) ? iso : `${iso}Z`);
  return Number.isNaN(time.getTime()) ? text : time.toISOString();
}
