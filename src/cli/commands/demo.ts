/** `datalab demo`: the main job on the real sample, told from its trigger to its tables. */
import type { Command } from 'commander';
import { report } from '../finish.js';
import { withSession } from '../session.js';

const SCHEDULE = 'medallion-etl-daily';

export function addDemo(program: Command): void {
  program
    .command('demo')
    .description('trigger the daily flow on the sample data and show what comes of it')
    .action(() =>
      withSession(async ({ datalab }) => {
        process.stdout.write(`Triggering ${SCHEDULE} …\n`);
        await report(await datalab.trigger(SCHEDULE), { wait: true });
      }),
    );
}
