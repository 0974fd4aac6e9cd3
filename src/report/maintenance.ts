/** The report of a run of the maintenance as one page that opens without a network. */
import type {
  MaintenanceOutcome,
  MaintenanceReport,
  Recommendation,
} from '../contracts/maintenance-report.js';
import { barsOf } from './bars.js';
import { chartFigure, coloursOf, WIDE } from './chart.js';
import { bytes, count, duration, instant, plural, score as scoreText } from './format.js';
import { html, type Html } from './html.js';
import { ingestionChart, sizeChart } from './maintenance-charts.js';
import { auditTable, damageTable, queriesTable, tasksTable, usageTable } from './maintenance-sections.js';
import { pageOf } from './shell.js';
import { tile } from './tile.js';

const OUTCOMES: Readonly<Record<MaintenanceOutcome, { text: string; tone: string }>> = {
  ok: { text: 'all is well', tone: 'good' },
  attention: { text: 'wants attention', tone: 'warn' },
};
const BARS_MAX = 12;

/** The whole page; texts may hold anything, they are escaped. */
export function renderMaintenance(report: MaintenanceReport): string {
  const { run, usage, audits, recommendations, tended, finishedAt } = report;
  const charts = [sizeChart(usage), ingestionChart(usage)].filter((chart) => chart !== null);
  const colours = coloursOf(charts);
  const failed = audits
    .flatMap(({ results }) => results)
    .filter(({ outcome }) => outcome === 'failed').length;
  const body = html`${hero(report)} ${tiles(report)}
    <h2>
      Recommendations <small>${recommendations.length === 0 ? 'none' : 'what is wrong comes first'}</small>
    </h2>
    <div class="card">${advice(recommendations)}</div>
    <h2>
      Quality of the published data
      <small
        >${audits.length === 0 ? 'nothing was audited' : `${plural(audits.length, 'table')}, ${count(failed)} failed`}</small
      >
    </h2>
    <div class="card">${auditTable(audits)}</div>
    <h2>
      What was done
      <small>${plural(tended.length, 'table')}, ${count(report.ending.healthy)} healthy and left alone</small>
    </h2>
    ${freed(report)}
    <div class="card">${tasksTable(tended)}</div>
    <h2>Files against the log</h2>
    <div class="card">${damageTable(report)}</div>
    <h2>Size and use</h2>
    <div class="two">
      ${charts.map((chart) => chartFigure(chart, colours, charts.length === 1 ? WIDE : undefined))}
    </div>
    ${largest(report)}
    <div class="card" style="margin-top:16px">${usageTable(usage)}</div>
    <h2>Asked for <small>SQL of the last 30 days, from the command line and the dashboard</small></h2>
    <div class="card">${queriesTable(usage.queries)}</div>
    <h2>Backup</h2>
    <div class="card">${backup(report)}</div>
    ${report.ending.problems.map((problem) => html`<p class="problems">${problem}</p>`)}`;
  const footer = html`Written by DataLab ${instant(finishedAt)} for run <code>${run.runId}</code> of workflow
    <code>${run.workflowId}</code>. Times are UTC. The same as data lies beside this file as JSON.`;
  return pageOf({ title: `Maintenance, ${instant(run.at)}`, kind: 'maintenance report', body, footer });
}

const SCOPES = { audit: 'Audit of the lake', fsck: 'Check of the lake’s files' } as const;

function hero({ run, outcome, startedAt, finishedAt, lake, previous }: MaintenanceReport): Html {
  const { text, tone } = OUTCOMES[outcome];
  const scope = [...(run.datasets ?? []), ...(run.tables ?? [])].join(', ');
  const fact = (name: string, value: string): Html =>
    html`<div>
      <dt>${name}</dt>
      <dd>${value}</dd>
    </div>`;
  return html`<section class="hero">
    <div class="line">
      <h1>${run.only ? SCOPES[run.only] : 'Maintenance of the lake'}</h1>
      <span class="pill ${tone}">${run.dryRun ? 'dry run: ' : ''}${text}</span>
    </div>
    <dl class="facts">
      ${fact('Started', instant(startedAt))}
      ${fact('Took', duration(Date.parse(finishedAt) - Date.parse(startedAt)))} ${fact('Lake', lake)}
      ${scope === '' ? null : fact('Only', scope)}
      ${fact('Compared with', previous === null ? 'nothing yet' : instant(previous.at))}
    </dl>
  </section>`;
}

