/** Commit files: one JSON action per line. Unknown actions and fields are passed over, as the protocol asks. */
import type { Action, AddFile, DeletionVector, RemoveFile } from './actions.js';
import { DeltaError } from './errors.js';

const KNOWN = ['protocol', 'metaData', 'add', 'remove', 'txn', 'domainMetadata', 'commitInfo'] as const;
type KnownAction = (typeof KNOWN)[number];

const encoder = new TextEncoder();

/** Bytes of a commit file. */
export function encodeCommit(actions: readonly Action[]): Uint8Array {
  return encoder.encode(actions.map((action) => `${JSON.stringify(action)}\n`).join(''));
}

/** A line of a log file as parsed: the action's name and its fields. */
export type RawAction = Readonly<Record<string, Readonly<Record<string, unknown>> | null | undefined>>;

/** All lines of a log file. Throws DELTA_LOG_INVALID naming `where` and the line. */
export function parseLines(bytes: Uint8Array, where: string): RawAction[] {
  const lines = new TextDecoder('utf-8').decode(bytes).split('\n');
  const actions: RawAction[] = [];
  lines.forEach((line, index) => {
    if (line.trim() === '') return;
    let parsed: unknown;
    try {
      parsed = JSON.parse(line);
    } catch (cause) {
      throw new DeltaError('DELTA_LOG_INVALID', `line ${index + 1} of ${where} is not JSON`, { cause });
    }
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
      throw new DeltaError('DELTA_LOG_INVALID', `line ${index + 1} of ${where} is not a JSON object`);
    }
    actions.push(parsed as RawAction);
  });
  return actions;
}

/** The known actions of one commit file. */
export function parseCommit(bytes: Uint8Array, where: string): Action[] {
  return parseLines(bytes, where).flatMap((raw) => toAction(raw, where));
}

/** The known action of a raw line, checked for the fields that replay depends on; none for an unknown one. */
export function toAction(raw: RawAction, where: string): Action[] {
  for (const name of KNOWN) {
    const body = raw[name];
    if (body === undefined || body === null) continue;
    requireFields(name, body, where);
    if (name === 'add') return [{ add: tidyFile(body as unknown as AddFile) }];
    if (name === 'remove') return [{ remove: tidyFile(body as unknown as RemoveFile) }];
    return [{ [name]: body } as unknown as Action];
  }
  return [];
}

const REQUIRED: Readonly<
  Record<KnownAction, ReadonlyArray<readonly [string, 'string' | 'number' | 'object']>>
> = {
  protocol: [
    ['minReaderVersion', 'number'],
    ['minWriterVersion', 'number'],
  ],
  metaData: [['id', 'string']],
  add: [['path', 'string']],
  remove: [['path', 'string']],
  txn: [
    ['appId', 'string'],
    ['version', 'number'],
  ],
  domainMetadata: [['domain', 'string']],
  commitInfo: [],
};

function requireFields(name: KnownAction, body: Readonly<Record<string, unknown>>, where: string): void {
  for (const [field, type] of REQUIRED[name]) {
    if (typeof body[field] !== type) {
      throw new DeltaError('DELTA_LOG_INVALID', `${where}: action '${name}' has no ${type} '${field}'`);
    }
  }
}

/** Writers and Parquet readers leave nulls where a field is absent; inside, absent is undefined. Changes the parsed file. */
function tidyFile<File extends AddFile | RemoveFile>(file: File): File {
  const tidy = file as unknown as Record<string, unknown>;
  for (const name of Object.keys(tidy))
    if (tidy[name] === null || tidy[name] === undefined) delete tidy[name];
  if (file.deletionVector) {
    const vector = tidyVector(file.deletionVector);
    if (vector) tidy['deletionVector'] = vector;
    else delete tidy['deletionVector'];
  }
  tidy['partitionValues'] ??= {};
  return file;
}

/** A vector whose fields are all null stands for no vector: Parquet readers cannot tell the two apart. */
function tidyVector(vector: DeletionVector | null | undefined): DeletionVector | undefined {
  if (!vector || (vector.storageType as string | null) === null || vector.storageType === undefined)
    return undefined;
  const { offset, ...rest } = vector;
  return offset === null || offset === undefined ? rest : vector;
}
