/** The end of a run, for people: what was read, how good it was, where the tables stand. Pure. */
import type { EtlSummary } from '../contracts/run.js';
import { count, plural, seconds, table } from './text.js';

const HEADLINES: Readonly<Record<EtlSummary['outcome'], string>> = {
  running: 'still running',
  ok: 'ok',
  empty: 'ok, nothing new',
  blocked: 'blocked by a quality check',
  failed: 'failed',
  cancelled: 'cancelled',
};

export function renderSummary(summary: EtlSummary, durationMs?: number): string {
  const { run, sources, bronze, silver } = summary;
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
    `Sources: ${plural(sources.listed, 'source')} listed, ${count(sources.known)} known, ${count(sources.ingested)} ingested. ` +
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
    `Events: ${plural(summary.events.sent, 'event')} sent, ${count(summary.events.pending)} pending. ${summary.events.detail}`.trimEnd(),
  ].join('\n');
}

function renderQuality({ score, failedChecks }: EtlSummary): string {
  if (score === null) return 'Quality: nothing new to judge';
  const failed = failedChecks.map((check) => `  ${check.severity}: ${check.detail}`);
  const verdict = failed.length === 0 ? 'no failed checks' : `${plural(failed.length, 'failed check')}:`;
  return [`Quality: score ${score.toFixed(3)}, ${verdict}`, ...failed].join('\n');
}
