/** The end of a run, for people: what was read, how good it was, where the tables stand. Pure. */
import type { EtlSummary } from '../contracts/run.js';
import type { TrainingFigures, TrainingSummary } from '../contracts/ml-flows.js';
import type { ReplayFigures } from '../contracts/replay.js';
import { checkFigures } from '../report/index.js';
import { count, plural, seconds, table } from './text.js';

const HEADLINES: Readonly<Record<EtlSummary['outcome'], string>> = {
  running: 'still running',
  ok: 'ok',
  empty: 'ok, nothing new',
  blocked: 'blocked by a quality check',
  failed: 'failed',
  cancelled: 'cancelled',
};

/** `lakeUri` tells where the report is; without it the summary names its key in the lake. */
export function renderSummary(summary: EtlSummary, durationMs?: number, lakeUri?: string): string {
  const { run, sources, bronze, silver } = summary;
  const { training } = summary as TrainingSummary;
  if (training) return renderTraining(summary, training, durationMs, lakeUri);
  const took = durationMs === undefined ? '' : ` in ${seconds(durationMs)}`;
  const ledger = table(
    ['layer', 'read', 'accepted', 'duplicate', 'quarantined'],
    Object.entries({ bronze, silver }).map(([layer, rows]) => [
      layer,
      ...[rows.read, rows.accepted, rows.duplicate, rows.quarantined].map(count),
    ]),
  );
  return [
    `Run ${run.workflowId} (${run.dataset}, logical time ${run.logicalTime}): ${HEADLINES[summary.outcome]}${took}`,
    summary.replay
      ? renderReplay(summary.replay)
      : `Sources: ${plural(sources.listed, 'source')} listed, ${count(sources.known)} known, ${count(sources.ingested)} ingested. ` +
        `${plural(bronze.accepted, 'new row')} in Bronze.`,
    '',
    'Ledger of this run',
    ledger,
    '',
    renderQuality(summary),
    '',
    'Tables',
    table(
      ['table', 'version', 'rows', 'files', ''],
      summary.tables.map((state) => [
        state.table,
        String(state.version),
        count(state.rows),
        count(state.files),
        state.changed ? 'new version' : 'unchanged',
      ]),
    ),
    '',
    ...renderReport(summary, lakeUri),
    `Events: ${plural(summary.events.sent, 'event')} sent, ${count(summary.events.pending)} pending. ${summary.events.detail}`.trimEnd(),
  ].join('\n');
}

function renderTraining(
  summary: EtlSummary,
  training: TrainingFigures,
  durationMs: number | undefined,
  lakeUri: string | undefined,
): string {
  const took = durationMs === undefined ? '' : ` in ${seconds(durationMs)}`;
  const { run, events } = summary;
  const tried = training.candidates.map(({ name, validation }) => [
    name === training.winner ? `${name} *` : name,
    (validation[training.metric] ?? NaN).toFixed(4),
  ]);
  const measured = Object.entries(training.metrics).map(([name, value]) => `${name} ${value.toFixed(4)}`);
  return [
    `Run ${run.workflowId} (${training.model}, logical time ${run.logicalTime}): ${HEADLINES[summary.outcome]}${took}`,
    `Data: ${training.table} version ${training.goldVersion}, ${plural(training.rows, 'row')}.`,
    ...(tried.length === 0 ? [] : ['', table(['candidate', `${training.metric}, walking forward`], tried)]),
    ...training.leftOut.map(({ name, reason }) => `Left out: ${name}; ${reason}.`),
    ...(measured.length === 0 ? [] : ['', `On the holdout: ${measured.join(', ')}`]),
    '',
    training.message,
    '',
    ...renderReport(summary, lakeUri),
    `Events: ${plural(events.sent, 'event')} sent, ${count(events.pending)} pending. ${events.detail}`.trimEnd(),
  ].join('\n');
}

function renderReplay({ tried, accepted, refused, unreachable, problems }: ReplayFigures): string {
  const first = `Quarantine: ${plural(tried, 'row')} read again, ${count(accepted)} accepted, ${count(refused)} refused still.`;
  if (unreachable === 0) return first;
  return [
    `${first} ${plural(unreachable, 'row')} out of reach:`,
    ...problems.map(({ path, problem }) => `  ${path}: ${problem}`),
  ].join('\n');
}

function renderQuality({ score, failedChecks }: EtlSummary): string {
  if (score === null) return 'Quality: nothing new to judge';
  if (failedChecks.length === 0) return `Quality: score ${score.toFixed(3)}, no failed checks`;
  const rows = failedChecks.map((check) => {
    const { measured, wanted } = checkFigures(check);
    return [check.severity, check.name, measured, wanted, check.detail];
  });
  return [
    `Quality: score ${score.toFixed(3)}, ${plural(failedChecks.length, 'failed check')}:`,
    table(['severity', 'check', 'measured', 'wanted', 'what'], rows),
  ].join('\n');
}

/** Runs from before there were reports, and runs that could not write theirs, have none. */
function renderReport({ report, run }: EtlSummary, lakeUri: string | undefined): string[] {
  if (!report) return [];
  const place = lakeUri === undefined ? report.html : placeOf(lakeUri, report.html);
  return [`Report: ${place}`, `        \`datalab runs report ${run.workflowId}\` saves it here to open`];
}

/** A path on this machine, or the address in the store. */
export function placeOf(lakeUri: string, key: string): string {
  const uri = `${lakeUri.replace(/\/$/, '')}/${key}`;
  return uri.startsWith('file://') ? decodeURIComponent(new URL(uri).pathname) : uri;
}
