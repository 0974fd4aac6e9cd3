/** Axes of a chart: where a value is drawn, and which values are named. */
import { scaleLinear, scaleLog, scalePoint, scaleUtc } from 'd3-scale';
import type { ChartData } from '../contracts/report.js';
import { compact } from './format.js';

export interface Axis {
  /** Value → pixel. */
  at(value: number): number;
  readonly ticks: ReadonlyArray<{ readonly at: number; readonly label: string }>;
}

/** The horizontal axis, from pixel `from` to pixel `to`. */
export function xAxis(chart: ChartData, from: number, to: number): Axis {
  const values = chart.series.flatMap(({ points }) => points.map(([x]) => x));
  const domain = extent(values);
  const pixels = to - from;
  if (chart.xKind === 'category') {
    const names = chart.categories.map((_name, index) => String(index));
    const scale = scalePoint(names, [from, to]).padding(0.5);
    const every = Math.max(1, Math.ceil(names.length / Math.max(1, Math.floor(pixels / 70))));
    return {
      at: (value) => scale(String(value)) ?? from,
      ticks: chart.categories.flatMap((label, index) =>
        index % every === 0 ? [{ at: scale(String(index)) ?? from, label: cut(label) }] : [],
      ),
    };
  }
  const wanted = Math.max(2, Math.floor(pixels / 90));
  if (chart.xKind === 'time') return timeAxis(values, [from, to], wanted);
  const scale = scaleLinear(domain, [from, to]).nice(wanted);
  return {
    at: (value) => scale(value),
    ticks: scale.ticks(wanted).map((tick) => ({ at: scale(tick), label: compact(tick) })),
  };
}

/** A few days are named themselves: ticks between them would name times that nothing was measured at. */
function timeAxis(values: readonly number[], pixels: [number, number], wanted: number): Axis {
  const times = [...new Set(values)].sort((a, b) => a - b);
  const [first = 0, last = first] = [times[0], times.at(-1)];
  const room = first === last ? DAY_MS : 0;
  const scale = scaleUtc([new Date(first - room), new Date(last + room)], pixels);
  const isFew =
    last - first <= FEW_DAYS * DAY_MS &&
    times.length <= wanted &&
    times.every((time, at) => at === 0 || scale(time) - scale(times[at - 1] ?? time) >= APART);
  const ticks = isFew ? times.map((time) => new Date(time)) : scale.ticks(wanted);
  return {
    at: (value) => scale(new Date(value)),
    ticks: ticks.map((tick) => ({ at: scale(tick), label: isFew ? dayLabel(tick) : timeLabel(tick) })),
  };
}

/** The vertical axis: `bottom` is the larger pixel. A logarithmic one leaves out what is not positive. */
export function yAxis(chart: ChartData, bottom: number, top: number): Axis {
  const values = chart.series.flatMap(({ points }) => points.map(([, y]) => y));
  const wanted = Math.max(2, Math.floor((bottom - top) / 44));
  if (chart.logarithmic) {
    const [low, high] = extent(values.filter((value) => value > 0));
    const scale = scaleLog([low / 1.15, high * 1.15], [bottom, top]);
    // Powers of ten first: whatever comes too near to a tick that is there already goes unnamed.
    const ranked = scale.ticks(wanted).sort((left, right) => leading(left) - leading(right));
    const ticks: Array<{ at: number; label: string }> = [];
    for (const tick of ranked) {
      const at = scale(tick);
      if (ticks.every((shown) => Math.abs(shown.at - at) > NEAR)) ticks.push({ at, label: compact(tick) });
    }
    return { at: (value) => scale(value), ticks };
  }
  const [low, high] = extent(values);
  const fromZero = chart.kind === 'bar' || chart.kind === 'area' || (low >= 0 && low < high / 2);
  const scale = scaleLinear(
    [fromZero ? Math.min(0, low) : low, fromZero ? Math.max(0, high) : high],
    [bottom, top],
  );
  scale.nice(wanted);
  return {
    at: (value) => scale(value),
    ticks: scale.ticks(wanted).map((tick) => ({ at: scale(tick), label: compact(tick) })),
  };
}

const DAY_MS = 24 * 3600_000;
const FEW_DAYS = 60;
/** Pixels between two dates that can both be read. */
const APART = 60;

/** Pixels below which two labels run into each other. */
const NEAR = 20;

/** How round a number is on a logarithmic axis: 1, 2 and 5 before the others. */
function leading(value: number): number {
  const digit = Math.round(value / 10 ** Math.floor(Math.log10(value) + 1e-9));
  return [1, 2, 5].includes(digit) ? [1, 2, 5].indexOf(digit) : 10 + digit;
}

const days = new Intl.DateTimeFormat('en-US', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const months = new Intl.DateTimeFormat('en-US', { month: 'short', timeZone: 'UTC' });

/** The day of a date, the time of what is none. */
function dayLabel(time: Date): string {
  const iso = time.toISOString();
  return iso.endsWith('T00:00:00.000Z') ? days.format(time) : iso.slice(11, 16);
}

/** As much as tells a tick from its neighbours: the year at its beginning, else month, day or time. */
function timeLabel(tick: Date): string {
  const iso = tick.toISOString();
  if (!iso.endsWith('T00:00:00.000Z')) return iso.slice(11, iso.endsWith(':00.000Z') ? 16 : 19);
  if (tick.getUTCDate() !== 1) return days.format(tick);
  return tick.getUTCMonth() === 0 ? iso.slice(0, 4) : months.format(tick);
}

/** Smallest and largest; one value alone gets room on both sides. */
function extent(values: readonly number[]): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return [1, 2];
  if (low < high) return [low, high];
  const room = low === 0 ? 1 : Math.abs(low) * 0.5;
  return [low - room, high + room];
}

function cut(label: string): string {
  return label.length > 14 ? `${label.slice(0, 13)}…` : label;
}
