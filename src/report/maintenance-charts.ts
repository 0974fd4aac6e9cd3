/** The charts of a maintenance report: size by layer over time, and rows that came in by day. */
import type { LakeUsage } from '../contracts/maintenance-report.js';
import type { ChartData, ChartSeries } from '../contracts/report.js';

const SERIES_MAX = 8;
const MEGABYTE = 1e6;

/** Megabytes by layer; null where nothing was measured. */
export function sizeChart({ history }: LakeUsage): ChartData | null {
  if (history.length === 0) return null;
  return {
    ...{ title: 'Size by layer', kind: 'line', xKind: 'time', xName: 'measured', yName: 'megabytes' },
    description: 'Megabytes of live files, at each run over the whole lake.',
    ...{ logarithmic: false, categories: [], notes: [] },
    series: seriesOf(
      history,
      ({ layer }) => layer,
      ({ at, bytes }) => [Date.parse(at), bytes / MEGABYTE],
    ),
  };
}

/** Rows by day and dataset; null where nothing came in. */
export function ingestionChart({ ingestion }: LakeUsage): ChartData | null {
  if (ingestion.length === 0) return null;
  return {
    ...{ title: 'Rows taken in', kind: 'bar', xKind: 'time', xName: 'day', yName: 'rows' },
    description: 'Rows that runs took into Bronze, by day (UTC), in the last 30 days.',
    ...{ logarithmic: false, categories: [], notes: [] },
    series: seriesOf(
      ingestion,
      ({ dataset }) => dataset,
      ({ day, rows }) => [Date.parse(day), rows],
    ),
  };
}

function seriesOf<Item>(
  items: readonly Item[],
  nameOf: (item: Item) => string,
  pointOf: (item: Item) => readonly [number, number],
): ChartSeries[] {
  const byName = new Map<string, Array<readonly [number, number]>>();
  for (const item of items) byName.set(nameOf(item), [...(byName.get(nameOf(item)) ?? []), pointOf(item)]);
  return [...byName].slice(0, SERIES_MAX).map(([name, points]) => ({ name, points }));
}
