/** `datalab demo`: the main job on the real sample, told from its trigger to its tables. */
import type { Command } from 'commander';
import { EXIT } from '../exit.js';
import { finish } from '../finish.js';
import { saveReport } from '../run-files.js';
import { withSession } from '../session.js';

const SCHEDULE = 'medallion-etl-daily';

export function addDemo(program: Command): void {
  program
    .command('demo')
    .description('trigger the daily flow on the sample data and show what comes of it')
    .action(() =>
      withSession(async ({ datalab, loaded }) => {
        process.stdout.write(`Triggering ${SCHEDULE} …\n`);
        const summary = await finish(await datalab.trigger(SCHEDULE), {});
        process.exitCode = summary ? EXIT.ok : EXIT.failed;
        if (summary?.report) {
          const file = await saveReport(loaded, summary.report);
          process.stdout.write(`Report: ${file} (open it in a browser)\n`);
        }
      }),
    );
}
