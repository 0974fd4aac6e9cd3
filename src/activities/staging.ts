/**
 * Staging manifests: what a write step leaves for the publish step, as one JSON object in the lake. The workflow
 * carries only its key, so that ten thousand files weigh no more in a history than one.
 */
import { DatalabError } from '../contracts/errors.js';
import type { PublishLineage } from '../contracts/lineage.js';
import type { Ledger } from '../contracts/ledger.js';
import type { SourceObject } from '../contracts/sources.js';
import type { Layer, RunRef } from '../contracts/run.js';
import { ObjectNotFoundError, type AddFile, type ObjectStore, type StructType } from '../delta/index.js';

/** A transaction that the publish carries. */
export interface StagedTransaction {
  readonly appId: string;
  readonly version: number;
}

/** Tag of a quarantine file: the generation of its layer that its rows belong to. */
export const GENERATION_TAG = 'datalab.generation';

/** Refused rows, published before the layer that refused them. */
export interface StagedQuarantine {
  readonly schema: StructType;
  readonly adds: readonly AddFile[];
  /** Counts the layer's publishes; of several attempts at one generation exactly one is published. */
  readonly generation: number;
  /** Whether this generation replaces the earlier ones (a layer computed whole) or comes on top of them. */
  readonly replaces: boolean;
}

export interface StagingManifest {
  readonly stagedAtMs: number;
  readonly layer: Layer;
  readonly table: string;
  readonly dataset: string;
  /** The version that the files were computed against; null where there was no table. */
  readonly baseVersion: number | null;
  /** `merge` puts the files in the place of those named in `removes`. */
  readonly mode: 'append' | 'overwrite' | 'merge';
  /** Paths, as in the log of the base version. */
  readonly removes?: readonly string[];
  /** Of a merge: by how many rows the table grows, as the computation counted them. */
  readonly grown?: number;
  /** Of a merge: key of the file that tells the changed rows, null where none changed. */
  readonly changes?: string | null;
  readonly schema: StructType;
  readonly adds: readonly AddFile[];
  readonly rows: number;
  readonly transactions: readonly StagedTransaction[];
  readonly fingerprint: string;
  /** Why a table that exists was recomputed whole. */
  readonly rebuild?: string;
  readonly ledger: Ledger;
  readonly quarantine: StagedQuarantine | null;
  /** Bronze: columns that the sources have and the dataset does not declare. */
  readonly unknownColumns?: readonly string[];
  /** Bronze: for its lineage. */
  readonly origin?: PublishLineage['origin'];
}

/** The new sources of a run, as `discoverSources` leaves them for `writeBronze`. */
export interface SourceManifest {
  readonly sources: readonly SourceObject[];
}

/** Writes a manifest under a key that no other attempt has. Returns the key. */
export async function writeManifest(
  lake: ObjectStore,
  run: RunRef,
  name: string,
  id: string,
  manifest: StagingManifest | SourceManifest,
): Promise<string> {
  const key = `_staging/${run.runId}/${name}-${id}.json`;
  await lake.put(key, Buffer.from(JSON.stringify(manifest)));
  return key;
}

/** Reads a manifest back. Throws STAGING_MISSING. */
export async function readManifest<Manifest extends StagingManifest | SourceManifest>(
  lake: ObjectStore,
  key: string,
): Promise<Manifest> {
  try {
    return JSON.parse(Buffer.from(await lake.get(key)).toString('utf8')) as Manifest;
  } catch (error) {
    if (!(error instanceof ObjectNotFoundError)) throw error;
    throw new DatalabError('STAGING_MISSING', `the staging manifest ${key} is not in ${lake.uri}`, {
      cause: error,
    });
  }
}
