/** `datalab schedules …` (alias `deployments`, for those who come from the old platform). */
import { ScheduleNotFoundError, type Client, type ScheduleHandle } from '@temporalio/client';
import type { Command } from 'commander';
import { DatalabError } from '../../contracts/errors.js';
import { differencesOf } from '../../connectors/schedule-drift.js';
import { comparable, declaredSchedules, reconcile } from '../../schedules.js';
import { report } from '../finish.js';
import { lakeUriOf } from '../run-files.js';
import { addBackfill } from './schedule-backfill.js';
import { addGaps } from './schedule-gaps.js';
import { print, withSession, type Session } from '../session.js';
import { table } from '../text.js';

export function addSchedules(program: Command): void {
  const schedules = program
    .command('schedules')
    .alias('deployments')
    .description('The flows’ schedules in Temporal');

  schedules
    .command('apply')
    .description('create what is missing, update what differs; an operator’s pause stays')
    .option('--json', 'print JSON')
    .action(({ json }: { json?: boolean }) =>
      withSession(async ({ temporal, loaded }) => {
        const done = await reconcile(temporal, declaredSchedules(loaded.config));
        print(
          json,
          done,
          done.map(({ id, change, paused }) => `${id}: ${change}${paused ? ' (paused)' : ''}`).join('\n'),
        );
      }),
    );

  schedules
    .command('list')
    .description('every schedule with its next time and its last run')
    .option('--json', 'print JSON')
    .action(({ json }: { json?: boolean }) => withSession((session) => list(session, json)));

  schedules
    .command('show')
    .argument('<schedule>', 'as in `datalab schedules list`')
    .description('one schedule, whole, as JSON')
    .action((id: string) =>
      withSession(async ({ temporal }) =>
        known(temporal, id, async (handle) => {
          const { spec, action, policies, state, info } = await handle.describe();
          print(true, { id, spec, action, policies, state, info }, '');
        }),
      ),
    );

  addGaps(schedules);
  addBackfill(schedules);

  schedules
    .command('trigger')
    .argument('<schedule>', 'as in `datalab schedules list`')
    .description('start its flow now')
    .option('--wait', 'follow the run to its end; exit code 1 when it fails')
    .option('--json', 'print JSON')
    .action((id: string, options: { wait?: boolean; json?: boolean }) =>
      withSession(async ({ temporal, datalab, loaded }) => {
        const run = await known(temporal, id, () => datalab.trigger(id));
        await report(run, { ...options, lakeUri: lakeUriOf(loaded) });
      }),
    );

  schedules
    .command('pause')
    .argument('<schedule>', 'as in `datalab schedules list`')
    .description('start no more runs until it is resumed')
    .option('--note <text>', 'why, for those who find it paused', 'paused with datalab schedules pause')
    .action((id: string, { note }: { note: string }) =>
      withSession(async ({ temporal }) => {
        await known(temporal, id, (handle) => handle.pause(note));
        process.stdout.write(`${id}: paused; \`datalab schedules resume ${id}\` goes on\n`);
      }),
    );

  schedules
    .command('resume')
    .argument('<schedule>', 'as in `datalab schedules list`')
    .description('start runs again')
    .action((id: string) =>
      withSession(async ({ temporal }) => {
        await known(temporal, id, (handle) => handle.unpause('resumed with datalab schedules resume'));
        process.stdout.write(
          `${id}: active; times that passed meanwhile: \`datalab schedules gaps ${id}\`\n`,
        );
      }),
    );
}

async function list({ temporal, loaded }: Session, json: boolean | undefined): Promise<void> {
  const declared = declaredSchedules(loaded.config).map(comparable);
  const rows = [];
  for await (const summary of temporal.schedule.list()) {
    // The listing is eventually consistent; the description is not.
    const description = await temporal.schedule.getHandle(summary.scheduleId).describe();
    const { state, info, spec } = description;
    const own = declared.find(({ id }) => id === summary.scheduleId);
    rows.push({
      id: summary.scheduleId,
      paused: state.paused,
      timezone: spec.timezone || 'UTC',
      next: info.nextActionTimes[0]?.toISOString() ?? null,
      last: info.recentActions.at(-1)?.takenAt.toISOString() ?? null,
      /** What is not as the configuration declares it; null where it declares no such schedule. */
      differences: own ? differencesOf(own, description) : null,
    });
  }
  const changed = rows.flatMap(({ id, differences }) => (differences ?? []).map((one) => `  ${id}: ${one}`));
  const text = [
    table(
      ['schedule', 'state', 'zone', 'next (UTC)', 'last run (UTC)', ''],
      rows.map((row) => [
        row.id,
        row.paused ? 'paused' : 'active',
        row.timezone,
        row.next ?? '-',
        row.last ?? '-',
        row.differences === null ? 'not declared' : row.differences.length > 0 ? 'not as declared' : '',
      ]),
    ),
    ...(changed.length > 0
      ? ['', 'Not as declared; `datalab schedules apply` puts it right:', ...changed]
      : []),
  ].join('\n');
  print(json, rows, rows.length === 0 ? 'no schedules; run `datalab schedules apply`' : text);
}

async function known<T>(
  temporal: Client,
  id: string,
  body: (handle: ScheduleHandle) => Promise<T>,
): Promise<T> {
  try {
    return await body(temporal.schedule.getHandle(id));
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    throw new DatalabError('SCHEDULE_UNKNOWN', `there is no schedule '${id}'`, { cause: error });
  }
}
