/** Sources → Bronze: every well-formed row as received and typed; every other row in quarantine with its reason. */
import type { DatasetDefinition } from '../contracts/dataset.js';
import { DatalabError } from '../contracts/errors.js';
import type { Progress } from '../contracts/flows.js';
import type { Ledger } from '../contracts/ledger.js';
import type { LocalSource } from '../contracts/sources.js';
import { identifier, literal, literalList } from '../contracts/sql-text.js';
import type { Engine, EngineSession, WrittenFile } from '../delta/ports.js';
import type { StructType } from '../delta/schema.js';
import { count } from './count.js';
import { frame, type Framed, type FramePart } from './frame.js';
import { addLedgers, balanced } from './ledger.js';
import { frameScan, refusedRows, sureRows, typedRows, unparsedCount, untypedRows } from './parse.js';
import { readParquetSources, type Taken } from './parquet-source.js';
import { bronzeSchema, QUARANTINE_SCHEMA } from './schema.js';

/** The run that rows are stamped with. */
export interface RunStamp {
  readonly runId: string;
  /** ISO instant for `_ingested_at`. */
  readonly at: string;
}

export interface IngestInput {
  readonly engine: Engine;
  readonly dataset: DatasetDefinition;
  readonly sources: readonly LocalSource[];
  /** An empty folder for the Parquet files; what else is left in it may be removed afterwards. */
  readonly outputDirectory: string;
  readonly run: RunStamp;
  /** Hears of a Bronze file when it is written, while others still are made. It may yet be left out of what is returned. */
  readonly onFile?: (file: WrittenFile) => void;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

/** What became of one source. A source with the same bytes as an earlier one is not read: `sameAs` names that one. */
export interface SourceOutcome {
  readonly sourceId: string;
  readonly path: string;
  readonly read: number;
  readonly accepted: number;
  readonly quarantined: number;
  readonly sameAs?: string;
}

export interface Ingested {
  /** Files of `schema`; none where no row was accepted. */
  readonly bronze: readonly WrittenFile[];
  readonly schema: StructType;
  /** Files of `quarantineSchema` without its partition column `layer`, which is `bronze` for all of them. */
  readonly quarantine: readonly WrittenFile[];
  readonly quarantineSchema: StructType;
  readonly ledger: Ledger;
  readonly perSource: readonly SourceOutcome[];
  /** Sentences for the log: columns that the dataset does not declare. */
  readonly warnings: readonly string[];
  /** Columns that sources have and the dataset does not declare, each once. */
  readonly unknownColumns: readonly string[];
}

/**
 * Reads the sources. Throws SOURCE_HEADER_MISMATCH, LEDGER_UNBALANCED, and the engine's errors. Damage inside a source
 * is no error: it ends in quarantine, and the ledger says how many.
 */
export async function ingest(input: IngestInput): Promise<Ingested> {
  const first = new Map<string, LocalSource>();
  for (const source of input.sources) if (!first.has(source.sourceId)) first.set(source.sourceId, source);
  const sources = [...first.values()];
  const isParquet = input.dataset.source.format === 'parquet';
  const session = await input.engine.open({
    inputs: isParquet ? sources.map((source) => source.localPath) : [],
    // Framed files are made while the session is open, so they are where it may read and write.
    outputDirectory: input.outputDirectory,
    ...(input.signal ? { signal: input.signal } : {}),
  });
  try {
    return await readInto(session, input, sources);
  } finally {
    await session.close();
  }
}

/** A Bronze file with the one source that its rows are of, where they are of one only. */
interface PartFile {
  readonly file: WrittenFile;
  readonly only: number | undefined;
}

async function readInto(
  session: EngineSession,
  input: IngestInput,
  sources: readonly LocalSource[],
): Promise<Ingested> {
  await session.run(setUp(sources));
  const isParquet = input.dataset.source.format === 'parquet';
  const taken = await (isParquet
    ? readParquetSources(session, {
        ...input,
        sources,
        stamp: (part, rows) => stamped(input, sources, part, rows),
      })
    : readTextSources(session, input, sources));
  const { bronze } = taken;
  const quarantined = await session.writeParquet(refusedSelect(input), 'quarantine-bronze.parquet');
  const quarantine = quarantined ? [quarantined] : [];
  const perSource = await outcomes(session, input, sources, taken, quarantine);
  const ledger = balanced(`bronze.${input.dataset.name}`, addLedgers(perSource.map(sourceLedger)));
  return {
    bronze,
    schema: bronzeSchema(input.dataset),
    quarantine,
    quarantineSchema: QUARANTINE_SCHEMA,
    ledger,
    perSource,
    unknownColumns: [...new Set(taken.unknownColumns.flatMap(({ columns }) => columns))].sort(),
    warnings: taken.unknownColumns.map(
      ({ path, columns }) =>
        `${path}: columns that the dataset does not declare are kept in _extra: ${columns.join(', ')}`,
    ),
  };
}

/** Sources of lines: framed, and typed part by part. */
async function readTextSources(
  session: EngineSession,
  input: IngestInput,
  sources: readonly LocalSource[],
): Promise<Taken> {
  const written: PartFile[] = [];
  const { onProgress, ...options } = { ...input, sources, directory: input.outputDirectory };
  const framed = await frame({
    ...options,
    ...(onProgress ? { onProgress } : {}),
    onPart: async (part) => {
      const file = await writePart(session, input, sources, part, written.length);
      if (!file) return;
      written.push({ file, only: part.only });
      input.onFile?.(file);
    },
  });
  await session.run(refusedWithout(framed));
  const kept = written.filter(({ only }) => only === undefined || !framed.retracted.has(only));
  return {
    bronze: kept.map(({ file }) => file),
    read: framed.read,
    unknownColumns: framed.unknownColumns,
  };
}

/**
 * Types a part into a Bronze file. Most parts hold nothing that is not as declared, and one look at them is enough; where
 * that fails, a second, closer one tells the rows apart.
 */
async function writePart(
  session: EngineSession,
  input: IngestInput,
  sources: readonly LocalSource[],
  part: FramePart,
  number: number,
): Promise<WrittenFile | undefined> {
  const { dataset } = input;
  const scan = frameScan(dataset, part);
  const write = (rows: string, name: string): Promise<WrittenFile | undefined> =>
    session.writeParquet(stamped(input, sources, part, rows), name);
  const name = `bronze-${number}`;
  const sure = await unlessRefused(write(sureRows(dataset, scan, part), `${name}.parquet`));
  if (sure !== 'refused') {
    if (sure?.rows === part.records) return sure;
    if ((await count(session, unparsedCount(scan))) === 0) {
      await session.run(`INSERT INTO refused ${refusedRows(scan)}`);
      return sure;
    }
  }
  await forgetRefused(session);
  const file = await write(typedRows(dataset, scan), `${name}-typed.parquet`);
  await session.run(`INSERT INTO refused ${refusedRows(scan)}`);
  await session.run(`INSERT INTO refused ${untypedRows(dataset, scan)}`);
  return file;
}

/** What a reader refused so far, so that it is not taken for what the next one does: one that refuses nothing leaves no trace. */
async function forgetRefused(session: EngineSession): Promise<void> {
  const there = await session.rows<{ name: string }>(
    `SELECT table_name AS name FROM duckdb_tables() WHERE temporary AND table_name IN ('reject_errors', 'reject_scans')`,
  );
  for (const { name } of there) await session.run(`DELETE FROM ${identifier(name)}`);
}

async function unlessRefused<Result>(work: Promise<Result>): Promise<Result | 'refused'> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof DatalabError && error.code === 'ENGINE_SQL_FAILED') return 'refused';
    throw error;
  }
}

