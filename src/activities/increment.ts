/** Bringing a derived table up to date by what its upstream has committed since, where that can be told. */
import type { Ledger } from '../contracts/ledger.js';
import type { Layer } from '../contracts/run.js';
import {
  checkoutScan,
  DeltaError,
  mapLimited,
  ObjectNotFoundError,
  type DeltaTable,
  type ScanPlan,
  type Snapshot,
  type StructType,
  type WrittenFile,
} from '../delta/index.js';
import { isNews, type Commit, type Since } from '../medallion/consumption.js';
import type { StepContext } from './step.js';
import type { LakeTables } from './tables.js';

/** What a computation hands over: local files, to be uploaded. */
export interface Derived {
  readonly files: readonly WrittenFile[];
  readonly schema: StructType;
  readonly ledger: Ledger;
  readonly quarantine: { readonly files: readonly WrittenFile[]; readonly schema: StructType } | null;
  /** What is to be said of it, for people. */
  readonly remark?: string;
  /** Of an increment: what it replaces, and what it changed. Without it the files are the whole table. */
  readonly increment?: {
    /** Published files that the new ones stand for: local paths where they are computed, paths of the log when staged. */
    readonly replaced: readonly string[];
    /** By how many rows the table grows, as the computation counted them. */
    readonly grown: number;
    readonly changes: WrittenFile | undefined;
  };
}

/** Where an increment starts from. */
export interface Before {
  readonly own: ScanPlan;
  readonly upstream: Snapshot;
  /** The upstream's commits that were not consumed yet, oldest first. */
  readonly commits: readonly Commit[];
}

/** The versions that a whole computation starts from. */
export interface Ground {
  readonly upstream: Snapshot;
  readonly own: Snapshot | null;
}

export interface Derivation {
  readonly layer: 'silver' | 'gold';
  readonly table: string;
  readonly upstream: { readonly layer: Layer; readonly table: string };
  /** Over what the table is computed by; a change forces a rebuild and says so. */
  readonly fingerprint: string;
  readonly forced: boolean;
  /** Computes the whole table; `onFile` may be told of its files while others still are made. */
  readonly compute: (
    upstream: ScanPlan,
    context: StepContext & { readonly onFile: (file: WrittenFile) => void },
    ground: Ground,
  ) => Promise<Derived>;
  /** Brings the table up to date, or says why it has to be computed whole. */
  readonly increment: (before: Before, context: StepContext) => Promise<Since<Derived>>;
}

/**
 * An increment, or why there can be none: its history is gone, or the computation says so. `no news` where the upstream
 * only re-arranged its rows: there is nothing to compute then, whatever way.
 */
export async function incrementFrom(
  tables: LakeTables,
  derivation: Derivation,
  own: Snapshot,
  upstream: Snapshot,
  consumedVersion: number,
  context: StepContext,
): Promise<Since<Derived> | 'no news'> {
  const { layer, table } = derivation;
  const source = tables.table(derivation.upstream.layer, derivation.upstream.table);
  try {
    const commits = await commitsBetween(source, consumedVersion, upstream.version);
    if (!commits.some(isNews)) return 'no news';
    const scan = await checkoutScan(tables.store(layer, table), own, { signal: context.signal });
    try {
      const derived = await derivation.increment({ own: scan.plan, upstream, commits }, context);
      if ('whole' in derived || derived.increment === undefined) return derived;
      // The plan has the files in the order of the snapshot.
      const inOrder = own.files.toArray();
      const paths = new Map(scan.plan.files.map(({ localPath }, index) => [localPath, inOrder[index]?.path]));
      const replaced = derived.increment.replaced.map((path) => paths.get(path) ?? path);
      return { ...derived, increment: { ...derived.increment, replaced } };
    } finally {
      scan.release();
    }
  } catch (error) {
    if (isVersionGone(error)) return { whole: 'the history since the last run is cleaned away' };
    if (error instanceof ObjectNotFoundError)
      return { whole: `what changed since the last run is gone (${error.key})` };
    throw error;
  }
}

function isVersionGone(error: unknown): boolean {
  return error instanceof DeltaError && error.code === 'DELTA_VERSION_NOT_FOUND';
}

function commitsBetween(table: DeltaTable, after: number, to: number): Promise<Commit[]> {
  const versions = Array.from({ length: to - after }, (_, index) => after + 1 + index);
  return mapLimited(versions, PARALLEL_READS, async (version) => ({
    version,
    actions: await table.actions(version),
  }));
}

const PARALLEL_READS = 16;