function tiles({ totals, previous, ending, run, backup: standing, tended }: MaintenanceReport): Html {
  const before = previous?.totals;
  const more = (now: number, then: number | undefined, text: (value: number) => string): string =>
    then === undefined
      ? ''
      : now === then
        ? 'as last time'
        : `${now > then ? '+' : '−'}${text(Math.abs(now - then))} since last time`;
  const newest = standing.newest;
  return html`<section class="tiles">
    ${tile('Tables', count(totals.tables), `${count(ending.healthy)} healthy, ${count(tended.length)} ${run.dryRun ? 'in need' : 'worked on'}`)}
    ${tile('Rows', count(totals.rows), more(totals.rows, before?.rows, count))}
    ${tile('In the lake', bytes(totals.folderBytes), more(totals.folderBytes, before?.folderBytes, bytes) || `${plural(totals.files, 'live file')}`)}
    ${tile('Freed', bytes(totals.freedBytes), 'measured by listing, before and after')}
    ${tile('Quality score', totals.score === null ? '–' : scoreText(totals.score), totals.checks === 0 ? 'nothing was audited' : `${count(totals.failedChecks)} of ${plural(totals.checks, 'check')} failed`)}
    ${tile('Rows past their time', count(totals.rowsExpired), 'taken out by retention')}
    ${tile('Damaged tables', count(totals.damaged), `${plural(totals.orphans.files, 'orphan')}, ${bytes(totals.orphans.bytes)}`)}
    ${tile('Newest backup', newest ? newest.at.slice(0, 10) : '–', newest ? `${newest.at.slice(11, 16)} UTC, ${plural(newest.tables, 'table')}, ${bytes(newest.bytes)}` : standing.configured ? 'none was made yet' : 'none is configured')}
  </section>`;
}

function advice(recommendations: readonly Recommendation[]): Html {
  if (recommendations.length === 0) return html`<p class="empty">Nothing is left to do.</p>`;
  return html`<ul class="advice">
    ${recommendations.map(
      ({ weight, subject, reason, setting, command }) =>
        html`<li>
          <span><span class="pill ${weight === 'act' ? 'bad' : ''}">${weight}</span></span>
          <p><b>${subject}</b>: ${reason}</p>
          ${setting === undefined ? null : html`<small>${setting}</small>`}
          <code>${command}</code>
        </li>`,
    )}
  </ul>`;
}

/** The tables that gave back the most. */
function freed({ tended }: MaintenanceReport): Html | null {
  const bars = tended
    .map(({ table, before, after }) => ({ name: table, value: before.folderBytes - after.folderBytes }))
    .filter(({ value }) => value > 0)
    .sort((left, right) => right.value - left.value)
    .slice(0, BARS_MAX)
    .map((bar) => ({ ...bar, text: bytes(bar.value) }));
  if (bars.length === 0) return null;
  return html`<figure class="card chart" style="margin-bottom:16px">
    <figcaption><h3>Space given back</h3></figcaption>
    ${barsOf(bars)}
  </figure>`;
}

function largest({ usage }: MaintenanceReport): Html | null {
  const bars = usage.tables
    .filter(({ folderBytes }) => folderBytes > 0)
    .slice(0, BARS_MAX)
    .map(({ table, folderBytes }) => ({ name: table, value: folderBytes, text: bytes(folderBytes) }));
  if (bars.length === 0) return null;
  return html`<figure class="card chart" style="margin-top:16px">
    <figcaption>
      <h3>Largest tables</h3>
      <p>Everything in their folders, earlier versions and logs included.</p>
    </figcaption>
    ${barsOf(bars)}
  </figure>`;
}

function backup({ backup: standing, ending }: MaintenanceReport): Html {
  const { newest, configured } = standing;
  const { create, drill, plan } = ending.backup ?? {};
  if (!configured) return html`<p class="empty">No place for backups is configured.</p>`;
  const lines = [
    newest
      ? `The newest backup, ${newest.id}, holds ${plural(newest.tables, 'table')} and ${bytes(newest.bytes)}.`
      : 'There is no backup yet.',
    ...(plan
      ? [
          `A backup of ${plural(plan.tables, 'table')} would copy at most ${plural(plan.copiedObjects, 'object')} (${bytes(plan.copiedBytes)}).`,
        ]
      : []),
    ...(create
      ? [
          `This run backed up ${plural(create.tables, 'table')}: ${plural(create.copiedObjects, 'object')} (${bytes(create.copiedBytes)}) copied, ${plural(create.objects - create.copiedObjects, 'object')} there already.`,
        ]
      : []),
    ...(drill
      ? [
          `The drill restored ${plural(drill.tables, 'table')} (${bytes(drill.bytes)}) and found every row equal.`,
        ]
      : []),
  ];
  return html`<div style="padding:16px 20px">${lines.map((line) => html`<p>${line}</p>`)}</div>`;
}
