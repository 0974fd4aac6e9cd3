/** Refused rows, made visible before the layer that refused them, so that a row is never in neither place. */
import type { RunRef } from '../contracts/run.js';
import {
  checkoutScan,
  createTableActions,
  removeOf,
  stageFile,
  type Action,
  type AddFile,
  type Snapshot,
} from '../delta/index.js';
import { DatalabError } from '../contracts/errors.js';
import { quarantineTransaction } from '../medallion/transactions.js';
import type { ActivityDeps } from './deps.js';
import type { StagedQuarantine, StagingManifest } from './staging.js';
import type { StepContext } from './step.js';
import type { LakeTables } from './tables.js';

const ROUNDS_MAX = 20;

/** Publishes the manifest's quarantine. Rows of a source that are there already are left out; repeating adds nothing. */
export async function publishQuarantine(
  deps: ActivityDeps,
  tables: LakeTables,
  run: RunRef,
  manifest: StagingManifest,
  context: StepContext,
): Promise<void> {
  const { quarantine, layer, dataset } = manifest;
  if (!quarantine) return;
  const table = tables.table('quarantine', dataset);
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    const base = await table.snapshotIfExists();
    const content = await contentActions(deps, tables, manifest, quarantine, base, context);
    if (content.length === 0) return;
    const created = base
      ? []
      : createTableActions({
          schema: quarantine.schema,
          partitionColumns: ['layer'],
          configuration: {},
          clock: deps.clock,
          newId: deps.newId,
        });
    const result = await table.commit({
      base,
      actions: [...created, ...content],
      operation: 'WRITE',
      operationParameters: { mode: quarantine.mode === 'append' ? 'Append' : 'Overwrite', layer },
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

async function contentActions(
  deps: ActivityDeps,
  tables: LakeTables,
  manifest: StagingManifest,
  quarantine: StagedQuarantine,
  base: Snapshot | null,
  context: StepContext,
): Promise<Action[]> {
  const { layer, dataset } = manifest;
  if (quarantine.mode === 'replace') return replaceActions(deps, layer, quarantine, base);
  const missing = quarantine.sourceIds.filter((id) => !base?.transaction(quarantineTransaction(layer, id)));
  if (missing.length === 0) return [];
  const adds =
    missing.length === quarantine.sourceIds.length
      ? quarantine.adds
      : await onlySources(deps, tables, dataset, quarantine, missing, context);
  const lastUpdated = deps.clock.nowMs();
  return [
    ...adds.map((add): Action => ({ add })),
    ...missing.map((id): Action => ({
      txn: { appId: quarantineTransaction(layer, id), version: 1, lastUpdated },
    })),
  ];
}

/** What an earlier attempt has put in place already stays: after it, nothing is left to do. */
function replaceActions(
  deps: ActivityDeps,
  layer: string,
  { adds }: StagedQuarantine,
  base: Snapshot | null,
): Action[] {
  const old = base?.files.filter((file) => file.partitionValues['layer'] === layer) ?? [];
  const there = new Set(old.map((file) => file.path));
  const wanted = new Set(adds.map((add) => add.path));
  const nowMs = deps.clock.nowMs();
  const changes = [
    ...old
      .filter((file) => !wanted.has(file.path))
      .map((file): Action => ({ remove: removeOf(file, nowMs) })),
    ...adds.filter((add) => !there.has(add.path)).map((add): Action => ({ add })),
  ];
  if (changes.length === 0) return [];
  // Counts the replacements, so that of two at once one starts over instead of adding its rows to the other's.
  const appId = quarantineTransaction(layer, 'all');
  const version = (base?.transaction(appId)?.version ?? 0) + 1;
  return [...changes, { txn: { appId, version, lastUpdated: nowMs } }];
}

/** Another run published the refused rows of some of the sources first: writes again what is left. */
async function onlySources(
  deps: ActivityDeps,
  tables: LakeTables,
  dataset: string,
  quarantine: StagedQuarantine,
  sourceIds: readonly string[],
  { scratch, signal }: StepContext,
): Promise<AddFile[]> {
  const store = tables.store('quarantine', dataset);
  const [first] = quarantine.adds;
  if (!first) return [];
  const { schema } = quarantine;
  const scan = await checkoutScan(
    store,
    { schema, partitionColumns: ['layer'], files: quarantine.adds },
    { signal },
  );
  const session = await deps.engine.open({ inputs: scan.inputs, outputDirectory: scratch, signal });
  try {
    const wanted = sourceIds.map((id) => `'${id}'`).join(', ');
    const file = await session.writeParquet(
      `SELECT * EXCLUDE (layer) FROM ${deps.engine.relation(scan.plan)} WHERE _source_id IN (${wanted})`,
      'quarantine-left.parquet',
    );
    if (!file) return [];
    const { clock, newId } = deps;
    return [
      await stageFile(store, file, { schema, partitionValues: first.partitionValues, clock, newId, signal }),
    ];
  } finally {
    await session.close();
    scan.release();
  }
}
