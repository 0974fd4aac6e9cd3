/**
 * Maintenance of the whole lake: assess every table, work on those that need it, the greatest need first and a bounded
 * number at a time, sweep what runs left behind, and report.
 *
 * Guarantees: a dry run changes no table; a table that fails or is being written fails no other; every task can be
 * repeated. Plans and results lie in the lake, so that the history carries places and counts: it continues as new where
 * it grows long, and a lake of thousands of tables needs no more memory than one of ten.
 */
import {
  ActivityFailure,
  CancellationScope,
  ChildWorkflowFailure,
  continueAsNew,
  executeChild,
  isCancellation,
  patched,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type {
  LakeMaintenanceInput,
  LakeMaintenanceSummary,
  MaintenanceActivities,
  MaintenancePolicy,
  MaintenanceRun,
  TableTendedBrief,
} from '../contracts/lake-maintenance.js';
import { BACKUP_WORKFLOW_ID, type BackupInput } from '../contracts/backup.js';
import type { lakeBackup } from './lake-backup.js';
import { parseLakeMaintenance } from './maintenance-input.js';
import { maintenanceQuery } from './maintenance-query.js';
import { originOf } from './origin.js';
import { sideBySide } from './side-by-side.js';
import { activityOptions, ASSESS, CLOSE, LIGHT, RELAY, SWEEP } from './policies.js';

/** Tables that one activity measures: few enough for a retry to cost little, many enough for a short history. */
const BATCH = 100;
const PARALLEL_BATCHES = 4;
/** A worker that takes an execution over replays all of it: a few seconds' worth. */
const HISTORY_EVENTS_MAX = 3000;
const WORKED_MAX = 100;
const PROBLEMS_MAX = 50;

/** What an execution hands to the next one. */
interface Carried {
  readonly summary: LakeMaintenanceSummary;
  readonly policy: MaintenancePolicy;
  readonly startedAt: string;
  /** The first plan that is not done. */
  readonly next: number;
}

export async function lakeMaintenance(
  input: LakeMaintenanceInput = {},
  carried?: Carried,
): Promise<LakeMaintenanceSummary> {
  const run = carried?.summary.run ?? identify(parseLakeMaintenance(input));
  const keeper = { summary: carried?.summary ?? beginning(run) };
  setHandler(maintenanceQuery, () => keeper.summary);
  const set = (change: Partial<LakeMaintenanceSummary>): void => {
    keeper.summary = { ...keeper.summary, ...change };
  };
  const state = carried ?? (await assess(run, keeper, set));
  await tend(input, run, state, keeper, set);
  if (run.only === undefined) await sweep(run, keeper, set);
  if (state.policy.backs && isWhole(run)) {
    if (!run.dryRun) await backUp(keeper, set, ['create', 'drill']);
    else if (patched('plan-backup')) await backUp(keeper, set, ['plan']);
  }
  await close(run, state, keeper, set);
  return keeper.summary;
}

/** Whether the run is about all of the lake and everything that is done to it. */
function isWhole({ tables, datasets, only }: MaintenanceRun): boolean {
  return tables === null && datasets === undefined && only === undefined;
}

async function sweep(run: MaintenanceRun, keeper: Keeper, set: Change): Promise<void> {
  set({ phase: 'sweeping' });
  const { sweepFolders } = proxyActivities<MaintenanceActivities>(activityOptions('maintenance', SWEEP));
  await sweepFolders(run).then(
    (swept) => set({ swept }),
    (error: unknown) => set({ problems: withProblem(keeper.summary, 'sweep', error) }),
  );
}

const BACKUP_STEPS = {
  create: { task: 'create' },
  drill: { task: 'drill' },
  plan: { task: 'create', dryRun: true },
} as const satisfies Readonly<Record<string, BackupInput>>;
type BackupStep = keyof typeof BACKUP_STEPS;

/**
 * The week's backup, and the drill that proves it; of a dry run what a backup would copy: there is none yet that could be
 * drilled. A backup that fails is said, and fails nothing else.
 */
async function backUp(keeper: Keeper, set: Change, steps: readonly BackupStep[]): Promise<void> {
  set({ phase: 'backing up' });
  for (const task of steps) {
    try {
      const { figures } = await executeChild<typeof lakeBackup>('lakeBackup', {
        workflowId: BACKUP_WORKFLOW_ID,
        args: [BACKUP_STEPS[task]],
      });
      set({ backup: { ...keeper.summary.backup, [task]: figures } });
    } catch (error) {
      if (isCancellation(error)) throw error;
      return set({ problems: withProblem(keeper.summary, `backup ${task}`, error) });
    }
  }
}

type Keeper = { summary: LakeMaintenanceSummary };
type Change = (change: Partial<LakeMaintenanceSummary>) => void;

function identify({ dryRun = false, tables, datasets, only, repair }: LakeMaintenanceInput): MaintenanceRun {
  const info = workflowInfo();
  return {
    runId: info.firstExecutionRunId,
    workflowId: info.workflowId,
    ...originOf(info),
    dryRun,
    tables: tables ?? null,
    ...(datasets && { datasets }),
    ...(only && { only }),
    ...(repair && { repair }),
  };
}

function beginning(run: MaintenanceRun): LakeMaintenanceSummary {
  return {
    ...{ run, phase: 'listing', tables: 0, healthy: 0, unreadable: 0, damaged: 0 },
    ...{ needy: 0, left: 0, audited: { tables: 0, failed: 0, blocking: 0 } },
    outcomes: { done: 0, planned: 0, aside: 0, failed: 0 },
    ...{ rowsExpired: 0, bytesFreed: 0, worked: [], swept: { files: 0, bytes: 0 } },
    ...{ problems: [], report: null, page: null },
  };
}

async function assess(run: MaintenanceRun, keeper: Keeper, set: Change): Promise<Carried> {
  const startedAt = new Date().toISOString();
  const light = proxyActivities<MaintenanceActivities>(activityOptions('maintenance', LIGHT));
  const heavy = proxyActivities<MaintenanceActivities>(activityOptions('maintenance', ASSESS));
  const { total, policy } = await light.listLake(run);
  set({ phase: 'assessing', tables: total });
  const batches = Math.ceil(total / BATCH);
  await sideBySide(PARALLEL_BATCHES, batches, async (batch) => {
    const { healthy, unreadable, damaged = 0 } = await heavy.assessTables(run, batch * BATCH, BATCH);
    const { summary } = keeper;
    set({
      ...{ healthy: summary.healthy + healthy, unreadable: summary.unreadable + unreadable },
      damaged: summary.damaged + damaged,
    });
  });
  set({ needy: await heavy.orderPlans(run) });
  return { summary: keeper.summary, policy, startedAt, next: 0 };
}

/** Works through the plans. A new execution goes on where the history has grown long. */
async function tend(
  input: LakeMaintenanceInput,
  run: MaintenanceRun,
  { policy, startedAt, next }: Carried,
  keeper: Keeper,
  set: Change,
): Promise<void> {
  set({ phase: 'tending' });
  const { tendTable } = proxyActivities<MaintenanceActivities>(activityOptions('maintenance', policy.tend));
  const endMs = Date.parse(startedAt) + policy.budgetMinutes * 60_000;
  const { needy } = keeper.summary;
  for (let place = next; place < needy;) {
    if (Date.now() >= endMs) return set({ left: keeper.summary.left + needy - place });
    // In rounds, so that what is done is always the first so many, and the next execution knows where to go on.
    const round = Math.min(needy - place, policy.parallelTables * ROUNDS_AT_ONCE);
    const first = place;
    await sideBySide(policy.parallelTables, round, async (index) => {
      const told = await tendTable(run, first + index).catch((error: unknown) => {
        if (isCancellation(error)) throw error;
        return failed(first + index, error);
      });
      set(countedIn(keeper.summary, told));
    });
    place += round;
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    if ((continueAsNewSuggested || historyLength >= HISTORY_EVENTS_MAX) && place < needy) {
      await continueAsNew<typeof lakeMaintenance>(input, {
        ...{ summary: keeper.summary, policy, startedAt },
        next: place,
      });
    }
  }
}

const ROUNDS_AT_ONCE = 8;

function countedIn(
  { outcomes, rowsExpired, bytesFreed, worked, audited, left }: LakeMaintenanceSummary,
  told: TableTendedBrief,
): Partial<LakeMaintenanceSummary> {
  const { table, outcome, detail, audit, score, tasks } = told;
  const word = { table, outcome, detail, ...(score !== undefined && { score }), ...(tasks && { tasks }) };
  return {
    outcomes: { ...outcomes, [outcome]: outcomes[outcome] + 1 },
    rowsExpired: rowsExpired + told.rowsExpired,
    bytesFreed: bytesFreed + told.bytesFreed,
    left: left + (told.unfinished ? 1 : 0),
    ...(audit && {
      audited: {
        ...{ tables: audited.tables + 1, failed: audited.failed + audit.failed },
        blocking: audited.blocking + audit.blocking,
      },
    }),
    worked: worked.length < WORKED_MAX ? [...worked, word] : worked,
  };
}

function failed(place: number, error: unknown): TableTendedBrief {
  return {
    ...{ table: `plan ${place}`, outcome: 'failed' },
    ...{ detail: reasonOf(error), rowsExpired: 0, bytesFreed: 0 },
  };
}

async function close(
  run: MaintenanceRun,
  { startedAt, policy }: Carried,
  keeper: Keeper,
  set: Change,
): Promise<void> {
  set({ phase: 'closing' });
  const { closeMaintenance } = proxyActivities<MaintenanceActivities>(activityOptions('maintenance', CLOSE));
  const { healthy, left, unreadable, problems, swept, backup } = keeper.summary;
  const ending = { startedAt, healthy, left, unreadable, problems, swept, ...(backup && { backup }) };
  await CancellationScope.nonCancellable(async () => {
    const { report, page = null } = await closeMaintenance(run, ending);
    set({ report, page });
    if (policy.tells && !run.dryRun) await tell(run, keeper, set);
    set({ phase: 'done' });
  });
}

/** What Kafka is not told now is told with the next run: the commit of the record holds it. */
async function tell(run: MaintenanceRun, keeper: Keeper, set: Change): Promise<void> {
  set({ phase: 'telling' });
  const { tellMaintenance } = proxyActivities<MaintenanceActivities>(activityOptions('maintenance', RELAY));
  await tellMaintenance(run).catch((error: unknown) =>
    set({ problems: withProblem(keeper.summary, 'event', error) }),
  );
}

function withProblem({ problems }: LakeMaintenanceSummary, what: string, error: unknown): readonly string[] {
  return problems.length < PROBLEMS_MAX ? [...problems, `${what}: ${reasonOf(error)}`] : problems;
}

function reasonOf(error: unknown): string {
  let cause = error;
  while ((cause instanceof ActivityFailure || cause instanceof ChildWorkflowFailure) && cause.cause)
    cause = cause.cause;
  return (cause instanceof Error ? cause.message : String(cause)).slice(0, 300);
}
