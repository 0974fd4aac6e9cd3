/** The ledger of a layer as a flow: what was read on the left, what became of it on the right. */
import type { Ledger } from '../contracts/ledger.js';
import { count, percent } from './format.js';
import { html, trusted, type Html } from './html.js';

const WIDTH = 520;
const TOP = 14;
const FLOW = 150;
const GAP = 34;
const BAR = 12;
const RIGHT = 300;
/** Something is always to be seen, however few the rows. */
const THINNEST = 2.5;

interface Branch {
  readonly name: string;
  readonly rows: number;
  readonly tone: 'good' | 'calm' | 'warn';
}

/** One layer's flow. Outcomes without a row are named and not drawn. */
export function ledgerFlow(layer: string, ledger: Ledger): Html {
  const { read, accepted, duplicate, quarantined } = ledger;
  const branches: Branch[] = [
    { name: 'accepted', rows: accepted, tone: 'good' },
    ...(layer === 'Silver' ? [{ name: 'duplicate', rows: duplicate, tone: 'calm' as const }] : []),
    { name: 'quarantined', rows: quarantined, tone: 'warn' },
  ];
  const caption = `${count(read)} read = ${branches.map(({ name, rows }) => `${count(rows)} ${name}`).join(' + ')}`;
  const height = TOP * 2 + FLOW + GAP * (branches.length - 1);
  return html`<figure class="flow">
    <figcaption>
      <h3>${layer}</h3>
      <p>${caption}</p>
    </figcaption>
    ${
      read === 0
        ? html`<p class="empty">This run brought nothing here to read.</p>`
        : html`<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${layer}: ${caption}">
            ${draw(read, branches)}
          </svg>`
    }
  </figure>`;
}

function draw(read: number, branches: readonly Branch[]): Html {
  const thick = (rows: number): number => (rows === 0 ? 0 : Math.max(THINNEST, (rows / read) * FLOW));
  const middle = TOP + (GAP * (branches.length - 1)) / 2;
  const total = branches.reduce((sum, { rows }) => sum + thick(rows), 0);
  let left = middle;
  let right = TOP;
  const parts = branches.map(({ name, rows, tone }) => {
    const size = thick(rows);
    const ribbon =
      size === 0 ? null : html`<path class="ribbon ${tone}" d="${band(left, right, size)}"></path>`;
    const end = html`${ribbon}${
        size === 0
          ? null
          : html`<rect
              class="node ${tone}"
              x="${RIGHT}"
              y="${right}"
              width="${BAR}"
              height="${size}"
              rx="2"
            ></rect>`
      }<text class="branch" x="${RIGHT + BAR + 12}" y="${right + size / 2 + 1}">
        <tspan class="rows">${count(rows)}</tspan>
        <tspan class="name" dx="4">${name}</tspan>
        <tspan class="share" dx="4">${percent(rows / read)}</tspan>
      </text>`;
    left += size;
    right += size + GAP;
    return end;
  });
  return html`<rect class="node read" x="96" y="${middle}" width="${BAR}" height="${total}" rx="2"></rect>
    <text class="branch" x="84" y="${middle + total / 2 - 2}" text-anchor="end">
      <tspan class="rows" x="84">${count(read)}</tspan>
      <tspan class="name" x="84" dy="17">read</tspan>
    </text>
    ${parts}`;
}

function band(left: number, right: number, size: number): Html {
  const [from, to, bend] = [96 + BAR, RIGHT, (96 + BAR + RIGHT) / 2];
  return trusted(
    `M${from},${left}C${bend},${left} ${bend},${right} ${to},${right}` +
      `V${right + size}C${bend},${right + size} ${bend},${left + size} ${from},${left + size}Z`,
  );
}
