/** What earlier runs measured, for the checks that hold a batch against the dataset's own history. */
import type { DatasetDefinition } from '../contracts/dataset.js';
import type { RunRef } from '../contracts/run.js';
import { literal } from '../contracts/sql-text.js';
import { checkoutScan, type CheckedOutScan } from '../delta/index.js';
import type { ActivityDeps } from './deps.js';
import type { LakeTables } from './tables.js';

/** Every run adds a file to the tables of records; the newest hold all the history that a check may ask for. */
const FILES_MAX = 600;

/**
 * Figures by name of the check, newest first, of runs that went well; those of this run and its resets are left out. A
 * `volume` check reads the rows that runs took into Bronze, a `distribution` check what it observed itself.
 */
export async function qualityHistory(
  deps: ActivityDeps,
  tables: LakeTables,
  run: RunRef,
  { checks }: DatasetDefinition,
  signal: AbortSignal,
): Promise<Map<string, number[]>> {
  const history = new Map<string, number[]>();
  const volumes = checks.filter((check) => check.kind === 'volume');
  const figures = checks.filter((check) => check.kind === 'distribution');
  if (volumes.length + figures.length === 0) return history;
  const [runs, results] = await Promise.all([
    newestOf(tables, 'runs', signal),
    figures.length > 0 ? newestOf(tables, 'quality_results', signal) : undefined,
  ]);
  if (!runs) return history;
  const session = await deps.engine.open({ inputs: [...runs.inputs, ...(results?.inputs ?? [])], signal });
  try {
    const good =
      `(SELECT * FROM ${deps.engine.relation(runs.plan)} WHERE outcome = 'ok' ` +
      `AND dataset = ${literal(run.dataset)} AND run_id <> ${literal(run.runId)})`;
    if (volumes.length > 0) {
      const rows = await session.rows<{ n: bigint }>(
        `SELECT bronze_accepted AS n FROM ${good} WHERE bronze_accepted > 0 ORDER BY finished_at DESC LIMIT 500`,
      );
      for (const { name } of volumes)
        history.set(
          name,
          rows.map(({ n }) => Number(n)),
        );
    }
    // A table of results that is older than the column has nothing to tell.
    if (results?.plan.schema.fields.some(({ name }) => name === 'observed')) {
      const rows = await session.rows<{ name: string; value: number }>(
        `SELECT check_name AS name, observed AS value FROM ${deps.engine.relation(results.plan)} ` +
          `SEMI JOIN ${good} USING (execution_id) WHERE kind = 'distribution' AND observed IS NOT NULL ` +
          `ORDER BY checked_at DESC`,
      );
      for (const { name, value } of rows) history.set(name, [...(history.get(name) ?? []), value]);
    }
    return history;
  } finally {
    await session.close();
    runs.release();
    results?.release();
  }
}

async function newestOf(
  tables: LakeTables,
  name: 'runs' | 'quality_results',
  signal: AbortSignal,
): Promise<CheckedOutScan | undefined> {
  const snapshot = await tables.table('meta', name).snapshotIfExists();
  if (!snapshot) return undefined;
  const newest = [...snapshot.files].sort((left, right) => right.modificationTime - left.modificationTime);
  return checkoutScan(tables.store('meta', name), snapshot, { files: newest.slice(0, FILES_MAX), signal });
}
