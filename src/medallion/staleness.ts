/** Whether a derived table has to be computed again, and why (DESIGN law 4). Pure. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../contracts/canonical-json.js';

/** sha256 over what a table is computed by, in hex. The order of keys does not matter. */
export function fingerprintOf(definition: unknown): string {
  return createHash('sha256').update(canonicalJson(definition)).digest('hex');
}

/** What is known before a derived table is computed. */
export interface DerivedTable {
  /** Null where the table does not exist yet. */
  readonly existing: {
    readonly fingerprint: string | undefined;
    /** Upstream version that was taken in, by the upstream's present table id; undefined where that id is new. */
    readonly consumedVersion: number | undefined;
  } | null;
  readonly upstreamVersion: number;
  readonly fingerprint: string;
  readonly forced: boolean;
}

/**
 * `current`: nothing to do. `stale`: the upstream has moved on. `rebuild`: what was computed before no longer counts,
 * for the reason given.
 */
export type Staleness =
  | { readonly state: 'current' }
  | { readonly state: 'stale' }
  | { readonly state: 'rebuild'; readonly reason: string };

export function stalenessOf(table: DerivedTable): Staleness {
  const { existing } = table;
  if (existing === null) return { state: 'stale' };
  if (table.forced) return { state: 'rebuild', reason: 'asked for' };
  if (existing.fingerprint !== table.fingerprint)
    return { state: 'rebuild', reason: 'its definition changed' };
  if (existing.consumedVersion === undefined)
    return { state: 'rebuild', reason: 'the table it is made from was replaced' };
  if (existing.consumedVersion > table.upstreamVersion) {
    return { state: 'rebuild', reason: 'the table it is made from was taken back to an earlier version' };
  }
  return existing.consumedVersion === table.upstreamVersion ? { state: 'current' } : { state: 'stale' };
}
