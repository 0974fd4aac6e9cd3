/** The activities of a backfill: the plan (the expected runs of a schedule that are to be started), and the record of its end. */
import type { SlotRange } from '../connectors/expected-runs.js';
import type {
  BackfillActivities,
  BackfillInput,
  BackfillMode,
  BackfillPage,
  BackfillReport,
} from '../contracts/backfill.js';
import type { DatasetDefinition } from '../contracts/dataset.js';
import { DatalabError } from '../contracts/errors.js';
import { FAILED, MISSING, type ScheduleState, type SlotOutcome } from '../contracts/expected-runs.js';
import type { MedallionEtlInput } from '../contracts/flows.js';
import { hasPlaces } from '../contracts/source-location.js';
import { withFailures } from './failure.js';

const PAGE = 500;

export interface BackfillDeps {
  readonly slots: (scheduleId: string, range: SlotRange) => Promise<ScheduleState | null>;
  /** The declared schedules with what they start. */
  readonly schedules: ReadonlyArray<{
    readonly id: string;
    readonly workflowType: string;
    readonly input: object;
  }>;
  readonly loadDataset: (name: string) => Promise<Pick<DatasetDefinition, 'source'>>;
  readonly lateAfterMs: number;
  readonly nowMs: () => number;
  /** Keeps how a backfill ended, and tells of it. */
  readonly record: (report: BackfillReport) => Promise<void>;
  /** Times of one page. A page of the default weighs about forty kilobytes in a history. */
  readonly page?: number;
}

export function createBackfillActivities(deps: BackfillDeps): BackfillActivities {
  return withFailures({
    planBackfill: (input, after) => planBackfill(deps, input, after),
    recordBackfill: (report) => deps.record(report),
  });
}

async function planBackfill(
  deps: BackfillDeps,
  { scheduleId, from, to, mode = 'missing' }: BackfillInput,
  after: string | null,
): Promise<BackfillPage> {
  const schedule = deps.schedules.find(({ id }) => id === scheduleId);
  const nowMs = deps.nowMs();
  const state =
    schedule &&
    (await deps.slots(scheduleId, {
      fromMs: after === null ? Date.parse(from) : Date.parse(after) + 1,
      toMs: Date.parse(to),
      ...{ nowMs, lateAfterMs: deps.lateAfterMs, beforeCreation: true },
    }));
  if (!state) throw new DatalabError('SCHEDULE_UNKNOWN', `there is no schedule '${scheduleId}'`);
  if (schedule.workflowType !== 'medallionEtl') {
    throw new DatalabError(
      'BACKFILL_UNSUITED',
      `${scheduleId} starts ${schedule.workflowType}, which is for no logical time`,
    );
  }
  const input = schedule.input as MedallionEtlInput;
  const { source } = await deps.loadDataset(input.dataset);
  const times = state.slots
    .filter(({ outcome }) => isToFill(mode, outcome))
    .map(({ logicalTime, outcome }) => ({ logicalTime, outcome }));
  return {
    input,
    times: times.slice(0, deps.page ?? PAGE),
    total: times.length,
    selects: hasPlaces(source.location),
  };
}

const GOING_ON: ReadonlySet<SlotOutcome> = new Set(['running', 'due', 'late']);

function isToFill(mode: BackfillMode, outcome: SlotOutcome): boolean {
  if (mode === 'missing') return MISSING.includes(outcome);
  if (mode === 'failed') return FAILED.includes(outcome);
  return !GOING_ON.has(outcome);
}
