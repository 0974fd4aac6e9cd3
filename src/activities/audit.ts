/** Audit: the dataset's checks, measured on the staged files themselves, as they were uploaded. */
import type { Audit, PlannedRun, Staged } from '../contracts/activities.js';
import { checkoutScan } from '../delta/index.js';
import { checkSql, judge, type Measured } from '../quality/index.js';
import { plannedDataset } from './dataset.js';
import type { ActivityDeps } from './deps.js';
import { readManifest, type StagingManifest } from './staging.js';
import { runStep } from './step.js';
import { rowCount, type LakeTables } from './tables.js';

export async function auditBronze(
  deps: ActivityDeps,
  tables: LakeTables,
  run: PlannedRun,
  staged: Staged,
): Promise<Audit> {
  const { step, value } = await runStep(
    `audit bronze.${run.dataset}`,
    deps.scratchDirectory,
    async ({ signal }) => {
      if (staged.manifest === null) throw new Error('an audit needs staged files');
      const [dataset, bronze, manifest] = await Promise.all([
        plannedDataset(deps, run),
        tables.table('bronze', run.dataset).snapshotIfExists(),
        readManifest<StagingManifest>(deps.lake, staged.manifest),
      ]);
      const { schema, adds, rows } = manifest;
      const store = tables.store('bronze', run.dataset);
      const scan = await checkoutScan(store, { schema, partitionColumns: [], files: adds }, { signal });
      const session = await deps.engine.open({ inputs: scan.inputs, signal });
      try {
        const [measured] = await session.rows<Measured>(
          checkSql(dataset.checks, deps.engine.relation(scan.plan)),
        );
        const verdict = judge(dataset.checks, measured ?? {}, {
          publishedRows: bronze ? rowCount(bronze) : 0,
          newRows: rows,
        });
        const failed = verdict.results.filter((result) => result.outcome === 'failed').length;
        const score = verdict.score === null ? 'no score' : `score ${verdict.score.toFixed(3)}`;
        return {
          rows,
          bytes: 0,
          detail: `${verdict.results.length} checks, ${failed} failed, ${score}`,
          value: verdict,
        };
      } finally {
        await session.close();
        scan.release();
      }
    },
  );
  return { step, verdict: value };
}
