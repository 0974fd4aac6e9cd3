/** A first `dataset.yaml` and `silver.sql` from a look at one file: what its columns hold, and what tells its rows apart. */
import { stringify } from 'yaml';
import { identifier, identifiers, literal } from '../contracts/sql-text.js';
import type { EngineSession } from '../delta/ports.js';

export type DraftFormat = 'csv' | 'jsonl' | 'parquet';

export interface DraftInput {
  readonly name: string;
  /** As it will stand in the file. */
  readonly location: string;
  /** The file to look at, on this machine; the session may read it. */
  readonly localPath: string;
  readonly format: DraftFormat;
  /** Names as in the file; without them they are looked for. */
  readonly key?: readonly string[];
}

export interface DraftColumn {
  readonly name: string;
  /** As the file calls it, where that cannot be the name. */
  readonly alias?: string;
  readonly type: string;
  /** A time that says no zone, which DataLab does not guess. */
  readonly naive: boolean;
}

export interface Draft {
  readonly yaml: string;
  readonly silverSql: string;
  readonly columns: readonly DraftColumn[];
  /** Names of the key's columns; empty for mode append. */
  readonly key: readonly string[];
  /** Rows that were looked at. */
  readonly rows: number;
}

/** Rows that are looked at: enough for types and a key, and soon done. */
const ROWS_MAX = 200_000;

/** Looks at the file. Throws the engine's errors where it cannot be read. */
export async function draftDataset(session: EngineSession, input: DraftInput): Promise<Draft> {
  await session.run(`CREATE TABLE seen AS SELECT * FROM ${readerOf(input)} LIMIT ${ROWS_MAX}`);
  const described = await session.describe('SELECT * FROM seen');
  const columns = named(described);
  const [counts] = await session.rows<{ rows: bigint }>('SELECT count(*) AS rows FROM seen');
  const rows = Number(counts?.rows ?? 0n);
  const given = input.key?.map(
    (name) => columns.find((column) => (column.alias ?? column.name) === name)?.name ?? name,
  );
  const key = given ?? (await findKey(session, columns, rows));
  const delimiter = input.format === 'csv' ? await delimiterOf(session, input.localPath) : ',';
  return {
    yaml: yamlOf(input, columns, key, delimiter),
    silverSql: silverSql(input.name),
    columns,
    key,
    rows,
  };
}

function readerOf({ localPath, format }: DraftInput): string {
  const path = literal(localPath);
  if (format === 'parquet') return `read_parquet(${path}, hive_partitioning = false)`;
  if (format === 'jsonl') return `read_json(${path}, format = 'newline_delimited', ignore_errors = true)`;
  return `read_csv(${path}, header = true, ignore_errors = true)`;
}

async function delimiterOf(session: EngineSession, localPath: string): Promise<string> {
  const [found] = await session.rows<{ delimiter: string }>(
    `SELECT Delimiter AS delimiter FROM sniff_csv(${literal(localPath)}, ignore_errors = true)`,
  );
  return found?.delimiter ?? ',';
}

function named(described: ReadonlyArray<{ name: string; type: string }>): DraftColumn[] {
  const taken = new Set<string>();
  return described.map(({ name: original, type }, index) => {
    const plain = original.replace(/[^\p{L}\p{N}_]+/gu, '_').replace(/^_+|_+$/g, '');
    let name = plain === '' ? `column_${index + 1}` : plain;
    while (taken.has(name.toLowerCase())) name += '_2';
    taken.add(name.toLowerCase());
    return {
      name,
      ...(name !== original && { alias: original }),
      type: typeOf(type),
      naive: /^TIMESTAMP(_\w+)?$/.test(type),
    };
  });
}

function typeOf(engineType: string): string {
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(engineType);
  if (decimal) return `decimal(${decimal[1]},${decimal[2]})`;
  if (/^TIMESTAMP/.test(engineType)) return 'timestamp';
  return TYPES[engineType] ?? 'string';
}

const TYPES: Readonly<Record<string, string>> = {
  BIGINT: 'long',
  UINTEGER: 'long',
  INTEGER: 'integer',
  SMALLINT: 'integer',
  TINYINT: 'integer',
  UTINYINT: 'integer',
  USMALLINT: 'integer',
  DOUBLE: 'double',
  FLOAT: 'double',
  BOOLEAN: 'boolean',
  DATE: 'date',
};

/** The first column, or the first two, whose values never repeat and never lack; figures that are measured are no key. */
async function findKey(
  session: EngineSession,
  columns: readonly DraftColumn[],
  rows: number,
): Promise<string[]> {
  if (rows === 0) return [];
  const likely = columns.filter(({ type }) => !/^(double|boolean|decimal)/.test(type)).slice(0, 8);
  const pairs = likely.flatMap((a, index) => likely.slice(index + 1).map((b) => [a, b]));
  for (const candidate of [...likely.map((column) => [column]), ...pairs]) {
    const names = candidate.map(({ name, alias }) => alias ?? name);
    const present = names.map((name) => `${identifier(name)} IS NOT NULL`).join(' AND ');
    const [found] = await session.rows<{ unique: boolean }>(
      `SELECT count(*) = ${rows} AND count(*) = count(DISTINCT (${identifiers(names)})) AS unique FROM seen WHERE ${present}`,
    );
    if (found?.unique) return candidate.map(({ name }) => name);
  }
  return [];
}

function yamlOf(
  input: DraftInput,
  columns: readonly DraftColumn[],
  key: readonly string[],
  delimiter: string,
): string {
  const declared = {
    name: input.name,
    description: '',
    source: {
      location: input.location,
      format: input.format,
      ...(delimiter !== ',' && { csv: { delimiter } }),
    },
    columns: columns.map(({ name, alias, type, naive }) => ({
      name,
      type,
      ...(alias !== undefined && { aliases: [alias] }),
      ...(naive && { zone: 'UTC' }),
    })),
    ...(key.length > 0 ? { key: [...key] } : { mode: 'append' }),
    silver: { sql: 'silver.sql' },
  };
  const notes = [
    '# Drafted from one file: look at every line before you trust it.',
    ...(columns.some(({ naive }) => naive)
      ? ['# Times without a zone were taken for UTC: say which zone they are in.']
      : []),
    key.length > 0
      ? `# The key's values did not repeat in the rows that were looked at: does it identify a row?`
      : '# No one or two columns told the rows apart, so every row stays.',
  ];
  return `${notes.join('\n')}\n${stringify(declared, { flowCollectionPadding: true })}`;
}

function silverSql(name: string): string {
  return `-- One row per Bronze row: tidy and cast here, and keep every row and the columns that begin with _.\nSELECT * EXCLUDE (_extra) FROM bronze.${identifier(name)}\n`;
}
