/** Comparing what the log says with what is there. Nothing changes unless a repair is asked for. */
import { createHash } from 'node:crypto';
import type { Action, AddFile } from '../actions.js';
import type { Snapshot, TableHandle } from '../api.js';
import { vectorPath } from '../deletion-vector.js';
import { keyOfPath } from '../path.js';
import type { MaintenanceOptions } from '../progress.js';
import { tableProperties } from '../table-properties.js';
import { checkStatistics } from './fsck-statistics.js';
import { dataObjects, referencesOf } from './references.js';
import { replaceActions } from './rewrite.js';
import { requireTable, requireWritable, runOperation } from './run.js';

export interface FsckOptions extends MaintenanceOptions {
  /** Also reads data files and compares their statistics: every one, or so many, other ones for each seed. */
  readonly statistics?: boolean | { readonly files: number; readonly seed: string };
  /** Takes files that are missing or cut short out of the table, and corrects statistics. Orphans are VACUUM's. */
  readonly repair?: boolean;
}

export interface FsckFinding {
  readonly path: string;
  readonly problem: 'missing' | 'wrong size' | 'deletion vector missing' | 'wrong statistics';
  readonly detail: string;
}

export interface FsckReport {
  readonly version: number;
  readonly files: number;
  readonly findings: readonly FsckFinding[];
  /** Files whose statistics were compared. */
  readonly statisticsRead: number;
  /** The log has files, and none of them is there. */
  readonly hollow: boolean;
  /** Files that nothing refers to and that VACUUM would delete. */
  readonly orphans: number;
  readonly orphanBytes: number;
  /** The version that the repair made, or null. */
  readonly repairedVersion: number | null;
}

/** Throws DELTA_TABLE_NOT_FOUND, DELTA_ENGINE_REQUIRED (statistics), DELTA_WRITE_UNSUPPORTED (repair). */
export async function fsck(table: TableHandle, options: FsckOptions = {}): Promise<FsckReport> {
  const { store, deps } = table;
  const { signal, progress } = options;
  const before = await table.snapshot();
  const sizes = new Map<string, number>();
  const old: Array<{ readonly key: string; readonly sizeBytes: number }> = [];
  const retentionMs = tableProperties(before.metadata.configuration).deletedFileRetentionMs;
  const cutoffMs = deps.clock.nowMs() - retentionMs;
  for await (const { key, sizeBytes, modifiedMs } of dataObjects(store, signal)) {
    sizes.set(key, sizeBytes);
    if (modifiedMs < cutoffMs) old.push({ key, sizeBytes });
    if (sizes.size % 1000 === 0) progress?.({ phase: 'list', done: sizes.size, total: 0, unit: 'objects' });
  }
  // Of the version before the listing: what came since need not have been listed.
  const findings = await missingFiles(table, before, sizes);
  const broken = new Set(findings.map(({ path }) => path));
  const whole = before.files.filter(({ path }) => !broken.has(path));
  if (options.statistics !== undefined && options.statistics !== false) await before.files.readStatistics();
  const sample = sampleOf(whole, options.statistics);
  const corrected = sample.length > 0 ? await checkStatistics(table, before, sample, options) : [];
  findings.push(...corrected.map(({ finding }) => finding));
  const references = await referencesOf(table, await table.snapshot(), cutoffMs);
  const orphans = old.filter(({ key }) => !references.has(key));
  return {
    version: before.version,
    files: before.files.length,
    findings,
    statisticsRead: sample.filter(({ stats }) => stats !== undefined).length,
    hollow: before.files.length > 0 && before.files.every(({ path }) => broken.has(path)),
    orphans: orphans.length,
    orphanBytes: orphans.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    repairedVersion:
      options.repair && findings.length > 0
        ? await repair(table, broken, new Map(corrected.map(({ add }) => [add.path, add])), signal)
        : null,
  };
}

/** Chosen by a hash, so that a repetition reads the same files. */
function sampleOf(files: readonly AddFile[], wanted: FsckOptions['statistics'] = false): readonly AddFile[] {
  if (typeof wanted === 'boolean') return wanted ? files : [];
  if (files.length <= wanted.files) return files;
  const rank = ({ path }: AddFile): string =>
    createHash('sha256').update(`${wanted.seed} ${path}`).digest('hex');
  const ranked = files.map((file) => ({ file, rank: rank(file) }));
  ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1));
  return ranked.slice(0, wanted.files).map(({ file }) => file);
}

async function missingFiles(
  { store }: TableHandle,
  { files }: Snapshot,
  sizes: ReadonlyMap<string, number>,
): Promise<FsckFinding[]> {
  const findings: FsckFinding[] = [];
  for (const file of files) {
    const { path, size, deletionVector } = file;
    // A hidden name is not in the listing, and may be there all the same.
    const found =
      sizes.get(keyOfPath(path, store.uri)) ?? (await store.head(keyOfPath(path, store.uri)))?.sizeBytes;
    const vector = deletionVector && vectorPath(deletionVector);
    if (found === undefined) findings.push({ path, problem: 'missing', detail: `${size} bytes` });
    else if (found !== size) {
      findings.push({ path, problem: 'wrong size', detail: `${found} bytes, the log says ${size}` });
    } else if (vector !== undefined && !(await store.head(keyOfPath(vector, store.uri)))) {
      findings.push({ path, problem: 'deletion vector missing', detail: vector });
    }
  }
  return findings;
}

/** Takes out what cannot be read and corrects what is said of the rest; files that changed meanwhile are left alone. */
async function repair(
  table: TableHandle,
  broken: ReadonlySet<string>,
  corrected: ReadonlyMap<string, AddFile>,
  signal: AbortSignal | undefined,
): Promise<number | null> {
  const report = await runOperation(table, signal ? { signal } : {}, async (found) => {
    const base = requireTable(found, table);
    requireWritable(base, table, 'any');
    if (corrected.size > 0) await base.files.readStatistics();
    const removed = base.files.filter(({ path }) => broken.has(path));
    const restated = base.files.flatMap((file): Action[] => {
      const add = corrected.get(file.path);
      return add ? [{ add: { ...file, stats: add.stats ?? '', dataChange: false } }] : [];
    });
    const actions = [...replaceActions(removed, [], table.deps), ...restated];
    if (actions.length === 0) return undefined;
    const restatedFiles = base.files.filter(({ path }) => corrected.has(path));
    return {
      actions,
      operation: 'FSCK',
      parameters: { removed: String(removed.length), restated: String(restated.length) },
      read: { files: [...removed, ...restatedFiles], wouldRead: () => false },
    };
  });
  return report.status === 'committed' ? report.version : null;
}
