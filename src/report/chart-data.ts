/** Rows of a chart's SELECT → the points that a screen can show. */
import type { AxisKind, ChartData, ChartDefinition, ChartSeries } from '../contracts/report.js';

/** One row: columns `x`, `y` and `series`, as the engine gives them. */
export interface ChartRow {
  readonly x: unknown;
  readonly y: unknown;
  readonly series: unknown;
}

/** Rows that are read of one SELECT. */
export const ROWS_MAX = 50_000;
const SERIES_MAX = 8;
const CATEGORIES_MAX = 60;
/** Points of one series: more than a chart is wide in pixels tell nothing. */
const POINTS_MAX = 700;

/** The chart's points by series, in order of x. Rows without x or y, and figures that are not finite, are left out. */
export function chartData(definition: ChartDefinition, rows: readonly ChartRow[]): ChartData {
  const { title, description, kind, x, y, logarithmic } = definition;
  const notes: string[] = [];
  if (rows.length > ROWS_MAX) notes.push(`Drawn from the first ${ROWS_MAX} rows only.`);
  const read = rows.slice(0, ROWS_MAX);
  const xKind = kindOf(read);
  const categories = xKind === 'category' ? [...new Set(read.map((row) => String(row.x)))] : [];
  if (categories.length > CATEGORIES_MAX)
    notes.push(`${categories.length - CATEGORIES_MAX} more values of ${x} are left out.`);
  const places = new Map(categories.slice(0, CATEGORIES_MAX).map((name, index) => [name, index]));
  const bySeries = new Map<string, Array<readonly [number, number]>>();
  for (const row of read) {
    const at = xKind === 'category' ? places.get(String(row.x)) : numberOf(row.x, xKind);
    const value = numberOf(row.y, 'number');
    if (at === undefined || value === undefined) continue;
    const name = definition.series === undefined ? y : String(row.series ?? 'none');
    const points = bySeries.get(name) ?? [];
    points.push([at, value]);
    bySeries.set(name, points);
  }
  if (bySeries.size > SERIES_MAX) notes.push(`${bySeries.size - SERIES_MAX} more series are left out.`);
  const series = [...bySeries]
    .slice(0, SERIES_MAX)
    .sort(byName)
    .map(([name, points]): ChartSeries => {
      const sorted = points.sort((left, right) => left[0] - right[0]);
      return { name, points: kind === 'bar' ? sorted : thinned(sorted) };
    });
  return {
    ...{ title, kind, xKind, xName: x, yName: y, logarithmic, categories: [...places.keys()], series, notes },
    ...(description === undefined ? {} : { description }),
  };
}

function byName([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  return left < right ? -1 : 1;
}

const INSTANT = /^\d{4}-\d{2}-\d{2}(T[\d:.]+Z?)?$/;

function kindOf(rows: readonly ChartRow[]): AxisKind {
  const known = rows.filter(({ x }) => x !== null);
  if (known.every(({ x }) => typeof x === 'number' || typeof x === 'bigint')) return 'number';
  return known.every(({ x }) => typeof x === 'string' && INSTANT.test(x)) ? 'time' : 'category';
}

function numberOf(value: unknown, kind: AxisKind): number | undefined {
  if (value === null || value === undefined) return undefined;
  // A time without a zone is UTC, as everywhere in the lake.
  const text =
    typeof value === 'string' && kind === 'time' && /T/.test(value) && !value.endsWith('Z')
      ? `${value}Z`
      : value;
  const number = kind === 'time' ? Date.parse(String(text)) : Number(text);
  return Number.isFinite(number) ? number : undefined;
}

/** Of each stretch of points the lowest and the highest: peaks stay, which a mean would hide. */
function thinned(points: ReadonlyArray<readonly [number, number]>): ReadonlyArray<readonly [number, number]> {
  if (points.length <= POINTS_MAX) return points;
  const size = Math.ceil(points.length / (POINTS_MAX / 2));
  const kept: Array<readonly [number, number]> = [];
  for (let start = 0; start < points.length; start += size) {
    const stretch = points.slice(start, start + size);
    const low = stretch.reduce((least, point) => (point[1] < least[1] ? point : least));
    const high = stretch.reduce((most, point) => (point[1] > most[1] ? point : most));
    if (low === high) kept.push(low);
    else kept.push(...(low[0] <= high[0] ? [low, high] : [high, low]));
  }
  return kept;
}
