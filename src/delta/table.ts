/** A Delta table in a store. */
import type { RecordBatch } from 'apache-arrow';
import type { Action, CommitInfo } from './actions.js';
import type { CommitRequest, CommitResult, DeltaTableApi, Snapshot } from './api.js';
import { commitActions } from './commit.js';
import { systemDeps, type DeltaDeps } from './deps.js';
import { DeltaError } from './errors.js';
import { mapLimited } from './limit.js';
import { commitKey } from './log-path.js';
import { listLog, readCommit } from './log-reader.js';
import { loadSnapshot, refreshSnapshot } from './load.js';
import { monotonicTimes } from './log-segment.js';
import { addColumns, addConstraint, dropConstraint, setProperties } from './operations/alter.js';
import { append, create, type AppendOptions, type CreateOptions } from './operations/append.js';
import { cleanLog, type CleanLogOptions, type CleanLogReport } from './operations/clean-log.js';
import { deleteRows, type DeleteOptions } from './operations/delete.js';
import { fsck, type FsckOptions, type FsckReport } from './operations/fsck.js';
import { merge, type MergeOptions } from './operations/merge.js';
import { optimize, type OptimizeOptions, type OptimizeReport } from './operations/optimize.js';
import { overwrite, type OverwriteOptions } from './operations/overwrite.js';
import { read, type ReadOptions } from './operations/read.js';
import { restore, type RestoreOptions } from './operations/restore.js';
import type { OperationOptions, OperationReport } from './operations/run.js';
import { update, type UpdateOptions } from './operations/update.js';
import { vacuum, type VacuumOptions, type VacuumReport } from './operations/vacuum.js';
import { writeCheckpoint, type CheckpointReport } from './operations/checkpoint.js';
import type { ObjectStore } from './ports.js';
import { commitInfoOf } from './replay.js';
import type { StructField, StructType } from './schema.js';
import type { TableSnapshot } from './snapshot.js';
import type { DataSource } from './source.js';

/** A cached snapshot older than this is read anew: its successors may have been cleaned away in the meantime. */
const CACHE_MAX_AGE_MS = 3_600_000;
/** How often a remembered version is looked for, where no other has come after it. */
const LOOK_EVERY_MS = 30_000;
const PARALLEL_GETS = 16;

/**
 * One table: the store is rooted at its folder. Keeps its newest snapshot, so that asking again costs one request when
 * nothing changed. Safe for concurrent callers; make one per table and process and keep it.
 */
export class DeltaTable implements DeltaTableApi {
  readonly deps: DeltaDeps;
  #cached:
    { readonly snapshot: TableSnapshot; readonly loadedMs: number; readonly seenMs: number } | undefined;
  #refreshing: Promise<TableSnapshot> | undefined;

  constructor(
    readonly store: ObjectStore,
    deps: Partial<DeltaDeps> = {},
  ) {
    this.deps = systemDeps(deps);
  }

  async snapshot(at?: { version: number } | { timestampMs: number }): Promise<TableSnapshot> {
    if (!at) return this.#newest();
    const version = 'version' in at ? at.version : await this.#versionAt(at.timestampMs);
    const cached = this.#cached?.snapshot;
    if (cached?.version === version) return cached;
    // A version that is newer than what is known is most often the newest: one step forward instead of the whole log.
    if (cached && cached.version < version) {
      const newest = await this.#newest();
      if (newest.version === version) return newest;
    }
    return loadSnapshot(this.store, this.deps, version);
  }

  async snapshotIfExists(): Promise<TableSnapshot | null> {
    try {
      return await this.#newest();
    } catch (error) {
      if (error instanceof DeltaError && error.code === 'DELTA_TABLE_NOT_FOUND') return null;
      throw error;
    }
  }

  async commit(request: CommitRequest): Promise<CommitResult> {
    if (request.base) await this.#requireThere(request.base.version);
    return commitActions(this.store, this.deps, request);
  }

