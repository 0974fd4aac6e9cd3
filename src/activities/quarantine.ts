/**
 * Refused rows, made visible before the layer that refused them, so that a row is never in neither place.
 *
 * Before the layer's commit an attempt only adds its own rows. Of several attempts at one generation of a layer exactly
 * one is published; it then takes away what the others left, and where the layer was computed whole also what earlier
 * generations refused, and raises the fence: from then on nobody adds rows of that generation or an older one. An attempt
 * that lost takes its own rows away. Every add touches the fence's transaction, so that an add and a settling at the same
 * time conflict and the add decides again. So whatever dies in between, nothing that belongs to a published layer is
 * removed, and nothing that does not stays.
 */
import { DatalabError } from '../contracts/errors.js';
import type { RunRef } from '../contracts/run.js';
import { createTableActions, removeOf, type Action, type AddFile, type Snapshot } from '../delta/index.js';
import { refusedTransaction } from '../medallion/transactions.js';
import type { ActivityDeps } from './deps.js';
import { GENERATION_TAG, type StagedQuarantine, type StagingManifest } from './staging.js';
import type { LakeTables } from './tables.js';

const ROUNDS_MAX = 20;

/** Before the layer's commit: adds what the manifest refused. Repeating it adds nothing. */
export function addRefused(
  deps: ActivityDeps,
  tables: LakeTables,
  run: RunRef,
  manifest: StagingManifest,
): Promise<void> {
  return change(deps, tables, run, manifest, (quarantine, { live, fence }) => {
    if (fence >= quarantine.generation) return [];
    const there = new Set(live.map((file) => file.path));
    const missing = quarantine.adds.filter((add) => !there.has(add.path));
    return missing.length === 0
      ? []
      : [...missing.map((add): Action => ({ add })), fenceAt(deps, manifest, fence)];
  });
}

/** After the layer's commit: takes away what this publish made void, and raises the fence. Repeating it finds nothing. */
export function settleRefused(
  deps: ActivityDeps,
  tables: LakeTables,
  run: RunRef,
  manifest: StagingManifest,
): Promise<void> {
  return change(deps, tables, run, manifest, (quarantine, { exists, live, fence }) => {
    const own = pathsOf(quarantine);
    const isVoid = (file: AddFile): boolean => {
      const generation = Number(file.tags?.[GENERATION_TAG] ?? -1);
      return quarantine.replaces ? generation <= quarantine.generation : generation === quarantine.generation;
    };
    const removed = removals(
      deps,
      live.filter((file) => !own.has(file.path) && isVoid(file)),
    );
    if (!exists || fence >= quarantine.generation) return removed;
    return [...removed, fenceAt(deps, manifest, quarantine.generation)];
  });
}

/** After somebody else's commit: takes the attempt's own rows away. Whoever starts over refuses them again. */
export function withdrawRefused(
  deps: ActivityDeps,
  tables: LakeTables,
  run: RunRef,
  manifest: StagingManifest,
): Promise<void> {
  return change(deps, tables, run, manifest, (quarantine, { live }) => {
    const own = pathsOf(quarantine);
    return removals(
      deps,
      live.filter((file) => own.has(file.path)),
    );
  });
}

/**
 * The files of a layer that no attempt will take away any more: those of generations that are settled. A file that was
 * rewritten by somebody who knows nothing of generations has no tag, and is of a settled one.
 */
export function settledFiles(quarantine: Snapshot, layer: 'bronze' | 'silver'): AddFile[] {
  const fence = quarantine.transaction(refusedTransaction(layer))?.version ?? -1;
  return quarantine.files.filter(
    ({ partitionValues, tags }) =>
      partitionValues['layer'] === layer && Number(tags?.[GENERATION_TAG] ?? -1) <= fence,
  );
}

/** What the quarantine holds of one layer. */
interface LayerState {
  readonly exists: boolean;
  readonly live: readonly AddFile[];
  /** The newest generation that was settled; -1 before the first. */
  readonly fence: number;
}

function fenceAt({ clock }: ActivityDeps, { layer }: StagingManifest, version: number): Action {
  return { txn: { appId: refusedTransaction(layer), version, lastUpdated: clock.nowMs() } };
}

function pathsOf({ adds }: StagedQuarantine): Set<string> {
  return new Set(adds.map((add) => add.path));
}

function removals({ clock }: ActivityDeps, files: readonly AddFile[]): Action[] {
  return files.map((file) => ({ remove: removeOf(file, clock.nowMs()) }));
}

/** Commits what `decide` makes of the layer's live files, deciding again after every commit that came first. */
async function change(
  deps: ActivityDeps,
  tables: LakeTables,
  run: RunRef,
  { quarantine, layer, dataset }: StagingManifest,
  decide: (quarantine: StagedQuarantine, state: LayerState) => Action[],
): Promise<void> {
  if (!quarantine) return;
  const table = tables.table('quarantine', dataset);
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    const base = await table.snapshotIfExists();
    const live = base?.files.filter((file) => file.partitionValues['layer'] === layer) ?? [];
    const fence = base?.transaction(refusedTransaction(layer))?.version ?? -1;
    const actions = decide(quarantine, { exists: base !== null, live, fence });
    if (actions.length === 0) return;
    const result = await table.commit({
      base,
      actions: [...creation(deps, base, quarantine), ...actions],
      operation: 'WRITE',
      operationParameters: { mode: 'Append', layer },
      read: 'nothing',
      info: { datalab: { kind: 'quarantine', run } },
    });
    if (result.status === 'committed') return;
  }
  throw new DatalabError(
    'PUBLISH_CONTENDED',
    `quarantine.${dataset}: ${ROUNDS_MAX} other commits came first`,
  );
}

function creation(
  { clock, newId }: ActivityDeps,
  base: Snapshot | null,
  { schema }: StagedQuarantine,
): Action[] {
  if (base) return [];
  return createTableActions({ schema, partitionColumns: ['layer'], configuration: {}, clock, newId });
}
