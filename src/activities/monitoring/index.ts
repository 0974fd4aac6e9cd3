/** The seam of monitoring: its activities over ports that the composition root fills in. */
import { Context } from '@temporalio/activity';
import type { MonitoringActivities } from '../../contracts/monitoring.js';
import { withFailures } from '../failure.js';
import { LakeTables } from '../tables.js';
import { takeLogs } from '../take-logs.js';
import { deliverAlerts, recordAlerts } from './alerts.js';
import type { MonitoringDeps } from './deps.js';
import { judgeSample, recordSample } from './judge.js';
import { probeLake } from './lake.js';
import { probeKafka, probeServices } from './probes.js';
import { relayAll } from './relay.js';
import { within } from './within.js';
import { breakCircuits, probeSchedules } from './schedules.js';

export { kafkaChannel, logChannel } from './alerts.js';
export type { MonitoringDeps, WatchedSchedule } from './deps.js';

/** Every activity of monitoring, each of which fails with a code (see failure.ts). */
export function createMonitoringActivities(deps: MonitoringDeps): MonitoringActivities {
  const { engine, clock, newId, scratchDirectory } = deps;
  const tables = new LakeTables(deps.lake, { engine, clock, newId, scratchDirectory });
  const inTime = <T>(work: Promise<T>): Promise<T> =>
    within(deps.config.monitoring.probeTimeoutSeconds, work);
  return withFailures({
    probeKafka: (cycle) => inTime(probeKafka(deps, cycle)),
    probeLake: (cycle) => inTime(probeLake(deps, tables, cycle)),
    probeServices: (cycle) => inTime(probeServices(deps, cycle)),
    probeSchedules: (cycle) => inTime(probeSchedules(deps, tables, cycle)),
    relayAll: (cycle) => inTime(relayAll(deps, tables, cycle)),
    judgeSample: (cycle, answers) => judgeSample(deps, cycle, answers),
    recordSample: (cycle, answers) => recordSample(deps, tables, cycle, answers),
    reportFindings: (report) => deps.report(report),
    takeLogs: () => takeLogs(deps, tables, Context.current().cancellationSignal),
    breakCircuits: (cycle) => breakCircuits(deps, cycle),
    beatHeart: async (cycle) => deps.heartbeat?.(cycle),
    deliverAlerts: (channel, messages) => deliverAlerts(deps, channel, messages),
    recordAlerts: (rows, sequence) => {
      // Numbered by the manager's first execution, so that one that is started anew begins another count.
      const { workflowExecution } = Context.current().info;
      const appId = `datalab:alerts:${workflowExecution?.runId ?? ''}`;
      return recordAlerts(deps, tables, rows, { appId, version: sequence });
    },
  });
}
