/** `datalab monitoring …`: one cycle now, and its picture. */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { WorkflowFailedError } from '@temporalio/client';
import { TimeoutFailure } from '@temporalio/common';
import type { Command } from 'commander';
import { DatalabError } from '../../contracts/errors.js';
import { TASK_QUEUES } from '../../contracts/flows.js';
import type { MonitoringSummary } from '../../contracts/monitoring.js';
import { pictureOf, renderPicture, servicesOf } from '../../platform/picture.js';
import { EXIT } from '../exit.js';
import { positiveInteger } from '../options.js';
import { print, withSession, type Session } from '../session.js';

interface RunOptions {
  readonly json?: boolean;
  readonly watch?: boolean;
  readonly every: number;
}

export function addMonitoring(program: Command): void {
  program
    .command('monitoring')
    .description('Kafka, the lake, the services and the schedules, measured')
    .command('run')
    .description('measure once and show what was found; exit code 1 when something is wrong')
    .option('--watch', 'again and again, until Ctrl-C')
    .option('--every <seconds>', 'with --watch: pause between two', positiveInteger, 60)
    .option('--json', 'print JSON')
    .action((options: RunOptions) => withSession((session) => run(session, options)));
}

async function run(session: Session, { json, watch, every }: RunOptions): Promise<void> {
  const isTerminal = process.stdout.isTTY === true && json !== true;
  for (;;) {
    const summary = await cycle(session);
    const picture = pictureOf(servicesOf(summary), summary, Date.now());
    // A watcher's terminal shows one picture, not a scroll of them.
    if (watch && isTerminal) process.stdout.write(CLEAR);
    const colour = isTerminal && !process.env['NO_COLOR'];
    print(json, { ...summary, ...picture }, renderPicture(picture, { colour }));
    const bad = summary.findings.length > 0 || summary.probes.some(({ up }) => !up);
    process.exitCode = bad ? EXIT.failed : EXIT.ok;
    if (!watch) return;
    await wait(every * 1000);
  }
}

const CLEAR = '\u001b[H\u001b[2J';
/** A cycle takes less than two minutes, whatever hangs; without a worker it would wait for ever. */
const CYCLE_SECONDS_MAX = 180;

async function cycle({ temporal }: Session): Promise<MonitoringSummary> {
  try {
    const summary: unknown = await temporal.workflow.execute('platformMonitoring', {
      workflowId: `datalab-monitoring-by-hand-${randomUUID()}`,
      taskQueue: TASK_QUEUES.monitoring,
      workflowExecutionTimeout: CYCLE_SECONDS_MAX * 1000,
    });
    return summary as MonitoringSummary;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError && error.cause instanceof TimeoutFailure)) throw error;
    throw new DatalabError(
      'FLOWS_IDLE',
      `no worker of the pool monitoring finished a cycle within ${CYCLE_SECONDS_MAX} s`,
      { cause: error },
    );
  }
}
