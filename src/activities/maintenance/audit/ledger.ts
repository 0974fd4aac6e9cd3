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

/** What one commit does to the bounds. */
type Effect = (bounds: Bounds) => Bounds;

/**
 * Bronze grows by what a publish accepted and shrinks by what retention took, to the row. An increment of Silver or Gold says
 * by how many rows the table grew, counted by key or slice before anything was written; one of an older release says of
 * Silver how many rows it accepted, so that the rows must lie between, and of Gold nothing. A table that was written
 * whole says its rows. Where somebody else wrote, or the log is gone, the count begins again.
 */
export async function ledgerCheck({ own, context }: AuditGround, previous: PreviousAudit): Promise<Found[]> {
  const { snapshot, table } = own;
  if (own.name.layer === 'quarantine') return [];
  if (snapshot.files.some(({ stats }) => stats === undefined))
    return [unsaid(NAME, 'ledger', 'the log does not count the rows')];
  const isSame = previous.version !== null && previous.version <= snapshot.version;
  const from = isSame && previous.version !== null && previous.rows !== null ? previous.version + 1 : 0;
  let silent = '';
  let bounds: Bounds =
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
    if (typeof effect === 'string') {
      silent = `version ${version} ${effect}`;
      bounds = NOTHING_KNOWN;
    } else bounds = effect(bounds);
  }
  if (!Number.isFinite(bounds.most))
    return [unsaid(NAME, 'ledger', `${silent}: the rows cannot be added up; the next audit begins here`)];
  const rows = rowCount(snapshot);
  const { least, most } = bounds;
  const bad = Math.max(0, least - rows, rows - most);
  const said = least === most ? `${least}` : `${least} to ${most}`;
  const versions =
    from > snapshot.version
      ? 'the last audit, and no version since,'
      : `the ledgers of versions ${from} to ${snapshot.version}`;
  return [
    counted(NAME, 'ledger', {
      ...{ rows: Math.max(rows, most), bad },
      detail: `${versions} add up to ${said} rows, and ${rows} are there`,
    }),
  ];
}

const NOTHING_KNOWN: Bounds = { least: 0, most: Infinity };

/** Or why nobody can tell. */
async function effectOf(
  layer: string,
  table: AuditGround['own']['table'],
  version: number,
): Promise<Effect | string> {
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
    if (error instanceof DeltaError && error.code === 'DELTA_VERSION_NOT_FOUND')
      return 'is no longer in the log';
    throw error;
  }
  const note = noteOf(info);
  if (note?.kind === 'retention') {
    const gone = Number(info.operationMetrics?.['numDeletedRows'] ?? NaN);
    if (!Number.isFinite(gone)) return 'does not say how many rows retention took';
    return ({ least, most }) => ({ least: Math.max(0, least - gone), most: most - gone });
  }
  if (note?.kind !== 'publish')
    return 'was written by somebody else, who does not say how many rows it changed';
  const { rows, ledger, grown } = note;
  if (info.operation === 'MERGE' && grown !== undefined)
    return ({ least, most }) => ({ least: least + grown, most: most + grown });
  if (info.operation === 'MERGE')
    // Of before increments said by how much the table grew. Slices of Gold may have lost rows as well.
    return layer === 'silver'
      ? ({ least, most }) => ({ least, most: most + ledger.accepted })
      : 'is an increment of an older release, which does not say by how many rows the table grew';
  if (info.operationParameters?.['mode'] === 'Overwrite') return () => ({ least: rows, most: rows });
  return ({ least, most }) => ({ least: least + rows, most: most + rows });
}
