/** Lists a dataset's sources and sets aside those that Bronze has seen. */
import type { Discovery } from '../contracts/activities.js';
import type { RunRef } from '../contracts/run.js';
import { objectTransaction } from '../medallion/transactions.js';
import type { ActivityDeps } from './deps.js';
import { writeManifest } from './staging.js';
import { runStep } from './step.js';
import { stateOf, type LakeTables } from './tables.js';

export async function discoverSources(
  deps: ActivityDeps,
  tables: LakeTables,
  run: RunRef,
): Promise<Discovery> {
  const { step, value } = await runStep('discover', deps.scratchDirectory, async ({ signal }) => {
    const dataset = await deps.loadDataset(run.dataset);
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
