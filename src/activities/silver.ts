/** Silver: Bronze, cleaned. */
import type { PlannedRun, Staged } from '../contracts/activities.js';
import type { EtlOptions } from '../contracts/flows.js';
import { checkoutScan, widenSchema, type ScanPlan } from '../delta/index.js';
import { newFiles } from '../medallion/consumption.js';
import { refine, type Refined, type RefineInput } from '../medallion/refine.js';
import { bronzeSchema } from '../medallion/schema.js';
import { fingerprintOf } from '../medallion/staleness.js';
import { upsert } from '../medallion/upsert.js';
import { derive } from './derive.js';
import { plannedDataset } from './dataset.js';
import type { ActivityDeps } from './deps.js';
import type { Derived } from './increment.js';
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
    compute: async (bronze, context) => derived(await refine(input(bronze, context))),
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
        const { replaced, changes } = upserted;
        return { ...derived(upserted), increment: { replaced, changes } };
      } finally {
        bronze.release();
      }
    },
  });
}

function derived(made: Refined): Derived {
  const { silver, schema, ledger, quarantine, quarantineSchema } = made;
  return { files: silver, schema, ledger, quarantine: { files: quarantine, schema: quarantineSchema } };
}
