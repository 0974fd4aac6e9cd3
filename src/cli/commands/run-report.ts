/** `datalab runs report`: the page of a run, as a file to open. */
import path from 'node:path';
import type { Command } from 'commander';
import { DatalabError } from '../../contracts/errors.js';
import { lakeOf, saveReport } from '../run-files.js';
import { withSession } from '../session.js';

/** Adds the command to `datalab runs`. */
export function addRunReport(runs: Command): void {
  runs
    .command('report')
    .argument('<workflow>', 'as in `datalab runs list`')
    .description("save a run's report to a file that a browser opens, and print where")
    .option('--output <file>', 'where to save it; default: below the state folder')
    .option('--json', 'print the report as data instead')
    .action((workflow: string, { output, json }: { output?: string; json?: boolean }) =>
      withSession(async ({ datalab, loaded }) => {
        const { summary } = await datalab.run(workflow).progress();
        if (!summary.report) throw new DatalabError('REPORT_MISSING', `run '${workflow}' has no report`);
        if (json) {
          process.stdout.write(`${Buffer.from(await lakeOf(loaded).get(summary.report.json)).toString()}\n`);
          return;
        }
        const file = output === undefined ? undefined : path.resolve(output);
        process.stdout.write(`${await saveReport(loaded, summary.report, file)}\n`);
      }),
    );
}
