/** What every page has: its head, with the only script that may run, the bar on top, and the foot. */
import { createHash } from 'node:crypto';
import { html, trusted, type Html } from './html.js';
import { SCRIPT } from './script.js';
import { STYLE } from './style.js';

export interface Page {
  readonly title: string;
  /** What kind of report it is, beside the name in the bar. */
  readonly kind: string;
  readonly body: Html;
  readonly footer: Html;
}

/** The whole page: it needs no network, and only our own script may run in it. */
export function pageOf({ title, kind, body, footer }: Page): string {
  const hash = createHash('sha256').update(SCRIPT).digest('base64');
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="generator" content="DataLab" />
        <title>${title} · DataLab</title>
        ${trusted(`<style>${STYLE}</style>`)}
      </head>
      <body>
        <header class="bar">
          <div>
            <div class="brand">${MARK} DataLab <span>${kind}</span></div>
            <button class="theme" type="button" hidden></button>
          </div>
        </header>
        <main>${body}</main>
        <footer>${footer}</footer>
        ${trusted(`<script>${SCRIPT}</script>`)}
      </body>
    </html>`.text;
}

const MARK = trusted(
  '<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linejoin="round" aria-hidden="true">' +
    '<path d="M12 3 3 7.5l9 4.5 9-4.5z"/><path d="m3 12 9 4.5 9-4.5"/><path d="m3 16.5 9 4.5 9-4.5"/></svg>',
);
