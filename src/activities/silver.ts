/** Silver: Bronze, cleaned. */
import type { PlannedRun, Staged } from '../contracts/activities.js';
import type { EtlOptions } from '../contracts/flows.js';
import { widenSchema } from '../delta/index.js';
import { refine } from '../medallion/refine.js';
import { bronzeSchema } from '../medallion/schema.js';
import { fingerprintOf } from '../medallion/staleness.js';
import { derive } from './derive.js';
import { plannedDataset } from './dataset.js';
import type { ActivityDeps } from './deps.js';
import type { LakeTables } from './tables.js';

export async function writeSilver(
  deps: ActivityDeps,
  tables: LakeTables,
  run: PlannedRun,
  options: EtlOptions,
): Promise<Staged> {
  const dataset = await plannedDataset(deps, run);
  return derive(deps, tables, run, {
    layer: 'silver',
    table: run.dataset,
    upstream: { layer: 'bronze', table: run.dataset },
    fingerprint: fingerprintOf([dataset.columns, dataset.key, dataset.silver]),
    forced: options.rebuild ?? false,
    compute: async (bronze, { scratch, signal, progress }) => {
      const refined = await refine({
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
      const { silver, schema, ledger, quarantine, quarantineSchema } = refined;
      return { files: silver, schema, ledger, quarantine: { files: quarantine, schema: quarantineSchema } };
    },
  });
}
