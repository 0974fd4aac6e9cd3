/** The report of a training as one page: what was tried, how it did beside naive rules, and what the gate said. */
import { THRESHOLD, type ModelDefinition } from '../contracts/model.js';
import type { ChartData } from '../contracts/report.js';
import type { RunRef } from '../contracts/run.js';
import type { Evaluation, GateResult, Judged, TrainedCandidate } from '../contracts/training.js';
import { chartFigure } from './chart.js';
import { count, figure, instant } from './format.js';
import { html, type Html } from './html.js';
import { pageOf } from './shell.js';

export interface ModelReport {
  readonly model: ModelDefinition;
  readonly run: RunRef;
  readonly plan: {
    readonly goldVersion: number;
    readonly leftOut?: ReadonlyArray<{ readonly name: string; readonly reason: string }>;
  };
  readonly evaluation: Evaluation;
  readonly gate: GateResult;
  readonly candidates: readonly TrainedCandidate[];
  readonly reportedAt: string;
}

/** The whole page. Nothing in it comes from elsewhere. */
export function renderModelReport(report: ModelReport): string {
  const { model, evaluation, gate, run, plan } = report;
  const { rows, metric } = evaluation;
  const rivals: Judged[] = [
    ...evaluation.candidates,
    ...(evaluation.champion ? [evaluation.champion] : []),
    ...evaluation.baselines,
  ];
  const body = html`<div class="hero">
      <div class="line">
        <h1>${model.name}</h1>
        ${pill(gate.passed)}
      </div>
      <p class="about">${model.description}</p>
      <dl class="facts">
        <div>
          <dt>Data</dt>
          <dd>gold.${model.table} version ${plan.goldVersion}</dd>
        </div>
        <div>
          <dt>Learned from</dt>
          <dd>${count(rows.train)} rows</dd>
        </div>
        <div>
          <dt>Held out</dt>
          <dd>${count(rows.holdout)} rows, ${rows.from.slice(0, 10)} to ${rows.to.slice(0, 10)}</dd>
        </div>
        <div>
          <dt>Best</dt>
          <dd>${evaluation.winner}</dd>
        </div>
        ${evaluation.interval ? intervalOf(metric, evaluation.interval) : null}
      </dl>
    </div>
    <h2>Gate</h2>
    <div class="card">
      ${table(
        ['Rule', 'Outcome', 'Measured'],
        gate.rules.map(({ rule, passed, detail }) => [rule, pill(passed), detail]),
        3,
      )}
    </div>
    <h2>On the holdout</h2>
    <div class="two">
      ${chartFigure(bars(metric, `${metric} of candidates, champion and naive rules on the same rows.`, rivals, metric))}
      ${chartFigure(bars('Over time', `${metric} of ${evaluation.winner}, by half-year.`, evaluation.byPeriod, metric))}
    </div>
    <div class="card" style="margin-top:16px">${metricsTable(rivals, evaluation.winner)}</div>
    <h2>By key</h2>
    <div class="card">
      ${metricsTable(evaluation.byKey.map(({ name, metrics }) => ({ name: keyOf(name), metrics })))}
    </div>
    ${features(evaluation)} ${evaluation.confusion ? confusion(evaluation.confusion) : null}
    ${evaluation.classes ? classes(evaluation.classes) : null} ${calibration(evaluation)}
    ${candidates(report)}`;
  const footer = html`Written by DataLab for run <code>${run.runId}</code> of workflow
    <code>${run.workflowId}</code>, for ${instant(report.reportedAt)}. Times are UTC.`;
  const title = `${model.name}: ${gate.passed ? 'passed' : 'refused'}`;
  return pageOf({ title, kind: 'model report', body, footer });
}

const intervalOf = (metric: string, { low, high }: NonNullable<Evaluation['interval']>): Html =>
  html`<div>
    <dt>${metric}, 95 % of resamplings</dt>
    <dd>${fixed(low)} to ${fixed(high)}</dd>
  </div>`;

function candidates(report: ModelReport): Html {
  return html`<h2>Candidates <small>judged by walking forward</small></h2>
    <div class="card">
      ${table(
        ['Candidate', 'Best parameters', 'Tried', ...Object.keys(report.candidates[0]?.validation ?? {})],
        report.candidates.map(({ name, parameters, tried, validation }) => [
          name,
          Object.entries(parameters)
            .map(([key, value]) => `${key} ${value}`)
            .join(', '),
          String(tried),
          ...Object.values(validation).map(fixed),
        ]),
        2,
      )}
    </div>
    ${(report.plan.leftOut ?? []).map(({ name, reason }) => html`<p class="note">${name} was left out: ${reason}.</p>`)}`;
}

