/** A chart as inline SVG: drawn here, coloured by the page, read out by its script. */
import { area, curveLinear, line } from 'd3-shape';
import type { ChartData, ChartSeries } from '../contracts/report.js';
import { figure } from './format.js';
import { html, jsonData, trusted, type Html } from './html.js';
import { xAxis, yAxis, type Axis } from './scales.js';

/** Size in units of the drawing; half of a page or all of it. */
export interface Frame {
  readonly width: number;
  readonly height: number;
}

const HALF: Frame = { width: 720, height: 300 };
export const WIDE: Frame = { width: 1460, height: 260 };
const LEFT = 52;
const RIGHT = 14;
const TOP = 12;
const BOTTOM = 28;

/** Class of a series' colour, by its name. */
export type Colours = (name: string) => string;

const COLOURS = 8;

/** One colour per name for all charts of a page, so that a name means the same everywhere; a series alone has the first. */
export function coloursOf(charts: readonly ChartData[]): Colours {
  const parted = charts.filter(({ series }) => series.length > 1);
  const names = [...new Set(parted.flatMap(({ series }) => series.map(({ name }) => name)))].sort();
  return (name) => `s${(Math.max(0, names.indexOf(name)) % COLOURS) + 1}`;
}

/** A figure with title, legend, drawing and the points for the reader's pointer. */
export function chartFigure(chart: ChartData, colours: Colours = coloursOf([chart]), frame = HALF): Html {
  const legend =
    chart.series.length > 1
      ? html`<ul class="legend">
          ${chart.series.map(({ name }) => html`<li><i class="${colours(name)}"></i>${name}</li>`)}
        </ul>`
      : null;
  return html`<figure class="card chart">
    <figcaption>
      <h3>${chart.title}</h3>
      ${chart.description ? html`<p>${chart.description}</p>` : null} ${legend}
    </figcaption>
    ${
      chart.series.every(({ points }) => points.length === 0)
        ? html`<p class="empty">There is nothing to draw yet.</p>`
        : drawing(chart, colours, frame)
    }
    ${chart.notes.map((note) => html`<p class="note">${note}</p>`)}
  </figure>`;
}

function drawing(chart: ChartData, colours: Colours, frame: Frame): Html {
  const { width, height } = frame;
  const x = xAxis(chart, LEFT, width - RIGHT);
  const y = yAxis(chart, height - BOTTOM, TOP);
  const label = `${chart.title}: ${chart.yName} by ${chart.xName}, ${chart.series.map(({ name }) => name).join(', ')}`;
  return html`<div class="plot">
    <svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">
      ${grid(x, y, frame)}
      ${chart.series.map((one, index) => marks(chart, one, index, x, y, colours(one.name), height - BOTTOM))}
      <line class="cursor" y1="${TOP}" y2="${height - BOTTOM}" x1="-9" x2="-9"></line>
    </svg>
    <script type="application/json">
      ${jsonData(pointerData(chart, x, colours, width))}
    </script>
  </div>`;
}

function grid(x: Axis, y: Axis, { width, height }: Frame): Html {
  const floor = height - BOTTOM;
  return html`<g class="grid">
      ${y.ticks.map((tick) => html`<line x1="${LEFT}" x2="${width - RIGHT}" y1="${px(tick.at)}" y2="${px(tick.at)}"></line>`)}
    </g>
    <g class="axis">
      ${y.ticks.map((tick) => html`<text x="${LEFT - 8}" y="${px(tick.at + 3.5)}" text-anchor="end">${tick.label}</text>`)}
      ${x.ticks.map((tick) => html`<text x="${px(tick.at)}" y="${floor + 19}" text-anchor="middle">${tick.label}</text>`)}
    </g>`;
}

function marks(
  chart: ChartData,
  { points }: ChartSeries,
  index: number,
  x: Axis,
  y: Axis,
  colour: string,
  bottom: number,
): Html {
  const drawn = chart.logarithmic ? points.filter(([, value]) => value > 0) : points;
  const at = (point: readonly [number, number]): [number, number] => [x.at(point[0]), y.at(point[1])];
  // A logarithmic axis has no zero to stand on.
  const floor = chart.logarithmic ? bottom : y.at(0);
  switch (chart.kind) {
    case 'line':
    case 'area': {
      const places = drawn.map(at);
      const stroke = line(
        ([left]) => left,
        ([, top]) => top,
      )
        .curve(curveLinear)
        .digits(1)(places);
      const fill =
        chart.kind === 'area'
          ? area<[number, number]>(
              ([left]) => left,
              floor,
              ([, top]) => top,
            ).digits(1)(places)
          : null;
      const dots = drawn.length <= 40 ? drawn.map((point) => dot(at(point), 2.6, colour)) : null;
      return html`${fill ? html`<path class="fill ${colour}" d="${fill}"></path>` : null}<path
          class="stroke ${colour}"
          d="${stroke ?? ''}"
        ></path
        >${dots}`;
    }
    case 'scatter':
      return html`${drawn.map((point) => dot(at(point), 3.2, colour))}`;
    case 'bar': {
      const group = barWidth(chart, x);
      const width = group / chart.series.length;
      return html`${drawn.map((point) => {
        const [middle, top] = at(point);
        const left = middle - group / 2 + index * width;
        return html`<rect
          class="bar ${colour}"
          x="${px(left)}"
          width="${px(Math.max(0.5, width - 0.6))}"
          y="${px(Math.min(top, floor))}"
          height="${px(Math.abs(floor - top))}"
        ></rect>`;
      })}`;
    }
  }
}

/** The room of one place on the axis, less a gap. */
function barWidth(chart: ChartData, x: Axis): number {
  const places = [...new Set(chart.series.flatMap(({ points }) => points.map(([at]) => at)))];
  const pixels = places.map((place) => x.at(place)).sort((left, right) => left - right);
  const gaps = pixels.slice(1).map((pixel, index) => pixel - (pixels[index] ?? pixel));
  const narrowest = gaps.reduce((least, gap) => Math.min(least, gap), 60);
  return Math.max(0.8, Math.min(48, narrowest * 0.82));
}

function dot([left, top]: readonly [number, number], radius: number, colour: string): Html {
  return html`<circle class="dot ${colour}" cx="${px(left)}" cy="${px(top)}" r="${radius}"></circle>`;
}

/** Names at every place of the axis, with the values there, for the page's script. */
function pointerData(chart: ChartData, x: Axis, colours: Colours, width: number): unknown {
  const places = new Map<number, { at: number; label: string; values: Array<[number, string]> }>();
  for (const [index, { points }] of chart.series.entries()) {
    for (const [place, value] of points) {
      const known = places.get(place) ?? {
        at: Math.round(x.at(place) * 10) / 10,
        label: nameOf(chart, place),
        values: [],
      };
      known.values.push([index, figure(value)]);
      places.set(place, known);
    }
  }
  const sorted = [...places.values()].sort((left, right) => left.at - right.at);
  const names = chart.series.map(({ name }) => name);
  return { width, names, colours: names.map(colours), places: sorted };
}

function nameOf({ xKind, categories }: ChartData, place: number): string {
  if (xKind === 'category') return categories[place] ?? '';
  if (xKind === 'number') return figure(place);
  const iso = new Date(place).toISOString();
  return iso.endsWith('T00:00:00.000Z') ? iso.slice(0, 10) : `${iso.slice(0, 16).replace('T', ' ')} UTC`;
}

function px(value: number): Html {
  return trusted(String(Math.round(value * 10) / 10));
}
