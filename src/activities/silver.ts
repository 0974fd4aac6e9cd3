/** Silver: Bronze, cleaned. */
import type { PlannedRun, Staged } from '../contracts/activities.js';
import type { EtlOptions } from '../contracts/flows.js';
import { checkoutScan, prune, widenSchema, type ScanPlan } from '../delta/index.js';
import { newFiles } from '../medallion/consumption.js';
import { refine, type Refined, type RefineInput } from '../medallion/refine.js';
import { bronzeSchema } from '../medallion/schema.js';
import { fingerprintOf } from '../medallion/staleness.js';
import type { Survivors } from '../medallion/survivors.js';
import { retentionTransaction } from '../medallion/transactions.js';
import { upsert } from '../medallion/upsert.js';
import { derive } from './derive.js';
import { plannedDataset } from './dataset.js';
import type { ActivityDeps } from './deps.js';
import type { Derived, Ground } from './increment.js';
import type { StepContext } from './step.js';
import type { LakeTables } from './tables.js';

export async function writeSilver(
  deps: ActivityDeps,
  tables: LakeTables,
  run: PlannedRun,
  options: EtlOptions,
): Promise<Staged> {
  const dataset = await plannedDataset(deps, run);
  const input = (bronze: ScanPlan, { scratch, signal, progress }: StepContext): RefineInput => ({
    engine: deps.engine,
    dataset,
    // A column that was declared after Bronze was made is NULL in the rows that came before.
    bronze: {
      ...bronze,
      schema: widenSchema(bronze.schema, bronzeSchema(dataset), `bronze.${run.dataset}`),
    },
    outputDirectory: scratch,
    run: { runId: run.runId, at: new Date(deps.clock.nowMs()).toISOString() },
    onProgress: progress,
    signal,
  });
  return derive(deps, tables, run, {
    layer: 'silver',
    table: run.dataset,
    upstream: { layer: 'bronze', table: run.dataset },
    fingerprint: fingerprintOf([dataset.columns, dataset.key, dataset.silver]),
    forced: options.rebuild ?? false,
    compute: async (bronze, context, ground) => {
      const forgotten = await forgottenRows(tables, run.dataset, ground, options, context.signal);
      try {
        const made = await refine({
          ...input(bronze, context),
          onFile: context.onFile,
          ...(forgotten && { survivors: forgotten.survivors }),
        });
        return derived(made);
      } finally {
        forgotten?.release();
      }
    },
    increment: async ({ own, upstream, commits }, context) => {
      const since = newFiles(commits);
      if ('whole' in since) return since;
      const bronze = await checkoutScan(tables.store('bronze', run.dataset), upstream, {
        files: since.files,
        signal: context.signal,
      });
      try {
        const upserted = await upsert({ ...input(bronze.plan, context), silver: own });
        if ('whole' in upserted) return upserted;
        const { replaced, grown, changes } = upserted;
        return { ...derived(upserted), increment: { replaced, grown, changes } };
      } finally {
        bronze.release();
      }
    },
  });
}

/** Silver's files with rows whose Bronze rows retention may have taken; undefined where it took none. */
async function forgottenRows(
  tables: LakeTables,
  dataset: string,
  { upstream, own }: Ground,
  { acceptLoss = false }: EtlOptions,
  signal: AbortSignal,
): Promise<{ readonly survivors: Survivors; release(): void } | undefined> {
  const retained = upstream.transaction(retentionTransaction('_ingested_at'));
  if (!retained || !own) return undefined;
  const before = new Date(retained.version).toISOString();
  const { whole, some } = await prune(own, `_ingested_at < TIMESTAMPTZ '${before}'`);
  const scan = await checkoutScan(tables.store('silver', dataset), own, {
    files: [...whole, ...some],
    signal,
  });
  return { survivors: { published: scan.plan, before, acceptLoss }, release: () => scan.release() };
}

function derived(made: Refined): Derived {
  const { silver, schema, ledger, quarantine, quarantineSchema, survivors = 0 } = made;
  const remark =
    survivors === 0 ? undefined : `${survivors} published rows kept, which retention took out of Bronze`;
  return {
    ...(remark !== undefined && { remark }),
    files: silver,
    schema,
    ledger,
    quarantine: { files: quarantine, schema: quarantineSchema },
  };
}