  /**
   * A table that was restored, or made anew, may end before the version that is known here. A commit on that version would
   * leave a gap that no reader gets over. Throws DELTA_CONCURRENT_CHANGE.
   */
  async #requireThere(version: number): Promise<void> {
    if (await this.#holds(version)) return;
    this.#cached = undefined;
    const newest = await this.snapshotIfExists();
    // Its commit may have been cleaned away behind a checkpoint.
    if (newest && newest.version >= version) return;
    throw new DeltaError(
      'DELTA_CONCURRENT_CHANGE',
      `${this.store.uri} ${newest ? `ends at version ${newest.version}` : 'is gone'}, though version ${version} was read: ` +
        'it was restored or made anew in between',
    );
  }

  /**
   * Writes the checkpoint of the newest version, unless it is there. Never changes what the table holds; a failure
   * costs later readers time and nothing else. Throws DELTA_CHECKPOINT_INVALID, DELTA_ENGINE_REQUIRED.
   */
  async checkpoint(options: { signal?: AbortSignal } = {}): Promise<CheckpointReport> {
    const snapshot = await this.#newest();
    const report = await writeCheckpoint(this, snapshot, options);
    const cached = this.#cached;
    if (cached && (cached.snapshot.checkpointVersion ?? -1) < report.version) {
      this.#cached = { ...cached, snapshot: cached.snapshot.withCheckpoint(report.version) };
    }
    return report;
  }

  /** The rows of a version as Arrow record batches, in no particular order. */
  read(options: ReadOptions = {}): AsyncGenerator<RecordBatch, void> {
    return read(this, options);
  }

  /** Makes an empty table. Throws DELTA_CONCURRENT_CHANGE where there is one, DELTA_SCHEMA_INVALID. */
  create(schema: StructType, options: CreateOptions = {}): Promise<void> {
    return create(this, schema, options);
  }

  /** Adds the source's rows, making the table where there is none. */
  append(source: DataSource, options: AppendOptions = {}): Promise<OperationReport> {
    return append(this, source, options);
  }

  /** Puts the source's rows in the place of all rows, of some partitions, or of the rows that a condition holds for. */
  overwrite(source: DataSource, options: OverwriteOptions = {}): Promise<OperationReport> {
    return overwrite(this, source, options);
  }

  /** Deletes the rows that a condition holds for. */
  delete(options: DeleteOptions = {}): Promise<OperationReport> {
    return deleteRows(this, options);
  }

  /** Changes the rows that a condition holds for. */
  update(options: UpdateOptions): Promise<OperationReport> {
    return update(this, options);
  }

  /** Updates, deletes and inserts by what a source matches. */
  merge(source: DataSource, options: MergeOptions): Promise<OperationReport> {
    return merge(this, source, options);
  }

  /** Brings back what the table held at an earlier version. */
  restore(options: RestoreOptions): Promise<OperationReport> {
    return restore(this, options);
  }

  /** Packs small files into few, in commits that change no row. */
  optimize(options: OptimizeOptions = {}): Promise<OptimizeReport> {
    return optimize(this, options);
  }

  /** Deletes data files that no version within the retention needs. */
  vacuum(options: VacuumOptions = {}): Promise<VacuumReport> {
    return vacuum(this, options);
  }

  /** Deletes old commits that a checkpoint stands in for. */
  cleanLog(options: CleanLogOptions = {}): Promise<CleanLogReport> {
    return cleanLog(this, options);
  }

  /** Compares the log with what is there; repairs only where that is asked for. */
  fsck(options: FsckOptions = {}): Promise<FsckReport> {
    return fsck(this, options);
  }

  /** Adds nullable columns at the end. */
  addColumns(fields: readonly StructField[], options: OperationOptions = {}): Promise<OperationReport> {
    return addColumns(this, fields, options);
  }

  /** Sets table properties, and removes those that are null. */
  setProperties(
    properties: Readonly<Record<string, string | null>>,
    options: OperationOptions = {},
  ): Promise<OperationReport> {
    return setProperties(this, properties, options);
  }

  /** Adds a CHECK constraint, which the rows that are there must satisfy. */
  addConstraint(name: string, expression: string, options: OperationOptions = {}): Promise<OperationReport> {
    return addConstraint(this, name, expression, options);
  }

  /** Removes a CHECK constraint. */
  dropConstraint(name: string, options: OperationOptions = {}): Promise<OperationReport> {
    return dropConstraint(this, name, options);
  }

