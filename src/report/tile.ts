/** One figure with its name, and what it is made of. */
import { html, type Html } from './html.js';

export function tile(label: string, value: string, more: string): Html {
  return html`<div class="card tile">
    <div>
      <div class="label">${label}</div>
      <div class="value">${value}</div>
      <div class="more">${more}</div>
    </div>
  </div>`;
}
