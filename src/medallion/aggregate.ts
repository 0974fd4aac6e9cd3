/** Silver → one Gold table, by its declared SQL. */
import type { DatasetDefinition, GoldDefinition } from '../contracts/dataset.js';
import { identifier } from '../contracts/sql-text.js';
import type { Engine, EngineSession, ScanPlan, WrittenFile } from '../delta/ports.js';
import type { StructType } from '../delta/schema.js';
import { mapLimited } from '../delta/limit.js';
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
  readonly signal?: AbortSignal;
}

export interface Aggregated {
  /** Files of `schema` in the order of the SELECT; none where it gives no row. */
  readonly gold: readonly WrittenFile[];
  readonly rows: number;
  readonly schema: StructType;
}

/** Few enough rows to be sorted in memory beside another part. */
const PART_ROWS = 2_500_000;

/**
 * Computes one Gold table over `silver.<dataset>`. A table with windows sorts its rows, and says by its slices which of
 * them have nothing to do with each other: many are taken part by part, several at a time, each by one thread. So what is
 * in memory at once is bounded, and a SELECT that the engine can only run in one thread keeps all of them busy. A table
 * without windows gathers its rows while they pass, which parts would only make dearer. Throws the engine's errors.
 */
export async function aggregate(input: AggregateInput): Promise<Aggregated> {
  const { engine, gold, silver } = input;
  const { schema, parts } = await inSession(input, 1, async (session) => {
    await session.run(silverView(input, 'true'));
    return { schema: schemaOf(await session.describe(gold.sql)), parts: await partsOf(session, input) };
  });
  const lanes = Math.min(engine.threads, parts.length);
  const queue = parts.entries();
  const files: WrittenFile[][] = [];
  await besideEachOther(lanes, input.signal, (signal) =>
    inSession({ ...input, signal }, lanes, async (session) => {
      for (const [index, part] of queue) {
        await session.run(silverView(input, part));
        files[index] = await session.writeParquetFiles(gold.sql, `gold-${gold.table}-${index}`);
      }
    }),
  );
  const made = files.flat();
  return { gold: made, rows: made.reduce((sum, file) => sum + file.rows, 0), schema };

  function silverView({ dataset }: AggregateInput, part: string): string {
    const rows = `SELECT * FROM ${engine.relation(silver)}${part === 'true' ? '' : ` WHERE ${part}`}`;
    return `CREATE SCHEMA IF NOT EXISTS silver; CREATE OR REPLACE VIEW silver.${identifier(dataset.name)} AS ${rows}`;
  }
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
  { dataset, gold, partRows = PART_ROWS }: AggregateInput,
): Promise<string[]> {
  const [expression] = Object.values(gold.slices?.by ?? {});
  if (expression === undefined || gold.slices?.window === undefined) return ['true'];
  const silver = `silver.${identifier(dataset.name)}`;
  const rows = await count(session, `SELECT count(*) AS n FROM ${silver}`);
  // Half a part is worth being shared by two lanes; less is done sooner than a second session is opened.
  if (rows < partRows / 2) return ['true'];
  return partsBy(session, silver, expression, Math.max(2, Math.ceil(rows / partRows)));
}
