/** DataLab's own records: one row per run, one per step, one per check, each appended once. */
import type { RunReport } from '../contracts/activities.js';
import type { RunFinished } from '../contracts/events.js';
import type { RunLineage } from '../contracts/lineage.js';
import type { TrainingFigures, TrainingSummary } from '../contracts/ml-flows.js';
import type { StepRecord } from '../contracts/run.js';
import { appendRows, type Row, type StructType } from '../delta/index.js';
import type { RunNote } from '../medallion/commit-note.js';
import { runTransaction } from '../medallion/transactions.js';
import { checkpointIfDue } from './checkpoint.js';
import type { ActivityDeps } from './deps.js';
import { recordOwnEnd } from './expected-runs.js';
import { recordSchema } from './record-schema.js';
import { runStep } from './step.js';
import type { LakeTables } from './tables.js';

export async function recordRun(
  deps: ActivityDeps,
  tables: LakeTables,
  report: RunReport,
): Promise<StepRecord> {
  const { run } = report.summary;
  const { step } = await runStep('record', deps.scratchDirectory, async () => {
    const transaction = { appId: runTransaction(run.executionId), version: 1 };
    const append = async (
      name: string,
      rows: readonly Row[],
      schema: StructType,
      info?: Readonly<Record<string, unknown>>,
    ) => {
      const table = tables.table('meta', name);
      await appendRows(table, deps.rowParquet, rows, { schema, transaction, ...(info && { info }) });
      await checkpointIfDue(deps, table);
    };
    const steps = stepRows(report);
    const checks = checkRows(report);
    await Promise.all([append('steps', steps, STEPS), append('quality_results', checks, QUALITY_RESULTS)]);
    // The run comes last: where it is, its steps and checks are.
    const note: RunNote = {
      kind: 'run',
      finished: finishedOf(report),
      lineage: await lineageNote(deps, report),
    };
    await append('runs', [runRow(report)], RUNS, { datalab: note });
    await recordExpected(deps, tables, report);
    const rows = 1 + steps.length + checks.length;
    return { rows, bytes: 0, detail: `1 run, ${steps.length} steps, ${checks.length} checks`, value: null };
  });
  return step;
}

/** The end of a time of a schedule. */
function recordExpected(
  deps: ActivityDeps,
  tables: LakeTables,
  { summary: { run, bronze }, outcome, startedAt, finishedAt, error }: RunReport,
): Promise<void> {
  const { scheduleId, logicalTime, executionId, workflowId } = run;
  const ended = outcome === 'ok' || outcome === 'empty' ? outcome : 'failed';
  return recordOwnEnd(deps, tables, {
    ...{ scheduleId, logicalTime, outcome: ended, startedAt, finishedAt },
    execution: { workflowId, runId: executionId },
    rows: ended === 'failed' ? null : bronze.accepted,
    detail: error === null ? '' : `${error.code}: ${error.message}`.slice(0, 200),
  });
}

function finishedOf({ summary, outcome, startedAt, finishedAt, error }: RunReport): RunFinished {
  const { run, bronze, silver, score, tables, quiet } = summary;
  const { training } = summary as TrainingSummary;
  const message =
    error === null && training
      ? training.message
      : error === null
        ? `${run.dataset}: ${bronze.accepted} new rows, ${tables.filter((table) => table.changed).length} tables published`
        : `${run.dataset}: ${outcome} (${error.code}): ${error.message}`;
  return {
    ...{ ...run, outcome, message, startedAt, finishedAt, bronze, silver, score, tables },
    ...(quiet && { quiet }),
    ...(training && { training: becameOf(training) }),
  };
}

function becameOf({ model, version, decision, reasons }: TrainingFigures): RunFinished['training'] {
  return { model, version, decision, reasons };
}

/** What the lineage of the run needs to know later. A dataset that cannot be read has no source to name. */
async function lineageNote(deps: ActivityDeps, report: RunReport): Promise<RunLineage> {
  const dataset = await deps.loadDataset(report.summary.run.dataset).catch(() => undefined);
  const judged = (report.verdict?.results ?? []).filter(({ outcome }) => outcome !== 'skipped');
  return {
    location: dataset?.source.location ?? null,
    error: report.error && `${report.error.code}: ${report.error.message}`,
    assertions: judged.map(({ name, kind, severity, outcome, measured, threshold, detail }) => {
      const check = dataset?.checks.find((one) => one.name === name);
      return {
        ...{ assertion: kind, name, success: outcome === 'passed', description: detail },
        severity: severity === 'block' ? ('error' as const) : ('warn' as const),
        ...(check && 'column' in check && { column: check.column }),
        ...(threshold !== null && { expected: String(threshold) }),
        ...(measured !== null && { actual: String(measured) }),
      };
    }),
  };
}

