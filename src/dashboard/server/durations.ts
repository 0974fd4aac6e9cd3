/** How long runs took, whole and phase by phase, as `meta.runs` and `meta.steps` recorded them. */
import { literal } from '../../contracts/sql-text.js';
import { instant } from './datasets.js';
import type { Records } from './records.js';
import type { Durations } from './shapes/flows.js';

const RUNS_MAX = 200;

interface Row {
  readonly execution_id: string;
  readonly workflow_id: string;
  readonly started_at: string;
  readonly outcome: string;
  readonly seconds: number;
  readonly phase: string | null;
  readonly phase_seconds: number | null;
}

/** A step that is about a table counts for its layer (`write silver.stocks`, `publish gold.daily`), any other by its first word. */
const PHASE =
  `CASE WHEN split_part(step, ' ', 2) LIKE '%.%' THEN split_part(split_part(step, ' ', 2), '.', 1) ` +
  `ELSE split_part(step, ' ', 1) END`;

/** The newest runs of a flow, of one dataset or model where it is named. */
export async function durationsOf(
  records: Records,
  { flow, dataset }: { readonly flow: string; readonly dataset?: string | undefined },
): Promise<Durations> {
  const of = dataset === undefined ? '' : ` AND dataset = ${literal(dataset)}`;
  const rows = await records.rows<Row>(
    ['runs', 'steps'],
    `WITH newest AS (SELECT execution_id, workflow_id, started_at, outcome, epoch(finished_at - started_at) AS seconds FROM runs ` +
      `WHERE flow = ${literal(flow)}${of} ORDER BY started_at DESC LIMIT ${RUNS_MAX}), ` +
      // Steps of a phase that run side by side take as long as from the first beginning to the last end.
      `phases AS (SELECT execution_id, ${PHASE} AS phase, epoch(max(finished_at) - min(started_at)) AS phase_seconds FROM steps ` +
      `WHERE execution_id IN (SELECT execution_id FROM newest) GROUP BY ALL) ` +
      `SELECT newest.*, phase, phase_seconds FROM newest LEFT JOIN phases USING (execution_id) ORDER BY started_at, phase`,
  );
  const runs = new Map<string, Durations['runs'][number] & { phases: Record<string, number> }>();
  for (const row of rows) {
    const run = runs.get(row.execution_id) ?? {
      ...{ workflowId: row.workflow_id, runId: row.execution_id, at: instant(row.started_at) },
      ...{ outcome: row.outcome, seconds: row.seconds, phases: {} },
    };
    if (row.phase !== null) run.phases[row.phase] = row.phase_seconds ?? 0;
    runs.set(row.execution_id, run);
  }
  const all = [...runs.values()];
  const good = all.filter(({ outcome }) => outcome === 'ok' || outcome === 'empty');
  const phases = [...new Set(good.flatMap((run) => Object.keys(run.phases)))];
  return {
    runs: all,
    whole: percentilesOf(good.map(({ seconds }) => seconds)),
    phases: phases
      .flatMap((phase) => {
        const figures = percentilesOf(good.flatMap((run) => run.phases[phase] ?? []));
        return figures ? [{ phase, ...figures }] : [];
      })
      .sort((a, b) => b.p50 - a.p50),
  };
}

/** By the nearest rank. */
export function percentilesOf(seconds: readonly number[]): Durations['whole'] {
  if (seconds.length === 0) return null;
  const sorted = [...seconds].sort((a, b) => a - b);
  const rank = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50: rank(0.5), p95: rank(0.95), p99: rank(0.99), runs: sorted.length };
}
