/**
 * Sources in Parquet: they bring types of their own, which are held against the declared ones, value by value. `read` is
 * the number of rows that the file's own footer tells.
 */
import type { ColumnDefinition, DatasetDefinition } from '../contracts/dataset.js';
import { DatalabError } from '../contracts/errors.js';
import type { Progress } from '../contracts/flows.js';
import type { LocalSource } from '../contracts/sources.js';
import { identifier, literal } from '../contracts/sql-text.js';
import type { EngineSession, WrittenFile } from '../delta/ports.js';
import { placeOf, requireHeader, undeclared } from './columns.js';
import { requireSame, sha256 } from './frame.js';
import { typedColumn } from './typed.js';

/** What reading sources gave, whatever their format. Refused rows are in the session's table `refused`. */
export interface Taken {
  readonly bronze: readonly WrittenFile[];
  /** Records per source, by its position in the input; a damaged file counts as one. */
  readonly read: readonly number[];
  /** Columns that a source has and the dataset does not declare, by source path. */
  readonly unknownColumns: ReadonlyArray<{ readonly path: string; readonly columns: readonly string[] }>;
}

export interface ParquetInput {
  readonly dataset: DatasetDefinition;
  readonly sources: readonly LocalSource[];
  /** The Bronze row of rows with `_i`, `_l`, `_extra` and the declared columns. */
  readonly stamp: (part: { readonly only: number }, rows: string) => string;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

/** Reads the sources one after the other. Throws SOURCE_HEADER_MISMATCH, SOURCE_CHANGED and the engine's errors. */
export async function readParquetSources(session: EngineSession, input: ParquetInput): Promise<Taken> {
  const { sources } = input;
  const bronze: WrittenFile[] = [];
  const read: number[] = [];
  const unknownColumns: Array<{ path: string; columns: string[] }> = [];
  for (const [index, source] of sources.entries()) {
    input.signal?.throwIfAborted();
    input.onProgress?.({ phase: 'reading sources', done: index, total: sources.length, unit: 'sources' });
    const taken = await takeOrRefuse(session, input, index);
    requireSame(source, await sha256(source.localPath));
    read[index] = taken.read;
    bronze.push(...taken.files);
    if (taken.unknown.length > 0) unknownColumns.push({ path: source.path, columns: taken.unknown });
  }
  return { bronze, read, unknownColumns };
}

interface TakenSource {
  readonly read: number;
  readonly files: readonly WrittenFile[];
  readonly unknown: string[];
}

/** A file that the engine cannot read through is refused whole: none of its rows can be trusted. */
async function takeOrRefuse(
  session: EngineSession,
  input: ParquetInput,
  index: number,
): Promise<TakenSource> {
  const source = input.sources[index] as LocalSource;
  try {
    return await take(session, input, index, source);
  } catch (error) {
    if (!(error instanceof DatalabError) || error.code !== 'ENGINE_SQL_FAILED') throw error;
    const damage = await damageOf(session, source);
    if (damage === undefined) throw error;
    const reason = `the file is quarantined as a whole: ${damage}`;
    await session.run(
      `DELETE FROM refused WHERE i = ${index}; ` +
        `INSERT INTO refused VALUES (${index}, NULL, 'parquet_damaged', ${literal(reason)}, NULL)`,
    );
    return { read: 1, files: [], unknown: [] };
  }
}

/** Why the file cannot be read at all, or undefined where it can. */
async function damageOf(session: EngineSession, source: LocalSource): Promise<string | undefined> {
  try {
    await session.rows(`SELECT bit_xor(hash(COLUMNS(*))) FROM ${scanOf(source)}`);
    return undefined;
  } catch (error) {
    if (error instanceof DatalabError && error.code === 'ENGINE_SQL_FAILED')
      return error.message.slice(0, 300);
    throw error;
  }
}

async function take(
  session: EngineSession,
  { dataset, stamp }: ParquetInput,
  index: number,
  source: LocalSource,
): Promise<TakenSource> {
  const [footer] = await session.rows<{ n: bigint }>(
    `SELECT num_rows::BIGINT AS n FROM parquet_file_metadata(${literal(source.localPath)})`,
  );
  const columns = await session.describe(`SELECT * FROM ${scanOf(source)}`);
  const header = columns.map(({ name }) => name);
  requireHeader(dataset, source, header, 'as its footer has it');
  const unknown = undeclared(dataset, header);
  const typed = dataset.columns.map((column) => {
    const place = placeOf(column, header);
    return { column, ...fromParquet(column, columns[place]) };
  });
  const ok = typed.map((each) => each.ok).join(' AND ');
  const extra = unknown.map((name) => `${literal(name)}, t.${identifier(name)}`);
  const numbered = `SELECT *, file_row_number + 1 AS _l FROM ${scanOf(source, true)}`;
  const rows =
    `SELECT ${index} AS _i, _l, ${extra.length > 0 ? `json_object(${extra.join(', ')})::VARCHAR` : 'NULL::VARCHAR'} AS _extra, ` +
    `${typed.map(({ column, value }) => `${value} AS ${identifier(column.name)}`).join(', ')} FROM (${numbered}) t WHERE ${ok}`;
  const file = await session.writeParquet(stamp({ only: index }, rows), `bronze-${index}.parquet`);
  const read = Number(footer?.n ?? 0n);
  if ((file?.rows ?? 0) < read) {
    const reasons = typed.map(
      (each) =>
        `CASE WHEN NOT ${each.ok} THEN ${literal(`${each.column.name} is no ${each.column.type}: `)} || substr(${each.text}, 1, 80) END`,
    );
    await session.run(
      `INSERT INTO refused SELECT ${index}, _l, 'bad_value', concat_ws('; ', ${reasons.join(', ')}), ` +
        `to_json(struct_pack(${header.map((name) => `${identifier(name)} := t.${identifier(name)}`).join(', ')}))::VARCHAR ` +
        `FROM (${numbered}) t WHERE NOT (${ok})`,
    );
  }
  return { read, files: file ? [file] : [], unknown };
}

function scanOf(source: LocalSource, numbered = false): string {
  const rows = numbered ? ', file_row_number = true' : '';
  return `read_parquet(${literal(source.localPath)}, hive_partitioning = false${rows})`;
}

/** A column of the file as the declared one: its value, whether nothing is lost by it, and its text for people. */
function fromParquet(
  column: ColumnDefinition,
  found: { readonly name: string; readonly type: string } | undefined,
): { value: string; ok: string; text: string } {
  if (found === undefined) return { value: `NULL::${engineType(column)}`, ok: 'true', text: 'NULL' };
  const own = `t.${identifier(found.name)}`;
  const text = `CAST(${own} AS VARCHAR)`;
  if (found.type === 'VARCHAR') {
    const { value, ok } = typedColumn(column, own);
    return { value, ok, text };
  }
  if (column.type === 'string') return { value: text, ok: 'true', text };
  if (column.type === 'timestamp' && found.type === 'TIMESTAMP') {
    // A time without a zone is an instant only where the dataset says whose time it is.
    const value =
      column.zone === undefined ? 'NULL::TIMESTAMPTZ' : `timezone(${literal(column.zone)}, ${own})`;
    return { value, ok: `(${own} IS NULL OR ${value} IS NOT NULL)`, text };
  }
  const value = `TRY_CAST(${own} AS ${engineType(column)})`;
  const back = `TRY_CAST(${value} AS ${found.type})`;
  return { value, ok: `(${own} IS NULL OR coalesce(${back} = ${own}, false))`, text };
}

function engineType({ type }: ColumnDefinition): string {
  const names: Readonly<Record<string, string>> = {
    string: 'VARCHAR',
    long: 'BIGINT',
    timestamp: 'TIMESTAMPTZ',
  };
  return names[type] ?? type.toUpperCase();
}
