/** From a commit request to the bytes of a commit file: everything that is checked before anything is written. */
import type { Action, AddFile, CommitInfo, Metadata, Protocol } from './actions.js';
import type { CommitRequest, Snapshot } from './api.js';
import { DeltaError } from './errors.js';
import { canonicalPath, vectorId } from './path.js';
import { checkWritable } from './protocol.js';
import { checkSchema, parseSchema } from './schema-json.js';

export const ENGINE_INFO = 'DataLab/0.1.0';

/** Throws DELTA_COMMIT_INVALID, DELTA_WRITE_UNSUPPORTED or DELTA_SCHEMA_INVALID; returns nothing. */
export function validateCommit(request: CommitRequest, tableUri: string): void {
  const { base, actions } = request;
  requireUnique(actions, tableUri);
  const protocol = lastOf(actions, 'protocol') ?? base?.protocol;
  const metadata = lastOf(actions, 'metaData') ?? base?.metadata;
  if (!protocol || !metadata)
    throw invalid(tableUri, 'the first commit needs a protocol and a metaData action');
  const schema = parseSchema(metadata.schemaString);
  checkSchema(schema);
  // The table as it is and the table as it will be: both must be ours to write.
  // A commit that neither adds rows nor changes what rows must satisfy leaves nothing to check.
  const touchesRows = actions.some(
    (action) => ('add' in action && action.add.dataChange) || 'metaData' in action,
  );
  const rowsAreChecked = request.rowsAreChecked === true || !touchesRows;
  if (base) checkWritable(base.protocol, base.metadata, base.schema, tableUri, rowsAreChecked);
  checkWritable(protocol, metadata, schema, tableUri, rowsAreChecked);
  for (const column of metadata.partitionColumns) {
    if (!schema.fields.some((field) => field.name === column)) {
      throw invalid(tableUri, `partition column '${column}' is not in the schema`);
    }
  }
  requireAppendOnly(metadata, actions, tableUri);
  for (const action of actions) if ('add' in action) requireGoodAdd(action.add, metadata, tableUri);
  if (base) requireLiveRemoves(base, actions, tableUri);
}

function requireUnique(actions: readonly Action[], tableUri: string): void {
  const seen = new Set<string>();
  const vectors = new Map<string, string>();
  for (const action of actions) {
    if ('commitInfo' in action) throw invalid(tableUri, 'commitInfo is made by the commit');
    const id = identityOf(action);
    if (seen.has(id)) throw invalid(tableUri, `two actions for ${id}`);
    seen.add(id);
    const file = 'add' in action ? action.add : 'remove' in action ? action.remove : undefined;
    if (!file) continue;
    const path = canonicalPath(file.path);
    const vector = vectorId(file.deletionVector);
    if (vectors.get(path) === vector) throw invalid(tableUri, `'${file.path}' is both added and removed`);
    vectors.set(path, vector);
  }
}

function identityOf(action: Action): string {
  if ('add' in action) return `add of '${canonicalPath(action.add.path)}'`;
  if ('remove' in action) return `remove of '${canonicalPath(action.remove.path)}'`;
  if ('txn' in action) return `application '${action.txn.appId}'`;
  if ('domainMetadata' in action) return `domain '${action.domainMetadata.domain}'`;
  return 'protocol' in action ? 'the protocol' : 'the metaData';
}

function requireAppendOnly(metadata: Metadata, actions: readonly Action[], tableUri: string): void {
  if (metadata.configuration['delta.appendOnly'] !== 'true') return;
  if (actions.some((action) => 'remove' in action && action.remove.dataChange)) {
    throw new DeltaError('DELTA_WRITE_UNSUPPORTED', `${tableUri} is append-only (delta.appendOnly)`);
  }
}

function requireGoodAdd(add: AddFile, metadata: Metadata, tableUri: string): void {
  const given = Object.keys(add.partitionValues).sort().join(', ');
  const wanted = [...metadata.partitionColumns].sort().join(', ');
  if (given !== wanted) {
    throw invalid(tableUri, `'${add.path}' has partition values for (${given}), the table has (${wanted})`);
  }
  if (!Number.isSafeInteger(add.size) || add.size <= 0) throw invalid(tableUri, `'${add.path}' has no size`);
}

/** Removing what is not live would hide a lost update. */
function requireLiveRemoves(base: Snapshot, actions: readonly Action[], tableUri: string): void {
  const removes = actions.flatMap((action) => ('remove' in action ? [action.remove] : []));
  if (removes.length === 0) return;
  for (const { path } of removes) {
    if (!base.files.find(path))
      throw invalid(tableUri, `'${path}' is removed but not in version ${base.version}`);
  }
}

/** The commitInfo of an attempt. `readVersion` is the decision's base, also after a rebase. */
export function makeCommitInfo(request: CommitRequest, txnId: string, nowMs: number): CommitInfo {
  return {
    ...request.info,
    timestamp: nowMs,
    operation: request.operation,
    operationParameters: request.operationParameters ?? {},
    ...(request.operationMetrics ? { operationMetrics: request.operationMetrics } : {}),
    ...(request.base ? { readVersion: request.base.version } : {}),
    isolationLevel: 'Serializable',
    isBlindAppend: isBlindAppend(request),
    engineInfo: ENGINE_INFO,
    txnId,
  };
}

/** Adds rows and depends on nothing that the table holds. */
export function isBlindAppend({ actions, read }: CommitRequest): boolean {
  return (
    read === 'nothing' &&
    actions.some((action) => 'add' in action) &&
    actions.every((action) => 'add' in action || 'txn' in action)
  );
}

function lastOf(actions: readonly Action[], name: 'protocol'): Protocol | undefined;
function lastOf(actions: readonly Action[], name: 'metaData'): Metadata | undefined;
function lastOf(actions: readonly Action[], name: 'protocol' | 'metaData'): Protocol | Metadata | undefined {
  for (const action of actions) {
    if (name === 'protocol' && 'protocol' in action) return action.protocol;
    if (name === 'metaData' && 'metaData' in action) return action.metaData;
  }
  return undefined;
}

function invalid(tableUri: string, what: string): DeltaError {
  return new DeltaError('DELTA_COMMIT_INVALID', `the commit to ${tableUri} is not valid: ${what}`);
}
