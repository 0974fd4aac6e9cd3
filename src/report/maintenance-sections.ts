/** The tables of a maintenance report: what was done, what was audited, what lies about, how it is used. */
import type { AuditResult, TableAudit } from '../contracts/audit.js';
import type { TableTended, TaskDone } from '../contracts/lake-maintenance.js';
import type { LakeUsage, MaintenanceReport } from '../contracts/maintenance-report.js';
import { bytes, count, instant, plural, score as scoreText } from './format.js';
import { html, type Html } from './html.js';

/** A page of a lake of thousands of tables shows the first of them; all are in the JSON. */
const ROWS_MAX = 200;

type Column = readonly [name: string, isNumber?: boolean];

function table(columns: readonly Column[], rows: readonly Html[]): Html {
  const left = rows.length - ROWS_MAX;
  return html`<div class="scroll" tabindex="0">
      <table>
        <thead>
          <tr>
            ${columns.map(([name, isNumber = false]) => html`<th class="${isNumber ? 'number' : ''}">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.slice(0, ROWS_MAX)}
        </tbody>
      </table>
    </div>
    ${left > 0 ? html`<p class="empty">${count(left)} more are in the JSON beside this page.</p>` : null}`;
}

const TONES: Readonly<Record<TaskDone['outcome'], string>> = {
  ...{ done: 'good', planned: '', nothing: '', kept: 'warn', aside: 'warn', left: 'warn', failed: 'bad' },
};

/** Each task with its outcome, and the table's sizes before and after. */
export function tasksTable(tended: readonly TableTended[]): Html {
  if (tended.length === 0) return html`<p class="empty">No table needed anything.</p>`;
  const rows = tended.flatMap(({ table: name, tasks, before, after }) =>
    tasks.map(({ task, outcome, detail }, index) => {
      const first = (text: string): string => (index === 0 ? text : '');
      return html`<tr>
        <td class="name">${first(name)}</td>
        <td>
          ${task} <span class="pill ${TONES[outcome]}">${outcome}</span><span class="sub">${detail}</span>
        </td>
        <td class="number">${first(`${count(before.files)} → ${count(after.files)}`)}</td>
        <td class="number">${first(`${bytes(before.bytes)} → ${bytes(after.bytes)}`)}</td>
        <td class="number">${first(`${bytes(before.folderBytes)} → ${bytes(after.folderBytes)}`)}</td>
      </tr>`;
    }),
  );
  return table([['Table'], ['Task'], ['Live files', true], ['Live size', true], ['Folder', true]], rows);
}

/** What failed, of every table; tables where all held have one line. */
export function auditTable(audits: readonly TableAudit[]): Html {
  if (audits.length === 0)
    return html`<p class="empty">No table was due: each was audited within the days that are configured.</p>`;
  const rows = [...audits]
    .sort((a, b) => (a.score ?? 1) - (b.score ?? 1))
    .flatMap((audit) => {
      const failed = audit.results.filter(({ outcome }) => outcome === 'failed');
      const resolved = audit.results.filter(({ trend }) => trend === 'resolved');
      return [summaryRow(audit, failed.length), ...[...failed, ...resolved].map(resultRow)];
    });
  return table([['Table'], ['Check'], ['Bad', true], ['Trend'], ['Score', true]], rows);
}

function summaryRow(
  { table: name, version, rows, results, score, scoreBefore }: TableAudit,
  failed: number,
): Html {
  const skipped = results.filter(({ outcome }) => outcome === 'skipped').length;
  const said = failed === 0 ? 'all held' : `${failed} failed`;
  const before = scoreBefore === null || score === null ? '' : `before ${scoreText(scoreBefore)}`;
  return html`<tr>
    <td class="name">${name}<span class="sub">version ${version}, ${plural(rows, 'row')}</span></td>
    <td>
      <span class="pill ${failed === 0 ? 'good' : 'warn'}">${said}</span>
      <span class="sub">${plural(results.length, 'check')}${skipped > 0 ? `, ${skipped} skipped` : ''}</span>
    </td>
    <td></td>
    <td></td>
    <td class="number">${score === null ? '–' : scoreText(score)}<span class="sub">${before}</span></td>
  </tr>`;
}

function resultRow({
  name,
  kind,
  severity,
  outcome,
  detail,
  rows,
  badRows,
  trend,
  before,
  examples,
}: AuditResult): Html {
  const tone = outcome === 'passed' ? 'good' : severity === 'block' ? 'bad' : 'warn';
  const shown =
    examples.length === 0
      ? null
      : html`<details>
          <summary>${plural(examples.length, 'example')}</summary>
          ${examples.map((example) => html`<pre>${Object.entries(example).map(([key, value]) => `${key}: ${value ?? 'null'}\n`)}</pre>`)}
        </details>`;
  const was = before === null ? '' : `${count(before.badRows)} on ${before.at.slice(0, 10)}`;
  return html`<tr>
    <td></td>
    <td>
      ${name} ${name === kind ? null : html`<span class="note">${kind}</span>`}
      <span class="pill ${tone}">${outcome === 'passed' ? 'passed' : severity}</span
      ><span class="sub">${detail}</span>${shown}
    </td>
    <td class="number">${count(badRows)}<span class="sub">of ${count(rows)}</span></td>
    <td>${trend}<span class="sub">${was}</span></td>
    <td></td>
  </tr>`;
}

/** Missing and broken files, and orphans. */
export function damageTable({ facts, unreadable }: MaintenanceReport): Html {
  const rows = [
    ...unreadable.map(
      ({ table: name, reason }) =>
        html`<tr>
          <td class="name">${name}</td>
          <td><span class="pill bad">unreadable</span><span class="sub">${reason}</span></td>
          <td></td>
        </tr>`,
    ),
    ...facts
      .filter(({ fsck }) => fsck.damaged > 0 || fsck.orphans.files > 0)
      .map(
        ({ table: name, fsck: { damaged, findings, orphans } }) =>
          html`<tr>
            <td class="name">${name}</td>
            <td>
              ${damaged === 0 ? html`<span class="pill good">whole</span>` : html`<span class="pill bad">${plural(damaged, 'file')} damaged</span>`}
              ${findings.map(({ path, problem, detail }) => html`<span class="sub">${path}: ${problem}, ${detail}</span>`)}
            </td>
            <td class="number">
              ${plural(orphans.files, 'orphan')}<span class="sub">${bytes(orphans.bytes)}</span>
            </td>
          </tr>`,
      ),
  ];
  if (rows.length === 0)
    return html`<p class="empty">
      Every file that a log names is there with its size, and no orphan lies about.
    </p>`;
  return table([['Table'], ['Files that the log names'], ['Old files that nothing names', true]], rows);
}

/** Layers, then the largest tables. */
export function usageTable({ layers, tables }: LakeUsage): Html {
  if (tables.length === 0) return html`<p class="empty">There is no table.</p>`;
  const growth = (value: number | null, text: (amount: number) => string): string =>
    value === null ? '–' : `${value < 0 ? '−' : '+'}${text(Math.abs(Math.round(value)))}`;
  const line = (name: Html | string, one: LakeUsage['layers'][number] | LakeUsage['tables'][number]): Html =>
    html`<tr>
      <td class="name">${name}</td>
      <td class="number">${count(one.rows)}</td>
      <td class="number">${growth(one.rowsPerDay, count)}</td>
      <td class="number">${count(one.files)}</td>
      <td class="number">${bytes(one.bytes)}</td>
      <td class="number">${growth(one.bytesPerDay, bytes)}</td>
      <td class="number">${bytes(one.folderBytes)}</td>
    </tr>`;
  return table(
    [
      ['Table'],
      ['Rows', true],
      ['per day', true],
      ['Files', true],
      ['Live', true],
      ['per day', true],
      ['Folder', true],
    ],
    [
      ...layers.map((one) =>
        line(html`${one.layer} <span class="note">${plural(one.tables, 'table')}</span>`, one),
      ),
      ...tables.map((one) => line(html`<code>${one.table}</code>`, one)),
    ],
  );
}

/** The tables that are asked for the most. */
export function queriesTable(queries: LakeUsage['queries']): Html {
  if (queries.length === 0) return html`<p class="empty">Nobody has asked for anything yet.</p>`;
  return table(
    [['Table'], ['Queries', true], ['Seconds', true], ['Last']],
    queries.map(
      (one) =>
        html`<tr>
          <td class="name"><code>${one.table}</code></td>
          <td class="number">${count(one.queries)}</td>
          <td class="number">${one.seconds.toFixed(1)}</td>
          <td>${instant(one.lastAt)}</td>
        </tr>`,
    ),
  );
}
