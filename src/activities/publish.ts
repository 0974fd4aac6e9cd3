/**
 * Publish: one Delta commit makes staged files visible. Repeating it finds the first commit by the manifest's key;
 * somebody else's commit in between is an answer, and nothing of ours is visible then.
 */
import type { Published } from '../contracts/activities.js';
import { DatalabError } from '../contracts/errors.js';
import type { PublishLineage } from '../contracts/lineage.js';
import type { RunRef } from '../contracts/run.js';
import {
  changeTableActions,
  createTableActions,
  overwriteActions,
  removeOf,
  verifyStaged,
  widenSchema,
  type Action,
  type DeltaTable,
  type Snapshot,
} from '../delta/index.js';
import { noteOf, type PublishNote } from '../medallion/commit-note.js';
import { checkpointIfDue } from './checkpoint.js';
import type { ActivityDeps } from './deps.js';
import { addRefused, settleRefused, withdrawRefused } from './quarantine.js';
import { readManifest, type StagingManifest } from './staging.js';
import { runStep } from './step.js';
import { stateOf, type LakeTables } from './tables.js';

/** Half of the shortest time that VACUUM leaves unreferenced files alone: 7 days. */
export const STAGED_AGE_MAX_MS = 3.5 * 24 * 3600 * 1000;

export async function publish(
  deps: ActivityDeps,
  tables: LakeTables,
  run: RunRef,
  key: string,
): Promise<Published> {
  const manifest = await readManifest<StagingManifest>(deps.lake, key);
  const name = `${manifest.layer}.${manifest.table}`;
  const { step, value } = await runStep<Snapshot | null>(
    `publish ${name}`,
    deps.scratchDirectory,
    async () => {
      const landed = await land(deps, tables, run, manifest, key);
      if ('conflict' in landed) {
        await withdrawRefused(deps, tables, run, manifest);
        return { outcome: 'conflict', rows: 0, bytes: 0, detail: landed.conflict, value: null };
      }
      await settleRefused(deps, tables, run, manifest);
      await checkpointIfDue(deps, tables.table(manifest.layer, manifest.table));
      if (manifest.quarantine) await checkpointIfDue(deps, tables.table('quarantine', manifest.dataset));
      const { snapshot, remark } = landed;
      return {
        rows: manifest.rows,
        bytes: manifest.adds.reduce((sum, add) => sum + add.size, 0),
        detail: `version ${snapshot.version}${remark ? `, ${remark}` : ''}`,
        value: snapshot,
      };
    },
  );
  return {
    step,
    status: value ? 'published' : 'conflict',
    table: value && stateOf(name, value, true),
    ledger: manifest.ledger,
    detail: step.detail,
  };
}

/** The version that shows the manifest's files, or why there is none: somebody else's commit came first. */
type Landed = { readonly snapshot: Snapshot; readonly remark?: string } | { readonly conflict: string };

async function land(
  deps: ActivityDeps,
  tables: LakeTables,
  run: RunRef,
  manifest: StagingManifest,
  key: string,
): Promise<Landed> {
  const table = tables.table(manifest.layer, manifest.table);
  const remark = 'published by an earlier attempt';
  const earlier = await findPublish(table, manifest, key);
  if (earlier) return { snapshot: earlier, remark };
  await requirePublishable(deps, tables, manifest);
  await addRefused(deps, tables, run, manifest);
  const committed = await commit(deps, table, run, manifest, key);
  if (committed.status === 'committed') {
    const snapshot = await table.snapshot({ version: committed.version });
    return { snapshot, ...(manifest.rebuild && { remark: `rebuilt: ${manifest.rebuild}` }) };
  }
  // The winner may be an earlier attempt of this very publish, whose commit arrived after it was given up.
  const own = await findPublish(table, manifest, key);
  if (own) return { snapshot: own, remark };
  return { conflict: `${committed.check} at version ${committed.version}: ${committed.detail}` };
}

/** The version that published this manifest, where an earlier attempt did and could not say so. */
async function findPublish(
  table: DeltaTable,
  manifest: StagingManifest,
  key: string,
): Promise<Snapshot | undefined> {
  const head = await table.snapshotIfExists();
  for (let version = head?.version ?? -1; version > (manifest.baseVersion ?? -1); version--) {
    const note = noteOf(await table.commitInfo(version));
    if (note?.kind === 'publish' && note.manifest === key) return table.snapshot({ version });
  }
  return undefined;
}