function features({ importance, drift, metric }: Evaluation): Html {
  return html`<h2>What it looks at, and what has moved</h2>
    <div class="two">
      <div class="card">
        ${table(
          ['Feature', `Loss of ${metric} when shuffled`],
          importance.slice(0, 20).map(({ feature, loss }) => [feature, figure(loss)]),
        )}
      </div>
      <div class="card">
        ${table(
          ['Feature', 'Shift (PSI) to the newest rows'],
          drift.slice(0, 20).map(({ feature, psi }) => [feature, figure(psi)]),
        )}
      </div>
    </div>`;
}

function bars(title: string, description: string, judged: readonly Judged[], metric: string): ChartData {
  const known = judged.filter(({ metrics }) => metrics[metric] !== undefined);
  return {
    ...{
      title,
      description,
      kind: 'bar',
      xKind: 'category',
      xName: 'name',
      yName: metric,
      logarithmic: false,
    },
    categories: known.map(({ name }) => name),
    series: [
      { name: metric, points: known.map(({ metrics }, index) => [index, metrics[metric] ?? 0] as const) },
    ],
    notes: [],
  };
}

const pill = (passed: boolean): Html =>
  html`<span class="pill ${passed ? 'good' : 'bad'}">${passed ? 'passed' : 'refused'}</span>`;

/** As many digits in every row, so that rows can be compared at a glance. */
const fixed = (value: number): string => value.toFixed(4);

/** A key is a JSON list of its values. */
function keyOf(name: string): string {
  try {
    return (JSON.parse(name) as unknown[]).map(String).join(', ');
  } catch {
    return name;
  }
}

function metricsTable(judged: readonly Judged[], best?: string): Html {
  const names = [...new Set(judged.flatMap(({ metrics }) => Object.keys(metrics)))];
  return table(
    ['', ...names],
    judged.map(({ name, metrics }) => [
      name === best ? html`<b>${name}</b>` : name,
      ...names.map((key) => (metrics[key] === undefined ? '–' : fixed(metrics[key]))),
    ]),
  );
}

function confusion({ tp, fp, tn, fn, threshold = THRESHOLD }: NonNullable<Evaluation['confusion']>): Html {
  return html`<h2>Confusion, where yes is said from ${threshold} on</h2>
    <div class="card">
      ${table(
        ['', 'said yes', 'said no'],
        [
          ['was yes', count(tp), count(fn)],
          ['was no', count(fp), count(tn)],
        ],
      )}
    </div>`;
}

function classes({ names, confusion: counts }: NonNullable<Evaluation['classes']>): Html {
  const said = names.map((_, place) => counts.reduce((sum, line) => sum + (line[place] ?? 0), 0));
  return html`<h2>Confusion of classes</h2>
    <div class="card">
      ${table(
        ['', ...names.map((name) => `said ${name}`), 'rows', 'found'],
        [
          ...counts.map((line, place) => {
            const rows = line.reduce((sum, value) => sum + value, 0);
            const right = line[place] ?? 0;
            return [
              `was ${names[place] ?? ''}`,
              ...line.map((value, at) => (at === place ? html`<b>${count(value)}</b>` : count(value))),
              count(rows),
              share(right, rows),
            ];
          }),
          [
            'right of those',
            ...said.map((rows, place) => share(counts[place]?.[place] ?? 0, rows)),
            count(said.reduce((sum, value) => sum + value, 0)),
            '',
          ],
        ],
      )}
    </div>`;
}

function calibration({ calibration: tenths, classes: named }: Evaluation): Html | null {
  if (tenths.length === 0) return null;
  return html`<h2>Calibration <small>of ${named ? 'the class that was said' : 'yes'}</small></h2>
    <div class="card">
      ${table(
        ['Probability', named ? 'Right' : 'Was yes', 'Rows'],
        tenths.map(({ predicted, observed, rows }) => [fixed(predicted), fixed(observed), count(rows)]),
      )}
    </div>`;
}

const share = (part: number, whole: number): string =>
  whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`;

/** Columns from the second on hold numbers, unless they begin later (`numbersFrom`). */
function table(
  head: readonly string[],
  rows: ReadonlyArray<ReadonlyArray<string | Html>>,
  numbersFrom = 1,
): Html {
  const align = (column: number): string => (column >= numbersFrom ? 'number' : '');
  return html`<div class="scroll" tabindex="0">
    <table>
      <thead>
        <tr>
          ${head.map((one, column) => html`<th class="${align(column)}">${one}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${row.map((cell, column) => html`<td class="${align(column)}">${cell}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
