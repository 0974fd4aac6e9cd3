/** `datalab schedules backfill`: fills the times of a schedule that have no run, or none that ended well. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { BackfillHandle } from '../../client/index.js';
import {
  BACKFILL_MODES,
  BACKFILL_PARALLEL_MAX,
  type BackfillMode,
  type BackfillSummary,
} from '../../contracts/backfill.js';
import { DatalabError } from '../../contracts/errors.js';
import { EXIT } from '../exit.js';
import { print, withSession } from '../session.js';
import { bar, plural, table } from '../text.js';

interface Flags {
  readonly from: string;
  readonly to?: string;
  readonly mode: BackfillMode;
  readonly parallel: number;
  readonly dryRun?: boolean;
  readonly wait?: boolean;
  readonly json?: boolean;
}

export function addBackfill(schedules: Command): void {
  schedules
    .command('backfill')
    .argument('<schedule>', 'as in `datalab schedules list`')
    .description(
      'start the runs that a schedule did not start, or that failed, each for its own logical time',
    )
    .requiredOption('--from <when>', 'the first time: a day (UTC) or an instant with its zone', instant)
    .option('--to <when>', 'the last time, included; default: now', instant)
    .addOption(new Option('--mode <mode>', 'which times').choices(BACKFILL_MODES).default('missing'))
    .option('--parallel <n>', 'runs at once', width, 1)
    .option('--dry-run', 'only show which times it would fill')
    .option('--wait', 'follow it to its end; exit code 1 when a run failed')
    .option('--json', 'print JSON')
    .action((id: string, flags: Flags) =>
      withSession(async ({ datalab }) => {
        // No default of the option: help and reference would name the moment at which they were made.
        const { from, to = new Date().toISOString(), mode, parallel, dryRun = false } = flags;
        const backfill = await datalab.startBackfill({ scheduleId: id, from, to, mode, parallel, dryRun });
        if (dryRun) return tell(backfill, flags);
        if (!flags.wait) {
          const { workflowId } = backfill;
          return print(
            flags.json,
            { workflowId },
            `started ${workflowId}; \`datalab runs cancel ${workflowId}\` stops it`,
          );
        }
        const stop = flags.json ? () => undefined : watch(backfill);
        await tell(backfill, flags).finally(stop);
      }),
    );
}

async function tell(backfill: BackfillHandle, { json, dryRun }: Flags): Promise<void> {
  const ending = await backfill.result();
  if (ending.status === 'failed')
    throw new DatalabError('BACKFILL_FAILED', `${ending.code}: ${ending.message}`);
  if (ending.status === 'cancelled') {
    process.exitCode = EXIT.failed;
    return print(json, ending, `${backfill.workflowId} was cancelled; what is done stays`);
  }
  const { result } = ending;
  print(json, result, dryRun ? planText(result) : doneText(result));
  if (result.failures.length > 0) process.exitCode = EXIT.failed;
}

function planText({ planned, times, note, mode }: BackfillSummary): string {
  const rows = times.map(({ logicalTime, outcome }) => [logicalTime, outcome]);
  const more = planned > times.length ? [`and ${planned - times.length} more`] : [];
  const shown = rows.length > 0 ? [table(['for', 'so far'], rows)] : [];
  return [...shown, ...more, `${plural(planned, 'run')} to start (mode ${mode})`, ...noteLines(note)].join(
    '\n',
  );
}

function doneText({ planned, done, outcomes, failures, leftOut = [], note }: BackfillSummary): string {
  if (planned === 0) return 'nothing is owed in that range';
  const ends = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  return [
    `${done} of ${plural(planned, 'run')} done${ends.length > 0 ? `: ${ends.join(', ')}` : ''}`,
    ...failures.map(({ logicalTime, code, message }) => `  ${logicalTime} failed (${code}): ${message}`),
    ...leftOut.map(({ logicalTime, reason }) => `  ${logicalTime} left out: ${reason}`),
    ...noteLines(note),
  ].join('\n');
}

function noteLines(note: string): string[] {
  return note === '' ? [] : [`Note: ${note}.`];
}

/** A line for every change, or one that grows on a terminal. Returns what stops it. */
function watch(backfill: BackfillHandle): () => void {
  const clear = process.stderr.isTTY ? '\r\u001b[K' : '';
  const end = process.stderr.isTTY ? '' : '\n';
  let last = '';
  const timer = setInterval(() => {
    backfill.progress().then(
      ({ done, planned }) => {
        const text = `  ${bar(done, planned)} ${done} of ${plural(planned, 'run')}`;
        if (text !== last && planned > 0) process.stderr.write(`${clear}${text}${end}`);
        last = text;
      },
      // Between two executions, or without a worker, nobody answers; the end will.
      () => undefined,
    );
  }, 1000);
  return () => {
    clearInterval(timer);
    process.stderr.write(clear);
  };
}

function instant(text: string): string {
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const hasZone = /T.*(Z|[+-]\d{2}:\d{2})$/.test(text);
  const ms = Date.parse(isDay ? `${text}T00:00:00Z` : text);
  if ((isDay || hasZone) && Number.isFinite(ms)) return new Date(ms).toISOString();
  throw new InvalidArgumentError('a day such as 2013-03-01, or an instant with its zone.');
}

function width(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= BACKFILL_PARALLEL_MAX) return value;
  throw new InvalidArgumentError(`a whole number from 1 to ${BACKFILL_PARALLEL_MAX}.`);
}
