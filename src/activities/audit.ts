/** Audit: the dataset's checks, measured on the staged files themselves, as they were uploaded. */
import type { Audit, PlannedRun, Staged } from '../contracts/activities.js';
import type { DatasetDefinition } from '../contracts/dataset.js';
import type { QualityVerdict } from '../contracts/quality.js';
import { identifier } from '../contracts/sql-text.js';
import { checkoutScan, type Snapshot } from '../delta/index.js';
import { badRowExamples, judge, measure } from '../quality/index.js';
import { plannedDataset } from './dataset.js';
import type { ActivityDeps } from './deps.js';
import { qualityHistory } from './quality-history.js';
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
      const verdict = await judgeStaged(deps, tables, run, { dataset, bronze, manifest, signal });
      for (const { name, severity, detail, outcome } of verdict.results) {
        if (outcome === 'failed') deps.log({ check: name, severity }, `check failed: ${detail}`, 'warn');
      }
      const failed = verdict.results.filter((result) => result.outcome === 'failed').length;
      const score = verdict.score === null ? 'no score' : `score ${verdict.score.toFixed(3)}`;
      return {
        rows: manifest.rows,
        bytes: 0,
        detail: `${dataset.checks.length} checks, ${failed} failed, ${score}`,
        value: verdict,
      };
    },
  );
  return { step, verdict: value };
}

interface Batch {
  readonly dataset: DatasetDefinition;
  readonly bronze: Snapshot | null;
  readonly manifest: StagingManifest;
  readonly signal: AbortSignal;
}

async function judgeStaged(
  deps: ActivityDeps,
  tables: LakeTables,
  run: PlannedRun,
  { dataset, bronze, manifest, signal }: Batch,
): Promise<QualityVerdict> {
  const { checks, score } = dataset;
  const { schema, adds, rows, unknownColumns = [] } = manifest;
  const context = {
    publishedRows: bronze ? rowCount(bronze) : 0,
    newRows: rows,
    logicalTime: run.logicalTime,
    columnDifferences: unknownColumns.map((name) => `'${name}' is not declared`),
    publishedNewest: bronze ? newestValues(dataset, bronze) : new Map<string, number>(),
    score,
  };
  if (rows === 0) return judge(checks, [], context);
  const store = tables.store('bronze', run.dataset);
  const [history, scan] = await Promise.all([
    qualityHistory(deps, tables, run, dataset, signal),
    checkoutScan(store, { schema, partitionColumns: [], files: adds }, { signal }),
  ]);
  const session = await deps.engine.open({ inputs: scan.inputs, signal });
  try {
    const batch = `bronze.${identifier(dataset.name)}`;
    await session.run(
      `CREATE SCHEMA bronze; CREATE VIEW ${batch} AS SELECT * FROM ${deps.engine.relation(scan.plan)}`,
    );
    const measured = await measure(session, checks, batch);
    const examples = await badRowExamples(session, checks, measured, batch);
    return judge(checks, measured, { ...context, history }, examples);
  } finally {
    await session.close();
    scan.release();
  }
}

/** The newest published values of the columns whose age is checked, from the log's statistics: no file is read. */
function newestValues({ checks }: DatasetDefinition, bronze: Snapshot): Map<string, number> {
  const newest = new Map<string, number>();
  for (const check of checks) {
    // Statistics know nothing of a condition.
    if (check.kind !== 'freshness' || check.where !== undefined) continue;
    for (const { stats } of bronze.files) {
      const { maxValues } = JSON.parse(stats ?? '{}') as { maxValues?: Record<string, unknown> };
      const ms = Date.parse(String(maxValues?.[check.column] ?? ''));
      if (Number.isFinite(ms)) newest.set(check.column, Math.max(ms, newest.get(check.column) ?? ms));
    }
  }
  return newest;
}
