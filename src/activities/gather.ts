/** The shares of a run's new sources, written by several workers: one staging manifest, for one commit. */
import type { PlannedRun, Staged } from '../contracts/activities.js';
import { NO_ROWS } from '../contracts/ledger.js';
import { addLedgers } from '../medallion/ledger.js';
import type { ActivityDeps } from './deps.js';
import {
  readManifest,
  writeManifest,
  type StagedQuarantine,
  type StagedTransaction,
  type StagingManifest,
} from './staging.js';
import { runStep } from './step.js';

export async function gatherBronze(
  deps: ActivityDeps,
  run: PlannedRun,
  shares: readonly Staged[],
): Promise<Staged> {
  const name = `bronze.${run.dataset}`;
  const { step, value } = await runStep<Omit<Staged, 'step'>>(
    `gather ${name}`,
    deps.scratchDirectory,
    async () => {
      const keys = shares.flatMap(({ manifest }) => manifest ?? []);
      if (keys.length === 0) {
        const current = shares[0]?.current ?? null;
        return {
          ...{ outcome: 'skipped', rows: 0, bytes: 0, detail: 'every share holds what is known already' },
          value: { manifest: null, ledger: NO_ROWS, sources: 0, current },
        };
      }
      const parts = await Promise.all(keys.map((key) => readManifest<StagingManifest>(deps.lake, key)));
      const whole = gathered(parts);
      const manifest = await writeManifest(deps.lake, run, name, deps.newId(), whole);
      const sources = shares.reduce((sum, share) => sum + share.sources, 0);
      return {
        rows: whole.rows,
        bytes: whole.adds.reduce((sum, { size }) => sum + size, 0),
        detail: `${keys.length} shares, ${whole.adds.length} files`,
        value: { manifest, ledger: whole.ledger, sources, current: null },
      };
    },
  );
  return { step, ...value };
}

/**
 * Where somebody published while the shares were read, they stand on several versions. The oldest counts, with its own
 * generation: the publish then meets what came in between, and the run begins anew.
 */
function gathered(parts: readonly StagingManifest[]): StagingManifest {
  const [first, ...others] = parts;
  if (!first) throw new Error('nothing was staged');
  const oldest = others.reduce((best, part) => (versionOf(part) < versionOf(best) ? part : best), first);
  const unknown = new Set(parts.flatMap(({ unknownColumns = [] }) => unknownColumns));
  return {
    ...oldest,
    stagedAtMs: Math.min(...parts.map(({ stagedAtMs }) => stagedAtMs)),
    adds: parts.flatMap(({ adds }) => adds),
    rows: parts.reduce((sum, { rows }) => sum + rows, 0),
    transactions: together(oldest, parts),
    ledger: addLedgers(parts.map(({ ledger }) => ledger)),
    quarantine: refusedIn(oldest, parts),
    unknownColumns: [...unknown].sort(),
  };
}

const versionOf = ({ baseVersion }: StagingManifest): number => baseVersion ?? -1;

/** One for each application: that which counts the ingests as the oldest has it. */
function together(oldest: StagingManifest, parts: readonly StagingManifest[]): StagedTransaction[] {
  const all = [...oldest.transactions, ...parts.flatMap(({ transactions }) => transactions)];
  const versions = new Map<string, StagedTransaction>();
  for (const transaction of all)
    if (!versions.has(transaction.appId)) versions.set(transaction.appId, transaction);
  return [...versions.values()];
}

function refusedIn(oldest: StagingManifest, parts: readonly StagingManifest[]): StagedQuarantine | null {
  if (!oldest.quarantine) return null;
  const { generation } = oldest.quarantine;
  // What was staged for another generation is not published: the conflict comes first.
  const adds = parts.flatMap(({ quarantine }) =>
    quarantine?.generation === generation ? quarantine.adds : [],
  );
  return { ...oldest.quarantine, adds };
}
