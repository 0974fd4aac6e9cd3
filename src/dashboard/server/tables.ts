/** The lake's tables for lists: read again only where a table has another version, and handed out page by page. */
import { mapLimited, type DeltaTable } from '../../delta/index.js';
import {
  infoOf,
  LAYERS,
  listTables,
  nameOf,
  tableOf,
  type LakeReader,
  type TableInfo,
} from '../../lake/tables.js';
import type { LakeNow } from './shapes/lake.js';

const PARALLEL = 8;

/** Keeps each table's newest snapshot, so that a look at a thousand unchanged tables costs a listing each. */
export class TableBook {
  readonly #known = new Map<string, { readonly table: DeltaTable; info: TableInfo | null }>();

  constructor(private readonly lake: LakeReader) {}

  /** Every table at its newest version, by name within its layer. One that cannot be read is left out and named. */
  async describe(): Promise<{ readonly tables: TableInfo[]; readonly problems: string[] }> {
    const names = await listTables(this.lake);
    const there = new Set(names.map(nameOf));
    for (const name of this.#known.keys()) if (!there.has(name)) this.#known.delete(name);
    const problems: string[] = [];
    const found = await mapLimited(names, PARALLEL, async (name) => {
      const key = nameOf(name);
      const known = this.#known.get(key) ?? { table: tableOf(this.lake, name), info: null };
      this.#known.set(key, known);
      try {
        const snapshot = await known.table.snapshot();
        if (known.info?.version !== snapshot.version) known.info = infoOf(name, snapshot);
        return known.info;
      } catch (error) {
        problems.push(`${key}: ${(error as Error).message.slice(0, 200)}`);
        return null;
      }
    });
    return { tables: found.filter((one) => one !== null), problems };
  }
}

/** What the overview shows of the lake: figures by layer, not the tables. */
export function lakeNow({
  tables,
  problems,
}: {
  readonly tables: readonly TableInfo[];
  readonly problems: readonly string[];
}): LakeNow {
  const layers = LAYERS.map((layer) => {
    const own = tables.filter(({ name }) => name.startsWith(`${layer}.`));
    const rows = own.reduce<number | null>(
      (sum, one) => (sum === null || one.rows === null ? null : sum + one.rows),
      0,
    );
    return { layer, tables: own.length, rows, bytes: own.reduce((sum, one) => sum + one.bytes, 0) };
  });
  const changedAt = tables.reduce<string | null>(
    (newest, one) => (newest === null || one.changedAt > newest ? one.changedAt : newest),
    null,
  );
  return { layers, total: tables.length, changedAt, problems: problems.slice(0, 20) };
}

export const TABLE_SORTS = ['name', 'rows', 'bytes', 'files', 'changedAt', 'version', 'average'] as const;

export interface TableFilter {
  readonly search?: string | undefined;
  readonly layer?: string | undefined;
  readonly sort: (typeof TABLE_SORTS)[number];
  readonly order: 'asc' | 'desc';
  readonly limit: number;
  readonly offset: number;
}

/** One page of the tables that match. */
export function pageOfTables(
  tables: readonly TableInfo[],
  { search, layer, sort, order, limit, offset }: TableFilter,
): { total: number; rows: TableInfo[] } {
  const found = tables.filter(
    ({ name }) =>
      (layer === undefined || name.startsWith(`${layer}.`)) &&
      (search === undefined || name.includes(search.toLowerCase())),
  );
  if (sort !== 'name') {
    const figure = (one: TableInfo): number =>
      sort === 'changedAt'
        ? Date.parse(one.changedAt)
        : sort === 'average'
          ? one.bytes / Math.max(1, one.files)
          : (one[sort] ?? -1);
    found.sort((a, b) => figure(a) - figure(b));
  }
  if (order === 'desc') found.reverse();
  return { total: found.length, rows: found.slice(offset, offset + limit) };
}
