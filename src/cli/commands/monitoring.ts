/** `datalab monitoring …`: one cycle now, and its picture. */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from 'commander';
import { TASK_QUEUES } from '../../contracts/flows.js';
import type { MonitoringSummary } from '../../contracts/monitoring.js';
import { EXIT } from '../exit.js';
import { positiveInteger } from '../options.js';
import { print, withSession, type Session } from '../session.js';
import { count, table } from '../text.js';

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
  for (;;) {
    const summary = await cycle(session);
    print(json, summary, picture(summary));
    const bad = summary.findings.length > 0 || summary.probes.some(({ up }) => !up);
    process.exitCode = bad ? EXIT.failed : EXIT.ok;
    if (!watch) return;
    await wait(every * 1000);
  }
}

async function cycle({ temporal }: Session): Promise<MonitoringSummary> {
  const summary: unknown = await temporal.workflow.execute('platformMonitoring', {
    workflowId: `datalab-monitoring-by-hand-${randomUUID()}`,
    taskQueue: TASK_QUEUES.monitoring,
  });
  return summary as MonitoringSummary;
}

const isTerminal = process.stdout.isTTY && !process.env['NO_COLOR'];
const coloured = (code: number, text: string): string =>
  isTerminal ? `\u001b[${code}m${text}\u001b[0m` : text;
const RED = 31;
const GREEN = 32;

function picture({ cycle: { at }, probes, findings, problems }: MonitoringSummary): string {
  const rows = probes.map(({ probe, up, ms, count: figures, detail }) => [
    probe,
    up ? 'up' : 'down',
    count(ms),
    count(figures),
    detail,
  ]);
  const found = findings.map(({ severity, fingerprint, summary }) =>
    coloured(RED, `[${severity}] ${fingerprint}: ${summary}`),
  );
  return [
    `measured at ${at}`,
    table(['probe', 'state', 'ms', 'figures', ''], rows),
    ...(found.length === 0 ? [coloured(GREEN, 'nothing is wrong')] : found),
    ...problems.map((problem) => `problem: ${problem}`),
  ].join('\n');
}