/** The sources by number, and the table that gathers what is refused. */
function setUp(sources: readonly LocalSource[]): string {
  return [
    `SET VARIABLE source_ids = ${literalList(sources.map((source) => source.sourceId))}::VARCHAR[]`,
    `SET VARIABLE source_files = ${literalList(sources.map((source) => source.path))}::VARCHAR[]`,
    `SET VARIABLE source_times = ${literalList(sources.map(modifiedAt))}::TIMESTAMPTZ[]`,
    'CREATE TABLE refused (i INTEGER, line BIGINT, rule VARCHAR, reason VARCHAR, raw VARCHAR)',
  ].join('; ');
}

function modifiedAt({ modifiedMs }: LocalSource): string {
  return new Date(modifiedMs).toISOString();
}

/** Puts what framing refused beside what the engine did, and forgets what came of sources that do not count. */
function refusedWithout({ refusedPath, retracted }: Framed): string {
  return [
    `DELETE FROM refused WHERE i IN (${[-1, ...retracted].join(', ')})`,
    `INSERT INTO refused SELECT * FROM read_json(${literal(refusedPath)}, format = 'newline_delimited', ` +
      `columns = {i: 'INTEGER', line: 'BIGINT', rule: 'VARCHAR', reason: 'VARCHAR', raw: 'VARCHAR'})`,
  ].join('; ');
}

