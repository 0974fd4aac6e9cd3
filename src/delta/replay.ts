/** Replay: from actions to the state of a table. Newest wins; within one commit the order means nothing. */
import type { Action, CommitInfo, Metadata, Protocol, Transaction } from './actions.js';
import { DeltaError } from './errors.js';
import type { FileDraft, LiveFiles } from './files/live-files.js';

/**
 * The state after some version. Invariant: `files` has one entry per canonical path. A state is never changed once
 * made; {@link applyCommits} makes the next one.
 */
export interface TableState {
  readonly protocol: Protocol | undefined;
  readonly metadata: Metadata | undefined;
  readonly files: LiveFiles;
  readonly transactions: ReadonlyMap<string, Transaction>;
  readonly domains: ReadonlyMap<string, string>;
}

/** A state that is being made. Commits are applied oldest first, after the actions of a checkpoint. */
export class Replay {
  #protocol: Protocol | undefined;
  #metadata: Metadata | undefined;
  readonly #transactions: Map<string, Transaction>;
  readonly #domains: Map<string, string>;

  /** Files go to the draft; all else begins as in the state, where there is one. */
  constructor(
    private readonly files: FileDraft,
    from?: TableState,
  ) {
    this.#protocol = from?.protocol;
    this.#metadata = from?.metadata;
    this.#transactions = new Map(from?.transactions);
    this.#domains = new Map(from?.domains);
  }

  apply(actions: readonly Action[]): void {
    // Removes first: a commit that gives a file a new deletion vector removes and adds the same path.
    for (const action of actions)
      if ('remove' in action) this.files.remove(action.remove.path, action.remove.deletionVector);
    for (const action of actions) {
      if ('add' in action) this.files.add(action.add);
      else if ('metaData' in action) this.#metadata = withDefaults(action.metaData);
      else if ('protocol' in action) this.#protocol = action.protocol;
      else if ('txn' in action) this.#transactions.set(action.txn.appId, action.txn);
      else if ('domainMetadata' in action) {
        const { domain, configuration, removed } = action.domainMetadata;
        if (removed) this.#domains.delete(domain);
        else this.#domains.set(domain, configuration);
      }
    }
  }

  /** The state, with the files that the draft came to. */
  done(files: LiveFiles): TableState {
    const [protocol, metadata] = [this.#protocol, this.#metadata];
    return { protocol, metadata, files, transactions: this.#transactions, domains: this.#domains };
  }
}

/** The state after several more commits, oldest first; copies what the state has besides its columns once. */
export function applyCommits(state: TableState, commits: ReadonlyArray<readonly Action[]>): TableState {
  const files = state.files.change();
  const replay = new Replay(files, state);
  for (const actions of commits) replay.apply(actions);
  return replay.done(files.done());
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
