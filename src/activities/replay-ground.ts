/** What a replay looks at: the rows that Bronze refused, beside the rows of the same sources that it holds. */
import type { ReplayFilter } from '../contracts/replay.js';
import { literal } from '../contracts/sql-text.js';
import {
  checkoutScan,
  prune,
  type AddFile,
  type EngineSession,
  type ScanPlan,
  type Snapshot,
} from '../delta/index.js';
import { isAsked, replayViews } from '../medallion/replay.js';
import type { ActivityDeps } from './deps.js';
import { settledFiles } from './quarantine.js';
import type { StepContext } from './step.js';
import type { LakeTables } from './tables.js';

export interface Ground {
  readonly dataset: string;
  readonly bronze: Snapshot;
  /** Files of Bronze that may hold rows of the sources in question. */
  readonly bronzeFiles: readonly AddFile[];
  readonly quarantine: Snapshot;
  readonly refusedFiles: readonly AddFile[];
}

/** Null where Bronze refused nothing, or nothing that is asked for. */
export async function groundOf(
  deps: ActivityDeps,
  tables: LakeTables,
  dataset: string,
  filter: ReplayFilter,
  { signal }: StepContext,
): Promise<Ground | null> {
  // Bronze first: what is taken in after it was looked at makes the replay's commit a conflict.
  const bronze = await tables.table('bronze', dataset).snapshotIfExists();
  const quarantine = await tables.table('quarantine', dataset).snapshotIfExists();
  const refusedFiles = quarantine ? settledFiles(quarantine, 'bronze') : [];
  if (!bronze || !quarantine || refusedFiles.length === 0) return null;
  const scan = await checkoutScan(tables.store('quarantine', dataset), quarantine, {
    ...{ files: refusedFiles, signal },
  });
  const session = await deps.engine.open({ inputs: scan.inputs, signal });
  try {
    const sources = await session.rows<{ id: string }>(
      `SELECT DISTINCT r._source_id AS id FROM ${deps.engine.relation(scan.plan)} r WHERE ${isAsked(filter)}`,
    );
    if (sources.length === 0) return null;
    const ids = sources.map(({ id }) => id);
    return { dataset, bronze, bronzeFiles: await filesOf(bronze, ids), quarantine, refusedFiles };
  } finally {
    await session.close();
    scan.release();
  }
}

/** Above this, looking at every file is less than comparing every file with every source. */
const SOURCES_COMPARED_MAX = 1000;

async function filesOf(bronze: Snapshot, sourceIds: readonly string[]): Promise<readonly AddFile[]> {
  if (sourceIds.length > SOURCES_COMPARED_MAX) return bronze.files.toArray();
  const { whole, some } = await prune(bronze, `_source_id IN (${sourceIds.map(literal).join(', ')})`);
  return [...whole, ...some];
}

/** A session with the views `refused` and `held`, and the plan of the refused files in the order of the ground. */
export async function withGround<Result>(
  deps: ActivityDeps,
  tables: LakeTables,
  { dataset, bronze, bronzeFiles, quarantine, refusedFiles }: Ground,
  inputs: readonly string[],
  { scratch, signal }: StepContext,
  body: (ground: { session: EngineSession; refused: ScanPlan }) => Promise<Result>,
): Promise<Result> {
  const refused = await checkoutScan(tables.store('quarantine', dataset), quarantine, {
    ...{ files: refusedFiles, signal },
  });
  const held = await checkoutScan(tables.store('bronze', dataset), bronze, {
    ...{ files: bronzeFiles, signal },
    columns: ['_source_id', '_source_line', '_source_modified_at'],
  });
  const session = await deps.engine.open({
    inputs: [...refused.inputs, ...held.inputs, ...inputs],
    outputDirectory: scratch,
    signal,
  });
  try {
    const { relation } = deps.engine;
    await session.run(replayViews({ refused: relation(refused.plan), held: relation(held.plan) }));
    return await body({ session, refused: refused.plan });
  } finally {
    await session.close();
    refused.release();
    held.release();
  }
}
