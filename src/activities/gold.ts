/** Gold: one declared table over Silver. */
import type { PlannedRun, Staged } from '../contracts/activities.js';
import { DatalabError } from '../contracts/errors.js';
import type { EtlOptions } from '../contracts/flows.js';
import { aggregate } from '../medallion/aggregate.js';
import { fingerprintOf } from '../medallion/staleness.js';
import { derive } from './derive.js';
import { plannedDataset } from './dataset.js';
import type { ActivityDeps } from './deps.js';
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
  return derive(deps, tables, run, {
    layer: 'gold',
    table,
    upstream: { layer: 'silver', table: run.dataset },
    fingerprint: fingerprintOf(gold),
    forced: options.rebuild ?? false,
    compute: async (silver, { scratch, signal }) => {
      const {
        gold: file,
        rows,
        schema,
      } = await aggregate({
        engine: deps.engine,
        dataset,
        gold,
        silver,
        outputDirectory: scratch,
        signal,
      });
      const ledger = { read: rows, accepted: rows, duplicate: 0, quarantined: 0 };
      return { files: file ? [file] : [], schema, ledger, quarantine: null };
    },
  });
}
