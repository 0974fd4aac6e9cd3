/** The seam: the activities that the flows call, over ports that the composition root fills in. */
import type { EtlActivities, RunReport } from '../contracts/activities.js';
import type { BackfillReport } from '../contracts/backfill.js';
import type { RunRef } from '../contracts/run.js';
import type { ReplayActivities } from '../contracts/replay.js';
import type { TableActivities } from '../contracts/table-maintenance.js';
import { auditBronze } from './audit.js';
import { writeBronze } from './bronze.js';
import type { ActivityDeps } from './deps.js';
import { discoverSources } from './discover.js';
import { withFailures } from './failure.js';
import { gatherBronze } from './gather.js';
import { writeGold } from './gold.js';
import { maintainTable } from './maintain-table.js';
import { planRun } from './plan.js';
import { publish } from './publish.js';
import { recordBackfill } from './record-backfill.js';
import { recordRun } from './record.js';
import { releaseReplayed } from './release.js';
import { writeReplay } from './replay.js';
import { writeReport } from './report.js';
import { relayEvents } from './relay.js';
import { RunLogs } from './run-log.js';
import { writeSilver } from './silver.js';
import { LakeTables } from './tables.js';

/** What the workers of every pool can do. */
export type Activities = EtlActivities & ReplayActivities & TableActivities;

/** All activities, every one of which fails with a code (see failure.ts). */
export function createActivities(given: ActivityDeps): Activities {
  const { engine, clock, newId, scratchDirectory } = given;
  const logs = new RunLogs(given);
  const deps: ActivityDeps = { ...given, log: logs.log };
  const tables = new LakeTables(deps.lake, { engine, clock, newId, scratchDirectory });
  return withFailures(
    withLogs(logs, {
      planRun: (run) => planRun(deps, run),
      discoverSources: (run) => discoverSources(deps, tables, run),
      writeBronze: (run, sources, share) => writeBronze(deps, tables, run, sources, share),
      gatherBronze: (run, shares) => gatherBronze(deps, run, shares),
      auditBronze: (run, staged) => auditBronze(deps, tables, run, staged),
      writeSilver: (run, options) => writeSilver(deps, tables, run, options),
      writeGold: (run, table, options) => writeGold(deps, tables, run, table, options),
      publish: (run, manifest) => publish(deps, tables, run, manifest),
      writeReport: (report) => writeReport(deps, tables, report),
      recordRun: (report) => recordRun(deps, tables, report),
      relayEvents: (run) => relayEvents(deps, tables, run),
      writeReplay: (run, filter) => writeReplay(deps, tables, run, filter),
      releaseReplayed: (run) => releaseReplayed(deps, tables, run),
      maintainTable: (request) => maintainTable(deps, tables, request),
    }),
  );
}

/** What the record of a backfill is made with: the lake of these activities. */
export function backfillRecorder(deps: ActivityDeps): (report: BackfillReport) => Promise<void> {
  const { engine, clock, newId, scratchDirectory } = deps;
  const tables = new LakeTables(deps.lake, { engine, clock, newId, scratchDirectory });
  return (report) => recordBackfill(deps, tables, report);
}

/** The same activities, the log of each kept with its run. */
function withLogs(logs: RunLogs, activities: Activities): Activities {
  const wrapped = Object.entries(activities).map(
    ([name, body]: [string, (...args: never[]) => Promise<unknown>]) => [
      name,
      (...args: never[]) => logs.keep(name, runIdOf(args), () => body(...args)),
    ],
  );
  return Object.fromEntries(wrapped) as unknown as Activities;
}

/** Every activity is given its run first, or a report of it. */
function runIdOf([first]: readonly unknown[]): string {
  const given = first as RunRef | RunReport;
  return 'summary' in given ? given.summary.run.runId : given.runId;
}
