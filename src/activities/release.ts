/** Release: rows that were taken into Bronze after all leave the quarantine. */
import type { PlannedRun } from '../contracts/activities.js';
import { DatalabError } from '../contracts/errors.js';
import type { StepRecord } from '../contracts/run.js';
import { removeOf, type Action, type AddFile, type EngineSession, type WrittenFile } from '../delta/index.js';
import { unreleased } from '../medallion/replay.js';
import { QUARANTINE_SCHEMA } from '../medallion/schema.js';
import type { ActivityDeps } from './deps.js';
import { groundOf, withGround, type Ground } from './replay-ground.js';
import { stageAll } from './stage.js';
import { runStep, type StepContext } from './step.js';
import type { LakeTables } from './tables.js';

const ROUNDS_MAX = 20;

export async function releaseReplayed(
  deps: ActivityDeps,
  tables: LakeTables,
  run: PlannedRun,
): Promise<{ step: StepRecord; released: number }> {
  const { step, value } = await runStep(
    `release quarantine.${run.dataset}`,
    deps.scratchDirectory,
    async (context) => {
      const released = await release(deps, tables, run, context);
      return { rows: released, bytes: 0, detail: `${released} row(s) left the quarantine`, value: released };
    },
  );
  return { step, released: value };
}

async function release(
  deps: ActivityDeps,
  tables: LakeTables,
  run: PlannedRun,
  context: StepContext,
): Promise<number> {
  const table = tables.table('quarantine', run.dataset);
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    const ground = await groundOf(deps, tables, run.dataset, {}, context);
    if (!ground) return 0;
    const { released, actions, read } = await rewrite(deps, tables, ground, round, context);
    if (released === 0) return 0;
    const result = await table.commit({
      ...{ base: ground.quarantine, actions, operation: 'DELETE' },
      operationParameters: { predicate: 'held by bronze' },
      read: { files: read, wouldRead: () => false },
      info: { datalab: { kind: 'quarantine', run } },
    });
    if (result.status === 'committed') return released;
  }
  throw new DatalabError(
    'PUBLISH_CONTENDED',
    `quarantine.${run.dataset}: ${ROUNDS_MAX} other commits came first`,
  );
}

interface Rewritten {
  readonly released: number;
  readonly actions: readonly Action[];
  readonly read: readonly AddFile[];
}

/** The quarantine's files without the rows that Bronze holds. Files that lose none stay as they are. */
async function rewrite(
  deps: ActivityDeps,
  tables: LakeTables,
  ground: Ground,
  round: number,
  context: StepContext,
): Promise<Rewritten> {
  return withGround(deps, tables, ground, [], context, async ({ session, refused }) => {
    const read: AddFile[] = [];
    const actions: Action[] = [];
    let released = 0;
    for (const [index, file] of ground.refusedFiles.entries()) {
      const rows = deps.engine.relation({ ...refused, files: refused.files.slice(index, index + 1) });
      const left = await staying(session, rows, `staying-${round}-${index}`);
      if (left.released === 0) continue;
      released += left.released;
      read.push(file);
      const store = tables.store('quarantine', ground.dataset);
      const partition = { schema: QUARANTINE_SCHEMA, partitionValues: { layer: 'bronze' } };
      const adds = await stageAll(deps, store, left.files, partition, context);
      actions.push({ remove: removeOf(file, deps.clock.nowMs()) });
      // What stays is of the generation that it was.
      const { tags } = file;
      actions.push(...adds.map((add) => ({ add: tags ? { ...add, tags } : add })));
    }
    return { released, actions, read };
  });
}

/** The rows of one file that stay, where some of them do not. */
async function staying(
  session: EngineSession,
  rows: string,
  name: string,
): Promise<{ released: number; files: WrittenFile[] }> {
  const [count] = await session.rows<{ stay: number; all: number }>(
    `SELECT (SELECT count(*)::INTEGER FROM (${unreleased(rows)})) AS stay, ` +
      `(SELECT count(*)::INTEGER FROM ${rows}) AS "all"`,
  );
  const { stay = 0, all = 0 } = count ?? {};
  if (stay === all) return { released: 0, files: [] };
  const written = await session.writeParquet(unreleased(rows), `${name}.parquet`);
  return { released: all - stay, files: written ? [written] : [] };
}
