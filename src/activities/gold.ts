/** Gold: one declared table over Silver. */
import type { PlannedRun, Staged } from '../contracts/activities.js';
import { DatalabError } from '../contracts/errors.js';
import type { EtlOptions } from '../contracts/flows.js';
import { checkoutScan, type ScanPlan } from '../delta/index.js';
import { aggregate, type Aggregated, type AggregateInput } from '../medallion/aggregate.js';
import { changeFiles } from '../medallion/consumption.js';
import { computeSlices } from '../medallion/slices.js';
import { fingerprintOf } from '../medallion/staleness.js';
import { derive } from './derive.js';
import { plannedDataset } from './dataset.js';
import type { ActivityDeps } from './deps.js';
import type { Derived } from './increment.js';
import type { StepContext } from './step.js';
import type { LakeTables } from './tables.js';

export async function writeGold(
  deps: ActivityDeps,
  tables: LakeTables,
  run: PlannedRun,
  table: string,
  options: EtlOptions,
): Promise<Staged> {
  const dataset = await plannedDataset(deps, run);
  const gold = dataset.gold.find((definition) => definition.table === table);
  if (!gold) {
    throw new DatalabError(
      'DATASET_INVALID',
      `dataset '${run.dataset}' no longer declares the Gold table '${table}' that this run was planned with`,
    );
  }
  const { slices } = gold;
  const input = (silver: ScanPlan, { scratch, signal }: StepContext): AggregateInput => ({
    engine: deps.engine,
    dataset,
    gold,
    silver,
    outputDirectory: scratch,
    signal,
  });
  return derive(deps, tables, run, {
    layer: 'gold',
    table,
    upstream: { layer: 'silver', table: run.dataset },
    fingerprint: fingerprintOf(gold),
    forced: options.rebuild ?? false,
    compute: async (silver, context) => {
      const made = await aggregate({ ...input(silver, context), onFile: context.onFile });
      return derived(made);
    },
    increment: async ({ own, upstream, commits }, context) => {
      if (!slices) return { whole: 'it declares no slices' };
      const since = changeFiles(commits);
      if ('whole' in since) return since;
      if (since.keys.length === 0) return { ...derived(NOTHING), schema: own.schema, increment: UNCHANGED };
      const changes = await deps.lake.checkout(since.keys, { signal: context.signal });
      const silver = await checkoutScan(tables.store('silver', run.dataset), upstream, {
        signal: context.signal,
      });
      try {
        const made = await computeSlices({
          ...input(silver.plan, context),
          gold: { ...gold, slices },
          published: own,
          changes: since.keys.map((key) => changes.pathOf(key)),
        });
        return {
          ...derived(made),
          increment: { replaced: made.replaced, grown: made.grown, changes: undefined },
        };
      } finally {
        changes.release();
        silver.release();
      }
    },
  });
}

const NOTHING = { gold: [], rows: 0, schema: { type: 'struct', fields: [] } } as const;
const UNCHANGED = { replaced: [], grown: 0, changes: undefined } as const;

function derived({ gold, rows, schema }: Aggregated): Derived {
  const ledger = { read: rows, accepted: rows, duplicate: 0, quarantined: 0 };
  return { files: gold, schema, ledger, quarantine: null };
}