function runRow({ summary, outcome, startedAt, finishedAt, error }: RunReport): Row {
  const { run, sources, bronze, silver, score, failedChecks } = summary;
  return {
    run_id: run.runId,
    execution_id: run.executionId,
    workflow_id: run.workflowId,
    flow: summary.flow ?? 'medallionEtl',
    dataset: run.dataset,
    logical_time: run.logicalTime,
    started_at: startedAt,
    finished_at: finishedAt,
    outcome,
    error_code: error?.code ?? null,
    error_message: error?.message ?? null,
    sources_listed: sources.listed,
    sources_ingested: sources.ingested,
    bronze_read: bronze.read,
    bronze_accepted: bronze.accepted,
    bronze_quarantined: bronze.quarantined,
    silver_read: silver.read,
    silver_accepted: silver.accepted,
    silver_duplicate: silver.duplicate,
    silver_quarantined: silver.quarantined,
    quality_score: score,
    failed_checks: failedChecks.length,
  };
}

function stepRows({ summary }: RunReport): Row[] {
  return summary.steps.map((step, index) => ({
    run_id: summary.run.runId,
    execution_id: summary.run.executionId,
    dataset: summary.run.dataset,
    position: index,
    step: step.step,
    outcome: step.outcome,
    started_at: step.startedAt,
    finished_at: step.finishedAt,
    attempt: step.attempt,
    rows: step.rows,
    bytes: step.bytes,
    detail: step.detail,
  }));
}

function checkRows({ summary, verdict, finishedAt }: RunReport): Row[] {
  return (verdict?.results ?? []).map((result) => ({
    run_id: summary.run.runId,
    execution_id: summary.run.executionId,
    dataset: summary.run.dataset,
    logical_time: summary.run.logicalTime,
    checked_at: finishedAt,
    check_name: result.name,
    kind: result.kind,
    severity: result.severity,
    outcome: result.outcome,
    measured: result.measured,
    threshold: result.threshold,
    rows: result.rows,
    bad_rows: result.badRows,
    detail: result.detail,
    unit: result.unit,
    share: result.share,
    observed: result.observed,
    // Of the files and lines of the first bad rows.
    examples: result.examples.length === 0 ? null : JSON.stringify(result.examples),
  }));
}

const RUNS = recordSchema({
  run_id: 'string',
  execution_id: 'string',
  workflow_id: 'string',
  flow: 'string',
  dataset: 'string',
  logical_time: 'timestamp',
  started_at: 'timestamp',
  finished_at: 'timestamp',
  outcome: 'string',
  error_code: 'string',
  error_message: 'string',
  sources_listed: 'long',
  sources_ingested: 'long',
  bronze_read: 'long',
  bronze_accepted: 'long',
  bronze_quarantined: 'long',
  silver_read: 'long',
  silver_accepted: 'long',
  silver_duplicate: 'long',
  silver_quarantined: 'long',
  quality_score: 'double',
  failed_checks: 'long',
});

const STEPS = recordSchema({
  run_id: 'string',
  execution_id: 'string',
  dataset: 'string',
  position: 'long',
  step: 'string',
  outcome: 'string',
  started_at: 'timestamp',
  finished_at: 'timestamp',
  attempt: 'long',
  rows: 'long',
  bytes: 'long',
  detail: 'string',
});

const QUALITY_RESULTS = recordSchema({
  run_id: 'string',
  execution_id: 'string',
  dataset: 'string',
  logical_time: 'timestamp',
  checked_at: 'timestamp',
  check_name: 'string',
  kind: 'string',
  severity: 'string',
  outcome: 'string',
  measured: 'double',
  threshold: 'double',
  rows: 'long',
  bad_rows: 'long',
  detail: 'string',
  unit: 'string',
  share: 'double',
  observed: 'double',
  examples: 'string',
});
