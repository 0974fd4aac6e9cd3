/** Replay: from actions to the state of a table. Newest wins; within one commit the order means nothing. */
import type { Action, AddFile, CommitInfo, Metadata, Protocol, Transaction } from './actions.js';
import { DeltaError } from './errors.js';
import { canonicalPath, vectorId } from './path.js';

/**
 * The state after some version. Invariant: `files` has one entry per canonical path. A state is never changed once
 * made; {@link applyCommit} makes the next one.
 */
export interface TableState {
  readonly protocol: Protocol | undefined;
  readonly metadata: Metadata | undefined;
  readonly files: ReadonlyMap<string, AddFile>;
  readonly transactions: ReadonlyMap<string, Transaction>;
  readonly domains: ReadonlyMap<string, string>;
}

export const EMPTY_STATE: TableState = {
  protocol: undefined,
  metadata: undefined,
  files: new Map(),
  transactions: new Map(),
  domains: new Map(),
};

/** The state after one more commit (or after a checkpoint's actions, on the empty state). */
export function applyCommit(state: TableState, actions: readonly Action[]): TableState {
  return applyCommits(state, [actions]);
}

/** The state after several commits, oldest first; copies the state once. */
export function applyCommits(state: TableState, commits: ReadonlyArray<readonly Action[]>): TableState {
  const draft = {
    protocol: state.protocol,
    metadata: state.metadata,
    files: new Map(state.files),
    transactions: new Map(state.transactions),
    domains: new Map(state.domains),
  };
  for (const actions of commits) {
    // Removes first: a commit that gives a file a new deletion vector removes and adds the same path.
    for (const action of actions) {
      if (!('remove' in action)) continue;
      const path = canonicalPath(action.remove.path);
      const live = draft.files.get(path);
      if (live && vectorId(live.deletionVector) === vectorId(action.remove.deletionVector))
        draft.files.delete(path);
    }
    for (const action of actions) {
      if ('add' in action) draft.files.set(canonicalPath(action.add.path), action.add);
      else if ('metaData' in action) draft.metadata = withDefaults(action.metaData);
      else if ('protocol' in action) draft.protocol = action.protocol;
      else if ('txn' in action) draft.transactions.set(action.txn.appId, action.txn);
      else if ('domainMetadata' in action) {
        const { domain, configuration, removed } = action.domainMetadata;
        if (removed) draft.domains.delete(domain);
        else draft.domains.set(domain, configuration);
      }
    }
  }
  return draft;
}

/** Old writers leave out what is empty. */
function withDefaults(metadata: Metadata): Metadata {
  return {
    ...metadata,
    schemaString: metadata.schemaString ?? '',
    partitionColumns: metadata.partitionColumns ?? [],
    configuration: metadata.configuration ?? {},
  };
}

/** Throws DELTA_LOG_INVALID where the log gave no protocol or no metaData. */
export function requireComplete(
  state: TableState,
  where: string,
): TableState & { readonly protocol: Protocol; readonly metadata: Metadata } {
  const { protocol, metadata } = state;
  if (!protocol) throw new DeltaError('DELTA_LOG_INVALID', `the log of ${where} has no protocol action`);
  if (!metadata) throw new DeltaError('DELTA_LOG_INVALID', `the log of ${where} has no metaData action`);
  return { ...state, protocol, metadata };
}

/** The commitInfo of a commit, wherever it stands in it. */
export function commitInfoOf(actions: readonly Action[]): CommitInfo | undefined {
  for (const action of actions) if ('commitInfo' in action) return action.commitInfo;
  return undefined;
}
