/**
 * The three layers of a run, each as write, audit, publish. A publish that meets somebody else's commit is not an
 * error: the layer starts over from what the table holds now, a bounded number of times.
 */
import { ActivityFailure, ApplicationFailure, CancellationScope, sleep } from '@temporalio/workflow';
import type { EtlActivities, PlannedRun, Published, Staged } from '../contracts/activities.js';
import type { EtlOptions } from '../contracts/flows.js';
import type { RunState } from './run-state.js';

export const ROUNDS_MAX = 8;

/** Reads the new sources into Bronze. Returns false where a `block` check failed and nothing was published. */
export async function fillBronze(etl: EtlActivities, state: RunState, run: PlannedRun): Promise<boolean> {
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    state.startBronze();
    const discovery = await etl.discoverSources(run);
    state.did(discovery.step);
    const { listed } = discovery;
    state.listed({ listed, ingested: 0, known: discovery.known });

    if (discovery.manifest === null) {
      if (discovery.current) state.stands(discovery.current);
      return true;
    }
    const { manifest, shares = [] } = discovery;
    const staged = await unlessChanged(
      shares.length > 0 ? writeShares(etl, state, run, shares) : etl.writeBronze(run, manifest),
    );
    if (staged === undefined) {
      await sleep(round * 1000);
      continue;
    }
    state.did(staged.step);
    if (staged.manifest === null) {
      state.listed({ listed, ingested: 0, known: listed });
      if (staged.current) state.stands(staged.current);
      return true;
    }

    const ended = await publishBronze(etl, state, run, staged);
    if (ended === 'blocked') return false;
    if (ended === 'published') {
      state.listed({ listed, ingested: staged.sources, known: listed - staged.sources });
      return true;
    }
  }
  throw starved('bronze');
}

/** The shares by as many workers as there are; one that fails ends the others. What they wrote is one batch. */
async function writeShares(
  etl: EtlActivities,
  state: RunState,
  run: PlannedRun,
  shares: readonly string[],
): Promise<Staged> {
  const all = new CancellationScope();
  const written = await all.run(() =>
    Promise.all(
      shares.map(async (sources, index) => {
        const staged = await etl.writeBronze(run, sources, { number: index + 1, of: shares.length });
        state.did(staged.step);
        return staged;
      }),
    ).catch((error: unknown) => {
      all.cancel();
      throw error;
    }),
  );
  return etl.gatherBronze(run, written);
}

/** Judges staged rows, and publishes them unless they are blocked. */
export async function publishBronze(
  etl: EtlActivities,
  state: RunState,
  run: PlannedRun,
  staged: Staged,
): Promise<'published' | 'conflict' | 'blocked'> {
  state.balanced('bronze', staged.ledger);
  const audit = await etl.auditBronze(run, staged);
  state.did(audit.step);
  state.judged(audit.verdict);
  if (audit.verdict.blocked) return 'blocked';
  return (await published(etl, state, staged.manifest as string, 'bronze')) ? 'published' : 'conflict';
}

/** Undefined where a source was written to while it was read: what was listed is no longer there, so it is listed anew. */
async function unlessChanged(writing: Promise<Staged>): Promise<Staged | undefined> {
  try {
    return await writing;
  } catch (error) {
    const changed =
      error instanceof ActivityFailure &&
      error.cause instanceof ApplicationFailure &&
      error.cause.type === 'SOURCE_CHANGED';
    if (changed) return undefined;
    throw error;
  }
}

/** Cleans Bronze into Silver where Silver is behind. */
export async function fillSilver(
  etl: EtlActivities,
  state: RunState,
  run: PlannedRun,
  options: EtlOptions,
): Promise<void> {
  await untilPublished(etl, state, 'silver', () => etl.writeSilver(run, options));
}

/** Computes the Gold tables that are behind, side by side. One that fails does not hide how the others ended. */
export async function fillGold(
  etl: EtlActivities,
  state: RunState,
  run: PlannedRun,
  gold: readonly string[],
  options: EtlOptions,
): Promise<void> {
  const ends = await Promise.allSettled(
    gold.map((table) => untilPublished(etl, state, 'gold', () => etl.writeGold(run, table, options))),
  );
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
}

async function untilPublished(
  etl: EtlActivities,
  state: RunState,
  layer: 'silver' | 'gold',
  write: () => Promise<Staged>,
): Promise<void> {
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    const staged = await write();
    state.did(staged.step);
    if (layer === 'silver') state.balanced('silver', staged.ledger);
    if (staged.manifest === null) {
      if (staged.current) state.stands(staged.current);
      return;
    }
    if (await published(etl, state, staged.manifest, layer)) return;
  }
  throw starved(layer);
}

async function published(
  etl: EtlActivities,
  state: RunState,
  manifest: string,
  layer: 'bronze' | 'silver' | 'gold',
): Promise<boolean> {
  const result: Published = await etl.publish(state.run, manifest);
  state.did(result.step);
  if (result.status === 'conflict') return false;
  if (layer !== 'gold') state.balanced(layer, result.ledger);
  if (result.table) state.stands(result.table);
  return true;
}

export function starved(layer: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'PUBLISH_STARVED',
    nonRetryable: true,
    message: `${layer}: other writers published first, or the sources went on changing, ${ROUNDS_MAX} times in a row. Nothing is lost; trigger the run again when they are done.`,
  });
}
