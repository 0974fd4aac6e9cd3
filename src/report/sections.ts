/** The tables of a report: checks, table versions, steps, refused rows. */
import type { CheckResult } from '../contracts/quality.js';
import type { RefusedRows, ReportDocument } from '../contracts/report.js';
import type { StepRecord, TableState } from '../contracts/run.js';
import { bytes, checkFigures, count, duration, plural } from './format.js';
import { html, trusted, type Html } from './html.js';

/** Failed checks first, those that block before all. */
export function checksTable(checks: readonly CheckResult[]): Html {
  if (checks.length === 0) return html`<p class="empty">Nothing was new, so nothing was judged.</p>`;
  const rank = ({ outcome, severity }: CheckResult): number =>
    outcome === 'failed' ? (severity === 'block' ? 0 : 1) : outcome === 'passed' ? 2 : 3;
  const sorted = [...checks].sort((left, right) => rank(left) - rank(right));
  return html`<div class="scroll" tabindex="0">
    <table>
      <thead>
        <tr>
          <th>Check</th>
          <th>Outcome</th>
          <th class="number">Measured</th>
          <th class="number">Wanted</th>
          <th class="number">Bad rows</th>
          <th>Good</th>
          <th>Severity</th>
        </tr>
      </thead>
      <tbody>
        ${sorted.map(checkRow)}
      </tbody>
    </table>
  </div>`;
}

function checkRow(check: CheckResult): Html {
  const { name, kind, outcome, severity, detail, rows, badRows, share, examples } = check;
  const { measured, wanted } = checkFigures(check);
  const tone =
    outcome === 'passed' ? 'good' : outcome === 'skipped' ? '' : severity === 'block' ? 'bad' : 'warn';
  const places =
    examples.length === 0
      ? null
      : html`<details>
          <summary>${plural(examples.length, 'example')}</summary>
          <ul>
            ${examples.map(({ file, line }) => html`<li><code>${fileName(file)}:${line}</code></li>`)}
          </ul>
        </details>`;
  return html`<tr>
    <td class="name">
      ${name}${name === kind ? null : html` <span class="note">${kind}</span>`}<span class="sub"
        >${detail}</span
      >${places}
    </td>
    <td><span class="pill ${tone}">${outcome}</span></td>
    <td class="number">${measured}</td>
    <td class="number">${wanted}</td>
    <td class="number">${rows === 0 ? '–' : count(badRows)}</td>
    <td>${outcome === 'skipped' ? null : gauge(share, tone)}</td>
    <td>${severity}</td>
  </tr>`;
}

function gauge(share: number, tone: string): Html {
  return html`<span class="gauge" title="${share.toFixed(3)}"
    ><i class="${tone === 'good' ? '' : tone}" style="width:${width(share)}"></i
  ></span>`;
}

/** Table versions as the run left them. */
export function tablesTable(tables: readonly TableState[]): Html {
  if (tables.length === 0) return html`<p class="empty">The run came to no table.</p>`;
  return html`<div class="scroll" tabindex="0">
    <table>
      <thead>
        <tr>
          <th>Table</th>
          <th class="number">Version</th>
          <th class="number">Rows</th>
          <th class="number">Files</th>
          <th></th>
        </tr>
      </thead>
      <tbody>
        ${tables.map(
          ({ table, version, rows, files, changed }) =>
            html`<tr>
              <td class="name"><code>${table}</code></td>
              <td class="number">${version}</td>
              <td class="number">${count(rows)}</td>
              <td class="number">${count(files)}</td>
              <td>
                <span class="pill ${changed ? 'good' : ''}">${changed ? 'published' : 'unchanged'}</span>
              </td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** Steps on a common line of time, so that what ran side by side is seen to. */
export function stepsTable({ steps, startedAt, reportedAt }: ReportDocument): Html {
  if (steps.length === 0) return html`<p class="empty">No step was completed.</p>`;
  const from = Math.min(Date.parse(startedAt), ...steps.map((step) => Date.parse(step.startedAt)));
  const to = Math.max(Date.parse(reportedAt), ...steps.map((step) => Date.parse(step.finishedAt)));
  return html`<div class="scroll" tabindex="0">
    <table>
      <thead>
        <tr>
          <th>Step</th>
          <th class="number">Took</th>
          <th class="number">Attempt</th>
          <th class="number">Rows</th>
          <th class="number">Bytes</th>
          <th style="width:34%">From start to end of the run</th>
        </tr>
      </thead>
      <tbody>
        ${steps.map((step) => stepRow(step, from, Math.max(1, to - from)))}
      </tbody>
    </table>
  </div>`;
}

function stepRow(step: StepRecord, fromMs: number, spanMs: number): Html {
  const started = Date.parse(step.startedAt);
  const took = Date.parse(step.finishedAt) - started;
  const place = `left:${width((started - fromMs) / spanMs)};width:${width(took / spanMs)}`;
  return html`<tr>
    <td class="name">${step.step}<span class="sub">${step.detail}</span></td>
    <td class="number">${duration(took)}</td>
    <td class="number">${step.attempt > 1 ? html`<span class="pill warn">${step.attempt}</span>` : '1'}</td>
    <td class="number">${step.rows > 0 ? count(step.rows) : '–'}</td>
    <td class="number">${step.bytes > 0 ? bytes(step.bytes) : '–'}</td>
    <td>
      <div class="track"><i class="${step.outcome}" style="${place}"></i></div>
    </td>
  </tr>`;
}

/** What each rule refused, with the first rows of it. */
export function quarantineTable(refused: readonly RefusedRows[]): Html {
  if (refused.length === 0) return html`<p class="empty">No row of this run was refused.</p>`;
  return html`<div class="scroll" tabindex="0">
    <table>
      <thead>
        <tr>
          <th>Rule</th>
          <th>Layer</th>
          <th class="number">Rows</th>
          <th>Examples</th>
        </tr>
      </thead>
      <tbody>
        ${refused.map(
          ({ layer, rule, reason, rows, examples }) =>
            html`<tr>
              <td class="name"><code>${rule}</code><span class="sub">${reason}</span></td>
              <td>${layer}</td>
              <td class="number">${count(rows)}</td>
              <td>
                <details>
                  <summary>${plural(examples.length, 'row')}</summary>
                  ${examples.map(
                    ({ file, line, raw }) =>
                      html`<code
                          >${fileName(file ?? 'unknown source')}${line === null ? null : html`:${line}`}</code
                        >
                        <pre>${raw ?? 'the whole file'}</pre>`,
                  )}
                </details>
              </td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** The last two parts of a path tell files apart well enough for a page. */
function fileName(path: string): string {
  return path.split('/').slice(-2).join('/');
}

function width(share: number): Html {
  return trusted(`${(Math.max(0, Math.min(1, Number.isFinite(share) ? share : 0)) * 100).toFixed(2)}%`);
}
