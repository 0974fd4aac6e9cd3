/** `datalab runs retry | steps`: an ended run tried again, from a step or afresh. */
import { userInfo } from 'node:os';
import { Option, type Command } from 'commander';
import { retryRun, retrySteps } from '../../client/index.js';
import { print, withSession } from '../session.js';
import { table } from '../text.js';
import { tellStarted } from './flows.js';

interface RetryFlags {
  readonly from?: string;
  readonly fresh?: boolean;
  readonly runId?: string;
  readonly wait?: boolean;
  readonly json?: boolean;
}

export function addRunRetry(runs: Command): void {
  runs
    .command('steps')
    .argument('<workflow>', 'as in `datalab runs list`')
    .description('the steps that an ended run can be tried again from')
    .option('--run-id <id>', 'one execution of it; default: the newest')
    .option('--json', 'print JSON')
    .action((workflowId: string, { runId, json }: { runId?: string; json?: boolean }) =>
      withSession(async ({ temporal }) => {
        const steps = await retrySteps(temporal, workflowId, runId);
        const rows = steps.map(({ eventId, at, activities, outcome }) => [
          ...[String(eventId), at, outcome, activities.join(', ')],
        ]);
        const nothing =
          'none: it goes on, or its flow is tried again afresh only: `datalab runs retry --fresh`';
        print(
          json,
          steps,
          rows.length === 0 ? nothing : table(['step', 'at', 'outcome', 'activities'], rows),
        );
      }),
    );
  runs
    .command('retry')
    .argument('<workflow>', 'as in `datalab runs list`')
    .description(
      'try an ended run again: from before a step, where what was published stays, or afresh with its input and logical time',
    )
    .option('--from <step>', 'a step of `datalab runs steps`, or an activity; default: the first that failed')
    .addOption(new Option('--fresh', 'a run of its own from the beginning').conflicts('from'))
    .option('--run-id <id>', 'one execution of it; default: the newest')
    .option('--wait', 'follow the run to its end; exit code 1 when it fails')
    .option('--json', 'print JSON')
    .action((workflowId: string, { from, fresh, runId, ...options }: RetryFlags) =>
      withSession(async ({ temporal }) => {
        const by = userInfo().username;
        const run = await retryRun(temporal, workflowId, { from, fresh, runId, by });
        await tellStarted(run, options);
      }),
    );
}
