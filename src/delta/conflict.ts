/**
 * Whether a commit that lost the race for its version may go on top of the winner. The rules are Spark's, at the
 * isolation levels that we write (Serializable for reads of the whole table, blind appends free).
 */
import type { Action, AddFile, CommitInfo } from './actions.js';
import type { CommitRequest } from './api.js';
import { canonicalPath } from './path.js';
import { commitInfoOf } from './replay.js';

/** The transaction that is to be rebased. */
export interface PendingCommit {
  readonly actions: readonly Action[];
  readonly read: CommitRequest['read'];
  /** Whether it creates the table. */
  readonly creates: boolean;
}

/** The commit that took the version. */
export interface Winner {
  readonly version: number;
  readonly actions: readonly Action[];
  readonly info: CommitInfo | undefined;
}

export interface Conflict {
  readonly check: ConflictCheckName;
  readonly version: number;
  readonly detail: string;
}

type Check = (mine: PendingCommit, winner: Winner) => string | undefined;

/** The checks in order; the first that answers names the conflict. */
const CHECKS = {
  tableCreated,
  protocolChanged,
  metadataChanged,
  domainMetadataChanged,
  applicationTransaction,
  concurrentAppend,
  concurrentDeleteRead,
  concurrentDeleteDelete,
  concurrentAdd,
} satisfies Record<string, Check>;

export type ConflictCheckName = keyof typeof CHECKS;

/** The first check that forbids rebasing over the winner, or undefined. */
export function findConflict(mine: PendingCommit, winner: Winner): Conflict | undefined {
  for (const [name, check] of Object.entries(CHECKS) as Array<[ConflictCheckName, Check]>) {
    const detail = check(mine, winner);
    if (detail !== undefined) return { check: name, version: winner.version, detail };
  }
  return undefined;
}

export function winnerOf(version: number, actions: readonly Action[]): Winner {
  return { version, actions, info: commitInfoOf(actions) };
}

function tableCreated(mine: PendingCommit, winner: Winner): string | undefined {
  return mine.creates ? `somebody else created the table (version ${winner.version})` : undefined;
}

/** Any change of protocol: the caller reads again and is checked against what the table now needs. */
function protocolChanged(_: PendingCommit, winner: Winner): string | undefined {
  return winner.actions.some((action) => 'protocol' in action) ? 'the protocol changed' : undefined;
}

function metadataChanged(_: PendingCommit, winner: Winner): string | undefined {
  return winner.actions.some((action) => 'metaData' in action) ? 'schema or properties changed' : undefined;
}

function domainMetadataChanged(mine: PendingCommit, winner: Winner): string | undefined {
  const domains = new Set(
    mine.actions.flatMap((a) => ('domainMetadata' in a ? [a.domainMetadata.domain] : [])),
  );
  for (const action of winner.actions) {
    if ('domainMetadata' in action && domains.has(action.domainMetadata.domain)) {
      return `domain '${action.domainMetadata.domain}' changed`;
    }
  }
  return undefined;
}

/** Exactly once: an application that both committed has done the same work twice (DESIGN law 1). */
function applicationTransaction(mine: PendingCommit, winner: Winner): string | undefined {
  const apps = new Set(mine.actions.flatMap((action) => ('txn' in action ? [action.txn.appId] : [])));
  for (const action of winner.actions) {
    if ('txn' in action && apps.has(action.txn.appId)) {
      return `application '${action.txn.appId}' committed version ${action.txn.version}`;
    }
  }
  return undefined;
}

/** Rows that the decision did not see. Only re-arranged rows (`dataChange` false) are none. */
function concurrentAppend(mine: PendingCommit, winner: Winner): string | undefined {
  if (!changesRows(mine)) return undefined;
  const added = winner.actions.filter(
    (action) => 'add' in action && action.add.dataChange && wouldRead(mine, action.add),
  ).length;
  return added > 0 ? `${added} files were added to what was read` : undefined;
}

function concurrentDeleteRead(mine: PendingCommit, winner: Winner): string | undefined {
  if (!changesRows(mine)) return undefined;
  const hasRead = filesRead(mine);
  const removed = winner.actions.filter((action) => 'remove' in action && hasRead(action.remove.path)).length;
  return removed > 0 ? `${removed} files that were read are gone` : undefined;
}

/** Without this check two rewrites of one file would both publish its rows. */
function concurrentDeleteDelete(mine: PendingCommit, winner: Winner): string | undefined {
  const removed = new Set(mine.actions.flatMap((a) => ('remove' in a ? [canonicalPath(a.remove.path)] : [])));
  if (removed.size === 0) return undefined;
  for (const action of winner.actions) {
    if ('remove' in action && removed.has(canonicalPath(action.remove.path))) {
      return `'${action.remove.path}' was removed already`;
    }
  }
  return undefined;
}

/** Data files have unique names; the same one twice is one attempt committed twice. */
function concurrentAdd(mine: PendingCommit, winner: Winner): string | undefined {
  const added = new Set(mine.actions.flatMap((a) => ('add' in a ? [canonicalPath(a.add.path)] : [])));
  if (added.size === 0) return undefined;
  for (const action of winner.actions) {
    if ('add' in action && added.has(canonicalPath(action.add.path)))
      return `'${action.add.path}' was added already`;
  }
  return undefined;
}

/** A commit that only re-arranges rows has read no more than the files that it removes. */
function changesRows(mine: PendingCommit): boolean {
  const changes = mine.actions.flatMap((action) => {
    if ('add' in action) return [action.add.dataChange];
    return 'remove' in action ? [action.remove.dataChange] : [];
  });
  return changes.length === 0 || changes.includes(true);
}

function wouldRead({ read }: PendingCommit, file: AddFile): boolean {
  if (typeof read === 'object') return read.wouldRead(file);
  return read === 'table';
}

/** Whether a path is of a file that the decision depends on. */
function filesRead({ read }: PendingCommit): (path: string) => boolean {
  if (read === 'nothing') return () => false;
  if (read === 'table') return () => true;
  const paths = new Set(read.files.map((file) => canonicalPath(file.path)));
  return (path) => paths.has(canonicalPath(path));
}
