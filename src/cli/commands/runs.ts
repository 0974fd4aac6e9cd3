/** `datalab runs …` and `datalab run <dataset>`. */
import type { Command } from 'commander';
import { SEARCH_ATTRIBUTES } from '../../contracts/flows.js';
import { report } from '../finish.js';
import { positiveInteger } from '../options.js';
import { lakeUriOf } from '../run-files.js';
import { print, withSession, type Session } from '../session.js';
import { renderSummary } from '../summary.js';
import { table } from '../text.js';
import { addRunLogs } from './run-logs.js';
import { addRunReport } from './run-report.js';
import { addRunRetry } from './run-retry.js';

export function addRuns(program: Command): void {
  const runs = program.command('runs').description('Runs of the flows');

  runs
    .command('start')
    .argument('<dataset>', 'as in `datalab datasets list`')
    .description('start a medallion run for a dataset')
    .option('--logical-time <iso>', 'the instant that the run is for; default: now')
    .option('--rebuild', 'recompute Silver and Gold from all of Bronze')
    .option(
      '--accept-loss',
      'with --rebuild: drop old rows that retention took out of Bronze and that no longer fit',
    )
    .option('--wait', 'follow the run to its end; exit code 1 when it fails')
    .option('--json', 'print JSON')
    .action(
      (
        dataset: string,
        options: {
          logicalTime?: string;
          rebuild?: boolean;
          acceptLoss?: boolean;
          wait?: boolean;
          json?: boolean;
        },
      ) =>
        withSession(async ({ datalab, loaded }) => {
          const { logicalTime, rebuild, acceptLoss } = options;
          const run = await datalab.startEtl({ dataset, logicalTime, options: { rebuild, acceptLoss } });
          await report(run, { ...options, lakeUri: lakeUriOf(loaded) });
        }),
    );

  runs
    .command('list')
    .description('the newest runs')
    .option('--limit <n>', 'how many', positiveInteger, 20)
    .option('--json', 'print JSON')
    .action(({ limit, json }: { limit: number; json?: boolean }) =>
      withSession((session) => list(session, limit, json)),
    );

  runs
    .command('show')
    .argument('<workflow>', 'as in `datalab runs list`')
    .description('how far a run is, or how it ended')
    .option('--json', 'print JSON')
    .action((workflowId: string, { json }: { json?: boolean }) =>
      withSession(async ({ datalab, loaded }) => {
        const { summary } = await datalab.run(workflowId).progress();
        print(json, summary, renderSummary(summary, undefined, lakeUriOf(loaded)));
      }),
    );

  runs
    .command('watch')
    .argument('<workflow>', 'as in `datalab runs list`')
    .description('follow a run to its end')
    .option('--json', 'print JSON')
    .action((workflowId: string, options: { json?: boolean }) =>
      withSession(async ({ datalab, loaded }) => {
        await report(datalab.run(workflowId), { ...options, lakeUri: lakeUriOf(loaded), wait: true });
      }),
    );

  runs
    .command('cancel')
    .argument('<workflow>', 'as in `datalab runs list`')
    .description('ask a run to stop; what it published stays')
    .action((workflowId: string) => withSession(async ({ datalab }) => datalab.run(workflowId).cancel()));
  addRunLogs(runs);
  addRunReport(runs);
  addRunRetry(runs);
}

async function list({ temporal }: Session, limit: number, json: boolean | undefined): Promise<void> {
  const rows = [];
  for await (const run of temporal.workflow.list({
    query: `WorkflowType IN ('medallionEtl', 'quarantineReplay')`,
    pageSize: limit,
  })) {
    const attribute = (name: string): string => String(run.searchAttributes?.[name]?.[0] ?? '-');
    rows.push({
      workflowId: run.workflowId,
      dataset: attribute(SEARCH_ATTRIBUTES.dataset.name),
      started: run.startTime.toISOString(),
      status: run.status.name.toLowerCase(),
      outcome: attribute(SEARCH_ATTRIBUTES.outcome.name),
      phase: attribute(SEARCH_ATTRIBUTES.phase.name),
    });
    if (rows.length >= limit) break;
  }
  const text = table(
    ['workflow', 'dataset', 'started (UTC)', 'status', 'outcome', 'phase'],
    rows.map((row) => Object.values(row)),
  );
  print(json, rows, rows.length === 0 ? 'no runs yet' : text);
}
