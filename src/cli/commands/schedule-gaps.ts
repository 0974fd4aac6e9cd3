/** `datalab schedules gaps`: expected runs that did not come, or not to a good end, and what would fill them. */
import type { Command } from 'commander';
import { secondsOf } from '../../config/monitoring.js';
import { scheduleSlots } from '../../connectors/expected-runs.js';
import { FAILED, GAPS, MISSING, type Slot } from '../../contracts/expected-runs.js';
import { DatalabError } from '../../contracts/errors.js';
import type { MedallionEtlInput } from '../../contracts/flows.js';
import { declaredSchedules } from '../../schedules.js';
import { print, withSession, type Session } from '../session.js';
import { plural, table } from '../text.js';

export function addGaps(schedules: Command): void {
  schedules
    .command('gaps')
    .argument('<schedule>', 'as in `datalab schedules list`')
    .description('expected runs that never started, failed or were skipped, and what fills them')
    .option('--since <when>', 'an instant with its zone, or how long ago: 12h, 7d', '2d')
    .option('--json', 'print JSON')
    .action((id: string, { since, json }: { since: string; json?: boolean }) =>
      withSession((session) => gaps(session, id, sinceMs(since), json)),
    );
}

/** Which mode of a backfill fills which gaps. */
const GAP_MODES = [
  { mode: 'missing', outcomes: MISSING },
  { mode: 'failed', outcomes: FAILED },
] as const;

async function gaps(session: Session, id: string, fromMs: number, json: boolean | undefined): Promise<void> {
  const { temporal, loaded } = session;
  const nowMs = Date.now();
  const lateAfterMs = loaded.config.monitoring.lateAfterMinutes * 60_000;
  const state = await scheduleSlots(temporal, id, { fromMs, toMs: nowMs, nowMs, lateAfterMs });
  if (!state) throw new DatalabError('SCHEDULE_UNKNOWN', `there is no schedule '${id}'`);
  const declared = declaredSchedules(loaded.config).find((schedule) => schedule.id === id);
  const dataset = (declared?.input as Partial<MedallionEtlInput> | undefined)?.dataset;
  const found = state.slots
    .filter(({ outcome }) => GAPS.includes(outcome))
    .map((slot) => ({ ...slot, fill: fillOf(slot, dataset) }));
  const first = found[0]?.logicalTime;
  const all =
    dataset === undefined || first === undefined
      ? []
      : GAP_MODES.filter(({ outcomes }) => found.some(({ outcome }) => outcomes.includes(outcome))).map(
          ({ mode }) => `datalab schedules backfill ${id} --from ${first} --mode ${mode} --wait`,
        );
  const rows = found.map(({ logicalTime, outcome, detail, fill }) => [
    logicalTime,
    outcome,
    detail,
    fill ?? '',
  ]);
  const since = new Date(fromMs).toISOString();
  const verdict =
    `${plural(state.slots.length, 'expected run')} since ${since}, ${plural(found.length, 'gap')}` +
    (state.slots.length === 0 ? '; times before the schedule was made are not expected' : '');
  const text =
    found.length === 0
      ? verdict
      : [
          table(['for', 'outcome', '', 'filled by'], rows),
          verdict,
          ...(all.length > 0 ? ['', 'All of them:', ...all.map((command) => `  ${command}`)] : []),
        ].join('\n');
  print(json, { scheduleId: id, expected: state.slots.length, gaps: found, fill: all }, text);
}

function fillOf({ logicalTime, scheduleId }: Slot, dataset: string | undefined): string | null {
  if (dataset === undefined) return null;
  return `datalab runs start ${dataset} --logical-time ${logicalTime} # ${scheduleId}`;
}

function sinceMs(text: string): number {
  const seconds = secondsOf(text);
  const ms = Number.isFinite(seconds) ? Date.now() - seconds * 1000 : Date.parse(text);
  if (Number.isFinite(ms)) return ms;
  throw new DatalabError('INPUT_INVALID', `--since ${text}: an instant with its zone, or such as 12h or 7d`);
}
