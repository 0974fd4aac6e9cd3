/** Bars beside names, for amounts that are compared. */
import { html, trusted, type Html } from './html.js';
import { scaleLinear } from 'd3-scale';

export interface Bar {
  readonly name: string;
  readonly value: number;
  /** The value for people. */
  readonly text: string;
}

const WIDTH = 1000;
const ROW = 30;
const LABEL = 260;
const VALUE = 110;

/** A drawing with one bar each, in the order that they are given. */
export function barsOf(bars: readonly Bar[]): Html {
  const length = scaleLinear([0, Math.max(1, ...bars.map(({ value }) => value))], [0, WIDTH - LABEL - VALUE]);
  const rows = bars.map(({ name, value, text }, index) => {
    const y = index * ROW;
    return html`<g>
      <text x="${LABEL - 12}" y="${y + 19}" text-anchor="end">${name}</text>
      <rect
        class="s1"
        x="${LABEL}"
        y="${y + 6}"
        width="${Math.max(2, length(value))}"
        height="${ROW - 12}"
        rx="3"
      ></rect>
      <text class="amount" x="${LABEL + Math.max(2, length(value)) + 10}" y="${y + 19}">${text}</text>
    </g>`;
  });
  const label = bars.map(({ name, text }) => `${name} ${text}`).join(', ');
  return html`${trusted('<svg class="bars"')} viewBox="0 0 ${WIDTH} ${bars.length * ROW}" role="img"
  aria-label="${label}">${rows}${trusted('</svg>')}`;
}
