/** Silver → one Gold table, by its declared SQL. */
import type { DatasetDefinition, GoldDefinition } from '../contracts/dataset.js';
import { DatalabError } from '../contracts/errors.js';
import { identifier } from '../contracts/sql-text.js';
import type { Engine, EngineSession, ScanPlan, WrittenFile } from '../delta/ports.js';
import type { StructType } from '../delta/schema.js';
import { mapLimited } from '../delta/limit.js';
import { ALL_AS_THEY_ARE, codeTexts } from './codes.js';
import { count } from './count.js';
import { partsBy } from './parts.js';
import { schemaOf } from './schema.js';

export interface AggregateInput {
  readonly engine: Engine;
  readonly dataset: DatasetDefinition;
  readonly gold: GoldDefinition;
  /** All of Silver. */
  readonly silver: ScanPlan;
  readonly outputDirectory: string;
  /** Of a table with windows: rows of Silver that are computed at a time, where there are more. */
  readonly partRows?: number;
  /** Hears of each file when it is written, while others still are made. It may yet be left out of what is returned. */
  readonly onFile?: (file: WrittenFile) => void;
  readonly signal?: AbortSignal;
}

export interface Aggregated {
  /** Files of `schema` in the order of the SELECT; none where it gives no row. */
  readonly gold: readonly WrittenFile[];
  readonly rows: number;
  readonly schema: StructType;
}

/** Few enough rows to be sorted in memory beside another part; each part reads through all of Silver for its own. */
const PART_ROWS = 5_000_000;
/** Rows that are worth being shared by two lanes: fewer are done sooner than a second session is opened. */
const SHARED_FROM = 1_250_000;

/**
 * Computes one Gold table over `silver.<dataset>`. A table with windows sorts its rows, and says by its slices which of
 * them have nothing to do with each other: many are taken part by part, several at a time, each by one thread. So what is
 * in memory at once is bounded, and a SELECT that the engine can only run in one thread keeps all of them busy. A table
 * without windows gathers its rows while they pass, which parts would only make dearer. Throws the engine's errors.
 */
export async function aggregate(input: AggregateInput): Promise<Aggregated> {
  const { engine, gold } = input;
  const plan = await inSession(input, 1, async (session) => {
    await session.run(silverView(input));
    const columns = await session.describe(gold.sql);
    return {
      schema: schemaOf(columns),
      parts: await partsOf(session, input),
      isCoded: await mayBeCoded(session, input, columns),
    };
  });
  const { schema, parts } = plan;
  const lanes = Math.min(engine.threads, parts.length);
  const computed = async (isCoded: boolean): Promise<WrittenFile[]> => {
    const queue = parts.entries();
    const files: WrittenFile[][] = [];
    await besideEachOther(lanes, input.signal, (signal) =>
      inSession({ ...input, signal }, lanes, async (session) => {
        await session.run(silverView(input));
        const columns = isCoded ? await silverCodes(session, input) : ALL_AS_THEY_ARE;
        for (const [index, part] of queue) {
          await session.run(silverView(input, part, columns));
          const name = `gold-${gold.table}-${isCoded ? 'coded-' : ''}${index}`;
          const made = await session.writeParquetFiles(gold.sql, name);
          for (const file of made) input.onFile?.(file);
          files[index] = made;
        }
      }),
    );
    return files.flat();
  };
  // Codes stand for texts nearly everywhere in SQL; a SELECT that finds a place where they do not gets the texts.
  const made = plan.isCoded
    ? await computed(true).catch((error: unknown) => {
        if (error instanceof DatalabError && error.code === 'ENGINE_SQL_FAILED') return computed(false);
        throw error;
      })
    : await computed(false);
  return { gold: made, rows: made.reduce((sum, file) => sum + file.rows, 0), schema };
}

/** Makes `silver.<dataset>` of all rows, or of those of a part. */
function silverView(
  { engine, dataset, silver }: AggregateInput,
  part = 'true',
  columns = ALL_AS_THEY_ARE,
): string {
  const rows = `SELECT ${columns} FROM ${engine.relation(silver)}${part === 'true' ? '' : ` WHERE ${part}`}`;
  return `CREATE SCHEMA IF NOT EXISTS silver; CREATE OR REPLACE VIEW silver.${identifier(dataset.name)} AS ${rows}`;
}

/** Codes for the texts that slices are told by: a table with windows is sorted by them. */
async function silverCodes(session: EngineSession, { dataset, gold }: AggregateInput): Promise<string> {
  const columns = gold.slices?.window ? Object.values(gold.slices.by).map((column) => column.trim()) : [];
  return codeTexts(session, `silver.${identifier(dataset.name)}`, columns);
}

/** What tells a code from its text. */
const TELLS_CODES = /\b(hash|typeof|pg_typeof|collate|enum_\w+)\b/i;

/** Whether the SELECT gives the same columns where codes stand for the texts of Silver. */
async function mayBeCoded(
  session: EngineSession,
  input: AggregateInput,
  texts: ReadonlyArray<{ name: string; type: string }>,
): Promise<boolean> {
  const columns = await silverCodes(session, input);
  if (columns === ALL_AS_THEY_ARE || TELLS_CODES.test(input.gold.sql)) return false;
  await session.run(silverView(input, 'true', columns));
  const coded = await session.describe(input.gold.sql).catch(() => []);
  return (
    coded.length === texts.length &&
    texts.every(({ type }, index) => {
      const code = coded[index]?.type ?? '';
      return code === type || (type === 'VARCHAR' && code.startsWith('ENUM('));
    })
  );
}

/** Runs the work so many times at once. When one fails the others are stopped, and waited for: they write files. */
async function besideEachOther(
  lanes: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([failed.signal, ...(signal ? [signal] : [])]);
  await mapLimited(Array.from({ length: lanes }), lanes, () =>
    work(either).catch((error: unknown) => {
      failed.abort(error);
      throw error;
    }),
  );
}

async function inSession<Result>(
  { engine, silver, outputDirectory, signal }: AggregateInput,
  lanes: number,
  work: (session: EngineSession) => Promise<Result>,
): Promise<Result> {
  const session = await engine.open({
    inputs: silver.files.map((file) => file.localPath),
    outputDirectory,
    lanes,
    ...(signal ? { signal } : {}),
  });
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/** Conditions on a Silver row, one per part; the expression of the first slice column parts them. */
async function partsOf(
  session: EngineSession,
  { engine, dataset, gold, partRows = PART_ROWS }: AggregateInput,
): Promise<string[]> {
  const [expression] = Object.values(gold.slices?.by ?? {});
  if (expression === undefined || gold.slices?.window === undefined) return ['true'];
  const silver = `silver.${identifier(dataset.name)}`;
  const rows = await count(session, `SELECT count(*) AS n FROM ${silver}`);
  if (rows < Math.min(SHARED_FROM, partRows / 2)) return ['true'];
  // As many for each lane as for any other.
  const rounds = Math.max(1, Math.ceil(rows / partRows / engine.threads));
  return partsBy(session, silver, expression, Math.max(2, rounds * engine.threads));
}
