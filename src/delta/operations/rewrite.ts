/** Copy-on-write: which files a condition touches, and writing those again without touching others. */
import type { Action, AddFile } from '../actions.js';
import type { Snapshot } from '../api.js';
import { quoteName } from '../checkpoint-parquet.js';
import { DeltaError } from '../errors.js';
import { removeOf } from '../overwrite.js';
import { partitionKeyOf, sharedValues } from '../partition-key.js';
import { ROW_ID, type EngineSession } from '../ports.js';
import type { DeltaDeps } from '../deps.js';
import type { Workspace } from './run.js';

/** Throws DELTA_EXPRESSION_INVALID unless the text is one condition over the relation. */
export async function requireCondition(
  session: EngineSession,
  relation: string,
  text: string,
): Promise<void> {
  const [column, ...more] = await describeExpression(session, relation, text);
  if (column?.type === 'BOOLEAN' && more.length === 0) return;
  throw new DeltaError(
    'DELTA_EXPRESSION_INVALID',
    `'${text}' is no condition but ${column?.type ?? 'nothing'}`,
  );
}

/** The engine's type of one expression over the relation. Throws DELTA_EXPRESSION_INVALID. */
export async function expressionType(
  session: EngineSession,
  relation: string,
  text: string,
): Promise<string> {
  const [column, ...more] = await describeExpression(session, relation, text);
  if (column && more.length === 0) return column.type;
  throw new DeltaError('DELTA_EXPRESSION_INVALID', `'${text}' is not one expression`);
}

async function describeExpression(
  session: EngineSession,
  relation: string,
  text: string,
): Promise<ReadonlyArray<{ type: string }>> {
  try {
    return await session.describe(`SELECT (\n${text}\n) AS expression FROM ${relation}`);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.slice(0, 300) : String(cause);
    throw new DeltaError('DELTA_EXPRESSION_INVALID', `'${text}' cannot be evaluated: ${reason}`, { cause });
  }
}

/** A file with rows for which the condition is TRUE. */
export interface TouchedFile {
  readonly file: AddFile;
  /** Live rows, and those of them that match. */
  readonly rows: number;
  readonly hits: number;
}

/** The files with matching rows, among those of the workspace. */
export async function touchedFiles(workspace: Workspace, condition: string): Promise<TouchedFile[]> {
  const found = await workspace.session.rows<{ file: string; rows: bigint; hits: bigint }>(
    `SELECT ${ROW_ID.file} AS file, count(*) AS rows, count(*) FILTER (WHERE (\n${condition}\n)) AS hits
    FROM ${workspace.target} GROUP BY 1 HAVING hits > 0 ORDER BY 1`,
  );
  return found.map(({ file, rows, hits }) => ({
    file: workspace.fileAt(file),
    rows: Number(rows),
    hits: Number(hits),
  }));
}

/** Files of one partition, to be written again as one file. */
export interface Bin {
  readonly partitionValues: AddFile['partitionValues'];
  /** Tags that all of its files have: they say something of the rows. */
  readonly tags?: AddFile['tags'];
  readonly files: readonly AddFile[];
}

/** Packs files of one partition with equal tags into bins of about the target size, in their order. */
export function binsOf(base: Snapshot, files: readonly AddFile[], targetBytes: number): Bin[] {
  const partitions = new Map<string, AddFile[]>();
  const partitionKey = partitionKeyOf(base);
  for (const file of files) {
    const key = `${partitionKey(file)}\n${tagsKey(file)}`;
    const known = partitions.get(key);
    if (known) known.push(file);
    else partitions.set(key, [file]);
  }
  return [...partitions.values()].flatMap((some) => packBins(some, targetBytes));
}

function packBins(files: readonly AddFile[], targetBytes: number): Bin[] {
  const bins: AddFile[][] = [];
  let bytes = 0;
  for (const file of files) {
    const bin = bins.at(-1);
    if (bin && bytes + file.size <= targetBytes) bin.push(file);
    else {
      bins.push([file]);
      bytes = 0;
    }
    bytes += file.size;
  }
  return bins.map((some) => ({
    partitionValues: sharedValues(some),
    ...(some[0]?.tags && { tags: some[0].tags }),
    files: some,
  }));
}

/** Equal for equal tags: only rows with the same tags may share a file. */
export function tagsKey({ tags }: AddFile): string {
  return JSON.stringify(Object.entries(tags ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Removes and adds of a rewrite. */
export function replaceActions(
  removed: readonly AddFile[],
  added: readonly AddFile[],
  { clock }: Pick<DeltaDeps, 'clock'>,
  dataChange = true,
): Action[] {
  const nowMs = clock.nowMs();
  return [
    ...removed.map((file): Action => ({ remove: removeOf(file, nowMs, dataChange) })),
    ...added.map((add): Action => ({ add: { ...add, dataChange } })),
  ];
}

/** A SELECT list of columns under an alias. */
export function columnList(names: readonly string[], alias?: string): string {
  const prefix = alias === undefined ? '' : `${alias}.`;
  return names.map((name) => `${prefix}${quoteName(name)}`).join(', ');
}
