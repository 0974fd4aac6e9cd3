/** `datalab runs logs`: what the steps of a run said while they worked, failed attempts included. */
import type { Command } from 'commander';
import { DatalabError } from '../../contracts/errors.js';
import { readRunLog } from '../../lake/run-log.js';
import { lakeOf, renderLogLine, runIdOf } from '../run-files.js';
import { withSession } from '../session.js';

interface Options {
  readonly step?: string;
  readonly json?: boolean;
}

/** Adds the command to `datalab runs`. */
export function addRunLogs(runs: Command): void {
  runs
    .command('logs')
    .argument('<workflow>', 'as in `datalab runs list`, or a run id')
    .description('the log of a run, from the lake; failed attempts included')
    .option('--step <name>', 'only activities or messages that contain this, such as writeBronze')
    .option('--json', 'print JSON lines')
    .action((workflow: string, { step, json }: Options) =>
      withSession(async (session) => {
        const runId = await runIdOf(session, workflow);
        const lines = await readRunLog(lakeOf(session.loaded), runId);
        if (lines.length === 0)
          throw new DatalabError('RUN_UNKNOWN', `the lake has no log of run '${workflow}' (${runId})`);
        const wanted = step === undefined ? lines : lines.filter((line) => isOf(step, line));
        for (const line of wanted)
          process.stdout.write(`${json ? JSON.stringify(line) : renderLogLine(line)}\n`);
      }),
    );
}

function isOf(step: string, { activity, message }: { activity: string; message: string }): boolean {
  return activity.includes(step) || message.includes(step);
}