const STAMPS = (input: IngestInput): string =>
  `${literal(input.run.at)}::TIMESTAMPTZ AS _ingested_at, ${oneText(input.run.runId)} AS _run_id`;

function stamped(
  input: IngestInput,
  sources: readonly LocalSource[],
  part: Pick<FramePart, 'only'>,
  rows: string,
): string {
  const columns = input.dataset.columns.map((column) => identifier(column.name)).join(', ');
  return `SELECT ${columns}, _extra, ${origin(sources, part)}, ${STAMPS(input)} FROM (${rows})`;
}

/** One text for all rows, as an enumeration: so the writer need not compare it from row to row. */
function oneText(text: string): string {
  return `${literal(text)}::ENUM(${literal(text)})`;
}

/** Where the rows came from. */
function origin(sources: readonly LocalSource[], { only }: Pick<FramePart, 'only'>): string {
  const source = only === undefined ? undefined : sources[only];
  const [id, path, time] = source
    ? [oneText(source.sourceId), oneText(source.path), `${literal(modifiedAt(source))}::TIMESTAMPTZ`]
    : ['source_ids', 'source_files', 'source_times'].map((name) => `getvariable('${name}')[_i + 1]`);
  return `${id} AS _source_id, ${path} AS _source_file, _l AS _source_line, ${time} AS _source_modified_at`;
}

function refusedSelect(input: IngestInput): string {
  return (
    `SELECT getvariable('source_ids')[i + 1] AS _source_id, getvariable('source_files')[i + 1] AS _source_file, ` +
    `line AS _source_line, rule, reason, raw, ${STAMPS(input)} FROM refused ORDER BY i, line`
  );
}

/** Counts what was written, per source, from the files themselves, and holds it against what was read. */
async function outcomes(
  session: EngineSession,
  input: IngestInput,
  sources: readonly LocalSource[],
  { bronze, read: counts }: Taken,
  quarantine: readonly WrittenFile[],
): Promise<SourceOutcome[]> {
  const accepted = await countBySource(session, bronze);
  const refused = await countBySource(session, quarantine);
  const read = sources.map((source, index): SourceOutcome => {
    const outcome = {
      sourceId: source.sourceId,
      path: source.path,
      read: counts[index] ?? 0,
      accepted: accepted.get(source.sourceId) ?? 0,
      quarantined: refused.get(source.sourceId) ?? 0,
    };
    balanced(`bronze.${input.dataset.name} from ${source.path}`, sourceLedger(outcome));
    return outcome;
  });
  const byId = new Map(read.map((outcome) => [outcome.sourceId, outcome]));
  return input.sources.map((source) => {
    const outcome = byId.get(source.sourceId) as SourceOutcome;
    if (outcome.path === source.path) return outcome;
    const { sourceId, path } = source;
    return { sourceId, path, read: 0, accepted: 0, quarantined: 0, sameAs: outcome.path };
  });
}

async function countBySource(
  session: EngineSession,
  files: readonly WrittenFile[],
): Promise<Map<string, number>> {
  if (files.length === 0) return new Map();
  const paths = literalList(files.map((file) => file.localPath));
  const rows = await session.rows<{ id: string; n: bigint }>(
    `SELECT _source_id AS id, count(*) AS n FROM read_parquet(${paths}) GROUP BY ALL`,
  );
  return new Map(rows.map(({ id, n }) => [id, Number(n)]));
}

function sourceLedger({ read, accepted, quarantined }: SourceOutcome): Ledger {
  return { read, accepted, duplicate: 0, quarantined };
}
