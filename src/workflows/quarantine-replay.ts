/**
 * Quarantine → Bronze → Silver → Gold: refused rows are tried again, after the dataset's definition was mended.
 *
 * Guarantees: a row is taken in once, however often this is repeated, killed or doubled; it keeps the place that it was
 * refused at, so that it counts as old as its source is; rows that are refused still, and those whose source is gone,
 * stay in the quarantine; the checks of the dataset judge the rows first, as in any run, and the run is recorded.
 */
import { proxyActivities } from '@temporalio/workflow';
import type { EtlActivities, PlannedRun } from '../contracts/activities.js';
import type { QuarantineReplayInput, ReplayActivities, ReplayFilter } from '../contracts/replay.js';
import type { EtlSummary } from '../contracts/run.js';
import { runMedallion } from './medallion-run.js';
import { publishBronze, ROUNDS_MAX, starved } from './medallion-steps.js';
import { parseReplay } from './replay-input.js';
import { identifyRun, RunState } from './run-state.js';

export async function quarantineReplay(input: QuarantineReplayInput): Promise<EtlSummary> {
  const { dataset, logicalTime, ...filter } = parseReplay(input);
  const state = new RunState(identifyRun(dataset, logicalTime), 'quarantineReplay');
  return runMedallion(
    state,
    (etl, run, heavy) => refill(etl, proxyActivities<ReplayActivities>(heavy), state, run, filter),
    {},
  );
}

/** Takes refused rows into Bronze, then out of the quarantine. */
async function refill(
  etl: EtlActivities,
  replay: ReplayActivities,
  state: RunState,
  run: PlannedRun,
  filter: ReplayFilter,
): Promise<boolean> {
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    state.startBronze();
    const staged = await replay.writeReplay(run, filter);
    state.did(staged.step);
    state.replayed(staged.replay);
    if (staged.current) state.stands(staged.current);
    if (staged.manifest !== null) {
      const ended = await publishBronze(etl, state, run, staged);
      if (ended === 'blocked') return false;
      if (ended === 'conflict') continue;
    }
    const { step } = await replay.releaseReplayed(run);
    state.did(step);
    return true;
  }
  throw starved('bronze');
}
