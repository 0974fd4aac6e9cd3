/** How fresh a dataset is, of the newest logical times of its tables (DESIGN law 6). Pure. */

/** Of one table, in milliseconds: the newest logical time that brought rows, and the newest that published at all. */
export interface Published {
  readonly freshest: number | null;
  readonly followed: number | null;
}

export interface DatasetTables {
  readonly bronze: Published | undefined;
  readonly silver: Published | undefined;
  readonly gold: readonly Published[];
}

/**
 * The newest logical time whose rows have reached the end of the dataset; null where none has. Only Bronze says that rows
 * came: a rebuild of what follows it brings none. A table that is behind its own upstream holds the whole back.
 */
export function freshnessOf({ bronze, silver, gold }: DatasetTables): number | null {
  const came = bronze?.freshest ?? null;
  if (came === null || !silver || silver.followed === null) return null;
  const behind = (table: Published, upstream: number | null): number =>
    table.followed !== null && upstream !== null && table.followed < upstream ? table.followed : came;
  return Math.min(came, behind(silver, came), ...gold.map((table) => behind(table, silver.freshest)));
}