async function requirePublishable(
  deps: ActivityDeps,
  tables: LakeTables,
  manifest: StagingManifest,
): Promise<void> {
  const ageMs = deps.clock.nowMs() - manifest.stagedAtMs;
  if (ageMs > STAGED_AGE_MAX_MS) {
    throw new DatalabError(
      'STAGING_EXPIRED',
      `files of ${manifest.layer}.${manifest.table} were staged ${Math.round(ageMs / 3600_000)} hours ago; a VACUUM may have taken them`,
    );
  }
  await Promise.all([
    verifyStaged(tables.store(manifest.layer, manifest.table), manifest.adds),
    verifyStaged(tables.store('quarantine', manifest.dataset), manifest.quarantine?.adds ?? []),
  ]);
}

async function commit(
  deps: ActivityDeps,
  table: DeltaTable,
  run: RunRef,
  manifest: StagingManifest,
  key: string,
): ReturnType<DeltaTable['commit']> {
  const base = manifest.baseVersion === null ? null : await table.snapshot({ version: manifest.baseVersion });
  const { ledger, rows, fingerprint, rebuild } = manifest;
  const note: PublishNote = {
    kind: 'publish',
    manifest: key,
    run,
    ledger,
    rows,
    fingerprint,
    ...(rebuild && { rebuild }),
    ...(manifest.grown !== undefined && { grown: manifest.grown }),
    ...(manifest.changes !== undefined && { changes: manifest.changes }),
    lineage: lineageNote(manifest),
  };
  const transactions: Action[] = manifest.transactions.map((txn) => ({
    txn: { ...txn, lastUpdated: deps.clock.nowMs() },
  }));
  return table.commit({
    base,
    actions: [...contentActions(deps, manifest, base), ...transactions],
    ...OPERATIONS[manifest.mode],
    operationMetrics: { numFiles: String(manifest.adds.length), numOutputRows: String(rows) },
    // What is replaced was read; an append depends on nothing but its transactions.
    read: manifest.mode === 'append' ? 'nothing' : 'table',
    info: { datalab: note },
  });
}

/** What the lineage of this version needs to know later. */
function lineageNote({ stagedAtMs, schema, adds, origin }: StagingManifest): PublishLineage {
  return {
    startedAt: new Date(stagedAtMs).toISOString(),
    columns: schema.fields.map(({ name, type }) => ({
      name,
      type: typeof type === 'string' ? type : type.type,
    })),
    bytes: adds.reduce((sum, add) => sum + add.size, 0),
    files: adds.length,
    ...(origin && { origin }),
  };
}

/** As other writers name what was done. */
const OPERATIONS = {
  append: { operation: 'WRITE', operationParameters: { mode: 'Append' } },
  overwrite: { operation: 'WRITE', operationParameters: { mode: 'Overwrite' } },
  merge: { operation: 'MERGE', operationParameters: {} },
} as const;

function contentActions(deps: ActivityDeps, manifest: StagingManifest, base: Snapshot | null): Action[] {
  const { schema, adds, fingerprint } = manifest;
  const configuration = { 'datalab.fingerprint': fingerprint };
  const added: Action[] = adds.map((add) => ({ add }));
  if (!base) {
    const { clock, newId } = deps;
    return [...createTableActions({ schema, partitionColumns: [], configuration, clock, newId }), ...added];
  }
  if (manifest.mode === 'append') {
    // A dataset may have gained columns since its table was made.
    const where = `${manifest.layer}.${manifest.table}`;
    return [...changeTableActions(base, { schema: widenSchema(base.schema, schema, where) }), ...added];
  }
  if (manifest.mode === 'merge') return [...replaced(deps, base, manifest.removes ?? []), ...added];
  return overwriteActions(base, adds, { schema, configuration, clock: deps.clock });
}

/** The tombstones of a merge. The base is the version that it was computed from, so every path is there. */
function replaced({ clock }: ActivityDeps, base: Snapshot, paths: readonly string[]): Action[] {
  const gone = new Set(paths);
  const nowMs = clock.nowMs();
  return base.files.filter(({ path }) => gone.has(path)).map((file) => ({ remove: removeOf(file, nowMs) }));
}
