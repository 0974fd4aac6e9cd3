/** The charts that a dataset declares, drawn from its published tables. */
import type { DatasetDefinition } from '../contracts/dataset.js';
import type { ChartData, ChartDefinition } from '../contracts/report.js';
import { identifier } from '../contracts/sql-text.js';
import { checkoutScan, type CheckedOutScan, type EngineSession } from '../delta/index.js';
import { chartData, ROWS_MAX, type ChartRow } from '../report/index.js';
import type { ActivityDeps } from './deps.js';
import type { LakeTables } from './tables.js';

/** Runs a part of the report: where it fails, says so there, and answers with nothing. */
export type Attempt = <T>(what: string, nothing: T, making: Promise<T>) => Promise<T>;

interface Table {
  readonly layer: 'silver' | 'gold';
  readonly name: string;
}

/** All charts that can be drawn. Tables are read where a chart names them; one that does not exist yet ends that chart. */
export async function drawCharts(
  deps: ActivityDeps,
  tables: LakeTables,
  { name, gold, report: { charts } }: DatasetDefinition,
  signal: AbortSignal,
  attempt: Attempt,
): Promise<ChartData[]> {
  if (charts.length === 0) return [];
  const own: Table[] = [
    { layer: 'silver', name },
    ...gold.map(({ table }) => ({ layer: 'gold' as const, name: table })),
  ];
  const named = own.filter((table) => charts.some(({ sql }) => mentions(sql, table)));
  return attempt('The charts', [], draw(deps, tables, named, charts, signal, attempt));
}

/** Whether the SQL names the table; naming one in a comment costs only a look at it. */
function mentions(sql: string, { layer, name }: Table): boolean {
  return sql.toLowerCase().includes(layer) && sql.toLowerCase().includes(name.toLowerCase());
}

async function draw(
  deps: ActivityDeps,
  tables: LakeTables,
  named: readonly Table[],
  charts: readonly ChartDefinition[],
  signal: AbortSignal,
  attempt: Attempt,
): Promise<ChartData[]> {
  const scans: Array<Table & { readonly scan: CheckedOutScan }> = [];
  try {
    for (const table of named) {
      const snapshot = await tables.table(table.layer, table.name).snapshotIfExists();
      if (!snapshot) continue;
      scans.push({
        ...table,
        scan: await checkoutScan(tables.store(table.layer, table.name), snapshot, { signal }),
      });
    }
    // Before its first publish a dataset has nothing to draw, and that is no problem to tell of.
    if (scans.length === 0) return [];
    const session = await deps.engine.open({ inputs: scans.flatMap(({ scan }) => scan.inputs), signal });
    try {
      const views = scans.map(
        ({ layer, name, scan }) =>
          `CREATE VIEW ${layer}.${identifier(name)} AS SELECT * FROM ${deps.engine.relation(scan.plan)}`,
      );
      await session.run(['CREATE SCHEMA silver', 'CREATE SCHEMA gold', ...views].join('; '));
      const drawn: ChartData[] = [];
      for (const chart of charts) {
        const data = await attempt(`The chart '${chart.title}'`, null, points(session, chart));
        if (data) drawn.push(data);
      }
      return drawn;
    } finally {
      await session.close();
    }
  } finally {
    for (const { scan } of scans) scan.release();
  }
}

async function points(session: EngineSession, chart: ChartDefinition): Promise<ChartData> {
  await session.describe(chart.sql);
  const series = chart.series === undefined ? 'NULL' : identifier(chart.series);
  const rows = await session.rows<ChartRow>(
    `SELECT ${identifier(chart.x)} AS x, ${identifier(chart.y)}::DOUBLE AS y, ${series} AS series ` +
      `FROM (\n${chart.sql}\n) LIMIT ${ROWS_MAX + 1}`,
  );
  return chartData(chart, rows);
}
