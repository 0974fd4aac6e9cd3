/** What the commits since the last audit say that they did, against the rows that are there (DESIGN law 2). */
import { DeltaError, type CommitInfo } from '../../../delta/index.js';
import { noteOf } from '../../../medallion/commit-note.js';
import { rowCount } from '../../tables.js';
import { counted, unsaid, type AuditGround, type Found } from './ground.js';
import type { PreviousAudit } from './previous.js';

/** Commits that are looked through at most: more are the log's own business by then. */
const COMMITS_MAX = 5000;
const NAME = 'ledger';

/** Rows that may be there, by what is known. */
interface Bounds {
  readonly least: number;
  readonly most: number;
}

/** What one commit does to the bounds; null where nobody can tell. */
type Effect = (bounds: Bounds) => Bounds | null;

/**
 * Bronze grows by what a publish accepted and shrinks by what retention took, to the row. An upsert of Silver says how many
 * rows it accepted, not how many of them were new: the rows must lie between. A table that was written whole says its
 * rows. Where somebody else wrote, or the log is gone, the count begins again.
 */
export async function ledgerCheck({ own, context }: AuditGround, previous: PreviousAudit): Promise<Found[]> {
  const { snapshot, table } = own;
  if (own.name.layer === 'quarantine') return [];
  if (snapshot.files.some(({ stats }) => stats === undefined))
    return [unsaid(NAME, 'ledger', 'the log does not count the rows')];
  const isSame = previous.version !== null && previous.version <= snapshot.version;
  const from = isSame && previous.version !== null && previous.rows !== null ? previous.version + 1 : 0;
  let bounds: Bounds | null =
    from > 0 && previous.rows !== null
      ? { least: previous.rows, most: previous.rows }
      : { least: 0, most: 0 };
  if (snapshot.version - from > COMMITS_MAX)
    return [
      unsaid(NAME, 'ledger', `${snapshot.version - from} commits are too many; the next audit begins here`),
    ];
  for (let version = from; version <= snapshot.version; version += 1) {
    context.signal.throwIfAborted();
    const effect = await effectOf(own.name.layer, table, version);
    bounds = effect === null ? null : effect(bounds ?? NOTHING_KNOWN);
    if (version === snapshot.version && bounds === null)
      return [
        unsaid(
          NAME,
          'ledger',
          `version ${version} does not say how many rows it changed; the next audit begins here`,
        ),
      ];
  }
  if (bounds === null || !Number.isFinite(bounds.most))
    return [
      unsaid(
        NAME,
        'ledger',
        'a commit since the last audit does not say how many rows it changed; the next audit begins here',
      ),
    ];
  const rows = rowCount(snapshot);
  const { least, most } = bounds;
  const bad = Math.max(0, least - rows, rows - most);
  const said = least === most ? `${least}` : `${least} to ${most}`;
  return [
    counted(NAME, 'ledger', {
      ...{ rows: Math.max(rows, most), bad },
      detail: `the ledgers of versions ${from} to ${snapshot.version} add up to ${said} rows, and ${rows} are there`,
    }),
  ];
}

const NOTHING_KNOWN: Bounds = { least: 0, most: Infinity };

async function effectOf(
  layer: string,
  table: AuditGround['own']['table'],
  version: number,
): Promise<Effect | null> {
  let info: CommitInfo;
  try {
    const actions = await table.actions(version);
    const moves = actions.some(
      (action) =>
        ('add' in action && action.add.dataChange) || ('remove' in action && action.remove.dataChange),
    );
    if (!moves) return (bounds) => bounds;
    info = await table.commitInfo(version);
  } catch (error) {
    if (error instanceof DeltaError && error.code === 'DELTA_VERSION_NOT_FOUND') return null;
    throw error;
  }
  const note = noteOf(info);
  if (note?.kind === 'retention') {
    const gone = Number(info.operationMetrics?.['numDeletedRows'] ?? NaN);
    if (!Number.isFinite(gone)) return null;
    return ({ least, most }) => ({ least: Math.max(0, least - gone), most: most - gone });
  }
  if (note?.kind !== 'publish') return null;
  const { rows, ledger } = note;
  if (info.operation === 'MERGE')
    // Slices of Gold may lose rows as well, and do not say how many.
    return layer === 'silver' ? ({ least, most }) => ({ least, most: most + ledger.accepted }) : null;
  if (info.operationParameters?.['mode'] === 'Overwrite') return () => ({ least: rows, most: rows });
  return ({ least, most }) => ({ least: least + rows, most: most + rows });
}
