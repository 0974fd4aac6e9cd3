/** What Silver and Gold have in common: a table computed from another, where it is behind. */
import type { PlannedRun, Staged } from '../contracts/activities.js';
import { NO_ROWS } from '../contracts/ledger.js';
import { checkoutScan, type Snapshot } from '../delta/index.js';
import { stalenessOf } from '../medallion/staleness.js';
import { consumerTransaction } from '../medallion/transactions.js';
import type { ActivityDeps } from './deps.js';
import { incrementFrom, type Derivation, type Derived, type Ground } from './increment.js';
import { sizeOf, stageRefused } from './stage.js';
import { writeManifest, type StagingManifest } from './staging.js';
import { runStep, type StepContext } from './step.js';
import { stateOf, type LakeTables } from './tables.js';
import { withUploads, type Uploads } from './uploads.js';

/** Computes the table where it is behind its upstream, and stages what is new or the whole of it. */
export async function derive(
  deps: ActivityDeps,
  tables: LakeTables,
  run: PlannedRun,
  derivation: Derivation,
): Promise<Staged> {
  const { layer, table } = derivation;
  const name = `${layer}.${table}`;
  type Value = Omit<Staged, 'step'>;
  const { step, value } = await runStep<Value>(`write ${name}`, deps.scratchDirectory, (context) =>
    withUploads(deps, tables.store(layer, table), context.signal, async (uploads) => {
      // The table before its upstream, never side by side: so what it has consumed cannot be newer than what is seen of the
      // upstream, and a run that was overtaken does not take it for a restored one.
      const own = await tables.table(layer, table).snapshotIfExists();
      const upstream = await tables
        .table(derivation.upstream.layer, derivation.upstream.table)
        .snapshotIfExists();
      const skip = (detail: string) => ({
        outcome: 'skipped' as const,
        rows: 0,
        bytes: 0,
        detail,
        value: { manifest: null, ledger: NO_ROWS, sources: 0, current: own && stateOf(name, own, false) },
      });
      if (!upstream)
        return skip(`${derivation.upstream.layer}.${derivation.upstream.table} does not exist yet`);
      const consumer = consumerTransaction(name, upstream.metadata.id);
      const consumedVersion = own?.transaction(consumer)?.version;
      const staleness = stalenessOf({
        existing: own && {
          fingerprint: own.metadata.configuration['datalab.fingerprint'],
          consumedVersion,
        },
        upstreamVersion: upstream.version,
        fingerprint: derivation.fingerprint,
        forced: derivation.forced,
      });
      if (staleness.state === 'current') return skip('current');
      const rebuild = staleness.state === 'rebuild' ? staleness.reason : undefined;
      const progress =
        own && consumedVersion !== undefined && rebuild === undefined
          ? await incrementFrom(tables, derivation, own, upstream, consumedVersion, context)
          : undefined;
      if (progress === 'no news') return skip('current: no row of the table it is made from changed');
      const whole = progress !== undefined && 'whole' in progress ? progress.whole : undefined;
      const derived =
        progress === undefined || 'whole' in progress
          ? await computeFrom(tables, derivation, { upstream, own }, context, uploads)
          : progress;
      const manifest = await stageDerived(deps, tables, run, derivation, own, derived, context, uploads, {
        transaction: { appId: consumer, version: upstream.version },
        ...(rebuild !== undefined && { rebuild }),
      });
      return {
        ...sizeOf(derived.files),
        detail: describe(derived, rebuild, whole),
        value: { manifest, ledger: derived.ledger, sources: 0, current: null },
      };
    }),
  );
  return { step, ...value };
}

function describe(
  { ledger, files, increment, remark }: Derived,
  rebuild: string | undefined,
  whole: string | undefined,
): string {
  const parts = increment
    ? [`${ledger.accepted} new or changed rows`, `${increment.replaced.length} files replaced`]
    : [`${sizeOf(files).rows} rows`];
  if (ledger.duplicate > 0) parts.push(`${ledger.duplicate} duplicate`);
  if (ledger.quarantined > 0) parts.push(`${ledger.quarantined} quarantined`);
  if (rebuild) parts.push(`rebuilt: ${rebuild}`);
  if (remark) parts.push(remark);
  if (whole) parts.push(`computed whole: ${whole}`);
  return parts.join(', ');
}

async function computeFrom(
  tables: LakeTables,
  { upstream: { layer, table }, compute }: Derivation,
  ground: Ground,
  context: StepContext,
  uploads: Uploads,
): Promise<Derived> {
  const scan = await checkoutScan(tables.store(layer, table), ground.upstream, { signal: context.signal });
  try {
    return await compute(scan.plan, { ...context, onFile: (file) => uploads.begin(file) }, ground);
  } finally {
    scan.release();
  }
}

async function stageDerived(
  deps: ActivityDeps,
  tables: LakeTables,
  run: PlannedRun,
  { layer, table, fingerprint }: Derivation,
  own: Snapshot | null,
  { files, schema, ledger, quarantine, increment }: Derived,
  context: StepContext,
  uploads: Uploads,
  commit: { transaction: { appId: string; version: number }; rebuild?: string },
): Promise<string> {
  const generation = (own?.version ?? -1) + 1;
  const changesKey = increment?.changes ? `_changes/${layer}.${table}/${deps.newId()}.parquet` : null;
  const [adds, refused] = await Promise.all([
    uploads.adds(files, { schema }),
    quarantine && layer === 'silver'
      ? stageRefused(
          deps,
          tables.store('quarantine', run.dataset),
          layer,
          { ...quarantine, generation, replaces: increment === undefined },
          context,
        )
      : null,
    increment?.changes && changesKey
      ? deps.lake.putFile(changesKey, increment.changes.localPath, { giveAway: true, signal: context.signal })
      : undefined,
  ]);
  const manifest: StagingManifest = {
    stagedAtMs: deps.clock.nowMs(),
    layer,
    table,
    dataset: run.dataset,
    baseVersion: own?.version ?? null,
    mode: increment ? 'merge' : 'overwrite',
    ...(increment && own && { removes: increment.replaced, grown: increment.grown, changes: changesKey }),
    schema,
    adds,
    rows: increment ? ledger.accepted : sizeOf(files).rows,
    transactions: [commit.transaction],
    fingerprint,
    ...(commit.rebuild !== undefined && { rebuild: commit.rebuild }),
    ledger,
    quarantine: refused,
  };
  return writeManifest(deps.lake, run, `${layer}.${table}`, deps.newId(), manifest);
}
