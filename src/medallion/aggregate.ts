/** Silver → one Gold table, by its declared SQL. */
import type { DatasetDefinition, GoldDefinition } from '../contracts/dataset.js';
import { identifier } from '../contracts/sql-text.js';
import type { Engine, ScanPlan, WrittenFile } from '../delta/ports.js';
import type { StructType } from '../delta/schema.js';
import { schemaOf } from './schema.js';

export interface AggregateInput {
  readonly engine: Engine;
  readonly dataset: DatasetDefinition;
  readonly gold: GoldDefinition;
  /** All of Silver. */
  readonly silver: ScanPlan;
  readonly outputDirectory: string;
  readonly signal?: AbortSignal;
}

export interface Aggregated {
  /** Files of `schema` in the order of the SELECT; none where it gives no row. */
  readonly gold: readonly WrittenFile[];
  readonly rows: number;
  readonly schema: StructType;
}

/** Computes one Gold table over `silver.<dataset>`. Throws the engine's errors. */
export async function aggregate(input: AggregateInput): Promise<Aggregated> {
  const { engine, dataset, gold, silver } = input;
  const session = await engine.open({
    inputs: silver.files.map((file) => file.localPath),
    outputDirectory: input.outputDirectory,
    ...(input.signal ? { signal: input.signal } : {}),
  });
  try {
    await session.run(
      `CREATE SCHEMA silver; CREATE VIEW silver.${identifier(dataset.name)} AS SELECT * FROM ${engine.relation(silver)}`,
    );
    const schema = schemaOf(await session.describe(gold.sql));
    const files = await session.writeParquetFiles(gold.sql, `gold-${gold.table}`);
    return { gold: files, rows: files.reduce((sum, file) => sum + file.rows, 0), schema };
  } finally {
    await session.close();
  }
}