  async commitInfo(version: number): Promise<CommitInfo> {
    return commitInfoOf(await this.#actions(version)) ?? {};
  }

  /** The actions of one version, as they were committed. Throws DELTA_VERSION_NOT_FOUND. */
  actions(version: number): Promise<readonly Action[]> {
    return this.#actions(version);
  }

  async history(options: { limit?: number } = {}): Promise<Array<{ version: number; info: CommitInfo }>> {
    const { commits } = await listLog(this.store);
    const wanted = [...commits].reverse().slice(0, options.limit ?? commits.length);
    return mapLimited(wanted, PARALLEL_GETS, async ({ version }) => ({
      version,
      info: await this.commitInfo(version),
    }));
  }

  async #actions(version: number): Promise<Action[]> {
    const actions = await readCommit(this.store, version);
    if (actions) return actions;
    throw new DeltaError(
      'DELTA_VERSION_NOT_FOUND',
      `${this.store.uri} has no commit ${commitKey(version)}: it was never made, or was cleaned away`,
    );
  }

  /** Callers that ask while a refresh is under way share its answer only if it began after them: so they queue one more. */
  async #newest(): Promise<TableSnapshot> {
    const before = this.#refreshing;
    if (before) await before.catch(() => undefined);
    if (this.#refreshing && this.#refreshing !== before) return this.#refreshing;
    const refreshing = this.#refresh();
    this.#refreshing = refreshing;
    try {
      return await refreshing;
    } finally {
      if (this.#refreshing === refreshing) this.#refreshing = undefined;
    }
  }

  async #refresh(): Promise<TableSnapshot> {
    const nowMs = this.deps.clock.nowMs();
    const cached = this.#cached;
    const young = cached && !cached.snapshot.files.isLost && nowMs - cached.loadedMs < CACHE_MAX_AGE_MS;
    const next = young ? await refreshSnapshot(this.store, cached.snapshot) : undefined;
    if (cached && next) {
      // That no version comes after it does not say that it is there: the table may have been restored to an earlier one.
      const moved = next !== cached.snapshot;
      const isDue = !moved && nowMs - cached.seenMs >= LOOK_EVERY_MS;
      if (!isDue || (await this.#holds(next.version))) {
        const seenMs = moved || isDue ? nowMs : cached.seenMs;
        this.#cached = { snapshot: next, loadedMs: cached.loadedMs, seenMs };
        return next;
      }
    }
    const snapshot = await loadSnapshot(this.store, this.deps);
    this.#cached = { snapshot, loadedMs: nowMs, seenMs: nowMs };
    return snapshot;
  }

  async #holds(version: number): Promise<boolean> {
    return (await this.store.head(commitKey(version))) !== undefined;
  }

  /** The newest version that was committed at or before the time. */
  async #versionAt(timestampMs: number): Promise<number> {
    const { commits } = await listLog(this.store);
    const times = await this.#inCommitTimes(monotonicTimes(commits));
    let found: number | undefined;
    for (const [version, time] of times) if (time <= timestampMs) found = version;
    if (found !== undefined) return found;
    if (commits.length === 0) {
      throw new DeltaError('DELTA_TABLE_NOT_FOUND', `there is no Delta table at ${this.store.uri}`);
    }
    throw new DeltaError(
      'DELTA_VERSION_NOT_FOUND',
      `${this.store.uri} has no version as old as ${new Date(timestampMs).toISOString()}`,
    );
  }

  /** Tables with in-commit timestamps say their times themselves. */
  async #inCommitTimes(times: ReadonlyMap<number, number>): Promise<ReadonlyMap<number, number>> {
    const newest: Snapshot = await this.#newest();
    const { configuration } = newest.metadata;
    if (configuration['delta.enableInCommitTimestamps'] !== 'true') return times;
    const since = Number(configuration['delta.inCommitTimestampEnablementVersion'] ?? 0);
    const versions = [...times.keys()].filter((version) => version >= since);
    const infos = await mapLimited(versions, PARALLEL_GETS, (version) => this.commitInfo(version));
    const inCommit = new Map(versions.map((version, index) => [version, infos[index]?.inCommitTimestamp]));
    return new Map([...times].map(([version, time]) => [version, inCommit.get(version) ?? time]));
  }
}
