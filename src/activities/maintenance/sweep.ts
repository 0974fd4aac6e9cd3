/** What runs leave beside the tables: logs, reports, manifests, files of changes. It goes when it is old. */
import type { Amount, MaintenanceRun } from '../../contracts/lake-maintenance.js';
import { runStep } from '../step.js';
import type { MaintenanceDeps } from './deps.js';

const DAY_MS = 86_400_000;
const BATCH = 1000;
/**
 * However short the configuration asks: a run may be tried for a day, a staged file published for half a week, and Gold
 * may be a week behind the changes that it is told of.
 */
const LEAST_DAYS = 14;

export async function sweepFolders(deps: MaintenanceDeps, run: MaintenanceRun): Promise<Amount> {
  const { logDays, reportDays } = deps.config.maintenance.retention;
  const folders: ReadonlyArray<readonly [string, number]> = [
    ['_runs/', logDays],
    ['_staging/', logDays],
    ['_changes/', logDays],
    ['_maintenance/', logDays],
    ['_queries/', logDays],
    ['_drill/', logDays],
    ['reports/', reportDays],
  ];
  const own = `_maintenance/${run.runId}/`;
  const { value } = await runStep('sweep', deps.scratchDirectory, async ({ signal, progress }) => {
    let files = 0;
    let bytes = 0;
    for (const [prefix, days] of folders) {
      const cutoffMs = deps.clock.nowMs() - Math.max(days, LEAST_DAYS) * DAY_MS;
      let batch: string[] = [];
      const flush = async (): Promise<void> => {
        signal.throwIfAborted();
        if (!run.dryRun && batch.length > 0) await deps.lake.delete(batch);
        batch = [];
        progress({ phase: `sweep ${prefix}`, done: files, total: 0, unit: 'objects' });
      };
      for await (const { key, sizeBytes, modifiedMs } of deps.lake.list(prefix, { signal })) {
        if (modifiedMs >= cutoffMs || key.startsWith(own)) continue;
        files += 1;
        bytes += sizeBytes;
        batch.push(key);
        if (batch.length === BATCH) await flush();
      }
      await flush();
    }
    return { rows: 0, bytes, detail: `${files} objects`, value: { files, bytes } };
  });
  return value;
}
