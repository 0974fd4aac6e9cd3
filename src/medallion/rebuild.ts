/** The rows of a whole Silver table, written part by part in the order of time, so that no step has to hold all of them. */
import type { DatasetDefinition } from '../contracts/dataset.js';
import { identifier, identifiers, literal } from '../contracts/sql-text.js';
import type { EngineSession, WrittenFile } from '../delta/ports.js';
import { codeTexts } from './codes.js';
import { count } from './count.js';
import { canPass, OutlierPass } from './outlier-pass.js';
import { flagColumns } from './outliers.js';
import { partsBy } from './parts.js';
import { fileOrder, newestOfKey, timeColumns } from './silver-sql.js';

/**
 * Rows that are sorted and joined at a time: no more than two files hold, and few enough for the memory. What the months of a
 * reference hold is gathered anew for each part, so half as many parts take less time: 3 to 10 % of Silver's, for 0.2 GB.
 */
const PART_ROWS = 1_900_000;

export interface Rebuild {
  readonly session: EngineSession;
  readonly dataset: DatasetDefinition;
  /** About how many rows there are. */
  readonly rows: number;
  /** At most about so many rows a part. Default {@link PART_ROWS}. */
  readonly partRows?: number;
  readonly onPart?: (done: number, parts: number) => void;
  /** Hears of each file when it is written, while others still are made. */
  readonly onFile?: (file: WrittenFile) => void;
}

export interface Rebuilt {
  /** Files in the order of time, each sorted by it. */
  readonly silver: readonly WrittenFile[];
  /** Rows that another row of the same key has pushed out. */
  readonly duplicate: number;
}

/**
 * Writes the newest row of each key of the view `kept`, with its outlier flags where the dataset has them. Rows with one
 * key have one time, so they are in one part.
 */
export async function rebuild(input: Rebuild): Promise<Rebuilt> {
  const { session, dataset } = input;
  const { outliers } = dataset.silver;
  const parts = await partsOf(input);
  const coded = await codeTexts(session, 'arrived', [...SHARED_TEXTS, ...dataset.key]);
  await session.run(`CREATE VIEW coded AS SELECT ${coded} FROM kept`);
  const pass = outliers && new OutlierPass(session, outliers, dataset.key);
  await pass?.begin('coded');
  const silver: WrittenFile[] = [];
  let duplicate = 0;
  for (const [index, part] of parts.entries()) {
    input.onPart?.(index, parts.length);
    await session.run(keepAs(pass, `SELECT * FROM coded WHERE ${part}`));
    duplicate += await keepNewest(input, pass, coded, index);
    await pass?.judge();
    const files = await session.writeParquetFiles(silverSelect(dataset, pass), `silver-${index}`);
    for (const file of files) input.onFile?.(file);
    silver.push(...files);
  }
  return { silver, duplicate };
}

/** One part where the rows are few, where their key has no time, or where outliers are judged along another one. */
async function partsOf({ session, dataset, rows, partRows = PART_ROWS }: Rebuild): Promise<string[]> {
  const [time] = timeColumns(dataset);
  const { outliers } = dataset.silver;
  if (time === undefined || (outliers && !canPass(outliers, time))) return ['true'];
  return partsBy(session, 'cleaned', identifier(time), Math.ceil(rows / partRows));
}

/**
 * A statement that makes `part` of the rows. Judging outliers looks at a part more than once; reading and cleaning it anew
 * each time is dearer than keeping it.
 */
function keepAs(pass: OutlierPass | undefined, rows: string): string {
  return `CREATE OR REPLACE ${pass ? 'TABLE' : 'VIEW'} part AS ${rows}`;
}

/**
 * Leaves in `part` the newest row of each key, and returns how many others there were. Where outliers are judged, it
 * leaves `returns` of those rows too: they stand in the order in which equal keys are neighbours, so that counting the
 * duplicates costs nothing then.
 */
async function keepNewest(
  { session, dataset }: Rebuild,
  pass: OutlierPass | undefined,
  coded: string,
  index: number,
): Promise<number> {
  const { key, silver } = dataset;
  const { outliers } = silver;
  const neighbours = outliers && isSameSet(key, [...outliers.group, outliers.order]);
  await pass?.measure('part');
  const duplicate = await count(
    session,
    neighbours
      ? 'SELECT count(*) AS n FROM returns WHERE again'
      : `SELECT coalesce(sum(rows - 1), 0)::BIGINT AS n FROM (SELECT count(*) AS rows FROM part GROUP BY ${identifiers(key)})`,
  );
  if (duplicate === 0) return 0;
  const newest = await session.writeParquet(
    `SELECT * FROM part ${newestOfKey(dataset)}`,
    `newest-${index}.parquet`,
  );
  const rows = `read_parquet(${literal(newest?.localPath ?? '')}, hive_partitioning = false)`;
  await session.run(keepAs(pass, `SELECT ${coded} FROM ${rows}`));
  await pass?.measure('part');
  return duplicate;
}

function isSameSet(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((name) => right.includes(name));
}

/** Texts that many rows share: where rows come from. */
const SHARED_TEXTS = ['_source_id', '_source_file', '_run_id'] as const;

function silverSelect(dataset: DatasetDefinition, pass: OutlierPass | undefined): string {
  const { key, silver } = dataset;
  const order = fileOrder(dataset, 'k');
  if (silver.outliers === undefined || pass === undefined) return `SELECT k.* FROM part k ${order}`;
  return (
    `SELECT k.*, ${flagColumns(silver.outliers)} FROM part k ` +
    `LEFT JOIN (${pass.scores()}) s USING (${identifiers(key)}) ${order}`
  );
}
