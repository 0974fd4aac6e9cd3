/** One run of maintenance over a lab's lake, as the workflow makes it: the real activities, one table after the other. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createMaintenanceActivities } from '../../src/activities/maintenance/index.js';
import { parseConfig } from '../../src/config/config.js';
import type { TableAudit } from '../../src/contracts/audit.js';
import type {
  LakeMaintenanceInput,
  MaintenanceActivities,
  MaintenanceEnding,
  MaintenanceRun,
  TableTended,
} from '../../src/contracts/lake-maintenance.js';
import type { MaintenanceReport } from '../../src/contracts/maintenance-report.js';
import type { Lab } from './lab.js';

export interface Maintained {
  readonly healthy: number;
  readonly damaged: number;
  readonly tended: readonly TableTended[];
  readonly audits: readonly TableAudit[];
  readonly report: MaintenanceReport;
  /** The page, as it lies in the lake. */
  readonly page: string;
  readonly run: MaintenanceRun;
  readonly ending: MaintenanceEnding;
  /** Calls an activity of the same run once more. */
  readonly again: Call;
}

interface Surroundings {
  readonly running?: ReadonlySet<string>;
  readonly yaml?: string;
  /** The schedule that starts it, and the time of it that the run is for. */
  readonly scheduled?: Partial<Pick<MaintenanceRun, 'at' | 'scheduleId'>>;
  /** Minutes that earlier attempts of every step took. */
  readonly earlierMinutes?: number;
}

type Call = <Name extends keyof MaintenanceActivities>(
  name: Name,
  ...args: Parameters<MaintenanceActivities[Name]>
) => ReturnType<MaintenanceActivities[Name]>;

const unexpected = (): never => {
  throw new Error('nobody should ask');
};
let runs = 0;

export async function maintainLab(
  lab: Lab,
  { dryRun = false, tables, ...rest }: LakeMaintenanceInput = {},
  { running = new Set(), yaml = '', scheduled = {}, earlierMinutes = 0 }: Surroundings = {},
): Promise<Maintained> {
  const activities = createMaintenanceActivities({
    ...lab.deps,
    config: parseConfig(yaml, {}),
    ...{ backup: null, openStore: unexpected, extras: unexpected },
    runningDatasets: async () => running,
    datasetNames: async () => ['sales'],
  });
  const call: Call = (name, ...args) => {
    const logger = new DefaultLogger('ERROR');
    const scheduledTimestampMs = Date.now();
    const currentAttemptScheduledTimestampMs = scheduledTimestampMs + earlierMinutes * 60_000;
    const info = { activityType: name, scheduledTimestampMs, currentAttemptScheduledTimestampMs };
    const environment = new MockActivityEnvironment(info, { logger });
    const go = environment.run.bind(environment) as (...all: unknown[]) => Promise<unknown>;
    return go(activities[name], ...args) as ReturnType<MaintenanceActivities[typeof name]>;
  };
  const run: MaintenanceRun = {
    ...{ runId: `maintenance-${++runs}`, workflowId: 'maintenance', dryRun, tables: tables ?? null },
    ...{ at: new Date(lab.nowMs).toISOString(), ...scheduled },
    ...rest,
  };
  const { total } = await call('listLake', run);
  const { healthy, damaged = 0, unreadable } = await call('assessTables', run, 0, total);
  const needy = await call('orderPlans', run);
  let left = 0;
  for (let place = 0; place < needy; place += 1)
    left += (await call('tendTable', run, place)).unfinished ? 1 : 0;
  if (run.only === undefined) await call('sweepFolders', run);
  const ending = { startedAt: run.at, healthy, left, unreadable, problems: [] };
  const closed = await call('closeMaintenance', run, ending);
  const read = async (key: string): Promise<string> => Buffer.from(await lab.deps.lake.get(key)).toString();
  const report = JSON.parse(await read(closed.report)) as MaintenanceReport;
  const { tended, audits } = report;
  const page = await read(closed.page ?? '');
  return { healthy, damaged, tended, audits, report, page, run, ending, again: call };
}
