/** Reads one golden table and compares everything that is known of it. */
import { join } from 'node:path';
import { LocalObjectStore } from '../../src/connectors/object-store/index.js';
import { checkoutScan, DeltaTable, type Engine, type Snapshot } from '../../src/delta/index.js';
import { canonicalLine, canonicalRow, sortedJson } from './canonical.js';
import type { Expected } from './folder.js';

/** What differs from the right answer, one sentence each; empty where all is right. Throws what the reader throws. */
export async function differences(
  folder: string,
  name: string,
  expected: Expected,
  lines: readonly string[] | undefined,
  engine: Engine,
): Promise<string[]> {
  const store = new LocalObjectStore(join(folder, name));
  const table = new DeltaTable(store, { engine });
  const snapshot = await table.snapshot();
  const found = snapshotDifferences(snapshot, expected);
  if (lines) {
    const rows = (await scan(store, engine, snapshot))
      .map((row) => canonicalRow(row, snapshot.schema))
      .sort();
    const wanted = lines.map(canonicalLine).sort();
    if (rows.length !== wanted.length) found.push(`${rows.length} rows, not ${wanted.length}`);
    const odd = rows.findIndex((row, index) => row !== wanted[index]);
    if (odd >= 0) found.push(`row ${odd}: ${cut(rows[odd])}, not ${cut(wanted[odd])}`);
  }
  for (const [version, count] of Object.entries(expected.rowsByVersion ?? {})) {
    // Text is the error of the reader that made the answers: nothing is known of that version.
    if (typeof count !== 'number') continue;
    const at = await table.snapshot({ version: Number(version) });
    const rows = await countRows(store, engine, at);
    if (rows !== count) found.push(`version ${version}: ${rows} rows, not ${count}`);
  }
  return found;
}

function snapshotDifferences(snapshot: Snapshot, expected: Expected): string[] {
  const { minReaderVersion, minWriterVersion } = snapshot.protocol;
  // Where there is no schema (some tables are a log only), nothing is said of it.
  const schema = snapshot.metadata.schemaString === '' ? undefined : snapshot.schema;
  const facts: Array<[string, unknown, unknown]> = [
    ['version', snapshot.version, expected.version],
    ['protocol', [minReaderVersion, minWriterVersion], expected.protocol],
    ['partition columns', snapshot.partitionColumns, expected.partitionColumns],
    ['files', snapshot.files.length, expected.numFiles],
    ['schema', schema?.fields.map(fieldText), expected.schema?.fields.map(fieldText)],
  ];
  return facts
    .filter(([, is, should]) => should !== undefined && JSON.stringify(is) !== JSON.stringify(should))
    .map(([fact, is, should]) => `${fact}: ${cut(JSON.stringify(is))}, not ${cut(JSON.stringify(should))}`);
}

function fieldText({ name, type, nullable }: { name: string; type: unknown; nullable: boolean }): string {
  return `${name}:${sortedJson(type)}:${nullable}`;
}

async function scan(
  store: LocalObjectStore,
  engine: Engine,
  snapshot: Snapshot,
): Promise<Array<Record<string, unknown>>> {
  return withRelation(store, engine, snapshot, (relation) => `SELECT * FROM ${relation}`);
}

async function countRows(store: LocalObjectStore, engine: Engine, snapshot: Snapshot): Promise<number> {
  const rows = await withRelation(
    store,
    engine,
    snapshot,
    (relation) => `SELECT count(*) AS n FROM ${relation}`,
  );
  return Number(rows[0]?.['n']);
}

async function withRelation(
  store: LocalObjectStore,
  engine: Engine,
  snapshot: Snapshot,
  sql: (relation: string) => string,
): Promise<Array<Record<string, unknown>>> {
  const { plan, inputs, release } = await checkoutScan(store, snapshot);
  const session = await engine.open({ inputs });
  try {
    return await session.rows<Record<string, unknown>>(sql(engine.relation(plan)));
  } finally {
    await session.close();
    release();
  }
}

function cut(text: string | undefined): string {
  return (text ?? 'nothing').slice(0, 300);
}
