/** The report of a run as one page that opens without a network: no script, font or picture comes from elsewhere. */
import type { ChartData, ReportDocument } from '../contracts/report.js';
import type { RunOutcome } from '../contracts/run.js';
import { chartFigure, coloursOf, WIDE } from './chart.js';
import { count, duration, instant, percent, plural, score as scoreText } from './format.js';
import { html, type Html } from './html.js';
import { ledgerFlow } from './ledger-flow.js';
import { checksTable, quarantineTable, stepsTable, tablesTable } from './sections.js';
import { pageOf } from './shell.js';
import { tile } from './tile.js';

const OUTCOMES: Readonly<Record<RunOutcome, { text: string; tone: string }>> = {
  ok: { text: 'published', tone: 'good' },
  empty: { text: 'nothing new', tone: '' },
  blocked: { text: 'blocked by quality', tone: 'bad' },
  failed: { text: 'failed', tone: 'bad' },
  cancelled: { text: 'cancelled', tone: 'warn' },
};

/** The whole page. Texts of the document may hold anything: they are escaped, and only our own script may run. */
export function renderReport(document: ReportDocument): string {
  const { dataset, quarantine, scores, checks } = document;
  const failed = checks.filter(({ outcome }) => outcome === 'failed').length;
  const judged = checks.filter(({ outcome }) => outcome !== 'skipped').length;
  const verdict =
    judged === 0
      ? ''
      : failed === 0
        ? `all ${judged} judged checks passed`
        : `${failed} of ${judged} judged checks failed`;
  const colours = coloursOf(document.charts);
  const body = html`${hero(document)} ${errorCard(document)} ${tiles(document)}
    <h2>Where the rows went</h2>
    <div class="two">
      <div class="card">${ledgerFlow('Bronze', document.bronze)}</div>
      <div class="card">${ledgerFlow('Silver', document.silver)}</div>
    </div>
    ${document.charts.length === 0 ? null : html`<h2>The data</h2>`}
    <div class="two">${document.charts.map((chart) => chartFigure(chart, colours))}</div>
    <h2>Quality <small>${verdict}</small></h2>
    ${scores.length > 1 ? chartFigure(scoreChart(document), undefined, WIDE) : null}
    <div class="card" style="margin-top:16px">${checksTable(checks)}</div>
    <h2>
      Quarantine
      <small
        >${plural(
          quarantine.reduce((sum, { rows }) => sum + rows, 0),
          'row',
        )}
        of this run</small
      >
    </h2>
    <div class="card">${quarantineTable(quarantine)}</div>
    <h2>Tables</h2>
    <div class="card">${tablesTable(document.tables)}</div>
    <h2>Steps</h2>
    <div class="card">${stepsTable(document)}</div>
    ${document.problems.map((problem) => html`<p class="problems">${problem}</p>`)}`;
  const footer = html`Written by DataLab ${instant(document.reportedAt)} for run
    <code>${document.run.runId}</code> of workflow <code>${document.run.workflowId}</code>. Times are UTC. The
    same as data lies beside this file as JSON.`;
  const title = `${dataset.name}: ${OUTCOMES[document.outcome].text}`;
  return pageOf({ title, kind: 'run report', body, footer });
}

function hero({ dataset, run, outcome, startedAt, reportedAt, sources }: ReportDocument): Html {
  const { text, tone } = OUTCOMES[outcome];
  const took = Date.parse(reportedAt) - Date.parse(startedAt);
  return html`<section class="hero">
    <div class="line">
      <h1>${dataset.name}</h1>
      <span class="pill ${tone}">${text}</span>
    </div>
    ${dataset.description ? html`<p class="about">${dataset.description}</p>` : null}
    <dl class="facts">
      <div>
        <dt>Logical time</dt>
        <dd>${instant(run.logicalTime)}</dd>
      </div>
      <div>
        <dt>Started</dt>
        <dd>${instant(startedAt)}</dd>
      </div>
      <div>
        <dt>Took</dt>
        <dd>${duration(took)}</dd>
      </div>
      <div>
        <dt>Sources</dt>
        <dd>
          ${count(sources.listed)} listed, ${count(sources.ingested)} ingested, ${count(sources.known)} known
        </dd>
      </div>
    </dl>
  </section>`;
}

function errorCard({ error }: ReportDocument): Html | null {
  if (error === null) return null;
  return html`<section class="card error">
    <h3>${error.code}</h3>
    <p>${error.message}</p>
    ${error.remedy === null ? null : html`<p class="remedy">What to do: ${error.remedy}</p>`}
  </section>`;
}

function tiles({ score, bronze, silver, checks }: ReportDocument): Html {
  const wanted = checks.find(({ kind }) => kind === 'score')?.threshold ?? null;
  const refused = bronze.quarantined + silver.quarantined;
  const read = Math.max(bronze.read, silver.read);
  return html`<section class="tiles">
    <div class="card tile">
      ${ring(score, wanted)}
      <div>
        <div class="label">Quality score</div>
        <div class="value">${score === null ? '–' : scoreText(score)}</div>
        <div class="more">
          ${score === null ? 'nothing new to judge' : wanted === null ? null : `at least ${wanted} wanted`}
        </div>
      </div>
    </div>
    ${tile('New in Bronze', count(bronze.accepted), `${count(bronze.read)} read`)}
    ${tile('Taken into Silver', count(silver.accepted), `${plural(silver.duplicate, 'duplicate')}`)}
    ${tile('Set aside', count(refused), read === 0 ? 'nothing read' : `${percent(refused / read)} of what was read`)}
  </section>`;
}

function ring(score: number | null, wanted: number | null): Html {
  const length = 2 * Math.PI * 28;
  const tone =
    score === null || score >= (wanted ?? 0) ? 'good' : score >= (wanted ?? 0) / 2 ? 'warn' : 'bad';
  const shown = (score ?? 0) * length;
  return html`<svg class="ring" viewBox="0 0 66 66" aria-hidden="true">
    <circle class="track" cx="33" cy="33" r="28"></circle>
    ${
      score === null
        ? null
        : html`<circle
            class="${tone}"
            cx="33"
            cy="33"
            r="28"
            stroke-linecap="round"
            stroke-dasharray="${shown.toFixed(2)} ${length.toFixed(2)}"
            transform="rotate(-90 33 33)"
          ></circle>`
    }
  </svg>`;
}

/** Earlier scores and this one. */
function scoreChart({ scores }: ReportDocument): ChartData {
  const points = scores.map(({ at, score }) => [Date.parse(at), score] as const);
  return {
    title: 'Score over runs',
    description: `The last ${scores.length} runs that brought rows, by the time at which they ran.`,
    ...{
      kind: 'line',
      xKind: 'time',
      xName: 'run',
      yName: 'score',
      logarithmic: false,
      categories: [],
      notes: [],
    },
    series: [{ name: 'score', points }],
  };
}
