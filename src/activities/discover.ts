/** Lists a dataset's sources and sets aside those that Bronze has seen. */
import type { Discovery, PlannedRun } from '../contracts/activities.js';
import { objectTransaction } from '../medallion/transactions.js';
import { plannedDataset } from './dataset.js';
import type { ActivityDeps } from './deps.js';
import { writeManifest } from './staging.js';
import { runStep } from './step.js';
import { stateOf, type LakeTables } from './tables.js';

export async function discoverSources(
  deps: ActivityDeps,
  tables: LakeTables,
  run: PlannedRun,
): Promise<Discovery> {
  const { step, value } = await runStep('discover', deps.scratchDirectory, async ({ signal }) => {
    const dataset = await plannedDataset(deps, run);
    const [listed, bronze] = await Promise.all([
      deps.sources.list(dataset.source.location, { signal }),
      tables.table('bronze', run.dataset).snapshotIfExists(),
    ]);
    const fresh = listed.filter((source) => !bronze?.transaction(objectTransaction(source)));
    const bytes = fresh.reduce((sum, source) => sum + source.sizeBytes, 0);
    const manifest =
      fresh.length === 0
        ? null
        : await writeManifest(deps.lake, run, 'sources', deps.newId(), { sources: fresh });
    return {
      rows: 0,
      bytes,
      detail: `${listed.length} listed, ${fresh.length} not seen before`,
      value: {
        listed: listed.length,
        known: listed.length - fresh.length,
        fresh: fresh.length,
        bytes,
        manifest,
        current: bronze && stateOf(`bronze.${run.dataset}`, bronze, false),
      },
    };
  });
  return { step, ...value };
}
